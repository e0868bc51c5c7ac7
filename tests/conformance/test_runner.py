"""The runner judges strictly, survives whatever a program does, and needs nothing but Python."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ..interop.node_tools import NOT_INSTALLED, node
from .__main__ import main
from .report import Report
from .runner import CannotStart, Outcome, run, same
from .vector_files import VECTORS, Case, load

ROOT = Path(__file__).parents[2]
CASES = [
    Case("f", "right", "add", {"a": 1, "b": 2}, {"sum": 3}, None, ""),
    Case("f", "refused", "divide", {"by": 0}, None, "zero", "nothing can be divided so"),
    Case("f", "strange", "juggle", {}, {}, None, ""),
]
# A program that answers as its argument says; `add` is right unless that says otherwise.
PROGRAM = """
import json, os, sys, time
mood = sys.argv[1]
for line in sys.stdin:
    q = json.loads(line)
    said = {"id": q["id"], "unsupported": True}
    if q["op"] == "add": said = {"id": q["id"], "out": {"sum": 3}}
    if q["op"] == "divide":
        said = {"id": q["id"], "error": "zero"}
        if mood == "wrong code": said["error"] = "other"
        if mood == "takes it": said = {"id": q["id"], "out": {}}
        if mood == "hangs": time.sleep(600)
        if mood == "ends": os._exit(3)
        if mood == "garbage": print("Traceback ..."); continue
        if mood == "other id": said["id"] = "another"
        if mood == "half a line": sys.stdout.write("{"); sys.stdout.flush(); os._exit(0)
        if mood == "a list": said = [said]
        if mood == "both": said["out"] = {}
        if mood == "no newline": sys.stdout.write(json.dumps(said)); sys.stdout.flush(); time.sleep(600)
        if mood == "deep": said = '{"id": "%s", "out": %s}' % (q["id"], "[" * 900 + "]" * 900)
        if mood == "deeper": said = "[" * 200_000
        if mood == "half a character": said = {"id": q["id"], "out": {"text": "\\ud800"}}
        if type(said) is str: print(said, flush=True); continue
    print(json.dumps(said), flush=True)
