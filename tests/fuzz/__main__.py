"""`make fuzz`: every target led by coverage, for a bounded time; then how cost grows with the input.

    python -m tests.fuzz [--seconds 60] [--only TARGET]      all targets share the seconds
    python -m tests.fuzz TARGET FILE                         tries one input again, as a failure prints it

Inputs worth keeping stay in .reports/fuzz, so that a later run begins where this one ended.
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from .cost import MAX_GROWTH, seconds
from .target import Target
from .targets import TARGETS

ROOT = Path(__file__).parents[2]
KEPT = ROOT / ".reports" / "fuzz"
SECONDS_FOR_ONE_INPUT = 10  # what takes longer counts as a hang; most take microseconds
MEGABYTES = 1024  # resident, with the libraries; and 64 at once for one input
_LEAST_SECONDS = 0.002  # below that a clock says nothing about growth


@dataclass(frozen=True, slots=True)
class Outcome:
    """runs: inputs tried. coverage: edges of our code reached. failure: a path of the input, or empty."""

    runs: int
    coverage: int
    failure: str
    said: str


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together")
    parser.add_argument("--only", choices=sorted(TARGETS), action="append")
    parser.add_argument("again", nargs="*", metavar="TARGET FILE", help="try one input again")
    wanted = parser.parse_args()
    if wanted.again:
        name, file = wanted.again
        TARGETS[name].check(Path(file).read_bytes())
        print("the promise holds")
        return 0
    if importlib.util.find_spec("atheris") is None:
        print(_no_atheris(), file=sys.stderr)
        return 2
    names = wanted.only or list(TARGETS)
    each = max(1, wanted.seconds // len(names))
    broken = [name for name in names if not _fuzzed(TARGETS[name], each)]
    broken += [name for name in names if not _grows_gently(TARGETS[name])]
    print(f"{len(names)} targets, {each} s each, {len(broken)} broken" + "".join(f" {one}" for one in broken))
    return 1 if broken else 0


def _no_atheris() -> str:
    here = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return (
        f"Coverage-guided fuzzing needs atheris, which is made for Linux on x86-64 and Python 3.11 to 3.13; "
        f"here is {here}.\nThe same promises are tested with random inputs by: make test T=tests/fuzz"
    )


def _fuzzed(target: Target, duration: int) -> bool:
    outcome = _run(target, duration)
    print(f"{target.name:16} {outcome.runs:9,} inputs, {outcome.coverage:5,} edges", flush=True)
    if outcome.failure:
        found = Path(outcome.failure).read_bytes() if Path(outcome.failure).exists() else b""
        print(_traceback(outcome.said))
        print(f"again:    make fuzz ARGS='{target.name} {outcome.failure}'")
        print(f"to keep:  tests/fuzz/found.py    ({target.name!r}, {found!r}),")
    return not outcome.failure


def _traceback(said: str) -> str:
    """What Python says of the failure, or else the end of what libFuzzer says."""
    found = re.search(r"Uncaught Python exception.*?(?=^==|\Z)", said, re.DOTALL | re.MULTILINE)
    return found.group() if found else said[-4000:]


def _run(target: Target, duration: int) -> Outcome:
    corpus, broken = KEPT / "corpus" / target.name, KEPT / "broken"
    corpus.mkdir(parents=True, exist_ok=True)
    broken.mkdir(parents=True, exist_ok=True)
    for seed in target.seeds():
        (corpus / sha256(seed).hexdigest()[:16]).write_bytes(seed)
    flags = {
        "max_total_time": duration,
        "max_len": target.max_bytes,
        "timeout": SECONDS_FOR_ONE_INPUT,
        "rss_limit_mb": MEGABYTES,
        "malloc_limit_mb": 64,
        "print_final_stats": 1,
        "artifact_prefix": f"{broken}/{target.name}-",
    }
    command = [sys.executable, "-m", "tests.fuzz.one", target.name, str(corpus)]
    command += [f"-{name}={value}" for name, value in flags.items()]
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=duration + 300,
    )
    said = done.stdout + done.stderr
    written = re.search(r"Test unit written to (\S+)", said)
    failure = written.group(1) if written else "" if done.returncode == 0 else f"exit {done.returncode}"
    runs = re.search(r"stat::number_of_executed_units:\s+(\d+)", said) or re.search(r"Done (\d+) runs", said)
    edges = [int(one) for one in re.findall(r" cov: (\d+)", said)]
    return Outcome(int(runs.group(1)) if runs else 0, max(edges, default=0), failure, said)


def _grows_gently(target: Target) -> bool:
    """Twice the input, less than four times the processor time; each measured where a clock can tell."""
    times = 1
    while (once := seconds(target, target.grown(times))) < _LEAST_SECONDS and times < 64:
        times *= 2
    twice = seconds(target, target.grown(2 * times))
    if once < _LEAST_SECONDS or twice < MAX_GROWTH * once:
        return True
    print(f"{target.name}: {once * 1000:.1f} ms for {times}, {twice * 1000:.1f} ms for twice as much")
    return False


if __name__ == "__main__":
    raise SystemExit(main())
