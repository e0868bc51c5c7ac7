"""cache.db alone: batched, bounded, and never in anybody's way."""

from __future__ import annotations

import asyncio
import logging
import stat
from pathlib import Path

import pytest

from chargemesh_node.clock import ManualClock
from chargemesh_node.store.cache_db import SqliteCache
from chargemesh_node.store.database import fetch, number
from chargemesh_protocol.listing import Need

from .disks import NOW, id_of
from .test_cache import HOUR, listing

pytestmark = pytest.mark.asyncio
MEBIBYTE = 1024 * 1024


def cache_at(path: Path, max_bytes: int = 64 * MEBIBYTE, *, min_free_bytes: int = 0) -> SqliteCache:
    return SqliteCache(path, max_bytes, ManualClock(NOW), min_free_bytes=min_free_bytes, flush_seconds=0.02)


async def test_rows_reach_the_file_without_a_reader(tmp_path: Path) -> None:
    cache = cache_at(tmp_path / "cache.db")
    await cache.open()
    await cache.put_entries([(b"1", b"raw")])
    other = cache_at(tmp_path / "cache.db")
    await other.open()
    assert await other.entries() == []
    await asyncio.sleep(0.2)
    assert await other.entries() == [(b"raw", "")]
    await other.close()
    await cache.close()


async def test_the_file_is_private(tmp_path: Path) -> None:
    cache = cache_at(tmp_path / "cache.db")
    await cache.open()
    assert stat.S_IMODE((tmp_path / "cache.db").stat().st_mode) == 0o600
    await cache.close()


async def test_the_file_stays_within_its_size_and_the_newest_stay_in_it(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    cache = cache_at(path, 2 * MEBIBYTE)
    await cache.open()
    for count in range(1200):
        await cache.put_listing(listing(count, expires=NOW + HOUR + count, bundle=bytes(600)))
        await cache.put_entries([(id_of(count), id_of(count) + bytes(1000))])
    entries = await cache.entries()
    listings = await cache.listings([listing(0).cell], Need(), 10_000)
    assert cache.lost == 0
    assert path.stat().st_size <= 2 * MEBIBYTE
    assert 300 < len(entries) < 1200
    assert entries[-1][0][:32] == id_of(1199)
    assert 300 < len(listings) < 1200
    assert min(row.expires for row in listings) > NOW + HOUR
    db = cache._db
    assert db is not None
    places = await number(db, "SELECT count(*) FROM place")
    assert places == 4 * await number(db, "SELECT count(*) FROM listing")  # resolution 4 to 7, one connector
    await cache.close()


async def test_expired_listings_make_room_first(tmp_path: Path) -> None:
    cache = cache_at(tmp_path / "cache.db", MEBIBYTE)
    await cache.open()
    await cache.put_entries([(id_of(count), bytes(1000)) for count in range(200)])
    for count in range(900):
        await cache.put_listing(listing(count, expires=NOW - 1, bundle=bytes(500)))
    assert len(await cache.entries()) == 200
    await cache.close()


@pytest.mark.parametrize("damage", ["garbage", "schema", "cut short", "another version"])
async def test_a_damaged_file_is_made_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    path = tmp_path / "cache.db"
    cache = cache_at(path)
    await cache.open()
    await cache.put_entries([(b"%d" % count, bytes(500)) for count in range(500)])
    if damage == "another version":
        await cache.entries()
        assert cache._db is not None
        await fetch(cache._db, "PRAGMA user_version = 99")
    await cache.close()
    content = bytearray(path.read_bytes())
    if damage == "garbage":
        content[:] = b"no database" * 1000
    elif damage == "schema":
        content[100:4096] = b"\xff" * 3996
    elif damage == "cut short":
        del content[8192:]
    path.write_bytes(content)
    cache = cache_at(path)
    with caplog.at_level(logging.INFO, "chargemesh_node.store.cache_db"):
        await cache.open()
        assert await cache.entries() == []
    assert "fills again from peers" in caplog.text
    await cache.put_entries([(b"new", b"raw")])
    assert await cache.entries() == [(b"raw", "")]
    await cache.close()


async def test_with_no_room_on_the_disk_rows_are_counted_and_nobody_is_told(tmp_path: Path) -> None:
    cache = cache_at(tmp_path / "cache.db", min_free_bytes=1 << 60)
    await cache.open()
    await cache.put_entries([(b"%d" % count, b"") for count in range(300)])
    await cache.put_listing(listing(1))
    assert await cache.entries() == []
    assert cache.lost == 301
    await cache.close()


async def test_a_limit_that_one_batch_exceeds_is_counted_too(tmp_path: Path) -> None:
    cache = cache_at(tmp_path / "cache.db", 0)  # 64 pages
    await cache.open()
    await cache.put_entries([(b"%d" % count, bytes(5000)) for count in range(300)])
    assert cache.lost == 300
    await cache.put_entries([(b"small", b"raw")])
    assert await cache.entries() == [(b"raw", "")]
    await cache.close()


async def test_without_a_file_it_works_in_memory(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "cache.db").mkdir()
    cache = cache_at(tmp_path / "cache.db")
    await cache.open()
    assert "in memory only" in caplog.text
    await cache.put_listing(listing(1))
    assert await cache.listings([listing(1).cell], Need(), 5) == [listing(1)]
    await cache.close()


async def test_a_caller_who_gives_up_loses_nothing(tmp_path: Path) -> None:
    cache = cache_at(tmp_path / "cache.db")
    await cache.open()
    await cache.put_entries([(b"%d" % count, b"%d" % count) for count in range(200)])
    reader = asyncio.create_task(cache.entries())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert len(await cache.entries()) == 200
    await cache.close()
