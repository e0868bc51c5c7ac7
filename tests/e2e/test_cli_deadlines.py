"""What happens by time alone, between real processes whose machine's clock is moved on (see shifted.py)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .houses import House, story, street

MINUTE_MS = 60_000


class Machine:
    """Two houses on one machine, and its clock."""

    def __init__(self, clock: Path, hanna: House, dario: House) -> None:
        self._clock = clock
        self.hanna = hanna
        self.dario = dario

    def wakes_up_after(self, minutes: int) -> None:
        """The laptop was shut for so long: the wall clock jumps, and no timer has run meanwhile."""
        self.is_set(int(self._clock.read_text()) + minutes * MINUTE_MS)

    def is_set(self, ahead: int) -> None:
        """Its clock is off by that much from now on (ms)."""
        fresh = self._clock.with_suffix(".new")
        fresh.write_text(str(ahead))
        fresh.replace(self._clock)

    @property
    def ahead(self) -> int:
        return int(self._clock.read_text())


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("machine")
    clock = folder / "clock"
    clock.write_text("0")
    with street(folder, (sys.executable, "-m", "tests.e2e.shifted", str(clock))) as people:
        hanna, dario = people.house("hanna"), people.house("dario")
        people.open_all(hanna, dario)
        yield Machine(clock, hanna, dario)


def test_a_request_expires_and_a_driver_does_not_come(machine: Machine) -> None:
    hanna, dario = machine.hanna, machine.dario
    hanna.lists("Never looks", "--on-request")
    hanna.lists("Waits two minutes", "--no-show-after", "0m", "--no-show-cost", "30")
    asked = dario.books("Never looks", "--no-wait", "--answer-within", "1m")
    booked = dario.books("Waits two minutes", "--energy", "10kWh")
    assert dario.sees(booked, "access")["access"]["address"]
    assert "without an answer the request fails" in story(dario.api.get(f"bookings/{asked}"))
    cap = dario.api.get(f"bookings/{booked}")["agreed"]["cap"]["micro"]

    machine.wakes_up_after(4)
    view = dario.sees(asked, "FAILED")
    assert view["finished"] and "Nobody answered in time." in story(view)
    assert hanna.says("booking", "show", asked)["reservation"] == "FAILED"
    too_late = hanna.is_told("booking", "accept", asked)
    assert too_late.code == 1 and "FAILED already" in too_late.err

    view = dario.sees(booked, "NO_SHOW")
    assert "You did not come" in story(view) and view["cost"]["micro"] == pytest.approx(cap * 0.3, abs=10_000)
    receipt = dario.sees(booked, "agreed")["receipt"]
    assert receipt["energy_wh"] == 0 and receipt["total"]["micro"] == view["cost"]["micro"]
    later = (dario.finds("Never looks")["id"], "--from", "in 1h", "--for", "1h")
    blocked = dario.is_told("book", *later, "--yes")
    assert blocked.code == 6 and "earlier receipt of yours is not paid" in blocked.err
    hanna.says("pay", "confirm", booked)
    dario.sees(booked, "paid")


def test_a_node_that_is_started_with_its_clock_in_the_past_waits_until_it_is_right(machine: Machine) -> None:
    hanna, right = machine.hanna, machine.ahead
    charger = hanna.lists("Wakes up in the past")
    hanna.closes()
    machine.is_set(right - 24 * 60 * MINUTE_MS)
    hanna.starts()
    hanna.is_up()
    told = hanna.is_told("charger", "pause", charger)
    assert told.code == 5 and "behind the newest record that this node signed" in told.err
    status = hanna.says("status")
    assert not status["clock"]["ok"] and "behind the newest record" in hanna.reads("status")
    checks = {one["name"]: one["ok"] for one in hanna.call("--json", "doctor").value["checks"]}
    assert checks["clock"] is False
    machine.is_set(right)
    hanna.says("charger", "pause", charger)
    assert hanna.says("status")["clock"]["ok"]
