"""A power cut at every sync: node.db and its WAL are rebuilt as the disk had them, and opened."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from chargemesh_node.clock import ManualClock
from chargemesh_node.store.node_db import SqliteStore
from tests.house.tree import ROOT
from tests.seeds import seeds

from .disks import NOW, transaction, whole_transactions
from .traced_disk import Disk, trace

TRANSACTIONS = 30


def tracing_works() -> bool:
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(not tracing_works(), reason="strace is missing, or may not trace here")


@pytest.fixture(scope="module")
def cuts(tmp_path_factory: pytest.TempPathFactory) -> list[Disk]:
    """The disk just before each sync of a whole run, and after the run."""
    folder = tmp_path_factory.mktemp("traced").resolve()
    path = folder / "node.db"
    writer = [sys.executable, "-m", "tests.node.store.writer", "commit", str(path), str(TRANSACTIONS)]
    return list(before_each_sync(Disk(folder), writer, tmp_path_factory.mktemp("record") / "calls"))


def before_each_sync(disk: Disk, command: list[str], record: Path) -> Iterator[Disk]:
    for call in trace(command, record, ROOT):
        if disk.is_sync(call):
            yield disk.snapshot()
        disk.sees(call)
    yield disk.snapshot()


async def transactions_on(files: dict[str, bytes], folder: Path) -> int:
    """How many whole transactions a node that starts on these files finds; it then commits one more."""
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    store = SqliteStore(folder / "node.db", ManualClock(NOW), reserve_bytes=0)
    try:
        count = whole_transactions(await store.open())
        await store.commit(transaction(count))
        assert whole_transactions(await store.load()) == count + 1
    finally:
        await store.close()
    shutil.rmtree(folder)
    return count


def test_the_run_was_seen_whole(cuts: list[Disk]) -> None:
    """The record is worth something: a sync for each commit, checkpoints, and a log begun anew."""
    assert cuts[-1].said.count(b"done") == TRANSACTIONS
    assert len(cuts) > TRANSACTIONS + 10
    sizes = [len(cut.after_power_cut().get("node.db-wal", b"")) for cut in cuts]
    assert sum(later < earlier for earlier, later in pairwise(sizes)) >= 3


@pytest.mark.asyncio
async def test_everything_acknowledged_is_there_after_a_power_cut_at_any_sync(
    cuts: list[Disk], tmp_path: Path
) -> None:
    for number, cut in enumerate(cuts):
        acknowledged = cut.said.count(b"done")
        assert await transactions_on(cut.after_power_cut(), tmp_path / str(number)) >= acknowledged, number


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", seeds(1, 2))
async def test_and_with_unsynced_writes_there_in_part(cuts: list[Disk], tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    for number, cut in enumerate(cuts):
        acknowledged = cut.said.count(b"done")
        files = cut.after_power_cut(dice)
        assert await transactions_on(files, tmp_path / str(number)) >= acknowledged, (seed, number)


@pytest.mark.asyncio
async def test_the_check_notices_a_sync_that_did_nothing(cuts: list[Disk], tmp_path: Path) -> None:
    """Were the log never synced, acknowledged transactions would be missing: the method can fail."""
    middle = cuts[len(cuts) // 2]
    files = middle.after_power_cut() | {"node.db-wal": b""}
    assert await transactions_on(files, tmp_path / "unsynced") < middle.said.count(b"done")
