"""A weekly series over eight weeks, as people live it; and that no crash books a date twice."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from chargemesh_node.sim.loop import run
from chargemesh_node.sim.people import HOUR_MS, Person
from chargemesh_node.sim.world import World
from chargemesh_protocol.booking.table import Reservation
from chargemesh_protocol.chargers import DEFAULT_STRANGER_RULES
from chargemesh_protocol.events import PutCharger
from chargemesh_protocol.opening import PLAIN, DayException
from chargemesh_protocol.series.commands import AgreePrice, AgreeSeries, MoveDate, SkipDate
from chargemesh_protocol.tariff import simple_tariff
from tests.seeds import seeds
from tests.simulation.scene import ON_REQUEST
from tests.simulation.weekly import Weekly, day_of, days_pass, evening

# Who is not known yet may have one open booking.
ONE_OF_A_STRANGER = replace(DEFAULT_STRANGER_RULES, horizon_minutes=14 * 1440)


def told(person: Person, event: str) -> list[dict[str, Any]]:
    found = {key: json.loads(body) for key, body in person.notices}
    return [one for one in found.values() if one["event"] == event]


@pytest.mark.parametrize("seed", seeds(1))
def test_eight_weeks_with_a_skip_a_move_a_new_price_an_absence_and_a_holiday(seed: int) -> None:
    async def story() -> None:
        world = World(seed)
        host, driver = await world.add_all("host", "driver")
        charger = await host.offers(rules=ON_REQUEST, strangers=ONE_OF_A_STRANGER)
        await world.pass_time(seconds=20)
        weekly = Weekly(world, host, driver)
        await weekly.begins(count=8)
        await world.pass_time(seconds=20)
        assert host.state(weekly.first).reservation is Reservation.PENDING

        # The host takes the whole series, and is not asked again; one Thursday the driver is away.
        await host.does(AgreeSeries(weekly.first))
        await driver.does(SkipDate(weekly.id, day_of(3)))
        await world.pass_time(minutes=6)
        assert weekly.booked(1) and weekly.booked(2)
        await days_pass(world, 4)
        # Another Thursday they come later: a person answers that, since it is not what was agreed.
        moved = evening(4) + HOUR_MS
        await driver.does(MoveDate(weekly.id, day_of(4), moved, moved + 2 * HOUR_MS))
        await days_pass(world, 11)
        assert not weekly.bookings(driver, 3), "skipped"
        (waits,) = weekly.bookings(host, 4)
        assert host.state(waits.id).reservation is Reservation.PENDING
        await host.accepts(waits.id)
        await world.settles()

        # The price rises. The person is asked once, agrees, and it is booked. The clocks have gone back by
        # then: the evening stays the evening.
        await days_pass(world, 5)
        assert weekly.booked(5)
        settings = host.node.runner.engine.listings.require(charger)
        await host.does(PutCharger(replace(settings, tariff=simple_tariff("EUR", per_kwh=450_000))))
        await days_pass(world, 5)
        assert weekly.booked(6) is None
        (asked,) = told(driver, "series.price")
        assert asked["cap"] > asked["agreed"]
        await driver.does(AgreePrice(weekly.id, asked["cap"]))
        await world.pass_time(seconds=40)
        sixth = weekly.booked(6)
        assert sixth is not None and sixth.quote.body.start == evening(5) + (7 * 24 + 1) * HOUR_MS

        # The host's router is off for a week; what came within reach meanwhile is booked after it.
        host.crash()
        await days_pass(world, 7)
        assert weekly.booked_by_driver(7) is None
        await host.restart()
        await days_pass(world, 1)
        assert weekly.booked(7) is not None

        # A holiday: the last date can't be had, which is told once, and in the end it is left out.
        settings = host.node.runner.engine.listings.require(charger)
        closed = replace(PLAIN, exceptions=(DayException(day_of(8), day_of(8), ()),))
        await host.does(PutCharger(replace(settings, calendar=closed)))
        await days_pass(world, 20)
        assert weekly.booked_by_driver(8) is None
        assert [one["start"] for one in told(driver, "series.left_out")] == [evening(8)]
        assert evening(8) in [one["start"] for one in told(driver, "series.not_booked")]
        assert len(told(driver, "series.price")) == 1
        await weekly.require_none_twice()
        await world.settles()
        await world.end()

    run(story())


OUTSIDE_THE_SERIES = ("/chargemesh/log/", "/chargemesh/listing/", "/chargemesh/identity/")


async def two_weeks(
    seed: int, side: str, dies_at: int | None, *, power_cut: bool = False
) -> tuple[list[str], int, int]:
    """Two dates, the second booked by the node alone; `side` dies at that point and comes back. Returns the
    points of that side at which it might have died, and the numbers of the first of the series and of the
    first of its second date."""
    world = World(seed)
    host, driver = await world.add_all("host", "driver")
    await host.offers(strangers=replace(ONE_OF_A_STRANGER, on_request=False, open_bookings=2))
    await world.pass_time(seconds=20)
    weekly = Weekly(world, host, driver)
    mortal = world.people[side]
    begins, mortal.dies_at, mortal.power_cut = len(mortal.points), dies_at, power_cut
    await driver.insists(lambda: weekly.begins(count=2), weekly.is_kept)
    up = (host, driver)
    await world.until(lambda: all(one.is_up for one in up) and weekly.has(1), 900, "the first date is booked")
    second = len(mortal.points)
    await world.until(lambda: all(one.is_up for one in up) and weekly.has(2), 900, "the second is booked")
    ends = len(mortal.points)
    await world.pass_time(minutes=1)
    await world.until(lambda: all(one.is_up for one in up), 60, "everybody is back")
    await world.settles()
    assert dies_at is None or mortal.starts > 1, f"seed {seed}: the crash never came"
    await weekly.require_none_twice()
    assert weekly.has(1) and weekly.has(2) and len(list(weekly.desk)) == 1
    await world.end()
    return mortal.points[:ends], begins, second


def die_at_each(seed: int, side: str, points: list[str], numbers: range) -> None:
    for number in numbers:
        what = points[number]
        if any(one in what for one in OUTSIDE_THE_SERIES):
            continue
        try:
            run(two_weeks(seed, side, number, power_cut=what == "before sync"))
        except AssertionError as error:
            raise AssertionError(f"{side} died at its point {number} ({what}): {error}") from error


@pytest.mark.parametrize("seed", seeds(2))
def test_no_crash_of_the_driver_books_a_date_twice_or_leaves_it_out(seed: int) -> None:
    points, _, second = run(two_weeks(seed, "driver", None))
    assert {"before commit", "before sync", "after commit"} <= set(points[second:])
    die_at_each(seed, "driver", points, range(second, len(points)))


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("side", ["driver", "host"])
@pytest.mark.parametrize("seed", seeds(2, 3))
def test_no_crash_of_either_side_from_the_first_date_on(seed: int, side: str) -> None:
    points, begins, _ = run(two_weeks(seed, side, None))
    die_at_each(seed, side, points, range(begins, len(points)))
