"""Short ways to write tariffs, plans and hypothesis strategies for them."""

from __future__ import annotations

from hypothesis import strategies as st

from chargemesh_protocol.metering import Reading
from chargemesh_protocol.tariff import (
    PriceComponent,
    PricePlan,
    Restrictions,
    Tariff,
    TariffDimension,
    TariffElement,
    TariffPeriod,
)

ENERGY, TIME = TariffDimension.ENERGY, TariffDimension.TIME
PARKING, FLAT = TariffDimension.PARKING_TIME, TariffDimension.FLAT
EURO = 1_000_000
CENT = EURO // 100
MINUTE = 60_000
HOUR = 60 * MINUTE
BEGIN = 1_804_500_000_000  # some moment in 2027


def price(dimension: TariffDimension, euros: str, step: int = 1) -> PriceComponent:
    """A component at so many euros, written as text: "0.40"."""
    whole, _, fraction = euros.partition(".")
    return PriceComponent(dimension, int(whole) * EURO + int(fraction.ljust(6, "0")), step)


def period(at_hour: int, *components: PriceComponent) -> TariffPeriod:
    """A period that starts so many hours after BEGIN."""
    return TariffPeriod(BEGIN + at_hour * HOUR, components)


def plan(*periods: TariffPeriod, currency: str = "EUR", **limits: int | bool) -> PricePlan:
    return PricePlan(currency=currency, periods=periods, **limits)  # type: ignore[arg-type]


def readings(*pairs: tuple[int, int]) -> tuple[Reading, ...]:
    """Readings from pairs of (minutes after BEGIN, Wh)."""
    return tuple(Reading(BEGIN + minutes * MINUTE, energy) for minutes, energy in pairs)


def components(
    dimensions: tuple[TariffDimension, ...] = tuple(TariffDimension),
) -> st.SearchStrategy[tuple[PriceComponent, ...]]:
    """At most one component for each of `dimensions`, with odd prices and some steps."""

    def one(dimension: TariffDimension) -> st.SearchStrategy[PriceComponent]:
        steps = st.just(1) if dimension is FLAT else st.sampled_from([1, 1, 100, 900])
        return st.builds(PriceComponent, st.just(dimension), st.integers(0, 3 * EURO), steps)

    return st.lists(st.sampled_from(dimensions), unique=True).flatmap(
        lambda found: st.tuples(*map(one, found))
    )


@st.composite
def plans(draw: st.DrawFn, most_periods: int = 4, limits: bool = True) -> PricePlan:
    """Plans of some periods around the hours after BEGIN, in a currency with 0, 2 or 3 minor digits."""
    starts = sorted(draw(st.sets(st.integers(-60, 900), min_size=1, max_size=most_periods)))
    periods = tuple(TariffPeriod(BEGIN + start * MINUTE, draw(components())) for start in starts)
    least = draw(st.integers(0, 5)) * EURO if limits else 0
    most = draw(st.sampled_from([0, 10, 20])) * EURO if limits else 0
    return PricePlan(
        currency=draw(st.sampled_from(["EUR", "JPY", "KWD"])),
        periods=periods,
        min_price=least,
        max_price=most,
        tax_bp=draw(st.sampled_from([0, 700, 1900, 2550])),
        tax_included=draw(st.booleans()),
    )


@st.composite
def sessions(draw: st.DrawFn) -> tuple[Reading, ...]:
    """Ordered readings of one session, some at the same moment, some without a rise."""
    steps = draw(st.lists(st.tuples(st.integers(0, 90 * MINUTE), st.integers(0, 9000)), max_size=8))
    at, energy = BEGIN + draw(st.integers(0, 100)) * MINUTE, draw(st.integers(0, 1000))
    found = [Reading(at, energy)]
    for later, more in steps:
        at, energy = at + later, energy + more
        found.append(Reading(at, energy))
    return tuple(found)


@st.composite
def restrictions(draw: st.DrawFn) -> Restrictions:
    """Times of day (also over midnight), weekdays, both or neither."""
    days = draw(st.none() | st.sets(st.integers(1, 7), min_size=1).map(lambda found: tuple(sorted(found))))
    begin, end = draw(st.integers(0, 1439)), draw(st.integers(0, 1440))
    if draw(st.booleans()) or begin == end:
        return Restrictions(weekdays=days)
    return Restrictions(start_time=begin, end_time=end, weekdays=days)


@st.composite
def tariffs(draw: st.DrawFn) -> Tariff:
    """Tariffs of up to three restricted elements before one that always holds."""
    priced = components().filter(bool)
    elements = draw(st.lists(st.builds(TariffElement, priced, restrictions()), max_size=3))
    return Tariff(currency="EUR", elements=(*elements, TariffElement(draw(priced))))
