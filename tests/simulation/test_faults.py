"""Loss, duplication, delay, partitions, skewed clocks, full disks and crashes, as a seed brings them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from chargemesh_node.sim.loop import run
from chargemesh_node.sim.world import World
from chargemesh_protocol.booking.table import Reservation
from chargemesh_protocol.errors import PersonError
from tests.seeds import seeds
from tests.simulation.chaos import booking_in_bad_weather
from tests.simulation.stories import Deal, neighbours

PRINT_TRACE = """
from chargemesh_node.sim.loop import run
from tests.simulation.chaos import booking_in_bad_weather
import sys
print(run(booking_in_bad_weather(int(sys.argv[1]))).trace)
"""


@pytest.mark.parametrize("seed", seeds(*range(1, 11)))
def test_a_booking_in_bad_weather(seed: int) -> None:
    run(booking_in_bad_weather(seed))


@pytest.mark.long
@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", seeds(*range(1000, 2000)))
def test_a_thousand_bookings_in_bad_weather(seed: int) -> None:
    run(booking_in_bad_weather(seed))


@pytest.mark.parametrize("seed", seeds(7))
def test_one_seed_makes_one_history(seed: int) -> None:
    """In other processes too, whose sets come in other orders: else no failure could be replayed."""
    found = {
        subprocess.run(
            [sys.executable, "-c", PRINT_TRACE, str(seed)],
            env={**os.environ, "PYTHONHASHSEED": order},
            capture_output=True,
            text=True,
            check=True,
            timeout=100,
        ).stdout
        for order in ("1", "2")
    }
    assert found == {f"{run(booking_in_bad_weather(seed)).trace}\n"}, f"seed {seed}"


@pytest.mark.parametrize("seed", seeds(21))
def test_a_full_disk_is_told_clearly_and_ends_nothing(seed: int) -> None:
    """While the host's disk is full it promises nothing; the driver's request waits until there is room."""

    async def story() -> None:
        world = World(seed)
        host, driver = await neighbours(world)
        offer = await driver.gets_quote(host)
        host.store.full = driver.store.full = True
        with pytest.raises(PersonError) as told:
            await driver.takes(offer)
        assert (told.value.code, told.value.hint) == ("store", "Free some disk space and try again."), seed
        driver.store.full = False
        booking = await driver.takes(offer)
        await world.pass_time(seconds=30)
        assert driver.state(booking).reservation is Reservation.PENDING, seed
        assert not driver.booking(booking).file.refused, f"seed {seed}: a full disk is no refusal"
        assert not host.knows_booking(booking), seed
        host.store.full = False
        deal = Deal(world, host, driver)
        deal.id = booking
        await deal.reaches("the acceptance", lambda state: state.reservation is Reservation.RESERVED)
        await deal.gets_address()
        host.store.full = True
        await driver.starts_charging(booking)
        await world.pass_time(seconds=20)
        host.store.full = False
        await deal.reaches("charging", lambda state: bool(state.tickets))
        await deal.charges()
        host.store.full = True
        await driver.stops_charging(booking)
        await world.pass_time(seconds=30)
        host.store.full = False
        await deal.reaches("an agreed receipt", lambda state: state.agreed is not None)
        await deal.is_paid()
        await world.settles()
        await world.end()

    run(story())


@pytest.mark.parametrize("seed", seeds(22))
def test_a_clock_beyond_the_tolerance_is_refused_by_name(seed: int) -> None:
    async def story() -> None:
        world = World(seed)
        host, driver = await world.add("host"), await world.add("driver", skew_ms=180_000)
        await host.offers()
        await world.pass_time(seconds=20)
        booking = await driver.books(host)
        await world.until(lambda: bool(driver.booking(booking).file.refused), 60, "a refusal")
        assert driver.booking(booking).file.refused == "clock", seed
        await world.end()

    run(story())
