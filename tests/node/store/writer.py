"""A process that commits numbered transactions and says so, to be killed, traced or starved of room.

`python -m tests.node.store.writer commit FILE COUNT` commits 0 … COUNT-1 and writes the line "done N" after
each commit that returned. `… starve FOLDER` runs on a small disk of its own and prints what it saw as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from chargemesh_node.clock import ManualClock
from chargemesh_node.errors import StoreFull
from chargemesh_node.store.node_db import SCRUB_EVERY_MS, SqliteStore
from chargemesh_protocol.effects import DropDocument, Save
from chargemesh_protocol.errors import PersonError

from .disks import NOW, transaction, whole_transactions

SMALL_LOG_PAGES = 24  # a checkpoint every few transactions, so that a short run meets many
RESERVE_BYTES = 512 * 1024


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
        case ["starve", folder]:
            print(json.dumps(asyncio.run(starve(Path(folder)))))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
