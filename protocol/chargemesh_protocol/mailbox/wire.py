"""Messages of `/chargemesh/mailbox/1`: request and response are CBOR maps whose key 0 is the operation.

Anybody may hand a parcel in for any key. Only the holder of the key collects: it asks for a challenge and
signs it, together with what may be dropped. Nothing tells who the depositor or the recipient is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from ..contact import Contact
from ..encoding import decode_map, encode
from ..errors import Refused
from ..limits import MAX_COLLECTED_PARCELS, MAX_MESSAGE_BYTES, MAX_PARCEL_BYTES, MAX_TEXT_CHARS
from ..record import kind
from ..shape import ID, Bool, Bytes, Int, Seq, Struct, Text, Uint, from_tree, key, shape, to_tree
from ..zones import LAST_INSTANT
from .sealing import SIZES

PROTOCOL = "/chargemesh/mailbox/1"
CHALLENGE_BYTES = 40  # read by its writer alone
_SEALED = Bytes(SIZES[0], MAX_PARCEL_BYTES)
_MAX_DEPOSIT_BYTES = 512


@kind("deposit")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Deposited:
    """The volunteer's word that a parcel was handed in, as a record by its signer key and no author's.

    issued: when. parcel: SHA-256 of the sealed bytes. expires: until when it is held.
    """

    issued: int = key(1, Uint(LAST_INSTANT))
    parcel: bytes = key(2, ID)
    expires: int = key(3, Uint(LAST_INSTANT))


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class AskTerms:
    """Do you hold parcels?"""

    operation: int = key(0, Int(1, 1), default=1)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Yes: by `signer` I sign what was handed in, at `contact` I answer. `full`: I take no more now."""

    operation: int = key(0, Int(2, 2), default=2)
    signer: bytes = key(1, ID)
    full: bool = key(2, Bool())
    contact: Contact = key(3, Struct(Contact))


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """Hold this for the holder of a mailbox key. `replaces`: the hash of an earlier parcel for the same key
    that this one makes needless; to know it is to have sealed it."""

    operation: int = key(0, Int(3, 3), default=3)
    recipient: bytes = key(1, ID)
    sealed: bytes = key(2, _SEALED)
    expires: int = key(3, Uint(LAST_INSTANT))
    replaces: bytes | None = key(16, ID, optional=True)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """It is held: `proof` is the record `deposit`."""

    operation: int = key(0, Int(4, 4), default=4)
    proof: bytes = key(1, Bytes(1, _MAX_DEPOSIT_BYTES))


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Knock:
    """Give me a challenge for this mailbox key."""

    operation: int = key(0, Int(5, 5), default=5)
    recipient: bytes = key(1, ID)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """To be signed within a minute, by whoever asked."""

    operation: int = key(0, Int(6, 6), default=6)
    challenge: bytes = key(1, Bytes(CHALLENGE_BYTES))


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Collect:
    """Forget the parcels of `drop`, then give me what there is. `signature`: see `keys.collect_bytes`."""

    operation: int = key(0, Int(7, 7), default=7)
    recipient: bytes = key(1, ID)
    challenge: bytes = key(2, Bytes(CHALLENGE_BYTES))
    signature: bytes = key(3, Bytes(64))
    drop: tuple[bytes, ...] = key(4, Seq(ID, MAX_COLLECTED_PARCELS), default=())


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class HeldParcel:
    """One parcel, and when it was handed in."""

    sealed: bytes = key(0, _SEALED)
    at: int = key(1, Uint(LAST_INSTANT))


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """The parcels held longest. `more`: dropping these brings others."""

    operation: int = key(0, Int(8, 8), default=8)
    parcels: tuple[HeldParcel, ...] = key(1, Seq(Struct(HeldParcel), MAX_COLLECTED_PARCELS))
    more: bool = key(2, Bool())


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The request was not acted on. `code` is a registered reason, `message` a sentence for people."""

    operation: int = key(0, Int(15, 15), default=15)
    code: str = key(1, Text(40, 1))
    message: str = key(2, Text(4 * MAX_TEXT_CHARS))


Message: TypeAlias = AskTerms | Terms | Deposit | Taken | Knock | Challenge | Collect | Collected | Failed
_BY_OPERATION: dict[int, type[Any]] = {
    1: AskTerms,
    2: Terms,
    3: Deposit,
    4: Taken,
    5: Knock,
    6: Challenge,
    7: Collect,
    8: Collected,
    15: Failed,
}
M = TypeVar("M")


def write(message: Message) -> bytes:
    """The message's bytes."""
    return encode(to_tree(message))


def read(body: bytes) -> Message:
    """The message in `body`; Refused if it is none of ours."""
    tree = decode_map(body, max_bytes=MAX_MESSAGE_BYTES)
    operation = tree.get(0)
    cls = _BY_OPERATION.get(operation) if type(operation) is int else None
    if cls is None:
        raise Refused("unknown-operation", "no such operation on this stream")
    message: Message = from_tree(cls, tree)
    return message


def read_as(cls: type[M], body: bytes) -> M:
    """The response of the expected kind; a Failed or any other answer is raised as Refused."""
    message = read(body)
    if isinstance(message, Failed):
        raise Refused(message.code, message.message)
    if not isinstance(message, cls):
        raise Refused("unexpected", "the mailbox answered something else")
    return message
