"""The Cache on disk: `cache.db`, others' listings and log entries, disposable at any moment.

Writes are gathered and flushed together (synchronous=NORMAL: no fsync for each); reads see what waits. No
error of the disk reaches a caller: what could not be kept is counted in `lost` and asked for again. The
cache leaves room on the disk for node.db, and a damaged file is thrown away and made anew.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiosqlite

from chargemesh_protocol.contact import Contact
from chargemesh_protocol.listing import Need

from ..ports import CachedListing, CachedWithdrawal, Clock
from .cache_rows import (
    CACHE_VERSION,
    DROP_ENTRY,
    DROP_EXPIRED,
    EVICT_EIGHTH,
    PUT_BUNDLE,
    PUT_ENTRY,
    READ_ENTRIES,
    READ_WITHDRAWAL,
    READ_WITHDRAWALS,
    SCHEMA,
    contact_from,
    drop_listing,
    find_listings,
    listing_from,
    put_listing,
    put_peer,
    put_withdrawal,
    read_listings,
    withdrawal_from,
)
from .database import Statement, alter, connect, fetch, free_bytes, is_damaged, is_full, number, write

LOG = logging.getLogger(__name__)

MIN_FREE_BYTES = 64 * 1024 * 1024  # left for node.db and everybody else on this disk
FLUSH_SECONDS = 0.5  # others' listings may be lost by a power cut of the last half second
FLUSH_ROWS = 256
_PAGE_BYTES = 4096
_EVICT_ABOVE, _EVICT_TO = 0.9, 0.8  # of the size allowed: room for one flush, and not on every flush
_MAX_IN_MEMORY_BYTES = 32 * 1024 * 1024  # where no file can be opened


class _OtherVersion(Exception):
    """The file has tables of a version that this program does not know."""


class SqliteCache:
    """Cache over one file of at most `max_bytes` (and a WAL of a few MB)."""

    def __init__(
        self,
        path: Path,
        max_bytes: int,
        clock: Clock,
        *,
        min_free_bytes: int = MIN_FREE_BYTES,
        flush_seconds: float = FLUSH_SECONDS,
    ) -> None:
        self._path = path
        self._max_pages = max(64, max_bytes // _PAGE_BYTES)
        self._clock = clock
        self._min_free_bytes = min_free_bytes
        self._flush_seconds = flush_seconds
        self._turn = asyncio.Lock()
        self._db: aiosqlite.Connection | None = None
        self._waiting: list[Statement] = []
        self._timer: asyncio.TimerHandle | None = None
        self._flushing: asyncio.Task[None] | None = None
        self._in_memory = False
        self.lost = 0  # rows not kept for want of room, or with a damaged file

    async def open(self) -> None:
        """Opens the file, a new one if it is damaged or of another version, or memory if there is none."""
        async with self._turn:
            await self._open()

    async def put_listing(self, row: CachedListing) -> None:
        await self._put([put_listing(row)])

    async def put_withdrawal(self, row: CachedWithdrawal) -> None:
        await self._put([put_withdrawal(row)])

    async def withdrawal(self, author: bytes, charger: bytes) -> CachedWithdrawal | None:
        rows = await self._read(READ_WITHDRAWAL, (author, charger))
        return withdrawal_from(rows[0]) if rows else None

    async def withdrawals(self) -> list[CachedWithdrawal]:
        return [withdrawal_from(row) for row in await self._read(READ_WITHDRAWALS)]

    async def listing(self, author: bytes, charger: bytes) -> CachedListing | None:
        rows = await self._read(*read_listings(author, charger))
        return listing_from(rows[0]) if rows else None

    async def drop_listing(self, author: bytes, charger: bytes) -> None:
        await self._put(drop_listing(author, charger))

    async def listings(self, cells: Sequence[int], need: Need, limit: int) -> list[CachedListing]:
        rows = await self._read(*find_listings(cells, need, limit, self._clock.now()))
        return [listing_from(row) for row in rows]

    async def all_listings(self) -> list[CachedListing]:
        return [listing_from(row) for row in await self._read(*read_listings())]

    async def put_entries(self, rows: Sequence[tuple[bytes, bytes]], block: str = "") -> None:
        await self._put([(PUT_ENTRY, (id_, block, raw)) for id_, raw in rows])

    async def drop_entries(self, ids: Sequence[bytes]) -> None:
        await self._put([(DROP_ENTRY, (id_,)) for id_ in ids])

    async def entries(self) -> list[tuple[bytes, str]]:
        return [(raw, block) for raw, block in await self._read(READ_ENTRIES)]

    async def put_bundle(self, author: bytes, bundle: bytes) -> None:
        await self._put([(PUT_BUNDLE, (author, bundle))])

    async def bundles(self) -> list[bytes]:
        return [raw for (raw,) in await self._read("SELECT raw FROM bundle ORDER BY age")]

    async def put_peer(self, contact: Contact, seen: int) -> None:
        await self._put(put_peer(contact, seen))

    async def peers(self, limit: int) -> list[Contact]:
        sql = "SELECT peer_id, addresses FROM peer ORDER BY seen DESC LIMIT ?"
        return [contact_from(row) for row in await self._read(sql, (limit,))]

    async def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await self._flush()
        async with self._turn:
            await self._close()

    # --- opening ----------------------------------------------------------------------------------

    async def _open(self) -> None:
        for _ in ("as it is", "anew"):
            try:
                self._path.touch(0o600)
                self._db = await self._connect(self._path, self._max_pages)
                self._in_memory = False
                return
            except _OtherVersion:
                LOG.info("%s is of another version: made anew, it fills again from peers", self._path)
            except (OSError, sqlite3.Error) as error:
                if not (isinstance(error, sqlite3.Error) and is_damaged(error)):
                    why = str(error)
                    break
                LOG.warning("%s is damaged (%s): made anew, it fills again from peers", self._path, error)
            self._throw_away()
        else:
            why = "a new one is damaged as well"
        LOG.warning("%s can't be used (%s): what others offer is kept in memory only", self._path, why)
        self._db = await self._connect(":memory:", min(self._max_pages, _MAX_IN_MEMORY_BYTES // _PAGE_BYTES))
        self._in_memory = True

    async def _connect(self, path: Path | str, max_pages: int) -> aiosqlite.Connection:
        db = await connect(path)
        try:
            version = await number(db, "PRAGMA user_version")
            if version != CACHE_VERSION and await number(db, "SELECT count(*) FROM sqlite_schema"):
                raise _OtherVersion
            for pragma in (
                f"page_size = {_PAGE_BYTES}",
                "journal_mode = WAL",
                "synchronous = NORMAL",
                f"max_page_count = {max_pages}",
                "trusted_schema = OFF",
            ):
                await fetch(db, f"PRAGMA {pragma}")
            if version != CACHE_VERSION:
                await alter(db, (*SCHEMA, f"PRAGMA user_version = {CACHE_VERSION}"))
        except BaseException:
            await db.close()
            raise
        return db

    async def _close(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            try:
                await db.close()
            except sqlite3.Error as error:
                LOG.warning("%s was not closed well: %s", self._path, error)

    def _throw_away(self) -> None:
        for ending in ("", "-wal", "-shm"):
            with suppress(OSError):  # what can't be removed can't be opened anew either, and memory serves
                self._path.with_name(self._path.name + ending).unlink(missing_ok=True)

    async def _start_over(self, error: sqlite3.Error) -> None:
        LOG.warning("%s is damaged (%s): made anew, it fills again from peers", self._path, error)
        await self._close()
        self._throw_away()
        await self._open()

    # --- writing ----------------------------------------------------------------------------------

    async def _put(self, statements: Sequence[Statement]) -> None:
        self._waiting.extend(statements)
        if len(self._waiting) >= FLUSH_ROWS:
            await self._flush()
        elif self._timer is None and self._waiting:
            self._timer = asyncio.get_running_loop().call_later(self._flush_seconds, self._flush_soon)

    def _flush_soon(self) -> None:
        self._timer = None
        self._flushing = asyncio.get_running_loop().create_task(self._flush())

    async def _flush(self) -> None:
        async with self._turn:
            await self._write_waiting()

    async def _write_waiting(self) -> None:
        """Rows leave the queue when they are written or lost, not when a cancelled caller gives up."""
        count = len(self._waiting)
        if not count or self._db is None:
            return
        if not self._in_memory and free_bytes(self._path.parent) < self._min_free_bytes:
            self.lost += count
        else:
            await self._keep(self._db, self._waiting[:count])
        del self._waiting[:count]

    async def _keep(self, db: aiosqlite.Connection, batch: Sequence[Statement]) -> None:
        lost = len(batch)
        try:
            try:
                await write(db, batch)
            except sqlite3.Error as error:
                if not is_full(error, self._path.parent):
                    raise
                await self._evict(db)
                await write(db, batch)
            lost = 0
            if await self._used_pages(db) > _EVICT_ABOVE * self._max_pages:
                await self._evict(db)
        except sqlite3.Error as error:
            self.lost += lost
            if is_damaged(error):
                await self._start_over(error)
            else:
                LOG.warning("%d rows were not kept in %s: %s", lost, self._path, error)

    async def _evict(self, db: aiosqlite.Connection) -> None:
        """Drops what is expired, then an eighth of everything at a time, until a fifth is free."""
        await write(db, [(sql, (self._clock.now(),)) for sql in DROP_EXPIRED])
        while await self._used_pages(db) > _EVICT_TO * self._max_pages:
            before = db.total_changes
            await write(db, [(sql, ()) for sql in EVICT_EIGHTH])
            if db.total_changes == before:
                return

    async def _used_pages(self, db: aiosqlite.Connection) -> int:
        return await number(db, "PRAGMA page_count") - await number(db, "PRAGMA freelist_count")

    # --- reading ----------------------------------------------------------------------------------

    async def _read(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        async with self._turn:
            await self._write_waiting()
            if self._db is None:
                return []
            try:
                return await fetch(self._db, sql, parameters)
            except sqlite3.Error as error:
                if is_damaged(error):
                    await self._start_over(error)
                else:
                    LOG.warning("cannot read %s: %s", self._path, error)
                return []
