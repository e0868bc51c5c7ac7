"""The Store on disk: `node.db`, where a commit that returned is there after any crash or power cut.

WAL with synchronous=FULL: each commit ends with an fsync of the log.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import aiosqlite

from chargemesh_protocol.booking.rows import AT_REST, ID_BYTES, OF_BOOKINGS, BookingRows
from chargemesh_protocol.effects import DropDocument, HoldSlot, Save
from chargemesh_protocol.errors import PersonError

from ..errors import SlotTaken, StoreError, StoreFull
from ..home import write_new_private_file
from ..ports import Clock, Loaded, OutboxRow
from .database import connect, fetch, is_damaged, is_full, trouble_behind, write
from .migrations import MIGRATIONS, Migration, copy_before, migrate, require_known_schema
from .reserve import Reserve
from .saves import reschedule, statements

LOG = logging.getLogger(__name__)

RESERVE_BYTES = 8 * 1024 * 1024  # a whole WAL and as much growth: thousands of commits of a few records
CHECKPOINT_PAGES = 1000  # SQLite's default: the WAL goes into the database after about 4 MB
# Dropped secrets leave the WAL this much later at most, while commits come; and when the node stops.
SCRUB_EVERY_MS = 60_000
KEEP_MIGRATION_COPY_MS = 7 * 24 * 3600 * 1000  # they hold secrets that the database has dropped since

_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "fullfsync = ON",  # macOS: fsync alone leaves the drive's own cache unwritten
    "checkpoint_fullfsync = ON",
    "secure_delete = ON",
    "foreign_keys = ON",
    "trusted_schema = OFF",
)

# What a start reads whole. Most of a file of years are records of bookings at rest: these are judged when one
# is read, as each record lies under the hash of what it says.
_LOADED_TABLES = ("document", "slot", "outbox")
_PLACES = ", ".join("?" * len(OF_BOOKINGS))
_AT_REST = f"SELECT key FROM document WHERE collection = '{AT_REST}'"
_AWAKE_DOCUMENTS = f"""
    SELECT collection, key, value FROM document
    WHERE collection NOT IN ({", ".join(f"'{one}'" for one in OF_BOOKINGS)})
    OR substr(key, 1, {ID_BYTES}) NOT IN ({_AT_REST})
    ORDER BY collection, key"""
# Booking by booking along the index, so that the rows of those at rest aren't even looked at.
_AWAKE_RECORDS = f"""
    WITH RECURSIVE found(booking) AS (
        SELECT min(booking) FROM record
        UNION ALL
        SELECT (SELECT min(booking) FROM record WHERE booking > found.booking)
        FROM found WHERE found.booking IS NOT NULL
    )
    SELECT booking, id, raw FROM record
    WHERE booking IN (SELECT booking FROM found WHERE booking NOT IN ({_AT_REST}))
    ORDER BY arrival"""
_DOCUMENTS_OF = f"""
    SELECT collection, key, value FROM document
    WHERE collection IN ({_PLACES}) AND key >= ? AND key < ? ORDER BY collection, key"""
_RECORDS_OF = "SELECT id, raw FROM record WHERE booking = ? ORDER BY arrival"


class SqliteStore:
    """Store over one file. One process, one task at a time; the home's lock keeps other nodes out.

    A commit that is cancelled may or may not have happened: `load` tells.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        reserve_bytes: int = RESERVE_BYTES,
        checkpoint_pages: int = CHECKPOINT_PAGES,
        migrations: Sequence[Migration] = MIGRATIONS,
    ) -> None:
        self._path = path
        self._clock = clock
        self._checkpoint_pages = checkpoint_pages
        self._migrations = migrations
        self._reserve = Reserve(path.with_name(f"{path.name}.reserve"), reserve_bytes)
        self._turn = asyncio.Lock()
        self._db: aiosqlite.Connection | None = None
        self._rescheduled: dict[tuple[str, bytes], OutboxRow] = {}
        self._scrub_at: int | None = None

    @property
    def reserve_stands(self) -> bool:
        """False while the disk is so full that the reserve is in use; `doctor` warns long before."""
        return self._reserve.stands

    async def open(self) -> Loaded:
        """Opens or creates the file, checks it and brings its schema up to date.

        PersonError for a damaged file, a foreign one, or one of a newer chargemesh.
        """
        if not self._path.exists():
            try:
                write_new_private_file(self._path, b"")
            except OSError as error:
                raise self._unusable(error) from error
        self._db = await self._connect()
        self._reserve.make()
        self._drop_old_copies()
        return await self.load()

    async def load(self) -> Loaded:
        """Documents by collection and key, records by arrival, slots by charger and start, outbox by key; all
        without the rows of bookings at rest."""
        async with self._turn:
            try:
                return await self._load(self._connection())
            except sqlite3.Error as error:
                raise self._unreadable(error) from error

    async def booking(self, booking: bytes) -> BookingRows:
        """The rows of one booking, at rest or not. PersonError where the file is damaged."""
        async with self._turn:
            db = self._connection()
            try:
                found = await fetch(db, _DOCUMENTS_OF, (*OF_BOOKINGS, booking, booking + b"\xff" * 33))
                records = dict(await fetch(db, _RECORDS_OF, (booking,)))
            except sqlite3.Error as error:
                raise self._unreadable(error) from error
        documents: dict[str, dict[bytes, bytes]] = {}
        for collection, key, value in found:
            documents.setdefault(collection, {})[key] = value
        return BookingRows(documents, records)

    async def commit(self, saves: Sequence[Save]) -> None:
        """All of `saves`, on disk when this returns; or none, and SlotTaken, StoreFull or StoreError."""
        if not saves:
            return
        async with self._turn:
            db = self._connection()
            try:
                await self._write(db, saves)
            except StoreFull:
                if not self._reserve.release():
                    raise
                await self._write(db, saves)
            if any(isinstance(save, DropDocument) for save in saves) and self._scrub_at is None:
                self._scrub_at = self._clock.now() + SCRUB_EVERY_MS
            await self._keep_house(db)

    async def reschedule(self, row: OutboxRow) -> None:
        """Waits in memory and rides with the next commit: after a crash a delivery may be tried early."""
        self._rescheduled[(row.channel, row.key)] = row

    async def close(self) -> None:
        """Writes what waits, empties the WAL into the database and removes it."""
        async with self._turn:
            db, self._db = self._db, None
            if db is None:
                return
            try:
                await self._write(db, ())
            except StoreError as error:
                LOG.warning("retries of deliveries start over after this stop: %s", error)
            finally:
                await db.close()

    async def _connect(self) -> aiosqlite.Connection:
        try:
            db = await connect(self._path)
            try:
                await self._prepare(db)
            except BaseException:
                await db.close()
                raise
        except sqlite3.Error as error:
            if is_full(error, self._path.parent) and self._reserve.release():
                return await self._connect()
            raise self._unusable(error) from error
        return db

    async def _prepare(self, db: aiosqlite.Connection) -> None:
        for (table,) in await fetch(db, "SELECT name FROM sqlite_schema WHERE type = 'table'"):
            if table in _LOADED_TABLES:
                ((verdict,), *_) = await fetch(db, f"PRAGMA quick_check({table})")
                if verdict != "ok":
                    raise self._damaged(str(verdict))
        await require_known_schema(db, self._path, len(self._migrations))
        for pragma in (*_PRAGMAS, f"wal_autocheckpoint = {self._checkpoint_pages}"):
            await fetch(db, f"PRAGMA {pragma}")
        await migrate(db, self._path, self._migrations)
        # A process that was killed may have left commits in the WAL that were never synced. What is loaded
        # now is acted on, so it must not vanish in a later power cut: the checkpoint syncs it.
        await fetch(db, "PRAGMA wal_checkpoint(TRUNCATE)")

    async def _load(self, db: aiosqlite.Connection) -> Loaded:
        documents: dict[str, dict[bytes, bytes]] = {}
        for collection, key, value in await fetch(db, _AWAKE_DOCUMENTS):
            documents.setdefault(collection, {})[key] = value
        records: dict[bytes, dict[bytes, bytes]] = {}
        for booking, id_, raw in await fetch(db, _AWAKE_RECORDS):
            records.setdefault(booking, {})[id_] = raw
        slots = [
            HoldSlot(*row)
            for row in await fetch(
                db, "SELECT charger, booking, start, end FROM slot ORDER BY charger, start"
            )
        ]
        columns = "channel, key, body, expires, attempts, next_try"
        outbox = [
            self._as_rescheduled(OutboxRow(*row))
            for row in await fetch(db, f"SELECT {columns} FROM outbox ORDER BY channel, key")
        ]
        return Loaded(documents, records, slots, outbox)

    def _as_rescheduled(self, row: OutboxRow) -> OutboxRow:
        newer = self._rescheduled.get((row.channel, row.key))
        same = newer is not None and (newer.body, newer.expires) == (row.body, row.expires)
        return newer if newer is not None and same else row

    async def _write(self, db: aiosqlite.Connection, saves: Sequence[Save]) -> None:
        waiting = dict(self._rescheduled)
        work = [reschedule(row) for row in waiting.values()] + list(statements(saves))
        if not work:
            return
        try:
            await write(db, work)
        except sqlite3.Error as error:
            raise self._told(error) from error
        for key, row in waiting.items():
            if self._rescheduled.get(key) is row:
                del self._rescheduled[key]

    async def _keep_house(self, db: aiosqlite.Connection) -> None:
        """What may fail without harm to the commit before it: it is tried again after the next one."""
        self._reserve.make()
        if self._scrub_at is None or self._clock.now() < self._scrub_at:
            return
        try:
            ((busy, _, _),) = await fetch(db, "PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            LOG.warning("could not empty the log of %s: %s", self._path.name, error)
            return
        if not busy:
            self._scrub_at = None

    def _drop_old_copies(self) -> None:
        for step in range(2, len(self._migrations) + 1):
            copy = copy_before(self._path, step)
            if copy.exists() and os.stat(copy).st_mtime_ns // 1_000_000 + KEEP_MIGRATION_COPY_MS < (
                self._clock.now()
            ):
                copy.unlink()

    def _connection(self) -> aiosqlite.Connection:
        if self._db is None:
            raise StoreError("the store is not open")
        return self._db

    def _told(self, error: sqlite3.Error) -> StoreError:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_CONSTRAINT_TRIGGER:
            return SlotTaken("this time of the charger is reserved by another booking")
        trouble = trouble_behind(error, self._path.parent)
        if trouble is None:
            return StoreError(f"cannot use {self._path}: {error}")
        return (StoreFull if trouble.full else StoreError)(f"{trouble.why} {self._path}", trouble.hint)

    def _unreadable(self, error: sqlite3.Error) -> StoreError | PersonError:
        return self._damaged(str(error)) if is_damaged(error) else self._told(error)

    def _unusable(self, error: sqlite3.Error | OSError) -> PersonError:
        if isinstance(error, sqlite3.Error) and is_damaged(error):
            return self._damaged(str(error))
        trouble = trouble_behind(error, self._path.parent) if isinstance(error, sqlite3.Error) else None
        if trouble is not None:
            return trouble.told(self._path)
        return PersonError(
            "cannot-open-database",
            f"Cannot open {self._path}: {error}.",
            "Check that the disk works and that the file belongs to you.",
        )

    def _damaged(self, finding: str) -> PersonError:
        return PersonError(
            "damaged-database",
            f"{self._path} is damaged: {finding}.",
            "Restore your latest backup into another folder: `chargemesh --home NEW restore FILE`.",
        )
