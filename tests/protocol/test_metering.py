"""From readings to a bill: energy by period, parking after charging, what is agreed and what is claimed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.metering import (
    Reading,
    bill,
    charging_ended,
    check_next,
    check_readings,
    estimate,
    usage,
)
from chargemesh_protocol.pricing import PeriodUsage, worst_case
from chargemesh_protocol.tariff import PricePlan

from .prices import (
    BEGIN,
    CENT,
    ENERGY,
    HOUR,
    MINUTE,
    PARKING,
    TIME,
    period,
    plan,
    plans,
    price,
    readings,
    sessions,
)

TWO_PRICES = plan(
    period(0, price(ENERGY, "0.40"), price(PARKING, "1.00")),
    period(1, price(ENERGY, "0.30"), price(PARKING, "2.00")),
)
PLAIN = plan(period(0, price(ENERGY, "0.40")))


def test_energy_between_two_readings_is_split_in_proportion_to_time() -> None:
    found = usage(TWO_PRICES, readings((30, 100), (50, 3_100), (75, 3_201)))
    assert found == (
        PeriodUsage(0, 3_000 + 40, 30 * MINUTE, 0),  # 101 Wh * 10 of 25 minutes, rounded down
        PeriodUsage(1, 61, 15 * MINUTE, 0),
    )


def test_parking_begins_when_the_meter_first_shows_what_it_shows_last() -> None:
    # A pause from 20 to 40 is charging time; what follows 50 is not.
    session = readings((0, 0), (20, 2_000), (40, 2_000), (50, 3_000), (60, 3_000), (90, 3_000))
    assert charging_ended(session) == BEGIN + 50 * MINUTE
    assert usage(TWO_PRICES, session) == (
        PeriodUsage(0, 3_000, 50 * MINUTE, 10 * MINUTE),
        PeriodUsage(1, 0, 0, 30 * MINUTE),
    )
    assert (
        bill(TWO_PRICES, session).total == 1_200_000 + 170_000 + 1_000_000
    )  # 10 minutes at 1.00 are 0.1666…


def test_a_car_that_takes_nothing_parks_from_the_begin() -> None:
    assert usage(TWO_PRICES, readings((0, 7), (30, 7))) == (PeriodUsage(0, 0, 0, 30 * MINUTE),)


def test_a_session_may_begin_before_the_first_period_and_outlast_the_last() -> None:
    found = usage(TWO_PRICES, readings((-30, 0), (180, 2_100)))
    assert [(one.period, one.energy_wh) for one in found] == [(0, 900), (1, 1_200)]


def test_a_session_that_ends_as_a_period_ends_belongs_to_that_period() -> None:
    assert [one.period for one in usage(TWO_PRICES, readings((0, 0), (60, 100), (60, 150)))] == [0]
    assert usage(TWO_PRICES, readings((60, 5))) == (PeriodUsage(1, 0, 0, 0),)


def test_time_and_meter_only_go_forward() -> None:
    one = Reading(BEGIN, 1000)
    check_next(one, one)
    with pytest.raises(ValueError, match="5 ms older"):
        check_next(one, Reading(BEGIN - 5, 1000))
    with pytest.raises(ValueError, match="back by 1 Wh"):
        check_next(one, Reading(BEGIN + 5, 999))
    with pytest.raises(ValueError, match="no reading"):
        check_readings(())
    with pytest.raises(ValueError, match="back by"):
        bill(PLAIN, readings((0, 10), (1, 20), (2, 15)))
    for at, energy in ((-1, 0), (BEGIN, -1), (BEGIN, 10**8 + 1), (10**13, 0)):
        with pytest.raises(ValueError, match="a reading"):
            Reading(at, energy)


@given(plans(), sessions())
def test_nothing_used_is_lost_or_billed_twice(fixed: PricePlan, session: tuple[Reading, ...]) -> None:
    found = usage(fixed, session)
    assert sum(one.energy_wh for one in found) == session[-1].energy_wh - session[0].energy_wh
    assert sum(one.charging_ms for one in found) == charging_ended(session) - session[0].at
    assert sum(one.charging_ms + one.parking_ms for one in found) == session[-1].at - session[0].at


@given(plans(), sessions(), st.integers(0, 10**6))
def test_the_meters_zero_does_not_matter(fixed: PricePlan, session: tuple[Reading, ...], shift: int) -> None:
    moved = tuple(Reading(one.at, one.energy_wh + shift) for one in session)
    assert bill(fixed, moved) == bill(fixed, session)


@given(sessions(), st.data())
def test_readings_in_between_change_nothing_where_the_price_is_one(
    session: tuple[Reading, ...], data: st.DataObject
) -> None:
    ended = charging_ended(session)
    kept = [one for one in session[1:-1] if one.at == ended or data.draw(st.booleans())]
    fixed = plan(period(0, price(ENERGY, "0.37"), price(TIME, "0.50"), price(PARKING, "2.00")))
    assert bill(fixed, (session[0], *kept, session[-1])) == bill(fixed, session)


def test_an_estimate_charges_first_and_parks_then() -> None:
    found = estimate(TWO_PRICES, BEGIN, BEGIN + 2 * HOUR, 5_500, 11_000)
    assert [(line.dimension, line.quantity) for line in found.lines] == [
        (ENERGY, 5_500),
        (PARKING, 30 * MINUTE),
        (PARKING, HOUR),
    ]
    assert estimate(PLAIN, BEGIN, BEGIN + HOUR, 50_000, 11_000).total == 440 * CENT  # no more than fits
    with pytest.raises(ValueError, match="an estimate needs"):
        estimate(PLAIN, BEGIN, BEGIN + HOUR, 1, 0)


@given(plans(), st.integers(1, 20 * HOUR), st.integers(0, 90_000), st.integers(1_400, 22_000))
def test_an_estimate_is_within_the_cap(fixed: PricePlan, length: int, energy_wh: int, max_w: int) -> None:
    found = estimate(fixed, BEGIN, BEGIN + length, energy_wh, max_w)
    assert found.total <= worst_case(fixed, BEGIN, BEGIN + length, energy_wh)
