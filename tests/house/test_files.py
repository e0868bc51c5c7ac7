"""Rules about what the tracked files hold: no machine of ours, no giants, no empty promises."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import PurePosixPath

from .tree import ROOT, texts, tracked

LINES = 450
FUNCTION_LINES = 70
PROSE = (".py", ".sh", ".js", ".css", ".html", ".toml")

# Put together from halves, so that this file doesn't find itself.
A_MACHINE_OF_OURS = re.compile(
    r"(?<![\w.])/(?:" + "wo" + r"rk|ro" + r"ot|opt/py" + r"pi)/|/tmp/(?:br" + r"ief|bash" + r"_jobs)"
    r"|files\.python" + r"hosted|py" + r"pi\.org|registry\.np" + r"mjs|deb\.de" + r"bian\.org"
)
NOT_IN_THE_TREE = re.compile(r"(?i)\bdesi" + r"gn,? (?:section|§)|\bdesign" + r"\.md|house-st" + r"yle\.md")
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b|raise NotImplemented" + r"Error")


def lines_with(pattern: re.Pattern[str], files: list[tuple[str, str]]) -> list[str]:
    """`path:line: text` for every line that the pattern matches."""
    return [
        f"{name}:{number}: {line.strip()}"
        for name, found in files
        for number, line in enumerate(found.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_tracked_file_names_a_machine_or_a_download_host() -> None:
    assert lines_with(A_MACHINE_OF_OURS, texts()) == []


def test_the_search_for_machines_finds_one() -> None:
    planted = "a = '/ro" + "ot/.ssh'\nnet/wo" + "rk/fine\nurl = 'https://py" + "pi.org/'\n/wo" + "rk/x"
    found = lines_with(A_MACHINE_OF_OURS, [("planted.py", planted)])
    assert [line.split(":")[1] for line in found] == ["1", "3", "4"]


def test_nothing_cites_a_page_that_is_not_here() -> None:
    """A rule is cited from specs/, which everybody has."""
    assert lines_with(NOT_IN_THE_TREE, texts()) == []


def test_no_file_is_a_giant() -> None:
    assert [(name, size) for name, found in texts(*PROSE) if (size := found.count("\n")) > LINES] == []


def test_no_function_is_longer_than_a_screen() -> None:
    """Counted without its docstring, which may hold a table."""
    giants = []
    for name, found in texts(".py"):
        for node in ast.walk(ast.parse(found, name)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
                if (node.body[-1].end_lineno or 0) - first.lineno >= FUNCTION_LINES:
                    giants.append(f"{name}:{node.lineno}: {node.name}")
    assert giants == []


def test_nothing_is_left_unfinished() -> None:
    assert lines_with(UNFINISHED, texts(".py", ".sh", ".js", "Makefile")) == []


def test_no_test_asserts_what_is_always_true() -> None:
    """`assert` of a constant, or of a tuple (a message in the wrong brackets), checks nothing."""
    empty = []
    for name, found in texts(".py"):
        for node in ast.walk(ast.parse(found, name)):
            if isinstance(node, ast.Assert) and isinstance(node.test, ast.Constant | ast.Tuple):
                empty.append(f"{name}:{node.lineno}")
    assert empty == []


def test_every_python_folder_is_a_package() -> None:
    """A missing __init__.py makes two tests of one name clash, and hides a package from the wheel."""
    folders = {PurePosixPath(name).parent for name in tracked() if name.endswith(".py")}
    tops = {PurePosixPath("protocol"), PurePosixPath("node"), PurePosixPath("cli"), PurePosixPath(".")}
    assert (
        sorted(str(folder) for folder in folders - tops if not (ROOT / folder / "__init__.py").exists()) == []
    )


def test_each_package_says_that_it_is_typed() -> None:
    for package in ("protocol/chargemesh_protocol", "node/chargemesh_node", "cli/chargemesh_cli"):
        assert (ROOT / package / "py.typed").exists()


def test_shell_scripts_parse() -> None:
    for name, found in texts():
        if found.startswith(("#!/bin/sh", "#!/bin/bash")):
            shell = found.splitlines()[0].removeprefix("#!/bin/")
            said = subprocess.run([shell, "-n", name], cwd=ROOT, capture_output=True, text=True)
            assert said.returncode == 0, said.stderr
            assert (ROOT / name).stat().st_mode & 0o100, f"{name} can't be executed"
