"""Tariffs: how they become periods in UTC, and what they say in words."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargemesh_protocol.encoding import decode, encode
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.metering import estimate
from chargemesh_protocol.shape import from_tree, to_tree
from chargemesh_protocol.tariff import (
    PriceComponent,
    PricePlan,
    Restrictions,
    Tariff,
    TariffDimension,
    TariffElement,
    TariffPeriod,
    prices,
    resolve,
    simple_tariff,
)
from chargemesh_protocol.tariff_text import describe_line, describe_plan, describe_sum, describe_tariff
from chargemesh_protocol.units import format_instant

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
    tariffs,
)

NIGHT = TariffElement((price(ENERGY, "0.30"),), Restrictions(start_time=22 * 60, end_time=6 * 60))
DAY = TariffElement((price(ENERGY, "0.40"), price(PARKING, "1.00")))


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def changes(tariff: Tariff, zone: str, start: str, end: str) -> list[tuple[str, int | None]]:
    """When (UTC) the price of energy changes, and to what, in cents."""
    found = resolve(tariff, zone, utc(start), utc(end)).periods
    energy = [one.component(ENERGY) for one in found]
    return [
        (f"{datetime.fromtimestamp(one.start // 1000, UTC):%H:%M}", component and component.price // CENT)
        for one, component in zip(found, energy, strict=True)
    ]


def test_a_night_price_in_utc_instants() -> None:
    tariff = Tariff(currency="EUR", elements=(NIGHT, DAY))
    summer = changes(tariff, "Europe/Berlin", "2027-06-01 18:00", "2027-06-02 08:00")
    assert summer == [("18:00", 40), ("20:00", 30), ("04:00", 40)]
    winter = changes(tariff, "Europe/Berlin", "2027-01-01 18:00", "2027-01-02 08:00")
    assert winter == [("18:00", 40), ("21:00", 30), ("05:00", 40)]


def test_a_night_price_over_a_change_of_clocks() -> None:
    tariff = Tariff(currency="EUR", elements=(NIGHT, DAY))
    assert changes(tariff, "Europe/Berlin", "2027-03-27 20:00", "2027-03-28 06:00")[1:] == [
        ("21:00", 30),
        ("04:00", 40),
    ]
    assert changes(tariff, "Europe/Berlin", "2027-10-30 19:00", "2027-10-31 06:00")[1:] == [
        ("20:00", 30),
        ("05:00", 40),
    ]


def test_a_price_for_the_doubled_hour_holds_twice() -> None:
    early = TariffElement((price(ENERGY, "0.10"),), Restrictions(start_time=120, end_time=150))
    found = changes(
        Tariff(currency="EUR", elements=(early, DAY)), "Europe/Berlin", "2027-10-30 23:00", "2027-10-31 03:00"
    )
    assert found == [("23:00", 40), ("00:00", 10), ("00:30", 40), ("01:00", 10), ("01:30", 40)]


def test_weekdays_are_those_of_the_instant() -> None:
    sunday = TariffElement((price(ENERGY, "0.20"),), Restrictions(weekdays=(7,)))
    found = changes(
        Tariff(currency="EUR", elements=(sunday, DAY)),
        "Europe/Berlin",
        "2027-06-05 20:00",
        "2027-06-07 02:00",
    )
    assert found == [("20:00", 40), ("22:00", 20), ("22:00", 40)]


def test_for_each_dimension_the_first_element_that_holds_counts() -> None:
    found = resolve(
        Tariff(currency="EUR", elements=(NIGHT, DAY)), "UTC", utc("2027-06-01 23:00"), utc("2027-06-02 01:00")
    )
    assert [one.components for one in found.periods] == [(price(ENERGY, "0.30"), price(PARKING, "1.00"))]


def test_power_is_the_one_agreed_in_the_quote() -> None:
    fast = TariffElement((price(ENERGY, "0.60"),), Restrictions(min_power_w=22_000))
    slow = TariffElement((price(ENERGY, "0.20"),), Restrictions(max_power_w=4_000))
    tariff = Tariff(currency="EUR", elements=(fast, slow, DAY))

    def at(power_w: int | None) -> int:
        found = resolve(tariff, "UTC", BEGIN, BEGIN + HOUR, power_w=power_w).periods[0].component(ENERGY)
        assert found is not None
        return found.price // CENT

    assert [at(22_000), at(21_999), at(4_000), at(3_999)] == [60, 40, 40, 20]
    with pytest.raises(ValueError, match="depends on the power"):
        at(None)


def test_overstay_comes_on_top_of_time_after_the_grace() -> None:
    tariff = simple_tariff("EUR", per_kwh=40 * CENT, per_hour=EURO)
    found = resolve(
        tariff, "UTC", BEGIN, BEGIN + HOUR, overstay_after_ms=15 * MINUTE, overstay_per_hour=5 * EURO
    )
    assert [one.start - BEGIN for one in found.periods] == [0, 75 * MINUTE]
    assert found.periods[1].components == (price(ENERGY, "0.40"), price(TIME, "6.00"), price(PARKING, "5.00"))


def test_a_price_that_changes_too_often_is_refused() -> None:
    elements = tuple(
        TariffElement(
            (PriceComponent(ENERGY, number),), Restrictions(start_time=number * 60, end_time=number * 60 + 30)
        )
        for number in range(15)
    )
    tariff = Tariff(currency="EUR", elements=elements)
    with pytest.raises(ValueError, match="book a shorter time"):
        resolve(tariff, "UTC", BEGIN, BEGIN + 72 * HOUR)
    with pytest.raises(ValueError, match="end must be after"):
        resolve(tariff, "UTC", BEGIN, BEGIN)


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
)
@settings(max_examples=15)
@given(
    tariff=tariffs(),
    day=st.sampled_from(["2027-03-14", "2027-03-28", "2027-04-03", "2027-10-02", "2027-11-07"]),
    data=st.data(),
)
def test_periods_say_what_the_wall_clocks_say(
    zone: str, tariff: Tariff, day: str, data: st.DataObject
) -> None:
    start = utc(day) + data.draw(st.integers(0, 24 * 60)) * MINUTE
    found = resolve(tariff, zone, start, start + 30 * HOUR)
    for minute in range(0, 30 * 60, 7):
        at = start + minute * MINUTE
        local = datetime.fromtimestamp(at // 1000, UTC).astimezone(ZoneInfo(zone))
        expected: dict[TariffDimension, PriceComponent] = {}
        for element in tariff.elements:
            if holds(element.restrictions, local):
                for component in element.components:
                    expected.setdefault(component.dimension, component)
        said = found.periods[found.period_at(at)].components
        assert {component.dimension: component for component in said} == expected
    assert found.periods[0].start == start


def holds(restrictions: Restrictions | None, local: datetime) -> bool:
    """The meaning of restrictions, word by word: walk a clock from the start time to the end time."""
    if restrictions is None:
        return True
    if restrictions.weekdays and local.isoweekday() not in restrictions.weekdays:
        return False
    if restrictions.start_time is None or restrictions.end_time is None:
        return True
    length = (restrictions.end_time - restrictions.start_time) % 1440 or 1440
    since = (local.hour * 60 + local.minute - restrictions.start_time) % 1440
    return since < length


def test_the_lowest_and_highest_price_of_a_dimension() -> None:
    tariff = Tariff(currency="EUR", elements=(NIGHT, DAY))
    assert prices(tariff, ENERGY) == (30 * CENT, 40 * CENT)
    assert prices(tariff, PARKING) == (EURO, EURO)
    assert prices(tariff, TIME) == (0, 0)
    assert prices(Tariff(currency="EUR", elements=(NIGHT,)), ENERGY) == (0, 30 * CENT)
    assert prices(Tariff(currency="EUR", elements=(DAY, NIGHT)), ENERGY) == (40 * CENT, 40 * CENT)


@given(tariffs(), plans())
def test_tariffs_and_plans_cross_the_wire(tariff: Tariff, fixed: PricePlan) -> None:
    assert from_tree(Tariff, decode(encode(to_tree(tariff)))) == tariff
    assert from_tree(PricePlan, decode(encode(to_tree(fixed)))) == fixed


def test_a_listing_may_name_a_currency_we_do_not_know_but_a_plan_may_not() -> None:
    unknown = simple_tariff("XXQ", per_kwh=1)
    assert from_tree(Tariff, to_tree(unknown)) == unknown
    with pytest.raises(ValueError, match="no currency"):
        resolve(unknown, "UTC", BEGIN, BEGIN + HOUR)
    tree = {**to_tree(plan(period(0))), 0: "XXQ"}
    with pytest.raises(Refused, match="no currency"):
        from_tree(PricePlan, tree)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (lambda: simple_tariff("eur"), "not written like a currency"),
        (lambda: simple_tariff("EUR", min_price=2 * EURO, max_price=EURO), "must not be below"),
        (lambda: simple_tariff("EUR", max_price=EURO + 1), "payable amounts"),
        (lambda: simple_tariff("EUR", tax_bp=10_001), "basis points"),
        (lambda: simple_tariff("EUR", per_kwh=-1), "a price goes from 0"),
        (lambda: PriceComponent(FLAT, 1, 60), "step"),
        (lambda: TariffElement(()), "has a price"),
        (lambda: TariffElement((price(ENERGY, "1.00"), price(ENERGY, "2.00"))), "one price at a time"),
        (lambda: Restrictions(start_time=60), "a start and an end"),
        (lambda: Restrictions(start_time=60, end_time=60), "says nothing"),
        (lambda: Restrictions(weekdays=(2, 1)), "in order"),
        (lambda: plan(), "1 to 64 periods"),
        (lambda: plan(period(1), period(1)), "after the one before"),
        (lambda: TariffPeriod(-1, ()), "year 2200"),
    ],
)
def test_refuses_what_makes_no_sense(wrong: object, why: str) -> None:
    assert callable(wrong)
    with pytest.raises(ValueError, match=why):
        wrong()


def test_a_tariff_in_words() -> None:
    both = Tariff(currency="EUR", elements=(NIGHT, DAY), min_price=EURO, max_price=20 * EURO, tax_bp=1900)
    assert describe_tariff(both) == (
        "From 22:00 to 06:00: 0.30 EUR per kWh. Otherwise: 0.40 EUR per kWh plus 1.00 EUR"
        " per hour after charging has ended. At least 1.00 EUR a session. At most 20.00 EUR a session."
        " Prices include 19 % tax."
    )
    hourly = simple_tariff("EUR", per_hour=2 * EURO, flat=EURO, tax_bp=2550, tax_included=False)
    assert describe_tariff(hourly) == (
        "2.00 EUR per hour of charging plus 1.00 EUR per session. 25.5 % tax is added."
    )
    weekend = Restrictions(weekdays=(6, 7), min_power_w=11_000, max_power_w=22_000)
    stepped = TariffElement((price(ENERGY, "0.395", 500), price(TIME, "1.00", 300)), weekend)
    assert describe_tariff(Tariff(currency="EUR", elements=(stepped,))) == (
        "On Saturday, Sunday from 11 kW below 22 kW: 0.395 EUR per kWh in steps of 500 Wh"
        " plus 1.00 EUR per hour of charging in steps of 5 min."
    )
    assert describe_tariff(simple_tariff("EUR")) == "Charging is free."


def test_the_prices_of_a_quote_in_words() -> None:
    evening = plan(
        period(0, price(ENERGY, "0.50")),
        period(2, price(ENERGY, "0.30"), price(PARKING, "1.00")),
        period(3),
        tax_bp=1900,
    )
    begins = [format_instant(one.start, "Europe/Berlin") for one in evening.periods]
    assert describe_plan(evening, "Europe/Berlin") == (
        f"0.50 EUR per kWh. From {begins[1]}: 0.30 EUR per kWh plus 1.00 EUR per hour after charging has "
        f"ended. From {begins[2]}: free. Prices include 19 % tax."
    )
    assert describe_plan(plan(period(0)), "Europe/Berlin") == "Charging is free."


def test_a_bill_in_words() -> None:
    fixed = plan(
        period(0, price(ENERGY, "0.40"), price(PARKING, "1.00"), price(FLAT, "0.50")),
        tax_bp=1900,
        max_price=6 * EURO,
    )
    cost = estimate(fixed, BEGIN, BEGIN + 3 * HOUR, 11_000, 11_000)
    assert [describe_line(line, "EUR") for line in cost.lines] == [
        "Energy: 11 kWh at 0.40 EUR per kWh = 4.40 EUR",
        "Time after charging: 2 h at 1.00 EUR per hour = 2.00 EUR",
        "Flat fee: 0.50 EUR",
    ]
    below = {"total": cost.total, "adjustment": cost.adjustment, "tax": cost.tax, "tax_bp": 1900}
    assert describe_sum("EUR", **below, tax_included=True, rounding=0) == (
        "Down to the highest price: -0.90 EUR",
        "Total: 6.00 EUR, of which 0.96 EUR tax (19 %)",
    )


def test_tax_on_top_and_rounding_are_lines_of_their_own() -> None:
    parts = {"total": 1_200_000, "adjustment": 4_999, "tax": 190_000, "tax_bp": 1900, "rounding": 5_001}
    assert describe_sum("EUR", **parts, tax_included=False) == (
        "Up to the lowest price: +0.004999 EUR",
        "Tax (19 %): +0.19 EUR",
        "Rounding: +0.005001 EUR",
        "Total: 1.20 EUR",
    )
