"""A disk that is really full: a small tmpfs in a namespace of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.house.tree import ROOT

SMALL_DISK = """
mount -t tmpfs -o size=3m,mode=0700 none "$1" && exec "$2" -m tests.node.store.writer starve "$1"
"""
WAYS = (["unshare", "--user", "--map-root-user", "--mount"], ["unshare", "--mount"])  # for anybody; for root


def way_to_mount() -> list[str] | None:
    """How this machine lets us mount a tmpfs that nobody else sees."""
    if shutil.which("unshare") is None:
        return None
    for way in WAYS:
        tried = subprocess.run([*way, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True)
        if tried.returncode == 0:
            return way
    return None


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the writer saw on its full disk."""
    way = way_to_mount()
    if way is None:
        pytest.skip("no tmpfs can be mounted here: unshare is missing or not allowed")
    folder = tmp_path_factory.mktemp("full")
    said = subprocess.run(
        [*way, "sh", "-c", SMALL_DISK, "sh", str(folder), sys.executable],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert said.returncode == 0, said.stderr
    assert list(Path(folder).iterdir()) == []
    result: dict[str, Any] = json.loads(said.stdout)
    return result


def test_a_full_disk_refuses_and_keeps_what_was_acknowledged(seen: dict[str, Any]) -> None:
    bare = seen["bare"]
    assert bare["kept"] == bare["acknowledged"] >= 1
    assert bare["reopened"] == bare["kept"]


def test_with_room_again_commits_work_again(seen: dict[str, Any]) -> None:
    assert seen["bare"]["went_on"] == seen["bare"]["kept"] + 1


def test_a_start_on_a_full_disk_says_what_to_do(seen: dict[str, Any]) -> None:
    assert seen["opened_when_full"] == "disk-full"


def test_the_reserve_lets_bookings_go_on_when_others_filled_the_disk(seen: dict[str, Any]) -> None:
    assert seen["reserve"] == {"stood": True, "in_use": True, "stands_again": True}
    assert seen["committed_from_the_reserve"] >= 10


def test_the_reserve_lets_the_node_start_on_a_full_disk(seen: dict[str, Any]) -> None:
    assert seen["opened_by_the_reserve"] == seen["committed_from_the_reserve"] + 1
