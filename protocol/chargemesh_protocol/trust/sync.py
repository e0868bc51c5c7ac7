"""Catch-up: when two nodes meet, each ends with the entries that either had.

Carried on `/chargemesh/log/1`. The asker sends where its logs stand (cursors) for a range of keys; the answer
holds entries that it lacks, in order, within a budget, and the answerer's own cursors, by which the asker
pushes what the other lacks with its next question. This repeats until nothing new comes, then goes on to the
next range (catch_up.py). A fork shows as two heads that differ: the answer then holds a stretch back from
there, until the lowest pair is found, and both sides end with the same proof.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..encoding import decode_map, encode
from ..limits import (
    CONFLICT_STRETCH,
    MAX_CATCH_UP_BUNDLES,
    MAX_CATCH_UP_BYTES,
    MAX_CATCH_UP_ITEMS,
    MAX_CURSORS,
    MAX_ENTRY_BYTES,
    MAX_RECORD_BYTES,
    MAX_REVIEW_CONTENT_BYTES,
)
from ..shape import ID, Bool, Bytes, Seq, Struct, Uint, from_tree, key, shape, to_tree
from .log import Judged, Log
from .logset import LogSet

PROTOCOL = "/chargemesh/log/1"
FIRST_KEY = bytes(32)
LAST_KEY = b"\xff" * 32
_ITEM_OVERHEAD = 12  # bytes of CBOR around an item's parts
_MAX_ITEM_BYTES = MAX_ENTRY_BYTES + MAX_REVIEW_CONTENT_BYTES + _ITEM_OVERHEAD


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One entry and, for a review that wasn't erased, its content; also the body of a gossip message."""

    raw: bytes = key(0, Bytes(1, MAX_ENTRY_BYTES))
    content: bytes | None = key(1, Bytes(1, MAX_REVIEW_CONTENT_BYTES), optional=True)

    def to_bytes(self) -> bytes:
        return encode(to_tree(self))


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where a log stands: `next` is the lowest sequence not accepted, `head` the id of the accepted entry
    before it. `forked` means that the sender holds two entries for `next`."""

    log: bytes = key(0, ID)
    next: int = key(1, Uint())
    head: bytes | None = key(2, ID, optional=True)
    forked: bool = key(3, Bool())

    def __post_init__(self) -> None:
        if self.next < 1 or (self.head is None) != (self.next == 1):
            raise ValueError("a cursor names the head before its next sequence, which starts at 1")


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUp:
    """Question and answer alike. `cursors` are those of all the sender's logs with keys in [first, last]; an
    answer may name an earlier `last`, up to which it reached. `wanted`: authors whose bundles the sender
    lacks or finds too old; `bundles`: those that it was asked for. `now`: in an answer, the sender's clock
    (unix ms)."""

    first: bytes = key(0, ID)
    last: bytes = key(1, ID)
    cursors: tuple[Cursor, ...] = key(2, Seq(Struct(Cursor), MAX_CURSORS))
    items: tuple[Item, ...] = key(3, Seq(Struct(Item), MAX_CATCH_UP_ITEMS))
    wanted: tuple[bytes, ...] = key(4, Seq(ID, MAX_CATCH_UP_BUNDLES))
    bundles: tuple[bytes, ...] = key(5, Seq(Bytes(1, MAX_RECORD_BYTES), MAX_CATCH_UP_BUNDLES))
    now: int | None = key(16, Uint(), optional=True)

    def to_bytes(self) -> bytes:
        return encode(to_tree(self))


def open_item(data: bytes) -> Item:
    """Reads a gossip message; Refused where it is none."""
    return from_tree(Item, decode_map(data, max_bytes=_MAX_ITEM_BYTES))


def open_catch_up(data: bytes) -> CatchUp:
    """Reads one message of the exchange; Refused where it is none."""
    return from_tree(CatchUp, decode_map(data))


def item_of(logs: LogSet, entry: Judged) -> Item:
    return Item(raw=entry.record.raw, content=logs.content(entry.id))


def cursors_between(logs: LogSet, first: bytes, last: bytes) -> tuple[tuple[Cursor, ...], bytes]:
    """Our cursors for keys in [first, last], and the key up to which they are complete."""
    within = logs.between(first, last)
    if len(within) > MAX_CURSORS:
        within = within[:MAX_CURSORS]
        last = within[-1].key
    return tuple(_cursor(log) for log in within), last


def _cursor(log: Log) -> Cursor:
    return Cursor(log=log.key, next=log.next, head=log.head, forked=log.fork is not None)


class Budget:
    """What one message may still hold."""

    def __init__(self) -> None:
        self._bytes = MAX_CATCH_UP_BYTES
        self._items = MAX_CATCH_UP_ITEMS

    def take(self, size: int) -> bool:
        """Whether `size` bytes more fit; they count as taken then."""
        if self._items < 1 or size > self._bytes:
            return False
        self._items -= 1
        self._bytes -= size
        return True


def missing_at(logs: LogSet, cursors: Iterable[Cursor], first: bytes, last: bytes) -> Iterator[Judged]:
    """Our entries in that range that somebody with those cursors lacks, each log in ascending order."""
    stands = {cursor.log: cursor for cursor in cursors}
    for log in logs.between(first, last):
        yield from _missing_of(log, stands.get(log.key))


def _missing_of(log: Log, theirs: Cursor | None) -> Iterator[Judged]:
    if theirs is None:
        yield from log.accepted
    else:
        ours = log.at(theirs.next - 1)
        if ours is not None and ours.id != theirs.head:
            # Their history and ours part somewhere before this: send the stretch in which to look for it.
            for sequence in range(max(1, theirs.next - CONFLICT_STRETCH), theirs.next):
                if (entry := log.at(sequence)) is not None:
                    yield entry
        elif not theirs.forked:
            yield from log.accepted_from(theirs.next)
    proof = log.fork
    # They need the proof unless they hold one as low as ours.
    if proof is not None and (theirs is None or not theirs.forked or log.next < theirs.next):
        yield from proof


def pack(logs: LogSet, entries: Iterable[Judged], budget: Budget) -> tuple[Item, ...]:
    """As many of `entries`, in order, as the budget lets through."""
    items: list[Item] = []
    for entry in entries:
        item = item_of(logs, entry)
        if not budget.take(len(item.raw) + len(item.content or b"") + _ITEM_OVERHEAD):
            break
        items.append(item)
    return tuple(items)


def pack_bundles(logs: LogSet, authors: Iterable[bytes], budget: Budget) -> tuple[bytes, ...]:
    """The bundles we know of those authors, within the budget."""
    bundles: list[bytes] = []
    for author in authors:
        bundle = logs.directory.get(author)
        if bundle is not None and len(bundles) < MAX_CATCH_UP_BUNDLES:
            data = bundle.to_bytes()
            if budget.take(len(data)):
                bundles.append(data)
    return tuple(bundles)
