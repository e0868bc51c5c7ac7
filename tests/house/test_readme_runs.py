"""The README's command blocks, run line by line as one person would, in a new home folder."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .tree import ROOT

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
RUN = {"", "sh", "console"}
PROGRAMS = Path(sys.executable).parent
SECONDS = 110


def script(markdown: str) -> str:
    """The commands of a document's blocks, in order, without `make` lines: test_docs.py checks their targets.

    A block whose fence says ```text or names another language is output or configuration, and isn't run.
    """
    blocks = [block for language, block in BLOCK.findall(markdown) if language in RUN]
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return "\n".join(line for line in lines if line.strip() and not line.startswith("make "))


def test_what_counts_as_a_command() -> None:
    document = (
        "```\nmake demo\n```\n\n```text\nno command\n```\n\nwords\n\n```sh\n$ chargemesh id\nA=1\n```\n"
    )
    assert script(document) == "chargemesh id\nA=1"


@pytest.fixture
def person(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of somebody who just installed chargemesh; nodes they leave running are stopped."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("CHARGEMESH_", "XDG_"))
    }
    environment |= {"HOME": str(tmp_path), "PATH": f"{PROGRAMS}{os.pathsep}{environment['PATH']}"}
    yield environment
    for config in tmp_path.rglob("config.toml"):
        command = [PROGRAMS / "chargemesh", "--home", config.parent, "stop"]
        subprocess.run(command, env=environment, capture_output=True, timeout=30)


def test_the_readme_works_as_written(person: dict[str, str], tmp_path: Path) -> None:
    commands = script((ROOT / "README.md").read_text(encoding="utf-8"))
    # Into a file: a node left running would hold a pipe open and the test with it.
    output = tmp_path / "said.txt"
    with (
        output.open("w") as said,
        subprocess.Popen(
            ["bash", "-euxo", "pipefail", "-c", commands],
            cwd=tmp_path,
            env=person,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as shell,
    ):
        try:
            code = shell.wait(SECONDS)
        finally:
            # The wallbox is in the shell's process group, and still there if a command failed.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGTERM)
    assert code == 0, output.read_text()[-4000:]
