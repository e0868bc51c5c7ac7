"""The documented packages, built once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import empty, home, node, person

from .packages import documented, install, on_the_path

__all__ = ["empty", "home", "node", "person"]  # fixtures of the command line


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds all of them, as site-packages would."""
    return install(documented(), tmp_path_factory.mktemp("packages"))


@pytest.fixture
def extensions(target: Path) -> Iterator[Path]:
    """They are installed for this process."""
    with on_the_path(target):
        yield target
