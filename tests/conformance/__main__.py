"""`run` drives an implementation through the vectors and needs nothing but Python; `subject` is ours.
`node` connects to a running node and checks what it does on its streams.

python -m tests.conformance run -- COMMAND ...
python -m tests.conformance subject
python -m tests.conformance node MULTIADDR --network ID
python -m tests.conformance checks
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from .report import Report
from .runner import GIVE_UP, CannotStart, run
from .vector_files import VECTORS, load

_MAX_SECONDS = 3600
TEST_NETWORKS = ("chargemesh-test-", "chargemesh-demo-")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    runs = commands.add_parser("run", help="drive an implementation through the vectors")
    runs.add_argument("--vectors", type=Path, default=VECTORS, help="the folder of vector files")
    runs.add_argument("--only", default="", help="only cases whose file:name holds this text")
    runs.add_argument("--timeout", type=_seconds, default=10.0, help="seconds for one case")
    runs.add_argument(
        "--give-up",
        type=int,
        default=GIVE_UP,
        metavar="N",
        help=f"stop after N cases in a row that took too long ({GIVE_UP} unless told otherwise, 0 for never)",
    )
    runs.add_argument("--complete", action="store_true", help="an unsupported operation counts as a failure")
    runs.add_argument("--full", action="store_true", help="print long values whole")
    runs.add_argument("subject", nargs="+", metavar="COMMAND", help="the implementation, after --")
    commands.add_parser("subject", help="our own implementation on stdin and stdout")
    nodes = commands.add_parser("node", help="check a running node over libp2p")
    nodes.add_argument("address", metavar="MULTIADDR", help="/ip4/HOST/tcp/PORT/p2p/PEERID")
    nodes.add_argument("--network", required=True, metavar="ID", help="a test network's id")
    nodes.add_argument("--only", default="", help="only checks whose name holds this text")
    nodes.add_argument("--listing", default="", help="book at the listing or charger whose id holds this")
    nodes.add_argument("--json", action="store_true", help="one JSON object for each check, then the counts")
    nodes.add_argument("--complete", action="store_true", help="a skipped check counts as a failure")
    commands.add_parser("checks", help="list the checks against a node")
    asked = parser.parse_args(arguments)
    if asked.command == "run":
        return run_vectors(parser, asked)
    try:
        return with_chargemesh(parser, asked)
    except ModuleNotFoundError as missing:
        parser.error(
            f"`{asked.command}` needs {missing.name}, which this Python does not have: after `make setup`, "
            f"`.venv/bin/python -m tests.conformance {asked.command}`"
        )


def with_chargemesh(parser: argparse.ArgumentParser, asked: argparse.Namespace) -> int:
    """What needs chargemesh and its libraries. ModuleNotFoundError where they are not installed."""
    if asked.command == "node":
        return check_node(parser, asked)
    if asked.command == "checks":
        from .node.report import table

        print(table())
        return 0
    from .subject import serve

    serve(sys.stdin.buffer, sys.stdout.buffer)
    return 0


def run_vectors(parser: argparse.ArgumentParser, asked: argparse.Namespace) -> int:
    """0 if every case passed (one that is not supported only counts with --complete)."""
    cases = [case for case in load(asked.vectors) if asked.only in case.id]
    if not cases:
        parser.error(f"no case in {asked.vectors} matches {asked.only!r}")
    report = Report(full=asked.full)
    tried = 0
    try:
        for case, verdict in run(asked.subject, cases, timeout=asked.timeout, give_up=asked.give_up):
            report.add(case, verdict)
            tried += 1
    except CannotStart as error:
        parser.error(str(error))
    print(report.summary())
    if tried < len(cases):
        print(
            f"stopped after {asked.give_up} cases in a row that took too long: {len(cases) - tried} were not "
            "asked (--give-up 0 asks them all)"
        )
    return 1 if report.failed or (asked.complete and report.unsupported) else 0


def check_node(parser: argparse.ArgumentParser, asked: argparse.Namespace) -> int:
    """0 if every check passed (a skipped one only counts with --complete)."""
    from .node import run as checks  # these need chargemesh and libp2p
    from .node.peer import NoAnswer, Target
    from .node.report import NodeReport

    if not asked.network.startswith(TEST_NETWORKS):
        parser.error(f"what the checks make stays: only networks {' and '.join(TEST_NETWORKS)}")
    try:
        target = Target.of(asked.address)
    except ValueError as error:
        parser.error(str(error))
    if not any(asked.only in check.name for check in checks.CHECKS):
        parser.error(f"no check is named like {asked.only!r}")
    report = NodeReport(as_json=asked.json)
    try:
        checks.run(target, asked.network, report.add, only=asked.only, listing=asked.listing)
    except NoAnswer as none:
        print(f"{asked.address}: {none}", file=sys.stderr)
        return 1
    print(report.summary())
    skipped = report.counts[checks.Outcome.SKIPPED]
    return 1 if report.counts[checks.Outcome.FAILED] or (asked.complete and skipped) else 0


def _seconds(text: str) -> float:
    """A bound that a timer can keep."""
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) and 0 < float(text) <= _MAX_SECONDS:
        return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0 and up to {_MAX_SECONDS}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
