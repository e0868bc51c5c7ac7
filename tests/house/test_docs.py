"""What the documents say about the repository is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import PurePosixPath

import pytest

from .tree import ROOT, texts, tracked

MAKE_LINE = re.compile(r"(?:^|[`\s])make ((?:[a-z][a-z-]*)?)(?=[\s`]|$)")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def targets() -> set[str]:
    """The targets that `make help` lists."""
    return set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


def code_in(markdown: str) -> list[str]:
    """The fenced blocks' lines and the inline code of a document."""
    fenced = re.findall(r"^```.*?\n(.*?)^```", markdown, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```.*?^```", "", markdown, flags=re.MULTILINE | re.DOTALL)
    return [line for block in fenced for line in block.splitlines()] + re.findall(r"`([^`\n]+)`", rest)


def test_documents_name_make_targets_that_exist() -> None:
    named = {
        (name, target)
        for name, found in texts(".md")
        for line in code_in(found)
        for target in MAKE_LINE.findall(line)
        if target
    }
    assert {target for _, target in named} >= {"demo", "test", "install"}
    assert [f"{name}: make {target}" for name, target in sorted(named) if target not in targets()] == []


def test_links_between_documents_lead_somewhere() -> None:
    broken = [
        f"{name}: {link}"
        for name, found in texts(".md")
        for link in LINK.findall(found)
        if not (ROOT / PurePosixPath(name).parent / link).exists()
    ]
    assert broken == []


def test_the_version_is_in_one_place() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    sources = [(name, found) for name, found in texts(".py") if not name.startswith("tests/")]
    assert [
        name for name, found in sources if re.search(r"__version__\s*=|[\"']" + re.escape(version), found)
    ] == []
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None and newest.group(1) == version


@pytest.mark.parametrize("name", ["LICENSE", "specs/LICENSE", "SECURITY.md", "CONTRIBUTING.md", "README.md"])
def test_what_a_stranger_looks_for_is_there(name: str) -> None:
    assert name in tracked()


def test_the_readme_says_which_folder_holds_which_package() -> None:
    readme = (ROOT / "README.md").read_text()
    for package in ("protocol/chargemesh_protocol", "node/chargemesh_node", "cli/chargemesh_cli"):
        assert package in "\n".join(readme.splitlines()[:60])
