"""Real kill -9 at drawn moments: both processes of a node die and are started again, and the booking goes on.

The simulation kills at every commit and before every send (tests/simulation/test_crashes.py); here it is real
processes, files and sockets, and the moments are drawn.
"""

from __future__ import annotations

import random
import re
import socket
import time
from collections.abc import Iterator

import pytest

from tests.seeds import seeds

from .houses import House, Wallbox, street
from .killing import Deal, Point, draw, points

LONG_POINTS = 20
_DEFECT = re.compile("Traceback|defect")


class Neighbours:
    """A host with one charger and a driver, who book it again and again."""

    def __init__(self, host: House, driver: House, box: Wallbox) -> None:
        self.host, self.driver, self.box = host, driver, box
        self._deals = 0

    def deal(self, point: Point) -> None:
        """One whole booking with that kill in it; afterwards all is as if it had not been."""
        began = time.monotonic()
        self._drives_up()
        deal = Deal(self.host, self.driver, self.box)
        try:
            deal.happens(point)
            deal.is_whole()
            for house in (self.host, self.driver):
                assert defects(house) == []
        except AssertionError as error:
            raise AssertionError(f"{point}, booking {deal.id[:8]}: {error}") from error
        print(f"{point}: {time.monotonic() - began:.1f} s")

    def _drives_up(self) -> None:
        self._deals += 1
        if self._deals > 1:
            self.box.types("unplug")
            self.box.waits_for("unplugged", self._deals - 1)
            self.box.types("plug")
        self.box.waits_for("plugged in", self._deals)


@pytest.fixture(scope="module")
def neighbours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    with street(tmp_path_factory.mktemp("kill9")) as people:
        # The wallbox must find its host again, so the port stays; those of the nodes are new at each start.
        host = people.house("host", WALLBOX_PORT=str(free_port()))
        driver = people.house("driver")
        people.open_all(host, driver)
        charger = host.lists("Garage")
        box = host.plugs_in(charger, "--speed", "60", "--battery", "400kWh")
        yield Neighbours(host, driver, box)


@pytest.mark.parametrize("seed", seeds(1))
def test_a_booking_survives_kill_9_of_either_side(neighbours: Neighbours, seed: int) -> None:
    drawn = random.Random(seed)
    for victim in ("host", "driver"):
        neighbours.deal(draw(drawn, victim))


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", seeds(1))
def test_twenty_bookings_survive_kill_9_at_twenty_drawn_moments(neighbours: Neighbours, seed: int) -> None:
    for point in points(seed, LONG_POINTS):
        neighbours.deal(point)


def test_the_moments_spread_over_sides_and_steps() -> None:
    """A schedule that always drew one step would let every run pass."""
    drawn = points(1, LONG_POINTS)
    assert drawn == points(1, LONG_POINTS)
    assert {one.victim for one in drawn} == {"host", "driver"}
    assert len({one.step for one in drawn}) > len(Deal.STEPS) / 2


def defects(house: House) -> list[str]:
    """What a node has written in its log, or on its terminal, that only a bug of ours makes it write."""
    files = [*house.home.log_file.parent.iterdir(), house.home.root.with_suffix(".log")]
    lines = [line for file in files for line in file.read_text(errors="replace").splitlines()]
    return [line for line in lines if _DEFECT.search(line)]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
