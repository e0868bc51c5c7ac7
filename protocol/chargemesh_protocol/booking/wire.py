"""Messages of `/chargemesh/booking/1`: request and response are CBOR maps whose key 0 is the operation.

Records travel as their raw bytes. Whoever knows a booking's id may ask for its records, from any PeerId:
the id is a hash over a signed request that only the two parties hold, a bearer secret that appears in nothing
public (specs/05, B18); and everything private inside is sealed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from ..contact import Contact
from ..encoding import decode_map, encode
from ..errors import Refused
from ..limits import (
    MAX_MESSAGE_BYTES,
    MAX_RECORD_BYTES,
    MAX_SEALED_BYTES,
    MAX_SEALED_PHOTO_BYTES,
    MAX_TEXT_CHARS,
)
from ..shape import ID, Bytes, Int, Seq, Struct, Text, Uint, from_tree, key, shape, to_tree

PROTOCOL = "/chargemesh/booking/1"
MAX_RECORDS_A_MESSAGE = 128
MAX_MESSAGES_A_PARCEL = 8
MAX_STATEMENTS = 4
UNAVAILABLE = "unavailable"  # a Failed of this code decides nothing: ask again later
_RAW = Bytes(1, MAX_RECORD_BYTES)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class AskQuote:
    """What would this slot cost? Says nothing about who asks. `booking`: as a change of that one."""

    operation: int = key(0, Int(1, 1), default=1)
    charger: bytes = key(1, Bytes(16))
    start: int = key(2, Uint())
    end: int = key(3, Uint())
    energy_wh: int = key(4, Uint(1_000_000))
    booking: bytes | None = key(16, ID, optional=True)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteGiven:
    """The quote, with the bundle that proves its author's device."""

    operation: int = key(0, Int(2, 2), default=2)
    quote: bytes = key(1, _RAW)
    bundle: bytes = key(2, _RAW)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Union of a booking's set, as request and as response: the sender's news, and what it has got.

    `opening` is the quote record, in a driver's first message of a booking, whose first record is the
    request. `known` counts the other's records that the sender holds without a gap (a request counts as
    none), `held` names the statements and `heard` counts the sealed messages it holds from the other.
    `contact`: where its sender is reached from now on, with its mailboxes. `wants`: the photo that a driver
    asks for; `photo`: that one, sealed, in the host's response.
    """

    operation: int = key(0, Int(3, 3), default=3)
    booking: bytes = key(1, ID)
    records: tuple[bytes, ...] = key(2, Seq(_RAW, MAX_RECORDS_A_MESSAGE), default=())
    known: int = key(3, Uint(), default=0)
    statements: tuple[bytes, ...] = key(4, Seq(_RAW, MAX_STATEMENTS), default=())
    held: tuple[bytes, ...] = key(5, Seq(ID, MAX_STATEMENTS), default=())
    sealed: tuple[bytes, ...] = key(6, Seq(Bytes(1, MAX_SEALED_BYTES), MAX_MESSAGES_A_PARCEL), default=())
    heard: int = key(7, Uint(), default=0)
    opening: bytes | None = key(16, _RAW, optional=True)
    bundle: bytes | None = key(17, _RAW, optional=True)
    contact: Contact | None = key(18, Struct(Contact), optional=True)
    wants: bytes | None = key(19, ID, optional=True)
    photo: bytes | None = key(20, Bytes(1, MAX_SEALED_PHOTO_BYTES), optional=True)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The message was not acted on. `code` is a registered reason, `message` a sentence for people."""

    operation: int = key(0, Int(15, 15), default=15)
    code: str = key(1, Text(40, 1))
    message: str = key(2, Text(4 * MAX_TEXT_CHARS))


Message: TypeAlias = AskQuote | QuoteGiven | Exchange | Failed
_BY_OPERATION: dict[int, type[Any]] = {1: AskQuote, 2: QuoteGiven, 3: Exchange, 15: Failed}
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
        raise Refused("unexpected", "the peer answered something else")
    return message
