"""`python -m tests.e2e.shifted FILE ARGUMENTS…`: chargemesh on a machine whose clock is ahead.

FILE holds by how many milliseconds, and is looked at each time the clock is: writing a larger number is
what happens when a laptop wakes up, or a machine's clock is set. Nothing else differs from
`python -m chargemesh_cli ARGUMENTS…`.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import SimpleNamespace

from chargemesh_cli.main import main
from chargemesh_node import clock


def shift(file: Path) -> None:
    """Replaces the one place that asks the machine for the time of day."""

    def time_ns() -> int:
        return time.time_ns() + int(file.read_text()) * 1_000_000  # noqa: TID251 - this is the machine

    clock.time = SimpleNamespace(time_ns=time_ns)  # type: ignore[assignment]


if __name__ == "__main__":
    shift(Path(sys.argv[1]))
    raise SystemExit(main(sys.argv[2:]))
