"""The repository as the house tests see it: its tracked files."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LICENCES = {"LICENSE", "specs/LICENSE"}


@cache
def tracked() -> tuple[str, ...]:
    """Paths from the root of every tracked file that is still there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    return tuple(name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file())


@cache
def text(name: str) -> str | None:
    """The text of a tracked file; None for what isn't UTF-8 (pictures, databases)."""
    try:
        return (ROOT / name).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def texts(*endings: str) -> list[tuple[str, str]]:
    """(path, text) of the tracked text files with one of these endings, or of all; licences aside."""
    chosen = [name for name in tracked() if name not in LICENCES and (not endings or name.endswith(endings))]
    return [(name, found) for name in chosen if (found := text(name)) is not None]
