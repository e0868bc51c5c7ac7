"""Each attack gains no more than it may, and stands in the table of docs/attacks.md."""

from __future__ import annotations

import pytest

from chargemesh_node.sim.loop import run
from tests.house.tree import ROOT
from tests.seeds import seeds

from .attack import Attack
from .everything import ATTACKS


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.name)
@pytest.mark.parametrize("seed", seeds(1))
def test_an_attack(seed: int, attack: Attack) -> None:
    run(attack.play(seed, attack.size))


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("attack", [one for one in ATTACKS if one.long], ids=lambda one: one.name)
@pytest.mark.parametrize("seed", seeds(2))
def test_an_attack_in_full(seed: int, attack: Attack) -> None:
    assert attack.long is not None
    run(attack.play(seed, attack.long))


def test_the_table_has_a_row_for_each_attack() -> None:
    table = (ROOT / "docs" / "attacks.md").read_text()
    assert [one.name for one in ATTACKS if f"| {one.name} |" not in table] == []
