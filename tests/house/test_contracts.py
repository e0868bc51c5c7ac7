"""The rules that `make lint` enforces do bite: each is broken on purpose in a copy."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .tree import ROOT

BANNED = {
    "a second copy of the node": "import node.chargemesh_node\n\nprint(node)\n",
    "the machine's clock": "import time\n\nprint(time.time())\n",
    "the machine's date": "from datetime import datetime\n\nprint(datetime.now())\n",
    "the global dice": "import random\n\nprint(random.random())\n",
}


def ruff(source: str, where: str) -> str:
    """What ruff says about this source, were it at `where`."""
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=concise"]
    said = subprocess.run(
        [*command, "--stdin-filename", where, "-"], input=source, cwd=ROOT, capture_output=True, text=True
    )
    return said.stdout


@pytest.mark.parametrize("what", BANNED)
def test_ruff_refuses(what: str) -> None:
    assert "TID251" in ruff(BANNED[what], "node/chargemesh_node/runner.py")


def test_ruff_lets_the_clock_read_the_clock() -> None:
    assert "TID251" not in ruff(BANNED["the machine's clock"], "node/chargemesh_node/clock.py")


BROKEN_ARROWS = {
    "the protocol imports the node": ("chargemesh_protocol/planted.py", "import chargemesh_node.home"),
    "the node imports the command line": ("chargemesh_node/planted.py", "import chargemesh_cli.main"),
    "the protocol reads the clock": ("chargemesh_protocol/planted.py", "import time"),
    "the protocol does async": ("chargemesh_protocol/planted.py", "import asyncio"),
    "trio outside p2p": ("chargemesh_node/planted.py", "import trio"),
    "libp2p in the command line": ("chargemesh_cli/planted.py", "import libp2p"),
}


@pytest.fixture(scope="module")
def copy_of_the_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the three packages and their contracts, to break."""
    copy = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / "pyproject.toml", copy)
    for folder, package in (
        ("protocol", "chargemesh_protocol"),
        ("node", "chargemesh_node"),
        ("cli", "chargemesh_cli"),
    ):
        shutil.copytree(ROOT / folder / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def contracts(tree: Path) -> subprocess.CompletedProcess[str]:
    """import-linter's word on the tree; run from there, so that its packages are the ones found."""
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", command, "--no-cache", "--no-logo"], cwd=tree, capture_output=True, text=True
    )


@pytest.mark.parametrize("what", BROKEN_ARROWS)
def test_import_linter_refuses(copy_of_the_tree: Path, what: str) -> None:
    where, line = BROKEN_ARROWS[what]
    planted = copy_of_the_tree / where
    planted.write_text(line + "\n")
    said = contracts(copy_of_the_tree)
    planted.unlink()
    assert said.returncode == 1, said.stdout + said.stderr
    assert "BROKEN" in said.stdout
    assert "planted" in said.stdout
