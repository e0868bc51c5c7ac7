"""The schema of node.db as numbered steps. A step that was released is never changed: add another.

`PRAGMA user_version` of a file is the number of steps it has been through.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import aiosqlite

from chargemesh_protocol.errors import PersonError

from .database import alter, copy_database, number

Migration = tuple[str, ...]  # statements, run in one transaction together with the new user_version

SLOT_TAKEN = "slot-taken"

_FIRST: Migration = (
    """
    CREATE TABLE document (
        collection TEXT NOT NULL,
        key BLOB NOT NULL,
        value BLOB NOT NULL,
        PRIMARY KEY (collection, key)
    ) STRICT
    """,
    # `arrival` is the rowid: it grows with each record, and the engine is rebuilt in that order.
    """
    CREATE TABLE record (
        arrival INTEGER PRIMARY KEY,
        booking BLOB NOT NULL,
        id BLOB NOT NULL,
        raw BLOB NOT NULL,
        UNIQUE (booking, id)
    ) STRICT
    """,
    """
    CREATE TABLE slot (
        booking BLOB PRIMARY KEY,
        charger BLOB NOT NULL,
        start INTEGER NOT NULL,
        end INTEGER NOT NULL,
        CHECK (start < end)
    ) STRICT
    """,
    "CREATE INDEX slot_by_time ON slot (charger, start, end)",
    # Overlapping confirmed slots are impossible by transaction, whatever memory says.
    f"""
    CREATE TRIGGER slot_overlap BEFORE INSERT ON slot
    WHEN EXISTS (
        SELECT 1 FROM slot
        WHERE charger = NEW.charger AND start < NEW.end AND end > NEW.start AND booking <> NEW.booking
    )
    BEGIN SELECT RAISE(ABORT, '{SLOT_TAKEN}'); END
    """,
    """
    CREATE TABLE outbox (
        channel TEXT NOT NULL,
        key BLOB NOT NULL,
        body BLOB NOT NULL,
        expires INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        next_try INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (channel, key)
    ) STRICT
    """,
)

MIGRATIONS: tuple[Migration, ...] = (_FIRST,)


def copy_before(path: Path, step: int) -> Path:
    """Where the copy lies that is made before migration `step`."""
    return path.with_name(f"{path.name}.before-{step}")


async def require_known_schema(db: aiosqlite.Connection, path: Path, known: int) -> None:
    """PersonError unless the file is empty or went through at most `known` steps; changes nothing."""
    found = await number(db, "PRAGMA user_version")
    if found > known:
        raise PersonError(
            "newer-database",
            f"{path} was written by a newer chargemesh (schema {found}; this version knows {known}).",
            "Install that version again; nothing was changed.",
        )
    if found == 0 and await number(db, "SELECT count(*) FROM sqlite_schema"):
        raise PersonError(
            "foreign-database",
            f"{path} is a database of another program.",
            "Move it away, or choose another folder with --home.",
        )


async def migrate(db: aiosqlite.Connection, path: Path, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Takes the file through the steps it lacks; one that holds data is copied before each.

    A crash between two steps leaves a file of the earlier schema, from which the next start goes on.
    """
    found = await number(db, "PRAGMA user_version")
    for step, statements in enumerate(migrations[found:], found + 1):
        if found:
            copy = copy_before(path, step)
            copy.unlink(missing_ok=True)  # of an attempt that was cut short
            await copy_database(db, copy)
        await alter(db, (*statements, f"PRAGMA user_version = {step}"))
