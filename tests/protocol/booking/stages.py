"""How far a booking can be when two records meet: specs/tables/booking-stages.json, step by step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

_TABLE = Path(__file__).parents[3] / "specs" / "tables" / "booking-stages.json"


class Step(TypedDict, total=False):
    """One record: its kind, and of a ticket its context."""

    kind: str
    context: str


class Stage(TypedDict):
    """after: the stage whose records come first. records: those of this one, in the order of signing."""

    stage: str
    after: str | None
    records: list[Step]
    holds: str


STAGES: dict[str, Stage] = {one["stage"]: one for one in json.loads(_TABLE.read_text())}


def steps_to(stage: str) -> Iterator[Step]:
    """Every record that a booking at that stage has after its request, in the order of signing."""
    here = STAGES[stage]
    if here["after"] is not None:
        yield from steps_to(here["after"])
    yield from here["records"]
