"""A file that only a passphrase opens: argon2id makes the key, XChaCha20-Poly1305 frames hold the content.

    header   "chargemesh backup\\n", version 1 (1 byte), passes (u32), memory in KiB (u32), salt (16 bytes),
             stream header (24 bytes); integers big-endian
    frames   length (u32), then that many bytes of libsodium's crypto_secretstream: at most 64 KiB and a
             17-byte tag; the header is the additional data of each; the last frame is empty and FINAL

The stream's own counter refuses frames that were dropped, repeated or put in another order. A frame
holds what one call of `write` was given, so that a reader finds the writer's pieces again.
"""

from __future__ import annotations

import struct
import unicodedata
from dataclasses import dataclass
from typing import BinaryIO

import nacl.exceptions
from nacl import bindings as sodium
from nacl.pwhash import argon2id

from chargemesh_protocol.errors import ExitCode, PersonError

MAX_FRAME_BYTES = 64 * 1024
MIN_PASSPHRASE_CHARS = 10
MAX_PASSPHRASE_CHARS = 1024

_MAGIC = b"chargemesh backup\n"
_VERSION = 1
_HEADER = struct.Struct(f">{len(_MAGIC)}sBII16s24s")
_LENGTH = struct.Struct(">I")
_TAG_BYTES = sodium.crypto_secretstream_xchacha20poly1305_ABYTES
_MESSAGE = sodium.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
_FINAL = sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL
# A file from elsewhere must not make us compute for hours or take all memory before anything is verified.
_MAX_PASSES = 16
_MAX_MEMORY_KIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """What each guess of the passphrase costs: passes over so much memory."""

    passes: int
    memory_kib: int


# libsodium's "moderate": under a second and 256 MiB, which a Raspberry Pi with 1 GB has.
DEFAULT_COST = Cost(argon2id.OPSLIMIT_MODERATE, argon2id.MEMLIMIT_MODERATE // 1024)


def check_passphrase(passphrase: str) -> bytes:
    """The bytes that argon2id gets (NFKC, so that keyboards agree); PersonError if it is too short."""
    normal = unicodedata.normalize("NFKC", passphrase)
    if not MIN_PASSPHRASE_CHARS <= len(normal) <= MAX_PASSPHRASE_CHARS:
        raise PersonError(
            "weak-passphrase",
            f"A passphrase has {MIN_PASSPHRASE_CHARS} to {MAX_PASSPHRASE_CHARS} characters.",
            "Four or five random words are good, and can be remembered.",
            ExitCode.USAGE,
        )
    return normal.encode()


class SealedWriter:
    """Writes the header at once, then a frame for each `write`; without `finish` a reader sees a cut file."""

    def __init__(self, file: BinaryIO, passphrase: str, *, salt: bytes, cost: Cost = DEFAULT_COST) -> None:
        key = _derive(check_passphrase(passphrase), salt, cost)
        self._file = file
        self._state = sodium.crypto_secretstream_xchacha20poly1305_state()
        stream_header = sodium.crypto_secretstream_xchacha20poly1305_init_push(self._state, key)
        self._header = _HEADER.pack(_MAGIC, _VERSION, cost.passes, cost.memory_kib, salt, stream_header)
        file.write(self._header)

    def write(self, content: bytes) -> None:
        """One frame; ValueError beyond MAX_FRAME_BYTES."""
        if len(content) > MAX_FRAME_BYTES:
            raise ValueError("a frame holds at most 64 KiB")
        self._push(content, _MESSAGE)

    def finish(self) -> None:
        self._push(b"", _FINAL)

    def _push(self, content: bytes, tag: int) -> None:
        frame = sodium.crypto_secretstream_xchacha20poly1305_push(self._state, content, self._header, tag)
        self._file.write(_LENGTH.pack(len(frame)) + frame)


class SealedReader:
    """Reads frames back; PersonError tells a wrong passphrase, a cut file and an altered one apart."""

    def __init__(self, file: BinaryIO, passphrase: str) -> None:
        self._file = file
        self._header = file.read(_HEADER.size)
        if not self._header.startswith(_MAGIC):
            raise PersonError(
                "not-a-backup",
                "This file is not a chargemesh backup.",
                "Look for the file that `backup` wrote.",
            )
        if len(self._header) < _HEADER.size:
            raise _cut()
        _, version, passes, memory_kib, salt, stream_header = _HEADER.unpack(self._header)
        if version != _VERSION:
            raise PersonError(
                "backup-version",
                f"This backup has format {version}; this program knows format {_VERSION}.",
                "Restore it with a newer chargemesh.",
            )
        if not 1 <= passes <= _MAX_PASSES or not 8 <= memory_kib <= _MAX_MEMORY_KIB:
            raise _altered(0)
        normal = unicodedata.normalize("NFKC", passphrase).encode()
        key = _derive(normal, salt, Cost(passes, memory_kib))
        self._state = sodium.crypto_secretstream_xchacha20poly1305_state()
        sodium.crypto_secretstream_xchacha20poly1305_init_pull(self._state, stream_header, key)
        self._read_one = False

    def read(self) -> bytes | None:
        """The next frame's content, None after the last; PersonError for anything but what was written."""
        at = self._file.tell()
        prefix = self._file.read(_LENGTH.size)
        if len(prefix) < _LENGTH.size:
            raise _cut()
        (length,) = _LENGTH.unpack(prefix)
        if not _TAG_BYTES <= length <= MAX_FRAME_BYTES + _TAG_BYTES:
            raise _altered(at)
        frame = self._file.read(length)
        if len(frame) < length:
            raise _cut()
        try:
            content, tag = sodium.crypto_secretstream_xchacha20poly1305_pull(self._state, frame, self._header)
        except nacl.exceptions.RuntimeError as error:
            raise _altered(at) if self._read_one else _wrong_passphrase() from error
        self._read_one = True
        if tag == _MESSAGE:
            return content
        if tag != _FINAL or content or self._file.read(1):
            raise _altered(at)
        return None


def _derive(passphrase: bytes, salt: bytes, cost: Cost) -> bytes:
    try:
        return argon2id.kdf(
            sodium.crypto_secretstream_xchacha20poly1305_KEYBYTES,
            passphrase,
            salt,
            opslimit=cost.passes,
            memlimit=cost.memory_kib * 1024,
        )
    except nacl.exceptions.RuntimeError as error:
        raise PersonError(
            "out-of-memory",
            f"To check the passphrase takes {cost.memory_kib // 1024} MiB of memory, more than is free.",
            "Close other programs, or use a larger machine.",
        ) from error


def _wrong_passphrase() -> PersonError:
    return PersonError(
        "wrong-passphrase",
        "The passphrase doesn't open this backup.",
        "Check capitals and keyboard layout. (A file damaged in its first bytes looks the same.)",
        ExitCode.NOT_ALLOWED,
    )


def _cut() -> PersonError:
    return PersonError(
        "truncated-backup", "This backup ends too early.", "Copy it again from where it was kept."
    )


def _altered(at: int) -> PersonError:
    return PersonError(
        "altered-backup",
        f"This backup was altered or damaged (at byte {at}).",
        "Nothing was restored. Copy it again from where it was kept, or use an older one.",
    )
