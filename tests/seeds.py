"""The seeds of the simulated network's tests, and how a failing one is run again."""

from __future__ import annotations

import os
from collections.abc import Iterable


def seeds(*usual: int) -> Iterable[int]:
    """For `parametrize("seed", seeds(1, 2, 3))`: the usual ones, or the one of `make replay SEED=…`."""
    asked = os.environ.get("CHARGEMESH_SEED")
    return (int(asked, 0),) if asked else usual
