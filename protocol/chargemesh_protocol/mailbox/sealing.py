"""A parcel: a message of a stream, sealed for whoever holds a mailbox key, of one of three sizes.

    letter     {protocol, body, sender's contact, when, booking}
    padded     letter || 0x80 || zeros, so that 4, 16 or 64 KB come of it
    sealed     ephemeral X25519 key || crypto_box, which is libsodium's crypto_box_seal

The ephemeral key comes of 32 fresh bytes of the sender's. Who keeps those and the letter can show later what
a deposit held: sealed again it gives the same bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import nacl.bindings as sodium
import nacl.exceptions

from ..contact import Contact
from ..encoding import decode_map, encode
from ..errors import Refused, Severity
from ..limits import MAX_PARCEL_BYTES
from ..shape import ID, Bytes, Int, Struct, Text, Uint, from_tree, key, shape, to_tree
from ..zones import LAST_INSTANT
from .keys import mailbox_key, opening_key, sealing_key

SIZES = (4 * 1024, 16 * 1024, MAX_PARCEL_BYTES)  # bytes of a sealed parcel
SEAL_BYTES = 48  # of each: the ephemeral key and the authenticator
ROOM = MAX_PARCEL_BYTES - SEAL_BYTES - 1  # for the letter's bytes
_MARK = b"\x80"
_MAX_PROTOCOL_CHARS = 40


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is inside. `sender`: where the answer goes. `sent`: by the sender's clock; of two the later knows
    better where the sender is. `booking`: what it is about."""

    version: int = key(0, Int(1, 1), default=1)
    protocol: str = key(1, Text(_MAX_PROTOCOL_CHARS, 1))
    body: bytes = key(2, Bytes(1, ROOM))
    sender: Contact = key(3, Struct(Contact))
    sent: int = key(4, Uint(LAST_INSTANT))
    booking: bytes = key(5, ID)


def seal_letter(letter: Letter, recipient: bytes, ephemeral: bytes) -> bytes:
    """The parcel for the holder of the mailbox key `recipient`. `ephemeral`: 32 bytes for this one parcel.

    ValueError if the letter is too long; Refused if nothing can be sealed to that key.
    """
    public, secret = sodium.crypto_box_seed_keypair(ephemeral)
    theirs, plaintext = sealing_key(recipient), _padded(encode(to_tree(letter)))
    try:
        box = sodium.crypto_box(plaintext, _nonce(public, theirs), theirs, secret)
    except (nacl.exceptions.CryptoError, ValueError) as error:
        raise Refused("bad-key", "no parcel can be sealed to this mailbox key", Severity.FORGED) from error
    return bytes(public) + box


def open_parcel(sealed: bytes, seed: bytes) -> Letter:
    """The letter inside, with the seed of the mailbox key; Refused for anything else."""
    if len(sealed) not in SIZES:
        raise Refused("parcel", "a parcel has one of three sizes", Severity.FORGED)
    public = sealing_key(mailbox_key(seed))
    try:
        padded = bytes(sodium.crypto_box_seal_open(sealed, public, opening_key(seed)))
    except nacl.exceptions.CryptoError as error:
        raise Refused("sealed", "not sealed for this mailbox key", Severity.FORGED) from error
    data, mark, zeros = padded.rpartition(_MARK)
    if not mark or zeros.strip(b"\0"):
        raise Refused("parcel", "the padding is wrong", Severity.FORGED)
    return from_tree(Letter, decode_map(data, max_bytes=ROOM))


def parcel_hash(sealed: bytes) -> bytes:
    """By which a parcel is named, kept once, and dropped: SHA-256."""
    return hashlib.sha256(sealed).digest()


def letter_room(sender: Contact, protocol: str) -> int:
    """How many bytes of body fit beside the rest of a letter."""
    empty = Letter(protocol=protocol, body=b"\0", sender=sender, sent=LAST_INSTANT, booking=bytes(32))
    return ROOM - len(encode(to_tree(empty))) - 4  # the head of a longer byte string


def _padded(data: bytes) -> bytes:
    return (data + _MARK).ljust(_size_for(len(data)) - SEAL_BYTES, b"\0")


def _size_for(length: int) -> int:
    for size in SIZES:
        if length + len(_MARK) + SEAL_BYTES <= size:
            return size
    raise ValueError("too long for a parcel")


def _nonce(ephemeral: bytes, recipient: bytes) -> bytes:
    return hashlib.blake2b(ephemeral + recipient, digest_size=24).digest()
