"""The order in which a caretaker answers, page by page, and what changes its place between two pages."""

from __future__ import annotations

from collections import OrderedDict

from chargemesh_protocol.discovery import wire
from chargemesh_protocol.discovery.offers import ChargerKey
from chargemesh_protocol.limits import MAX_FOUND_BYTES

from ..ports import CachedListing, Clock

PAGES_MS = 30_000  # between a search's first page and its last: twice what a search may take
MAX_MOVED = 1024  # the one that moved first is forgotten
_ITEM_OVERHEAD = 16


def rank(row: CachedListing) -> int:
    """Order of the cache: proven ones first, then the cheapest."""
    return row.price + (0 if row.proven else 1 << 63)


def cursor(row: CachedListing) -> bytes:
    """The place of a row among all: what a page ends with, and the next begins after."""
    return rank(row).to_bytes(8, "big") + row.author + row.charger


def item(row: CachedListing) -> wire.FoundItem:
    return wire.FoundItem(listing=row.listing, renewal=row.renewal, bundle=row.bundle)


def page(fitting: list[CachedListing], limit: int, after: bytes) -> wire.Found:
    """As many rows as a message holds. `fitting`: in order, those behind `after` and those that moved."""
    items: list[wire.FoundItem] = []
    size = 0
    for row in fitting[:limit]:
        size += len(row.listing) + len(row.renewal) + len(row.bundle) + _ITEM_OVERHEAD
        if size > MAX_FOUND_BYTES:
            break
        items.append(item(row))
    more = max(cursor(fitting[len(items) - 1]), after) if items and len(items) < len(fitting) else None
    return wire.Found(items=tuple(items), more=more)


class Moved:
    """Listings that a change brought nearer to the front: whoever has read the front already gets them with
    the next page, or they would be on none."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._from: OrderedDict[ChargerKey, tuple[bytes, int]] = OrderedDict()  # cursor, when (unix ms)

    def note(self, before: CachedListing, now: CachedListing) -> None:
        """`now` takes the place of `before`, of the same charger."""
        if cursor(now) < cursor(before):
            self._from[now.author, now.charger] = (cursor(before), self._clock.now())
            self._from.move_to_end((now.author, now.charger))
            if len(self._from) > MAX_MOVED:
                self._from.popitem(last=False)

    def is_missed(self, row: CachedListing, after: bytes) -> bool:
        """Whether the pages up to `after` may have been read while the row was still behind it."""
        came_from, at = self._from.get((row.author, row.charger), (b"", 0))
        return came_from > after and self._clock.now() - at < PAGES_MS
