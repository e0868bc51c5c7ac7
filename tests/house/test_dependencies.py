"""What pyproject.toml declares is what the program imports: nothing more to install, nothing by luck."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions

from .tree import ROOT, texts

# Data that zoneinfo finds by itself, on machines whose system has none.
NEVER_IMPORTED = {"tzdata"}


@cache
def declared() -> frozenset[str]:
    """Names of distributions as packaging compares them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return frozenset(_normal(re.split(r"[<>=!~\[ ;]", need)[0]) for need in project["dependencies"])


@cache
def imported() -> frozenset[str]:
    """Top-level modules of others that the three packages import, wherever in a file."""
    found: set[str] = set()
    for path, source in texts(".py"):
        if not path.startswith(("protocol/", "node/", "cli/")):
            continue
        for step in ast.walk(ast.parse(source, path)):
            if isinstance(step, ast.Import):
                found |= {one.name.partition(".")[0] for one in step.names}
            elif isinstance(step, ast.ImportFrom) and step.level == 0 and step.module is not None:
                found.add(step.module.partition(".")[0])
    return frozenset(name for name in found - sys.stdlib_module_names if not name.startswith("chargemesh_"))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _providers(module: str) -> set[str]:
    return {_normal(one) for one in packages_distributions().get(module, [])}


def test_every_import_is_declared() -> None:
    assert {module for module in imported() if not _providers(module) & declared()} == set()


def test_every_declared_dependency_is_imported() -> None:
    used = set().union(*map(_providers, imported()))
    assert declared() - used == NEVER_IMPORTED


def test_installing_compiles() -> None:
    """Where the program's folder can't be written, a start without bytecode takes seconds longer."""
    lines = [line for _, script in texts(".sh", "Containerfile") for line in script.splitlines()]
    installs = [line for line in lines if re.search(r"\bpip\b.*\binstall\b", line)]
    assert len(installs) >= 4
    assert [line for line in installs if "--compile" not in line] == []