"""


def outcomes(mood: str) -> list[Outcome]:
    command = [sys.executable, "-c", PROGRAM, mood]
    slow = mood in ("hangs", "no newline")
    return [said.outcome for _, said in run(command, CASES, timeout=1 if slow else 5)]


def test_an_honest_program() -> None:
    assert outcomes("honest") == [Outcome.PASSED, Outcome.PASSED, Outcome.UNSUPPORTED]


@pytest.mark.parametrize(
    "mood",
    [
        "wrong code", "takes it", "hangs", "ends", "garbage", "other id", "half a line", "a list", "both",
        "no newline", "deep", "deeper", "half a character",
    ],
)  # fmt: skip
def test_a_case_fails_and_the_next_one_is_asked(mood: str) -> None:
    assert outcomes(mood) == [Outcome.PASSED, Outcome.FAILED, Outcome.UNSUPPORTED]


def test_a_program_that_can_not_be_started_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(CannotStart, match=r"no-such-program-of-ours can't be started: No such file"):
        list(run(["no-such-program-of-ours"], CASES, timeout=1))


def test_a_program_that_forgets_the_newline_is_told_so() -> None:
    command = [sys.executable, "-c", PROGRAM, "no newline"]
    (_, verdict), *_ = run(command, CASES[1:], timeout=1)
    assert verdict.late and 'no answer within 1 seconds: it wrote no newline after b\'{"id": ' in str(
        verdict.got
    )


def test_a_program_that_hangs_is_given_up_after_so_many_cases_in_a_row() -> None:
    command = [sys.executable, "-c", PROGRAM, "hangs"]
    right, hanging = CASES[:2]
    cases = [hanging, right, hanging, hanging, hanging]
    assert len(list(run(command, cases, timeout=1, give_up=2))) == 4
    assert len(list(run(command, [hanging] * 4, timeout=0.1, give_up=0))) == 4


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, True), (0, False), (1, 1.0), ("1", 1), ([], {}), ({}, {"a": None}), ([1, 2], [2, 1])],
)
def test_values_are_compared_strictly(one: object, other: object) -> None:
    assert not same(one, other)


def test_the_order_of_an_objects_parts_is_no_difference() -> None:
    assert same({"a": 1, "b": [2]}, {"b": [2], "a": 1})


def test_the_report_shows_what_was_expected(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report()
    for case, verdict in run([sys.executable, "-c", PROGRAM, "wrong code"], CASES, timeout=5):
        report.add(case, verdict)
    said = capsys.readouterr().out
    for part in ("FAILED f:refused (divide)", '{"error": "zero"}', '{"error": "other"}', CASES[1].why):
        assert part in said
    assert report.summary().splitlines() == [
        "f    1 passed, 1 failed, 1 unsupported",
        "not supported: juggle",
        "all  1 passed, 1 failed, 1 unsupported",
    ]


def exit_code(*arguments: str, mood: str = "honest") -> int:
    """Of the command line on a bare Python: -S leaves out whatever is installed."""
    command = [sys.executable, "-S", "-m", "tests.conformance", "run", *arguments, "--"]
    return subprocess.run(
        [*command, sys.executable, "-c", PROGRAM, mood], cwd=ROOT, capture_output=True
    ).returncode


def test_the_command_line_needs_nothing_installed(tmp_path: Path) -> None:
    asked = ["--vectors", written(tmp_path, *CASES)]
    assert exit_code(*asked) == 0
    assert exit_code(*asked, "--complete") == 1
    assert exit_code(*asked, mood="wrong code") == 1
    assert exit_code(*asked, "--only", "f:right", "--complete", mood="wrong code") == 0
    assert exit_code(*asked, "--only", "no such case") == 2


def written(folder: Path, *cases: Case) -> str:
    """A folder of vectors."""
    rows = [
        {"name": case.name, "op": case.op, "in": case.given, **case.expected, "why": case.why}
        for case in cases
    ]
    (folder / "f.json").write_text(json.dumps({"about": "sums", "cases": rows}))
    return str(folder)


@pytest.mark.parametrize("seconds", ["-1", "0", "nan", "inf", "1e9", "soon"])
def test_a_bound_that_is_none_is_a_mistake_of_the_caller(
    seconds: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["run", f"--timeout={seconds}", "--", "true"])
    assert end.value.code == 2 and "no number of seconds" in capsys.readouterr().err


def test_the_command_line_says_what_can_not_be_started(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["run", "--", "no-such-program-of-ours"])
    assert end.value.code == 2 and "no-such-program-of-ours can't be started" in capsys.readouterr().err


def test_whatever_was_answered_can_be_printed_anywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["--", sys.executable, "-c", PROGRAM, "half a character"]
    assert main(["run", "--vectors", written(tmp_path, CASES[1]), *command]) == 1
    assert r'"text": "\ud800"' in capsys.readouterr().out


def test_what_was_not_asked_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["run", "--vectors", written(tmp_path, *[CASES[1]] * 4), "--timeout", "0.1", "--give-up", "2"]
    assert main([*asked, "--", sys.executable, "-c", PROGRAM, "hangs"]) == 1
    assert "stopped after 2 cases in a row that took too long: 2 were not asked" in capsys.readouterr().out


@pytest.mark.parametrize("words", [("checks",), ("subject",), ("node", "a", "--network", "b")])
def test_what_needs_more_than_python_says_so(words: tuple[str, ...]) -> None:
    command = [sys.executable, "-S", "-m", "tests.conformance", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert f"`{words[0]}` needs " in done.stderr and "make setup" in done.stderr


def test_a_case_has_one_answer(tmp_path: Path) -> None:
    (tmp_path / "f.json").write_text('{"cases": [{"name": "a", "op": "b", "in": {}}]}')
    with pytest.raises(ValueError, match="either out or error"):
        list(load(tmp_path))
    assert next(load(VECTORS)).expected


@pytest.mark.skipif(node() is None, reason=NOT_INSTALLED)
def test_the_start_in_javascript_runs(tmp_path: Path) -> None:
    script = re.findall(r"^```js\n(.*?)^```$", (VECTORS / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "start.mjs").write_text(script[0])
    cases = [case for case in load() if case.file == "keys"]
    verdicts = run([str(node()), str(tmp_path / "start.mjs")], cases, timeout=60)
    outcomes = {(case.op, said.outcome) for case, said in verdicts}
    assert outcomes == {("keys.public", Outcome.PASSED), ("keys.check", Outcome.UNSUPPORTED)}
