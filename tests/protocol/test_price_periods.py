"""Prices by the time of the week: what a host says is what a booking of any minute costs."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.price_periods import PricePeriod, split_periods, with_periods
from chargemesh_protocol.schedule import WeeklySpan, parse_spans, week_minutes
from chargemesh_protocol.tariff import Restrictions, TariffDimension, resolve, simple_tariff
from chargemesh_protocol.zones import MINUTE_MS

BASE = simple_tariff("EUR", per_kwh=300_000, flat=1_000_000)
MONDAY = 1_804_464_000_000 - 60 * MINUTE_MS  # 2027-03-08 00:00 in Berlin
spans = st.lists(
    st.builds(WeeklySpan, st.integers(1, 7), st.integers(0, 1439), st.integers(0, 1440)),
    min_size=1,
    max_size=3,
)


@given(st.lists(st.tuples(spans, st.integers(0, 900_000)), max_size=3), st.integers(0, 7 * 1440 - 1))
def test_each_minute_has_the_price_of_the_first_period_that_covers_it(
    said: list[tuple[list[WeeklySpan], int]], minute: int
) -> None:
    periods = [PricePeriod(tuple(one), price) for one, price in said]
    expected = next((one.price for one in periods if week_minutes(one.spans)[minute]), 300_000)
    try:
        tariff = with_periods(BASE, periods)
    except ValueError:
        return  # more elements than a tariff can have
    start = MONDAY + minute * MINUTE_MS
    component = (
        resolve(tariff, "Europe/Berlin", start, start + MINUTE_MS)
        .periods[0]
        .component(TariffDimension.ENERGY)
    )
    assert component is not None and component.price == expected
    back = split_periods(tariff)
    assert back is not None and back[0] == BASE
    assert with_periods(*back) == tariff


def test_a_friday_night_ends_on_saturday() -> None:
    tariff = with_periods(BASE, [PricePeriod(parse_spans("fri 22:00-06:00"), 200_000)])
    assert [one.restrictions for one in tariff.elements] == [
        Restrictions(start_time=22 * 60, end_time=24 * 60, weekdays=(5,)),
        Restrictions(start_time=0, end_time=6 * 60, weekdays=(6,)),
        None,
    ]
    every = with_periods(BASE, [PricePeriod(parse_spans("22:00-06:00", daily=True), 200_000)])
    assert len(every.elements) == 2


def test_what_was_made_otherwise_is_left_alone() -> None:
    made = with_periods(BASE, [PricePeriod(parse_spans("fri 22:00-06:00"), 200_000)])
    by_power = replace(made.elements[0], restrictions=Restrictions(min_power_w=7000))
    assert split_periods(replace(made, elements=(by_power, made.elements[2]))) is None
    assert split_periods(replace(made, elements=made.elements[::-1])) is None
    assert split_periods(BASE) == (BASE, ())
