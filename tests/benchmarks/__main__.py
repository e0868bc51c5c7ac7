"""`make bench`: every figure with its unit, its target, and what it was measured beside.

    python -m tests.benchmarks [--json] [--only NAME]

Each module has `measure()`, which returns figures by name. Nothing here asserts: a figure that misses its
target is printed as missing it.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
from typing import Any

MODULES = (
    "records",
    "store",
    "cli_start",
    "booking",
    "crowd",
    "node",
    "recovery",
    "find",
    "lookup",
    "calendar",
)
# Targets: (figure, text, whether a measured value meets it).
TARGETS: dict[str, tuple[str, float, bool]] = {
    # figure: (unit, target, True where higher is better)
    "records.verify_decode_of_raw": ("of raw libsodium", 0.70, True),
    "records.encode_sign_of_raw": ("of raw libsodium", 0.50, True),
    "records.verified_stored_of_raw": ("of raw libsodium", 0.55, True),
    "cli_start.p50_ms": ("ms", 150, False),
    "booking.request_to_acceptance.p50_ms": ("ms", 30, False),
    "booking.request_to_acceptance.p99_ms": ("ms", 100, False),
    "calendar.is_it_free_p99_ms": ("ms", 1, False),
    "calendar.bitmap_p99_ms": ("ms", 20, False),
    "crowd.all_booked_s": ("s", 5, False),
    "crowd.one_winner_s": ("s", 1, False),
    "recovery.10000_bookings.serving_again_ms": ("ms", 3000, False),
    "node.idle_rss_mb": ("MB", 160, False),
    "node.idle_cpu_percent": ("% of a core", 1, False),
    "find.warm.p50": ("ms", 25, False),
    "find.warm.p99": ("ms", 100, False),
    "find.cold.p50": ("ms", 150, False),
    "find.cold.p99": ("ms", 500, False),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--only", choices=MODULES, action="append", help="measure only this")
    wanted = parser.parse_args()
    figures: dict[str, Any] = {}
    for name in wanted.only or MODULES:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        figures |= _flat(name, importlib.import_module(f"tests.benchmarks.{name}").measure())
    if wanted.json:
        print(json.dumps({"machine": _machine(), "figures": figures}, indent=1))
    else:
        _table(figures)
    return 0


def _flat(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {
            key: one for part, inner in value.items() for key, one in _flat(f"{name}.{part}", inner).items()
        }
    return {name: value}


def _table(figures: dict[str, Any]) -> None:
    print(_machine())
    width = max((len(name) for name in figures), default=0)
    for name, value in figures.items():
        shown = f"{value:,.2f}" if isinstance(value, float) else str(value)
        print(f"{name:<{width}}  {shown:>14}  {_verdict(name, value)}")


def _verdict(name: str, value: Any) -> str:
    if name not in TARGETS or not isinstance(value, int | float):
        return ""
    unit, target, higher = TARGETS[name]
    met = value >= target if higher else value <= target
    return f"{unit}; target {'at least' if higher else 'at most'} {target:g}: {'met' if met else 'MISSED'}"


def _machine() -> str:
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return f"Python {platform.python_version()}, {os.cpu_count()} cores, load before: {load}"


if __name__ == "__main__":
    raise SystemExit(main())
