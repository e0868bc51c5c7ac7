"""One SQLite file through aiosqlite: opening, transactions, copies, and what its errors mean.

Transactions are explicit (`isolation_level=None`). Work on one connection runs in order on its thread, so a
caller that is cancelled leaves no transaction open: the rollback is queued behind whatever was under way.
Only one connection writes to a file or checkpoints it: SQLite before 3.51.3 may damage a WAL that two do.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import aiosqlite

from ..disk import DiskTrouble, disk_told, disk_trouble, probe
from ..home import sync_folder, write_new_private_file

Statement = tuple[str, tuple[Any, ...]]  # SQL and its parameters

BUSY_SECONDS = 10.0  # a backup may read while we want to write; a checkpoint waits for it


async def connect(path: Path | str) -> aiosqlite.Connection:
    """A connection of its own thread; close it, or the program does not end."""
    return await aiosqlite.connect(path, isolation_level=None, timeout=BUSY_SECONDS)


async def fetch(db: aiosqlite.Connection, sql: str, parameters: Iterable[Any] = ()) -> list[Any]:
    return list(await db.execute_fetchall(sql, tuple(parameters)))


async def number(db: aiosqlite.Connection, sql: str) -> int:
    """The one integer that `sql` yields."""
    ((value,),) = await fetch(db, sql)
    return int(value)


@asynccontextmanager
async def roll_back_on_error(db: aiosqlite.Connection) -> AsyncIterator[None]:
    """Ends an open transaction if the block fails or is cancelled; then the error goes on its way."""
    try:
        yield
    except BaseException:
        await db.rollback()
        raise


async def write(db: aiosqlite.Connection, statements: Iterable[Statement]) -> None:
    """All `statements`, in order, in one transaction; runs of one SQL text go to the thread together."""
    async with roll_back_on_error(db):
        await db.execute("BEGIN IMMEDIATE")
        for sql, run in groupby(statements, key=lambda one: one[0]):
            await db.executemany(sql, [parameters for _, parameters in run])
        await db.execute("COMMIT")


async def alter(db: aiosqlite.Connection, statements: Iterable[str]) -> None:
    """Changes of the schema, which take no parameters, in one transaction."""
    async with roll_back_on_error(db):
        await db.execute("BEGIN IMMEDIATE")
        for sql in statements:
            await db.execute(sql)
        await db.execute("COMMIT")


async def copy_database(db: aiosqlite.Connection, target: Path) -> None:
    """A copy as of one instant in a new file (0600), on disk when this returns; FileExistsError passes.

    VACUUM INTO reads in one transaction and leaves out the pages of what was deleted.
    """
    write_new_private_file(target, b"")  # SQLite keeps the mode of an empty file that is already there
    try:
        await fetch(db, "VACUUM INTO ?", (str(target),))
        with disk_told(target):
            sync_file(target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def sync_file(path: Path) -> None:
    """Content and name of `path` survive a power cut."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(path.parent)


def free_bytes(folder: Path) -> int:
    """Room on the disk of `folder` for users without special rights; none where the disk can't be asked."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return 0
    return disk.f_bavail * disk.f_frsize


def trouble_behind(error: sqlite3.Error, folder: Path) -> DiskTrouble | None:
    """What the disk of `folder` has, if that is behind an error of SQLite's, which keeps the system's reason
    to itself: an I/O error may be a quota, a failed fsync, a -shm that can't grow, or a broken disk."""
    code = _primary_code(error)
    if code == sqlite3.SQLITE_FULL:
        return disk_trouble(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
        found = probe(folder)
        if found is None and code == sqlite3.SQLITE_IOERR:
            return disk_trouble(OSError(errno.EIO, os.strerror(errno.EIO)))
        return found
    return None


def is_full(error: sqlite3.Error, folder: Path) -> bool:
    """Whether the disk, a quota or the file's own limit has no room left."""
    trouble = trouble_behind(error, folder)
    return trouble is not None and trouble.full


def is_damaged(error: sqlite3.Error) -> bool:
    """Whether SQLite says that the file is no database, or a broken one."""
    return _primary_code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _primary_code(error: sqlite3.Error) -> int:
    # Errors of the sqlite3 module itself (a wrong parameter) carry no code, and their class has no attribute.
    code = getattr(error, "sqlite_errorcode", None)
    return sqlite3.SQLITE_ERROR if code is None else int(code) & 0xFF
