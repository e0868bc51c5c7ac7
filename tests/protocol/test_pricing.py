"""The arithmetic of a bill: exact lines, one rounding, limits and tax, and a cap that holds."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.metering import Reading, bill, usage
from chargemesh_protocol.money import minor_unit
from chargemesh_protocol.pricing import CostLine, PeriodUsage, cost, worst_case
from chargemesh_protocol.tariff import PricePlan, TariffPeriod

from .prices import (
    BEGIN,
    CENT,
    ENERGY,
    EURO,
    FLAT,
    HOUR,
    MINUTE,
    PARKING,
    TIME,
    period,
    plan,
    plans,
    price,
    sessions,
)

SECONDS = st.integers(0, 5 * 3600).map(lambda seconds: seconds * 1000)


def used(energy_wh: int = 0, charging_ms: int = 0, parking_ms: int = 0, number: int = 0) -> PeriodUsage:
    return PeriodUsage(number, energy_wh, charging_ms, parking_ms)


@st.composite
def plans_and_usage(draw: st.DrawFn, limits: bool = True) -> tuple[PricePlan, list[PeriodUsage]]:
    fixed = draw(plans(limits=limits))
    quantities = st.tuples(st.integers(0, 50_000), SECONDS, SECONDS)
    numbers = range(draw(st.integers(0, len(fixed.periods) - 1)), len(fixed.periods))
    return fixed, [PeriodUsage(number, *draw(quantities)) for number in numbers]


def test_every_dimension_has_its_line() -> None:
    fixed = plan(
        period(0, price(ENERGY, "0.395"), price(TIME, "1.20"), price(PARKING, "3.00"), price(FLAT, "0.50"))
    )
    found = cost(fixed, [used(12_345, 90 * MINUTE, 20 * MINUTE)])
    assert found.lines == (
        CostLine(ENERGY, 12_345, 395_000, 4_876_275),
        CostLine(TIME, 90 * MINUTE, 1_200_000, 1_800_000),
        CostLine(PARKING, 20 * MINUTE, 3_000_000, 1_000_000),
        CostLine(FLAT, 1, 500_000, 500_000),
    )
    assert found.total == 8_180_000  # 8.176275 in whole cents


@pytest.mark.parametrize(("currency", "total"), [("EUR", 1_010_000), ("JPY", 1_000_000), ("KWD", 1_005_000)])
def test_only_the_total_is_rounded_half_up_to_coins(currency: str, total: int) -> None:
    fixed = plan(period(0, price(ENERGY, "0.335")), currency=currency)
    assert cost(fixed, [used(3_000)]).lines[0].amount == 1_005_000
    assert cost(fixed, [used(3_000)]).total == total


def test_the_lowest_and_the_highest_price() -> None:
    fixed = plan(period(0, price(ENERGY, "0.40")), min_price=2 * EURO, max_price=10 * EURO)
    assert [cost(fixed, [used(wh)]).total // CENT for wh in (0, 5_000, 10_000, 25_001)] == [
        200,
        200,
        400,
        1000,
    ]
    assert [cost(fixed, [used(wh)]).adjustment // CENT for wh in (0, 10_000, 30_000)] == [200, 0, -200]
    assert cost(fixed, []).total == 0  # no session, nothing to pay


def test_tax_added_and_tax_included() -> None:
    without = cost(plan(period(0, price(ENERGY, "0.50")), tax_bp=1900, tax_included=False), [used(20_000)])
    assert (without.total, without.tax) == (11_900_000, 1_900_000)
    inside = cost(plan(period(0, price(ENERGY, "0.50")), tax_bp=1900, tax_included=True), [used(20_000)])
    assert (inside.total, inside.tax) == (10_000_000, 1_600_000)


def test_steps_raise_the_total_of_a_dimension_once() -> None:
    fixed = plan(period(0, price(ENERGY, "0.40", 1000), price(TIME, "6.00", 300)))
    found = cost(fixed, [used(1_001, 6 * MINUTE)])
    assert [(line.quantity, line.amount) for line in found.lines] == [(2_000, 800_000), (10 * MINUTE, EURO)]
    two = plan(period(0, price(ENERGY, "0.40", 1000)), period(1, price(ENERGY, "0.30", 1000)))
    found = cost(two, [used(1_500), used(1_200, number=1)])
    assert [line.quantity for line in found.lines] == [1_500, 1_500]


def test_a_flat_fee_is_that_of_the_period_in_which_the_session_began() -> None:
    two = plan(period(0, price(FLAT, "1.00")), period(1, price(FLAT, "2.00")))
    assert cost(two, [used(), used(number=1)]).total == EURO
    assert cost(two, [used(number=1)]).total == 2 * EURO


@given(plans_and_usage())
def test_a_total_is_coins_within_its_limits(case: tuple[PricePlan, list[PeriodUsage]]) -> None:
    fixed, usages = case
    found = cost(fixed, usages)
    coin = minor_unit(fixed.currency)
    assert found.total % coin == 0 and found.tax % coin == 0 and 0 <= found.tax <= found.total
    exact = Fraction(sum(line.amount for line in found.lines) + found.adjustment)
    if fixed.tax_included:
        assert found.total >= fixed.min_price and (not fixed.max_price or found.total <= fixed.max_price)
    else:
        exact *= Fraction(10_000 + fixed.tax_bp, 10_000)
    assert abs(found.total - exact) <= Fraction(coin + 1, 2)


@given(plans_and_usage(limits=False))
def test_lines_are_exact_to_half_a_micro_unit(case: tuple[PricePlan, list[PeriodUsage]]) -> None:
    fixed, usages = case
    without_steps = [
        TariffPeriod(one.start, tuple(replace(component, step=1) for component in one.components))
        for one in fixed.periods
    ]
    fixed = replace(fixed, periods=tuple(without_steps))
    exact = Fraction(0)
    for one in usages:
        for component in fixed.periods[one.period].components:
            if component.dimension is not FLAT:
                unit = 1000 if component.dimension is ENERGY else HOUR
                exact += Fraction(one.quantity(component.dimension) * component.price, unit)
    lines = [line for line in cost(fixed, usages).lines if line.dimension is not FLAT]
    assert abs(sum(line.amount for line in lines) - exact) <= Fraction(len(lines), 2)


@given(plans_and_usage(), st.integers(0, 3), st.integers(0, 10**7))
def test_more_usage_never_costs_less(
    case: tuple[PricePlan, list[PeriodUsage]], which: int, more: int
) -> None:
    fixed, usages = case
    # A step is billed at the last price, so more of a later, cheaper one may cost less: without steps, never.
    plain = replace(
        fixed,
        periods=tuple(
            TariffPeriod(one.start, tuple(replace(component, step=1) for component in one.components))
            for one in fixed.periods
        ),
    )
    last = usages[-1]
    bigger = [
        replace(last, energy_wh=last.energy_wh + more),
        replace(last, charging_ms=last.charging_ms + more),
        replace(last, parking_ms=last.parking_ms + more),
        last,
    ][which]
    assert cost(plain, [*usages[:-1], bigger]).total >= cost(plain, usages).total


@given(plans_and_usage(), st.data())
def test_cutting_a_period_in_two_equal_ones_changes_nothing(
    case: tuple[PricePlan, list[PeriodUsage]], data: st.DataObject
) -> None:
    fixed, usages = case
    last, whole = fixed.periods[-1], usages[-1]
    cut = replace(fixed, periods=(*fixed.periods, TariffPeriod(last.start + MINUTE, last.components)))
    part = [data.draw(st.integers(0, whole.quantity(dimension))) for dimension in (ENERGY, TIME, PARKING)]
    first = PeriodUsage(whole.period, *part)
    second = PeriodUsage(
        whole.period + 1,
        whole.energy_wh - first.energy_wh,
        whole.charging_ms - first.charging_ms,
        whole.parking_ms - first.parking_ms,
    )
    assert cost(cut, [*usages[:-1], first, second]) == cost(fixed, usages)


@given(plans(), sessions())
def test_no_session_within_its_bounds_costs_more_than_the_cap(
    fixed: PricePlan, session: tuple[Reading, ...]
) -> None:
    start, end = session[0].at, max(session[-1].at, session[0].at + 1)
    energy = session[-1].energy_wh - session[0].energy_wh
    cap = worst_case(fixed, start, end, energy)
    assert bill(fixed, session).total <= cap
    assert cap % minor_unit(fixed.currency) == 0
    assert cap <= worst_case(fixed, start, end, energy + 5_000)


def test_the_cap_of_a_plain_tariff_is_its_price() -> None:
    fixed = plan(period(0, price(ENERGY, "0.40"), price(FLAT, "1.00")))
    assert worst_case(fixed, BEGIN, BEGIN + HOUR, 10_000) == 5 * EURO + CENT  # a micro-unit a line rounds up
    with pytest.raises(ValueError, match="a cap is for"):
        worst_case(fixed, BEGIN, BEGIN, 10_000)


def test_refuses_usage_that_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="negative"):
        used(-1)
    with pytest.raises(ValueError, match="no car"):
        used(10**8 + 1)
    two = plan(period(0), period(1))
    for numbers in ((1, 0), (0, 0), (2,)):
        with pytest.raises(ValueError, match="in order"):
            cost(two, [used(number=number) for number in numbers])


def test_the_largest_amounts_fit_a_record() -> None:
    dearest = plan(
        period(0, *(replace(price(one, "0.00"), price=10**13) for one in (ENERGY, TIME, PARKING, FLAT))),
        tax_bp=10_000,
        tax_included=False,
    )
    session = (
        Reading(BEGIN, 0),
        Reading(BEGIN + 50 * 24 * HOUR, 10**8),
        Reading(BEGIN + 100 * 24 * HOUR, 10**8),
    )
    assert bill(dearest, session).total < 2**63
    assert len(usage(dearest, session)) == 1
