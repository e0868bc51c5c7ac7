"""`chargemesh wallbox` without --url: the wallbox of one of this home's own chargers."""

from __future__ import annotations

from typing import Any

import pytest

from . import samples
from .person import Person
from .stub_node import StubNode

CHARGER = samples.CHARGER_VIEW["id"]


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The options of each wallbox that would have run."""
    seen: list[Any] = []

    async def run(options: Any, tell: Any) -> None:
        seen.append(options)

    monkeypatch.setattr("chargemesh_node.wallbox.virtual_run.run_virtual", run)
    return seen


def test_it_is_paired_by_itself(person: Person, node: StubNode, runs: list[Any]) -> None:
    node.answers |= {
        "GET chargers": {"chargers": [samples.CHARGER_LINE]},
        f"GET chargers/{CHARGER}/wallbox": samples.WALLBOX,
    }
    assert person.types("wallbox", "--speed", "60").code == 0
    assert person.types("wallbox", "--charger", CHARGER).code == 0
    paired = (samples.WALLBOX["url"], samples.WALLBOX["id"], samples.WALLBOX["password"])
    assert [(one.url, one.charger_id, one.password) for one in runs] == [paired, paired]


def test_which_one_must_be_clear(person: Person, node: StubNode, runs: list[Any]) -> None:
    for chargers in (
        [],
        [samples.CHARGER_LINE, samples.CHARGER_LINE],
        [{**samples.CHARGER_LINE, "driver": "manual"}],
    ):
        node.answers["GET chargers"] = {"chargers": chargers}
        said = person.types("wallbox")
        assert said.code == 2 and "--charger" in said.err
    said = person.types("wallbox", "--url", "ws://127.0.0.1:9310/ocpp")
    assert said.code == 2 and "--id" in said.err
    assert runs == []
