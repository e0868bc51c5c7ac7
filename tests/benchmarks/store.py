"""What the stores do on this machine's disk: commits a second, and finding listings near a place.

Without a claim about the disk: the fsync of a commit is most of it, so the raw fsync is measured beside it.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from chargemesh_node.clock import ManualClock
from chargemesh_node.ports import CachedListing
from chargemesh_node.store.cache_db import SqliteCache
from chargemesh_node.store.node_db import SqliteStore
from chargemesh_protocol.discovery.places import Hand, Source
from chargemesh_protocol.effects import AddRecord
from chargemesh_protocol.listing import Need
from chargemesh_protocol.place import Point, cover, public_cell

NOW = 1_790_000_000_000
COMMITS = 300
LISTINGS = 20_000
QUERIES = 300
BATCH = 1000
RECORD_BYTES, LISTING_BYTES = 600, 1200
MIDDLE, SPREAD_DEGREES = Point(52.52, 13.405), 0.25  # about 50 km by 34 km around a city
NEED = Need(connector="IEC_62196_T2", min_power_w=7_000, max_price=400_000, currency="EUR")


def measure() -> dict[str, float]:
    """Figures by name; times in ms, rates a second."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> dict[str, float]:
    return {
        "fsync_p50_ms": _raw_fsync(folder / "raw"),
        **await _commits(folder / "node.db"),
        **await _listings(folder / "cache.db"),
    }


def _raw_fsync(path: Path) -> float:
    """A 4 KiB write with fdatasync, without any database: the floor under a commit."""
    taken = []
    with path.open("wb", buffering=0) as file:
        for _ in range(100):
            start = time.perf_counter()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter() - start) * 1000)
    return sorted(taken)[50]


async def _commits(path: Path) -> dict[str, float]:
    dice = random.Random(1)
    store = SqliteStore(path, ManualClock(NOW))
    await store.open()
    try:
        return await _timed_commits(store, dice)
    finally:
        await store.close()


async def _timed_commits(store: SqliteStore, dice: random.Random) -> dict[str, float]:
    booking = dice.randbytes(32)

    def record() -> AddRecord:
        return AddRecord(booking, dice.randbytes(32), dice.randbytes(RECORD_BYTES))

    taken = await _times(COMMITS, lambda: store.commit([record()]))
    many = [record() for _ in range(BATCH)]
    start = time.perf_counter()
    await store.commit(many)
    batch_seconds = time.perf_counter() - start
    return {
        "commits_per_second": COMMITS / (sum(taken) / 1000),
        "commit_p50_ms": _quantile(taken, 0.5),
        "commit_p99_ms": _quantile(taken, 0.99),
        "records_per_second_in_one_commit": BATCH / batch_seconds,
    }


async def _listings(path: Path) -> dict[str, float]:
    dice = random.Random(2)
    rows = [_listing(dice) for _ in range(LISTINGS)]
    cache = SqliteCache(path, 256 * 1024 * 1024, ManualClock(NOW), min_free_bytes=0)
    await cache.open()
    try:
        return await _timed_listings(cache, rows, dice)
    finally:
        await cache.close()


async def _timed_listings(
    cache: SqliteCache, rows: Sequence[CachedListing], dice: random.Random
) -> dict[str, float]:
    start = time.perf_counter()
    for row in rows:
        await cache.put_listing(row)
    await cache.listings([], NEED, 1)
    filled_seconds = time.perf_counter() - start
    places = [cover(_somewhere(dice), 2_000, 7) for _ in range(QUERIES)]
    waiting = iter(places)
    found = 0

    async def query() -> None:
        nonlocal found
        found += len(await cache.listings(next(waiting), NEED, 50))

    taken = await _times(QUERIES, query)
    return {
        "listings_per_second": LISTINGS / filled_seconds,
        "query_2km_p50_ms": _quantile(taken, 0.5),
        "query_2km_p99_ms": _quantile(taken, 0.99),
        "query_2km_found": found / QUERIES,
        "listings": LISTINGS,
    }


def _listing(dice: random.Random) -> CachedListing:
    return CachedListing(
        author=dice.randbytes(32),
        charger=dice.randbytes(16),
        sequence=1,
        cell=public_cell(_somewhere(dice), 7),
        listing=dice.randbytes(LISTING_BYTES),
        renewal=dice.randbytes(170),
        bundle=dice.randbytes(400),
        expires=NOW + 7_200_000,
        connectors=tuple(
            dice.sample(["IEC_62196_T2", "CHADEMO", "IEC_62196_T2_COMBO"], dice.choice([1, 1, 1, 2]))
        ),
        max_power_w=dice.choice([3_700, 7_400, 11_000, 22_000]),
        price=dice.randrange(200_000, 600_000),
        proven=dice.random() < 0.5,
        source=Source(Hand.DIRECT, f"10.0.{dice.randrange(256)}.0/24"),
    )


def _somewhere(dice: random.Random) -> Point:
    return Point(
        MIDDLE.latitude + dice.uniform(-SPREAD_DEGREES, SPREAD_DEGREES),
        MIDDLE.longitude + dice.uniform(-SPREAD_DEGREES, SPREAD_DEGREES),
    )


async def _times(count: int, work: Callable[[], Awaitable[None]]) -> list[float]:
    taken = []
    for _ in range(count):
        start = time.perf_counter()
        await work()
        taken.append((time.perf_counter() - start) * 1000)
    return taken


def _quantile(taken: list[float], share: float) -> float:
    return sorted(taken)[min(len(taken) - 1, int(len(taken) * share))]


if __name__ == "__main__":
    for name, value in measure().items():
        print(f"{name:36} {value:10.2f}")
