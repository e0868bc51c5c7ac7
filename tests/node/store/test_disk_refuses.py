"""A disk that says no: a quota, a size limit, a broken or read-only disk, each told in a sentence."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chargemesh_node.disk import disk_told, disk_trouble
from chargemesh_node.home import replace_private_file, write_new_private_file
from chargemesh_protocol.errors import PersonError
from tests.house.tree import ROOT

from .test_disk_full import way_to_mount
from .writer import WRITES_BEFORE_REFUSAL

WRITER = [sys.executable, "-m", "tests.node.store.writer"]
READ_ONLY = (
    'mount -t tmpfs -o size=3m,mode=0700 none "$1" && exec "$2" -m tests.node.store.writer readonly "$1"'
)
LIMITED = """
from pathlib import Path
from signal import SIG_IGN, SIGXFSZ, signal
from sys import argv
from chargemesh_node.home import replace_private_file
signal(SIGXFSZ, SIG_IGN)
replace_private_file(Path(argv[1]), bytes(9999))
"""


def run(command: list[str]) -> Any:
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert said.returncode == 0, said.stderr
    return json.loads(said.stdout)


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("EDQUOT", "StoreFull", "your disk quota leaves no room for"),
        ("EFBIG", "StoreFull", "limit on the size of files"),
        ("EIO", "StoreError", "the disk failed to write"),
        ("EROFS", "StoreError", "the disk can only be read"),
    ],
)
def test_a_commit_that_the_disk_refuses_says_why_and_leaves_what_was_there(
    name: str, kind: str, words: str, tmp_path: Path
) -> None:
    refusing = [
        "-e",
        "trace=pwrite64",
        "-e",
        f"inject=pwrite64:error={name}:when={WRITES_BEFORE_REFUSAL + 1}+",
    ]
    told = run(["strace", "-f", "-o", "/dev/null", *refusing, *WRITER, "refused", str(tmp_path)])
    assert (told["kind"], told["kept"]) == (kind, told["acknowledged"])
    assert words in told["message"] and str(tmp_path / "node.db") in told["message"]
    assert told["hint"].endswith(".") and told["acknowledged"] > 0


def test_every_writer_of_a_home_says_that_its_disk_is_read_only(tmp_path: Path) -> None:
    way = way_to_mount()
    if way is None:
        pytest.skip("no tmpfs can be mounted here: unshare is missing or not allowed")
    told = run([*way, "sh", "-c", READ_ONLY, "sh", str(tmp_path), sys.executable])
    assert told == dict.fromkeys(("store", "keys", "folder", "lock", "settings"), "disk-read-only")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO])
def test_each_refusal_is_a_sentence_with_what_to_do(number: int, tmp_path: Path) -> None:
    with pytest.raises(PersonError) as told, disk_told(tmp_path / "key"):
        raise OSError(number, os.strerror(number))
    said = told.value
    assert said.message[0].isupper() and said.message.endswith(f"{tmp_path / 'key'}.")
    assert said.hint.endswith(".") and "-" in said.code


def test_what_is_not_the_disks_passes(tmp_path: Path) -> None:
    assert disk_trouble(PermissionError(errno.EACCES, "no")) is None
    write_new_private_file(tmp_path / "key", b"one")
    with pytest.raises(FileExistsError):
        write_new_private_file(tmp_path / "key", b"two")
    assert (tmp_path / "key").read_bytes() == b"one", "the file of somebody else is not cleared away"


def test_a_file_that_can_not_be_written_whole_leaves_no_half_and_the_old_one(tmp_path: Path) -> None:
    replace_private_file(tmp_path / "settings", b"old")
    limited = ["sh", "-c", 'ulimit -f 1; exec "$@"', "sh", sys.executable, "-c", LIMITED]
    said = subprocess.run([*limited, str(tmp_path / "settings")], capture_output=True, text=True)
    assert "PersonError: This system's limit on the size of files leaves no room for" in said.stderr
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"settings": b"old"}
