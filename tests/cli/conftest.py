"""A home in a short path (a unix socket's name is at most 103 bytes), and a stub node on it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from chargemesh_node import offline
from chargemesh_node.home import Home

from .person import Person
from .stub_node import StubNode

PHRASE = " ".join(["abandon"] * 23 + ["art"])
NETWORK = "chargemesh-test-cli"


@pytest.fixture
def empty() -> Iterator[Home]:
    """A folder that holds no node yet."""
    folder = Path(tempfile.mkdtemp(prefix="cm-"))
    folder.chmod(0o700)
    yield Home(folder / "home")
    shutil.rmtree(folder)


@pytest.fixture
def home(empty: Home) -> Home:
    """A home with keys, whose node doesn't run."""
    offline.create(empty, phrase=PHRASE, network=NETWORK)
    return empty


@pytest.fixture
def person(home: Home) -> Person:
    return Person(home)


@pytest.fixture
def node(home: Home) -> Iterator[StubNode]:
    """The home's node runs, and answers what a test has put into `answers`."""
    with StubNode(home) as stub:
        yield stub
