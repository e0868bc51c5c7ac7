"""How long `chargemesh --help` takes, beside a Python that does nothing and one that imports click."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

RUNS = 15
COMMANDS: dict[str, tuple[str, ...]] = {
    "": ("-m", "chargemesh_cli", "--help"),
    "find_help_": ("-m", "chargemesh_cli", "find", "--help"),
    "bare_python_": ("-c", "pass"),
    "python_and_click_": ("-c", "import click"),
}


def measure() -> dict[str, float]:
    """p50 in ms of each, run in turn so that other load meets all alike; and the slowest of ours."""
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for command in COMMANDS.values():
        _run(command)  # the disk cache is warm, as on a second call
    for _ in range(RUNS):
        for name, command in COMMANDS.items():
            taken[name].append(_run(command))
    figures = {f"{name}p50_ms": round(statistics.median(times), 1) for name, times in taken.items()}
    return {**figures, "max_ms": round(max(taken[""]), 1)}


def _run(command: tuple[str, ...]) -> float:
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, *command], stdout=subprocess.DEVNULL, check=True, env={**os.environ, "NO_COLOR": "1"}
    )
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    for name, value in measure().items():
        print(f"{name:28} {value:8.1f}")
