"""What only the two parties of a booking may read: the access record with its photos, and their messages.

Everything is a NaCl crypto_box (X25519, XSalsa20-Poly1305) between the quote's and the request's
one-time keys. The plaintext names booking, sender and recipient, so that a box can't be passed off in
another booking. The access record is signed by the host's device key and then sealed; a message is
sealed only, and so deniable. A photo is sealed as it is: the access record names its hash.
"""

from __future__ import annotations

from dataclasses import dataclass

import nacl.bindings as sodium
import nacl.exceptions

from ..encoding import decode_map, encode
from ..errors import Refused, Severity
from ..limits import (
    MAX_NOTE_CHARS,
    MAX_PHOTOS,
    MAX_SEALED_BYTES,
    MAX_SEALED_PHOTO_BYTES,
    MAX_TEXT_CHARS,
)
from ..record import kind
from ..shape import ID, Int, Seq, Text, Uint, from_tree, key, shape, to_tree
from ..zones import LAST_INSTANT
from .photos import check_photo, photo_id

NONCE_BYTES = 24


@kind("access-record")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRecord:
    """Where the plug is and how to get to it. Latitude and longitude in microdegrees, WGS 84. photos: ids, in
    the host's order."""

    author: bytes = key(0, ID)
    issued: int = key(1, Uint(LAST_INSTANT))
    booking: bytes = key(2, ID)
    recipient: bytes = key(3, ID)
    address: str = key(4, Text(200, 1))
    latitude: int = key(5, Int(-90_000_000, 90_000_000))
    longitude: int = key(6, Int(-180_000_000, 180_000_000))
    way: str = key(7, Text(MAX_NOTE_CHARS))
    code: str = key(8, Text(MAX_TEXT_CHARS))
    phone: str = key(9, Text(32))
    photos: tuple[bytes, ...] | None = key(16, Seq(ID, MAX_PHOTOS), optional=True)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One sealed text between the parties."""

    booking: bytes = key(0, ID)
    sender: bytes = key(1, ID)
    recipient: bytes = key(2, ID)
    sent: int = key(3, Uint(LAST_INSTANT))
    text: str = key(4, Text(MAX_NOTE_CHARS, 1))


def one_time_keypair(seed: bytes) -> tuple[bytes, bytes]:
    """(public, secret) X25519 keys of a 32-byte seed."""
    public, secret = sodium.crypto_box_seed_keypair(seed)
    return bytes(public), bytes(secret)


def require_key(public: bytes) -> None:
    """Refused unless something can be sealed to this X25519 key: with points of small order nothing can."""
    try:
        sodium.crypto_box_beforenm(public, _ANY_SECRET)
    except (nacl.exceptions.CryptoError, ValueError) as error:
        raise Refused("bad-key", "nothing can be sealed to this one-time key", Severity.FORGED) from error


def seal(
    plaintext: bytes, nonce: bytes, their_public: bytes, our_secret: bytes, *, most: int = MAX_SEALED_BYTES
) -> bytes:
    """nonce || box, `most` bytes. The nonce is 24 fresh bytes; `require_key` has passed `their_public`."""
    sealed = nonce + sodium.crypto_box(plaintext, nonce, their_public, our_secret)
    if len(sealed) > most:
        raise ValueError("too long to seal")
    return sealed


def unseal(sealed: bytes, their_public: bytes, our_secret: bytes, *, most: int = MAX_SEALED_BYTES) -> bytes:
    """The plaintext; Refused if it was not sealed between these two keys."""
    if not NONCE_BYTES < len(sealed) <= most:
        raise Refused("sealed", "sealed bytes of a wrong length")
    try:
        return bytes(
            sodium.crypto_box_open(sealed[NONCE_BYTES:], sealed[:NONCE_BYTES], their_public, our_secret)
        )
    except (nacl.exceptions.CryptoError, ValueError) as error:
        raise Refused("sealed", "not sealed for this booking", Severity.FORGED) from error


_, _ANY_SECRET = one_time_keypair(bytes(32))  # a point of small order fails with every secret


def seal_message(message: Message, nonce: bytes, their_public: bytes, our_secret: bytes) -> bytes:
    """A message as it travels."""
    return seal(encode(to_tree(message)), nonce, their_public, our_secret)


def open_message(sealed: bytes, their_public: bytes, our_secret: bytes) -> Message:
    """The message inside; the caller compares booking, sender and recipient with the booking's."""
    return from_tree(Message, decode_map(unseal(sealed, their_public, our_secret)))


def seal_photo(photo: bytes, nonce: bytes, their_public: bytes, our_secret: bytes) -> bytes:
    """A photo as it travels."""
    return seal(photo, nonce, their_public, our_secret, most=MAX_SEALED_PHOTO_BYTES)


def open_photo(sealed: bytes, photo: bytes, their_public: bytes, our_secret: bytes) -> bytes:
    """The JPEG inside, if it is the one whose id is `photo`; Refused if not, or if it is no such picture."""
    jpeg = unseal(sealed, their_public, our_secret, most=MAX_SEALED_PHOTO_BYTES)
    if photo_id(jpeg) != photo:
        raise Refused("photo", "not the photo that was asked for")
    check_photo(jpeg)
    return jpeg
