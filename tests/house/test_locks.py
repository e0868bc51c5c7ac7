"""The locks: hashed, held to one another, without download hosts, and installable without a compiler."""

from __future__ import annotations

import json
import re
import tomllib

import pytest

from .tree import ROOT, text

LOCKS = ["build", "cose", "dev", "fuzz", "runtime"]
PIN = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.MULTILINE)


def pins(name: str) -> set[tuple[str, str]]:
    """(package, version) of every line of a lock; a package may be there once for each Python."""
    found = text(f"requirements/{name}.txt")
    assert found is not None
    return set(PIN.findall(found))


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_hashes_and_no_hosts(name: str) -> None:
    found = text(f"requirements/{name}.txt")
    assert found is not None
    blocks = re.split(r"\n(?=[a-z])", found.strip())
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert re.findall(r"https?://\S+|file:\S+|--(?:extra-)?index-url|--find-links", found) == []


def test_what_is_fuzzed_runs_on_what_users_install() -> None:
    assert {package for package, _ in pins("fuzz") - pins("dev")} == {"atheris"}


@pytest.mark.parametrize("name", ["build", "runtime"])
def test_one_version_everywhere(name: str) -> None:
    """What users install is what the tests ran with."""
    assert pins(name) <= pins("dev")


def test_the_lock_covers_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {re.split(r"[<>=!~\[ ;]", need)[0] for need in project["dependencies"]}
    assert asked <= {package for package, _ in pins("runtime")}


def test_fastecdsa_needs_no_compiler() -> None:
    """libp2p pins a version without wheels for Linux; the override must have taken."""
    (version,) = {version for package, version in pins("runtime") if package == "fastecdsa"}
    assert int(version.split(".")[0]) >= 4


def test_the_cose_checkers_have_the_old_cbor2() -> None:
    (version,) = {version for package, version in pins("cose") if package == "cbor2"}
    assert int(version.split(".")[0]) < 6


def test_the_npm_lock_has_integrity_and_no_hosts() -> None:
    lock = json.loads((ROOT / "tests/interop/package-lock.json").read_text())
    packages = [(name, entry) for name, entry in lock["packages"].items() if name]
    assert [name for name, entry in packages if "integrity" not in entry] == []
    assert [name for name, entry in packages if "resolved" in entry] == []
    assert "omit-lockfile-registry-resolved=true" in (ROOT / "tests/interop/.npmrc").read_text().splitlines()
