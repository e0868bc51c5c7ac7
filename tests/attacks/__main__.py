"""Tries every attack in full and prints what came of it as a table.

    python -m tests.attacks [--quick] [--only FAMILY] [--out docs/attacks.md]

Simulated time and a fixed seed: the same code gives the same table. Half an hour in full, seconds with
--quick (the sizes of `make test`).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from chargemesh_node.sim.loop import run

from .attack import Attack, Finding
from .everything import ATTACKS

HEAD = """# Attacks, tried

What somebody can do who means no good, tried on the real code in the simulated network, and what they got.
Made by `python -m tests.attacks --out docs/attacks.md`; the numbers are measured, not meant. The attacker's
software does what it likes; the other nodes are as they are at home. `make test` plays them small,
`make test-long` in full. {sizes} What is not defended at all: [specs/14](../specs/14-threats-privacy.md).

Found here and still open: a host can date a `no-show` ahead of its clock, to when it would count; the
driver's node then takes it at once, instead of refusing what is dated more than 2 minutes ahead.

| attack | the attacker spends | and gets | what stops it |
|---|---|---|---|
"""
QUICK = "Here are the small sizes (`--quick`)."
FULL = "Here are the full sizes."


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.attacks")
    parser.add_argument("--quick", action="store_true", help="the sizes of `make test`")
    parser.add_argument("--only", metavar="FAMILY", help="only attacks of this family")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="write the table there")
    wanted = parser.parse_args()
    chosen = [one for one in ATTACKS if wanted.only in (None, one.family)]
    rows = []
    for one in chosen:
        print(f"{one.family}: {one.name} …", file=sys.stderr, flush=True)
        size = one.size if wanted.quick or one.long is None else one.long
        rows.append(row(one, run(one.play(wanted.seed, size))))
    table = HEAD.format(sizes=QUICK if wanted.quick else FULL) + "".join(rows)
    if wanted.out:
        wanted.out.write_text(table)
    else:
        print(table, end="")
    return 0


def row(attack: Attack, found: Finding) -> str:
    return f"| {attack.name} | {found.spends} | {found.gets} | {attack.stops} |\n"


if __name__ == "__main__":
    sys.exit(main())
