"""A process that commits numbered transactions and says so, to be killed, traced or starved of room.

`python -m tests.node.store.writer commit FILE COUNT` commits 0 … COUNT-1 and writes the line "done N" after
each commit that returned. `… starve FOLDER` runs on a small disk of its own and prints what it saw as JSON.
`… refused FOLDER` commits until the disk refuses (who starts it sees to that) and prints how it was told.
`… readonly FOLDER` makes a home on a disk of its own, mounts it read-only, and prints what it is told.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from chargemesh_node.clock import ManualClock, SystemEntropy
from chargemesh_node.config import set_setting
from chargemesh_node.errors import StoreError, StoreFull
from chargemesh_node.home import Home, HomeLock
from chargemesh_node.keystore import create_keys, new_recovery_phrase
from chargemesh_node.store.node_db import SCRUB_EVERY_MS, SqliteStore
from chargemesh_protocol.effects import DropDocument, Save
from chargemesh_protocol.errors import PersonError

from .disks import NOW, transaction, whole_transactions

SMALL_LOG_PAGES = 24  # a checkpoint every few transactions, so that a short run meets many
RESERVE_BYTES = 512 * 1024
WRITES_BEFORE_REFUSAL = 200  # of one thread; opening the store takes a few dozen


async def commit(path: Path, count: int) -> None:
    """Every fifth transaction also drops a document, so that the log is emptied for secrets as well."""
    clock = ManualClock(NOW)
    store = SqliteStore(path, clock, reserve_bytes=0, checkpoint_pages=SMALL_LOG_PAGES)
    await store.open()
    for number in range(count):
        saves: list[Save] = transaction(number, kibibytes=1 + number % 7)
        if number % 5 == 4:
            saves.append(DropDocument("secrets", b"none"))
            clock.advance(SCRUB_EVERY_MS)
        await store.commit(saves)
        os.write(1, b"done %d\n" % number)
    await store.close()


async def starve(folder: Path) -> dict[str, object]:
    """Fills a small disk around a store without a reserve, then around one that has it."""
    ballast = folder / "ballast"
    bare = SqliteStore(folder / "bare.db", ManualClock(NOW), reserve_bytes=0)
    await bare.open()
    await bare.commit(transaction(0))
    fill(ballast)
    before = await commit_until_full(bare, 1)
    kept = whole_transactions(await bare.load())
    await bare.close()
    fill(ballast)  # what the closed log gave back
    opened_when_full = await refusal(bare)
    ballast.unlink()
    kept_after_reopening = whole_transactions(await bare.open())
    await bare.commit(transaction(kept))
    went_on = whole_transactions(await bare.load())
    await bare.close()

    store = SqliteStore(folder / "node.db", ManualClock(NOW), reserve_bytes=RESERVE_BYTES)
    await store.open()
    stood = store.reserve_stands
    fill(ballast)
    after = await commit_until_full(store, 0)
    in_use = not store.reserve_stands
    ballast.unlink()
    await store.commit(transaction(after))
    stands_again = store.reserve_stands
    await store.close()
    fill(ballast)
    opened_by_the_reserve = whole_transactions(await store.open())
    await store.close()
    return {
        "bare": {"acknowledged": before, "kept": kept, "reopened": kept_after_reopening, "went_on": went_on},
        "opened_when_full": opened_when_full,
        "reserve": {"stood": stood, "in_use": in_use, "stands_again": stands_again},
        "committed_from_the_reserve": after,
        "opened_by_the_reserve": opened_by_the_reserve,
    }


async def refused(folder: Path) -> dict[str, object]:
    """What a commit is told by a disk that stops taking writes, and what stands after it.

    strace counts the writes of each thread; this one must be as far as SQLite's when it looks at the disk.
    """
    with (folder / "scratch").open("wb") as file:
        for _ in range(WRITES_BEFORE_REFUSAL):
            os.pwrite(file.fileno(), b"x", 0)
    store = SqliteStore(folder / "node.db", ManualClock(NOW), reserve_bytes=RESERVE_BYTES)
    await store.open()
    for number in range(2000):
        try:
            await store.commit(transaction(number))
        except StoreError as error:
            kept = whole_transactions(await store.load())
            told = {"kind": type(error).__name__, "message": str(error), "hint": error.hint}
            os.write(1, json.dumps(told | {"acknowledged": number, "kept": kept}).encode())
            os._exit(0)  # the disk would refuse the rest too
    raise SystemExit("the disk never refused")


async def readonly(folder: Path) -> dict[str, object]:
    """The codes by which each writer of a home says that its disk became read-only."""
    home = Home(folder / "home")
    home.create()
    store = SqliteStore(home.node_db, ManualClock(NOW), reserve_bytes=RESERVE_BYTES)
    await store.open()
    await store.close()
    mount = await asyncio.create_subprocess_exec("mount", "-o", "remount,ro", str(folder))
    assert await mount.wait() == 0
    entropy = SystemEntropy()
    phrase = new_recovery_phrase(entropy)
    writers: dict[str, Callable[[], object]] = {
        "keys": lambda: create_keys(
            home, recovery_phrase=phrase, network="chargemesh-test-ro", entropy=entropy, now=NOW
        ),
        "folder": Home(folder / "other").create,
        "lock": HomeLock(home).acquire,
        "settings": lambda: set_setting(home.config_file, "wallbox.port", "9"),
    }
    told: dict[str, object] = {"store": await refusal(store)}
    for name, write in writers.items():
        try:
            write()
        except PersonError as error:
            told[name] = error.code
    return told


def fill(ballast: Path) -> None:
    """Takes all room that is left on the disk."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(1024)):
                pass
        except OSError:
            return


async def commit_until_full(store: SqliteStore, first: int) -> int:
    """How many transactions are acknowledged when the disk has no room for the next."""
    for number in range(first, 2000):
        try:
            await store.commit(transaction(number))
        except StoreFull:
            return number
    raise SystemExit("the disk was never full")


async def refusal(store: SqliteStore) -> str:
    try:
        await store.open()
    except PersonError as error:
        return error.code
    await store.close()
    return "opened"


def main() -> None:
    match sys.argv[1:]:
        case ["commit", path, count]:
            asyncio.run(commit(Path(path), int(count)))
        case [("starve" | "refused" | "readonly") as name, folder]:
            what = {"starve": starve, "refused": refused, "readonly": readonly}[name]
            print(json.dumps(asyncio.run(what(Path(folder)))))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
