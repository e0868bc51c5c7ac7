"""`run` drives an implementation through the vectors and needs nothing but Python; `subject` is ours.

python -m tests.conformance run -- COMMAND ...
python -m tests.conformance subject
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .report import Report
from .runner import run
from .vector_files import VECTORS, load


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    runs = commands.add_parser("run", help="drive an implementation through the vectors")
    runs.add_argument("--vectors", type=Path, default=VECTORS, help="the folder of vector files")
    runs.add_argument("--only", default="", help="only cases whose file:name holds this text")
    runs.add_argument("--timeout", type=float, default=10.0, help="seconds for one case")
    runs.add_argument("--complete", action="store_true", help="an unsupported operation counts as a failure")
    runs.add_argument("--full", action="store_true", help="print long values whole")
    runs.add_argument("subject", nargs="+", metavar="COMMAND", help="the implementation, after --")
    commands.add_parser("subject", help="our own implementation on stdin and stdout")
    asked = parser.parse_args(arguments)
    if asked.command == "subject":
        from .subject import serve  # the only part that needs chargemesh itself

        serve(sys.stdin.buffer, sys.stdout.buffer)
        return 0
    cases = [case for case in load(asked.vectors) if asked.only in case.id]
    if not cases:
        parser.error(f"no case in {asked.vectors} matches {asked.only!r}")
    report = Report(full=asked.full)
    for case, verdict in run(asked.subject, cases, timeout=asked.timeout):
        report.add(case, verdict)
    print(report.summary())
    return 1 if report.failed or (asked.complete and report.unsupported) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
