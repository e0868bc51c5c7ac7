"""Every pair of tables/booking-concurrent.json as records, in both orders of arrival."""

from __future__ import annotations

from collections.abc import Iterator

from chargemesh_protocol.booking.concurrent import CONCURRENT, REQUEST_EXPIRED, SLOT_OVER
from chargemesh_protocol.booking.outcome import Outcome
from chargemesh_protocol.booking.set import BookingSet
from chargemesh_protocol.limits import CLOCK_TOLERANCE_MS

from .answered import answered
from .frame import Case, Json
from .story import DRIVER_KINDS, END, HOST_KINDS, NO_SHOW_FROM, START, Story

_Row = tuple[Outcome, list[str]]  # what must come of it, and the records beside those of the stage


class _Scene:
    """A stage, and what is written there by people who don't know of each other's records."""

    def __init__(self, stage: str, now: int | None) -> None:
        self.told = Story().until(stage)
        if now is not None:
            self.told.at(now)
        self._now = self.told.now
        self.base = list(self.told.named)
        self.rows: list[_Row] = []

    def signs(self, kind: str, seconds: int) -> str:
        """A record of this kind, so many seconds after the stage; one for all pairs that need it."""
        name = f"{kind}-at-{seconds}"
        if name not in self.told.named:
            self.told.at(self._now + (seconds - 1) * 1_000).says(kind, name, add=False)
        return name

    def includes(self, *names: str) -> str:
        """An acknowledgement that follows the host's of `names`, and includes the others."""
        told, kept = self.told, self.told.booking
        records = [told.named[one] for one in (*self.base, *names)]
        told.booking = BookingSet(told.quote, told.request, records)
        name = "-".join(("includes", *names))
        told.at(self._now + 2_000).says("acknowledge", name, add=False)
        told.booking = kept
        return name

    def case(self, name: str) -> Case:
        as_of = [self._now + 4_000]
        questions = [
            {"orders": [[*self.base, *own], [*reversed(own), *self.base]], "as_of": as_of}
            for _, own in self.rows
        ]
        records = {one: record.raw.hex() for one, record in self.told.named.items()}
        given: Json = {**self.told.begun, "records": records, "questions": questions}
        case = answered(name, "booking.states", given)
        for (outcome, own), said in zip(self.rows, case.answer["out"]["answers"], strict=True):
            tables = (outcome.reservation, outcome.session, outcome.settlement)
            state = said["states"][0]
            found = tuple(state[part] for part in ("reservation", "session", "settlement"))
            if not said["same"] or (outcome.stage and found != tuple(map(str, tables))):
                raise AssertionError(f"{own}: expected {tables}, ours says {state}")
        return case


def _begun(pair: tuple[str, str], outcome: Outcome) -> tuple[str, int | None]:
    """The name of a pair's scene, and when it is written if not just after its stage."""
    stage = outcome.stage or "charging"
    if pair[0] in (REQUEST_EXPIRED, SLOT_OVER):
        last = END if pair[0] == SLOT_OVER else Story().request.body.expires
        return f"{stage}-when-{pair[0]}", last + CLOCK_TOLERANCE_MS + 1
    if stage == "arrived":
        return ("arrived-and-waited-for", NO_SHOW_FROM) if pair[1] == "no-show" else (stage, START)
    return stage, None


def _written(scene: _Scene, pair: tuple[str, str]) -> Iterator[list[str]]:
    """The records of a pair: before it is included, where that takes effect alone, and afterwards."""
    first, second = pair
    if first in HOST_KINDS:
        yield [scene.signs(first, 1), scene.signs(second, 2)]
    elif first not in DRIVER_KINDS:
        late = scene.signs(second, 1)
        yield [late, scene.includes(late)]
    else:
        names = scene.signs(first, 1), scene.signs(second, 2)
        if second in HOST_KINDS and first in ("cancel", "stop"):
            yield list(names)
        yield [*names, scene.includes(*names)]


def pairs() -> list[Case]:
    scenes: dict[str, _Scene] = {}
    for pair, outcome in CONCURRENT.items():
        name, now = _begun(pair, outcome)
        if name not in scenes:
            scenes[name] = _Scene(outcome.stage or "charging", now)
        scenes[name].rows += [(outcome, own) for own in _written(scenes[name], pair)]
    return [scene.case(f"pairs-{name}") for name, scene in scenes.items()]
