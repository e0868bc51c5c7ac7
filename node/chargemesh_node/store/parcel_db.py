"""A volunteer's parcels on disk: `mailbox.db`, a file of its own with a size that it never passes.

What was promised is kept: a commit is synced before the deposit is answered. No row says more than the key of
the recipient, a code for the depositor's block, times and sealed bytes; deleted ones are overwritten.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import aiosqlite

from chargemesh_protocol.mailbox.places import HeldRow

from ..errors import StoreError, StoreFull
from .database import Statement, alter, connect, fetch, free_bytes, is_damaged, is_full, number, write

_log = logging.getLogger(__name__)

MIN_FREE_BYTES = 256 * 1024 * 1024  # of the disk, left for its owner
_VERSION = 1
_PAGE_BYTES = 4096
_SCHEMA = """
    CREATE TABLE parcel (
        hash BLOB PRIMARY KEY,
        recipient BLOB NOT NULL,
        block TEXT NOT NULL,
        at INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT, WITHOUT ROWID
"""
_PUT = "INSERT OR IGNORE INTO parcel VALUES (?, ?, ?, ?, ?, ?)"
_DROP = "DELETE FROM parcel WHERE hash = ?"


class SqliteParcels:
    """ParcelStore over one file of at most `max_bytes` of parcels and what SQLite needs beside them."""

    def __init__(self, path: Path, max_bytes: int, *, min_free_bytes: int = MIN_FREE_BYTES) -> None:
        self._path = path
        self._max_pages = max(64, max_bytes * 3 // 2 // _PAGE_BYTES)  # a parcel of 4 KB takes 5 KB
        self._min_free_bytes = min_free_bytes
        self._turn = asyncio.Lock()
        self._db: aiosqlite.Connection | None = None

    async def open(self) -> list[HeldRow]:
        async with self._turn:
            try:
                return await self._open()
            except sqlite3.Error as error:
                if not is_damaged(error):
                    raise StoreError(f"{self._path} can't be opened ({error})") from error
                _log.warning("%s is damaged (%s): the parcels in it are lost", self._path, error)
            await self._close()
            for ending in ("", "-wal", "-shm"):
                with suppress(FileNotFoundError):
                    self._path.with_name(self._path.name + ending).unlink()
            return await self._open()

    async def put(self, row: HeldRow, sealed: bytes, replaces: bytes | None) -> None:
        if free_bytes(self._path.parent) < self._min_free_bytes + 2 * len(sealed):
            raise StoreFull("the disk has no room to hold parcels for others")
        statements: list[Statement] = [] if replaces is None else [(_DROP, (replaces,))]
        values = (row.hash, row.recipient, row.block, row.at, row.expires, sealed)
        await self._write([*statements, (_PUT, values)])

    async def get(self, parcels: Sequence[bytes]) -> dict[bytes, bytes]:
        async with self._turn:
            marks = ",".join("?" * len(parcels))
            try:
                rows = await fetch(
                    self._opened(), f"SELECT hash, sealed FROM parcel WHERE hash IN ({marks})", parcels
                )
            except sqlite3.Error as error:
                raise StoreError(f"{self._path} can't be read ({error})") from error
            return {bytes(hash_): bytes(sealed) for hash_, sealed in rows}

    async def drop(self, parcels: Sequence[bytes]) -> None:
        await self._write([(_DROP, (one,)) for one in parcels])

    async def close(self) -> None:
        async with self._turn:
            await self._close()

    # --- inside ---------------------------------------------------------------------------------

    async def _open(self) -> list[HeldRow]:
        self._path.touch(0o600)
        db = self._db = await connect(self._path)
        for pragma in (
            f"page_size = {_PAGE_BYTES}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "secure_delete = ON",
            "journal_size_limit = 4194304",
            f"max_page_count = {self._max_pages}",
            "trusted_schema = OFF",
        ):
            await fetch(db, f"PRAGMA {pragma}")
        version = await number(db, "PRAGMA user_version")
        if version not in (0, _VERSION):
            raise StoreError(f"{self._path} was written by a newer chargemesh")
        if version == 0:
            await alter(db, (_SCHEMA, f"PRAGMA user_version = {_VERSION}"))
        rows = await fetch(db, "SELECT hash, recipient, block, length(sealed), at, expires FROM parcel")
        return [HeldRow(*row) for row in rows]

    async def _write(self, statements: Sequence[Statement]) -> None:
        async with self._turn:
            try:
                await write(self._opened(), statements)
            except sqlite3.Error as error:
                if is_full(error, self._path.parent):
                    raise StoreFull("there is no room for more parcels") from error
                raise StoreError(f"{self._path} could not be written ({error})") from error

    async def _close(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            await db.close()

    def _opened(self) -> aiosqlite.Connection:
        if self._db is None:
            raise StoreError(f"{self._path} is not open")
        return self._db
