"""node.db alone: its file, its settings, its schema's history, and what it says when it can't go on."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from chargemesh_node.clock import ManualClock
from chargemesh_node.errors import StoreError
from chargemesh_node.store.database import fetch, number
from chargemesh_node.store.migrations import MIGRATIONS, Migration, copy_before
from chargemesh_node.store.node_db import KEEP_MIGRATION_COPY_MS, SCRUB_EVERY_MS, SqliteStore
from chargemesh_protocol.effects import DropDocument, PutDocument
from chargemesh_protocol.errors import PersonError

from .disks import NOW, transaction, whole_transactions

pytestmark = pytest.mark.asyncio
SECRET = b"one-time key " + bytes(range(32))
NEXT: Migration = (
    "CREATE TABLE later (id INTEGER PRIMARY KEY) STRICT",
    "INSERT INTO document (collection, key, value) VALUES ('later', x'00', x'01')",
)


def store_at(
    path: Path, *, clock: ManualClock | None = None, migrations: Sequence[Migration] = MIGRATIONS
) -> SqliteStore:
    return SqliteStore(path, clock or ManualClock(NOW), reserve_bytes=0, migrations=migrations)


async def filled(path: Path, count: int = 3) -> None:
    store = store_at(path)
    await store.open()
    for n in range(count):
        await store.commit(transaction(n))
    await store.close()


async def test_the_settings_that_durability_rests_on(tmp_path: Path) -> None:
    store = store_at(tmp_path / "node.db")
    await store.open()
    db = store._connection()
    ((mode,),) = await fetch(db, "PRAGMA journal_mode")
    assert mode == "wal"
    assert await number(db, "PRAGMA synchronous") == 2  # FULL
    for pragma in ("secure_delete", "foreign_keys", "fullfsync", "checkpoint_fullfsync"):
        assert await number(db, f"PRAGMA {pragma}") == 1, pragma
    assert await number(db, "PRAGMA busy_timeout") >= 1000
    for ending in ("", "-wal", "-shm"):
        assert stat.S_IMODE((tmp_path / f"node.db{ending}").stat().st_mode) == 0o600
    await store.close()


async def test_a_stop_leaves_one_file(tmp_path: Path) -> None:
    await filled(tmp_path / "node.db")
    assert [path.name for path in tmp_path.iterdir()] == ["node.db"]


async def test_a_dropped_secret_is_gone_from_the_files(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    store = store_at(tmp_path / "node.db", clock=clock)
    await store.open()
    await store.commit([PutDocument("secrets", b"k", SECRET)])
    await store.commit([DropDocument("secrets", b"k")])
    clock.advance(SCRUB_EVERY_MS)
    await store.commit([PutDocument("other", b"k", b"v")])
    assert not any(SECRET in path.read_bytes() for path in tmp_path.iterdir())
    await store.close()


async def test_a_reader_beside_the_node_sees_whole_commits(tmp_path: Path) -> None:
    """The backup opens the file read-only while the node writes."""
    store = store_at(tmp_path / "node.db")
    await store.open()
    await store.commit(transaction(0))
    with closing(sqlite3.connect(f"file:{tmp_path}/node.db?mode=ro", uri=True)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM record").fetchone() == (2,)
        await store.commit(transaction(1))
        assert reader.execute("SELECT count(*) FROM record").fetchone() == (2,)
    await store.close()


async def test_a_commit_whose_caller_gives_up_is_whole_and_leaves_no_transaction_open(tmp_path: Path) -> None:
    store = store_at(tmp_path / "node.db")
    await store.open()
    for turns in range(12):
        before = whole_transactions(await store.load())
        commit = asyncio.create_task(store.commit(transaction(before)))
        for _ in range(turns):
            await asyncio.sleep(0.0002)
        commit.cancel()
        await asyncio.wait([commit])
        assert whole_transactions(await store.load()) in (before, before + 1)
    before = whole_transactions(await store.load())
    await store.commit(transaction(before))
    assert whole_transactions(await store.load()) == before + 1
    await store.close()


async def test_commits_at_the_same_time_take_turns(tmp_path: Path) -> None:
    store = store_at(tmp_path / "node.db")
    await store.open()
    await asyncio.gather(*(store.commit([PutDocument("a", b"%d" % n, b"")]) for n in range(20)))
    assert len((await store.load()).documents["a"]) == 20
    await store.close()


async def test_a_migration_copies_the_file_first_and_keeps_the_data(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    await filled(path)
    store = store_at(path, migrations=(*MIGRATIONS, NEXT))
    loaded = await store.open()
    assert loaded.documents["later"] == {b"\x00": b"\x01"}
    assert len(loaded.records) == 3
    await store.close()
    copy = copy_before(path, 2)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    old = store_at(copy)
    assert whole_transactions(await old.open()) == 3
    await old.close()


async def test_a_new_file_is_not_copied(tmp_path: Path) -> None:
    store = store_at(tmp_path / "node.db", migrations=(*MIGRATIONS, NEXT))
    await store.open()
    await store.close()
    assert [path.name for path in tmp_path.iterdir()] == ["node.db"]


async def test_a_migration_that_fails_changes_nothing_and_can_be_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    await filled(path)
    with pytest.raises(PersonError):
        await store_at(path, migrations=(*MIGRATIONS, (*NEXT, "CREATE nonsense"))).open()
    store = store_at(path)
    assert whole_transactions(await store.open()) == 3
    await store.close()
    store = store_at(path, migrations=(*MIGRATIONS, NEXT))
    await store.open()
    await store.close()


async def test_copies_made_before_a_migration_go_after_a_week(tmp_path: Path) -> None:
    path, clock = tmp_path / "node.db", ManualClock(NOW)
    await filled(path)
    store = store_at(path, clock=clock, migrations=(*MIGRATIONS, NEXT))
    await store.open()
    await store.close()
    copy = copy_before(path, 2)
    os.utime(copy, (NOW / 1000, NOW / 1000))
    clock.advance(KEEP_MIGRATION_COPY_MS - 1000)
    await store.open()
    await store.close()
    assert copy.exists()
    clock.advance(2000)
    await store.open()
    await store.close()
    assert not copy.exists()


async def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    store = store_at(path, migrations=(*MIGRATIONS, NEXT))
    await store.open()
    await store.close()
    before = path.read_bytes()
    with pytest.raises(PersonError) as caught:
        await store_at(path).open()
    assert caught.value.code == "newer-database"
    assert path.read_bytes() == before


async def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "node.db")) as other:
        other.execute("CREATE TABLE theirs (id)")
        other.commit()
    with pytest.raises(PersonError) as caught:
        await store_at(tmp_path / "node.db").open()
    assert caught.value.code == "foreign-database"


@pytest.mark.parametrize("damage", ["garbage", "a page", "cut short"])
async def test_a_damaged_file_is_refused_with_advice(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "node.db"
    await filled(path, 40)
    content = bytearray(path.read_bytes())
    if damage == "garbage":
        content[:] = b"no database" * 1000
    elif damage == "a page":
        content[8 * 4096 + 10 : 9 * 4096] = b"\xff" * 4086
    else:
        del content[5 * 4096 :]
    path.write_bytes(content)
    with pytest.raises(PersonError) as caught:
        await store_at(path).open()
    assert caught.value.code == "damaged-database"
    assert "restore" in caught.value.hint
    assert path.read_bytes() == content


async def test_damage_among_the_records_is_told_when_they_are_read(tmp_path: Path) -> None:
    """A start doesn't look at them all: most are of bookings that are long over."""
    path = tmp_path / "node.db"
    await filled(path, 40)
    with closing(sqlite3.connect(path)) as db:
        ((page,),) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'record'").fetchall()
    content = bytearray(path.read_bytes())
    content[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    path.write_bytes(content)
    with pytest.raises(PersonError) as caught:
        await store_at(path).open()
    assert caught.value.code == "damaged-database"


async def test_a_missing_folder_is_told_plainly(tmp_path: Path) -> None:
    with pytest.raises(PersonError) as caught:
        await store_at(tmp_path / "none" / "node.db").open()
    assert caught.value.code == "cannot-open-database"


async def test_a_value_that_is_no_bytes_is_refused_by_the_table(tmp_path: Path) -> None:
    store = store_at(tmp_path / "node.db")
    await store.open()
    with pytest.raises(StoreError):
        await store.commit([PutDocument("a", b"", "text")])  # type: ignore[arg-type]
    assert (await store.load()).documents == {}
    await store.close()
