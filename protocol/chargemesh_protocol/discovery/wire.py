"""Messages of `/chargemesh/listing/1`: question and answer are CBOR maps whose key 0 is the operation.

A caretaker is told of listings (Store, StoreRenewal, Withdraw) and asked for them (Query). Store and Withdraw
are also what the gossip topics of cells carry. A query names cells and never a point, and carries no name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from ..encoding import decode_map, encode
from ..errors import Refused
from ..limits import (
    MAX_BUNDLE_BYTES,
    MAX_FOUND_ITEMS,
    MAX_LISTING_BYTES,
    MAX_MESSAGE_BYTES,
    MAX_QUERY_CELLS,
    MAX_RENEWAL_BYTES,
    MAX_TEXT_CHARS,
)
from ..listing import Need
from ..place import require_public_cell
from ..shape import ID, Bytes, Int, Seq, Struct, Text, Uint, from_tree, key, shape, to_tree

PROTOCOL = "/chargemesh/listing/1"
CURSOR_BYTES = 56  # rank, author and charger of the last item; only its writer reads it
_LISTING = Bytes(1, MAX_LISTING_BYTES)
_RENEWAL = Bytes(1, MAX_RENEWAL_BYTES)
_BUNDLE = Bytes(1, MAX_BUNDLE_BYTES)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Keep this listing in `cell` of the tree (and its shard), in which its public cell lies."""

    operation: int = key(0, Int(1, 1), default=1)
    listing: bytes = key(1, _LISTING)
    renewal: bytes = key(2, _RENEWAL)
    bundle: bytes = key(3, _BUNDLE)
    cell: int = key(4, Uint())
    shard: int = key(5, Uint(255), default=0)

    def __post_init__(self) -> None:
        require_public_cell(self.cell)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRenewal:
    """The listing that the renewal names, of this charger, still stands."""

    operation: int = key(0, Int(2, 2), default=2)
    author: bytes = key(1, ID)
    charger: bytes = key(2, Bytes(16))
    renewal: bytes = key(3, _RENEWAL)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """Show this charger no longer."""

    operation: int = key(0, Int(3, 3), default=3)
    withdrawal: bytes = key(1, Bytes(1, 1024))
    bundle: bytes = key(2, _BUNDLE)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which listings in these cells, or in public cells that hold one of them, fit the need? `after` is the
    `more` of the answer before; every page has the same cells and need."""

    operation: int = key(0, Int(4, 4), default=4)
    cells: tuple[int, ...] = key(1, Seq(Uint(), MAX_QUERY_CELLS, 1))
    need: Need = key(2, Struct(Need))
    limit: int = key(3, Int(1, MAX_FOUND_ITEMS))
    after: bytes | None = key(4, Bytes(CURSOR_BYTES), optional=True)

    def __post_init__(self) -> None:
        for cell in self.cells:
            require_public_cell(cell)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class FoundItem:
    """A listing with what proves it and that it stands."""

    listing: bytes = key(0, _LISTING)
    renewal: bytes = key(1, _RENEWAL)
    bundle: bytes = key(2, _BUNDLE)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What fits, best first by the caretaker's own lights. `more` leads to the next page, if there is one."""

    operation: int = key(0, Int(5, 5), default=5)
    items: tuple[FoundItem, ...] = key(1, Seq(Struct(FoundItem), MAX_FOUND_ITEMS))
    more: bytes | None = key(2, Bytes(CURSOR_BYTES), optional=True)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Done as told, or known already."""

    operation: int = key(0, Int(6, 6), default=6)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The message was not acted on. `code` is a registered reason, `message` a sentence for people.

    newer: where the code is "superseded", the listing or withdrawal that is known, with its author's bundle.
    """

    operation: int = key(0, Int(15, 15), default=15)
    code: str = key(1, Text(40, 1))
    message: str = key(2, Text(4 * MAX_TEXT_CHARS))
    newer: bytes | None = key(16, _LISTING, optional=True)
    bundle: bytes | None = key(17, _BUNDLE, optional=True)


Change: TypeAlias = Store | Withdraw
Message: TypeAlias = Store | StoreRenewal | Withdraw | Query | Found | Kept | Failed
_BY_OPERATION: dict[int, type[Any]] = {
    1: Store,
    2: StoreRenewal,
    3: Withdraw,
    4: Query,
    5: Found,
    6: Kept,
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
        raise Refused("unexpected", "the peer answered something else")
    return message


def failed(fault: Refused) -> Failed:
    """What a peer is told of its fault."""
    return Failed(code=fault.code, message=fault.message[: 4 * MAX_TEXT_CHARS])
