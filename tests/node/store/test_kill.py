"""kill -9 in the middle of commits: what was acknowledged is there, and nothing is there by half."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chargemesh_node.clock import ManualClock
from chargemesh_node.store.node_db import SqliteStore
from tests.house.tree import ROOT
from tests.seeds import seeds

from .disks import NOW, transaction, whole_transactions


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", seeds(1, 2, 3, 4, 5, 6))
async def test_every_acknowledged_commit_is_there(tmp_path: Path, seed: int) -> None:
    acknowledged = kill_at(tmp_path / "node.db", random.Random(seed))
    store = SqliteStore(tmp_path / "node.db", ManualClock(NOW), reserve_bytes=0)
    found = whole_transactions(await store.open())
    assert found in (acknowledged, acknowledged + 1)  # one may be durable and not yet acknowledged
    await store.commit(transaction(found))
    await store.close()


def kill_at(path: Path, dice: random.Random) -> int:
    """Kills a writer a moment after it acknowledged some commit; how many it acknowledged in all."""
    command = [sys.executable, "-m", "tests.node.store.writer", "commit", str(path), "100000"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        wanted = dice.randrange(1, 60)
        acknowledged = 0
        while acknowledged < wanted:
            assert writer.stdout.readline() == f"done {acknowledged}\n"
            acknowledged += 1
        time.sleep(dice.uniform(0, 0.004))
        writer.kill()
        return acknowledged + len([line for line in writer.stdout if line.endswith("\n")])
