"""Stores and caches, real and in memory, behind one way to start, stop and fill them."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from chargemesh_node.clock import ManualClock
from chargemesh_node.ports import Cache, Loaded, OutboxRow, Store
from chargemesh_node.sim.disk import MemoryCache, MemoryStore
from chargemesh_node.store.cache_db import SqliteCache
from chargemesh_node.store.database import fetch
from chargemesh_node.store.node_db import SqliteStore
from chargemesh_protocol.effects import AddRecord, HoldSlot, PutDocument, PutOutbox, Save

NOW = 1_790_000_000_000


class StoreDisk(Protocol):
    """Where a store lives on after the node that used it."""

    def store(self) -> Store:
        """A store as a starting node makes it, not yet open."""
        ...

    async def fill(self, store: Store) -> None:
        """From now on there is no room."""
        ...

    async def make_room(self, store: Store) -> None: ...


class SqliteDisk:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "node.db"
        self.clock = ManualClock(NOW)

    def store(self) -> SqliteStore:
        return SqliteStore(self.path, self.clock, reserve_bytes=0)

    async def fill(self, store: Store) -> None:
        await self._limit(store, 1)  # below what the file has: SQLite takes the present size

    async def make_room(self, store: Store) -> None:
        await self._limit(store, 1_000_000)

    async def _limit(self, store: Store, pages: int) -> None:
        assert isinstance(store, SqliteStore)
        await fetch(store._connection(), f"PRAGMA max_page_count = {pages}")


class MemoryDisk:
    def __init__(self) -> None:
        self._store = MemoryStore()

    def store(self) -> MemoryStore:
        return self._store

    async def fill(self, store: Store) -> None:
        self._store.full = True

    async def make_room(self, store: Store) -> None:
        self._store.full = False


class CacheDisk(Protocol):
    clock: ManualClock

    def cache(self) -> Cache: ...


class SqliteCacheDisk:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "cache.db"
        self.clock = ManualClock(NOW)

    def cache(self) -> SqliteCache:
        return SqliteCache(self.path, 64 * 1024 * 1024, self.clock, min_free_bytes=0)


class MemoryCacheDisk:
    def __init__(self) -> None:
        self.clock = ManualClock(NOW)
        self._cache = MemoryCache(self.clock)

    def cache(self) -> MemoryCache:
        return self._cache


def id_of(number: int, what: str = "") -> bytes:
    """32 bytes that stand for a record, booking or key."""
    return f"{what}{number}".encode().ljust(32, b".")


def transaction(number: int, kibibytes: int = 1) -> list[Save]:
    """The saves of transaction `number`: one of each table, told apart from those of any other."""
    booking = id_of(number, "booking")
    return [
        PutDocument("steps", number.to_bytes(4, "big"), bytes([number % 251]) * 1024 * kibibytes),
        PutDocument("newest", b"", number.to_bytes(4, "big")),
        AddRecord(booking, id_of(1), b"request %d" % number),
        HoldSlot(b"charger", booking, NOW + number * 3_600_000, NOW + (number + 1) * 3_600_000),
        AddRecord(booking, id_of(2), b"accept %d" % number),
        PutOutbox("peer", booking, NOW + 1, b"parcel %d" % number),
    ]


def whole_transactions(loaded: Loaded) -> int:
    """How many of transactions 0, 1, 2 … are there; AssertionError if one is half there, or missing."""
    count = len(loaded.documents.get("steps", {}))
    assert set(loaded.documents.get("steps", {})) == {number.to_bytes(4, "big") for number in range(count)}
    newest = loaded.documents.get("newest", {})
    assert newest == ({b"": (count - 1).to_bytes(4, "big")} if count else {})
    assert {booking: list(raws.values()) for booking, raws in loaded.records.items()} == {
        id_of(number, "booking"): [b"request %d" % number, b"accept %d" % number] for number in range(count)
    }
    assert {slot.booking for slot in loaded.slots} == {id_of(number, "booking") for number in range(count)}
    assert {row.body for row in loaded.outbox} == {b"parcel %d" % number for number in range(count)}
    return count


def row_named(loaded: Loaded, key: bytes) -> OutboxRow:
    (found,) = [row for row in loaded.outbox if row.key == key]
    return found
