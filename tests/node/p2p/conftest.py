"""Network processes for the tests of this folder, forked from a warm one (see tests/e2e/warm.py)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio

from tests.e2e.warm import Nursery, warm_processes

from . import networks
from .networks import Make


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def nursery() -> AsyncIterator[Nursery]:
    async with warm_processes() as nursery:
        yield nursery


@pytest.fixture(scope="package")
def make_network(nursery: Nursery) -> Make:
    """`networks.make_network` with processes from the nursery; use it in the package's event loop."""
    return partial(networks.make_network, launch=nursery.launch)
