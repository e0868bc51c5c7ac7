"""What a host charges, in OCPI's shape, and how it becomes the fixed price periods of one quote.

A tariff is written in local time; `resolve` turns it into UTC instants once, on the host's side, and
the quote carries those: two nodes with different tz data still compute one receipt.

Prices, `min_price` and `max_price` are all without tax, or all with it: `tax_included` says which.
Rules of choice, as OCPI 2.3.0: for each dimension the first element counts whose restrictions hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from enum import Enum

from .limits import MAX_TARIFF_ELEMENTS, MAX_TARIFF_PERIODS, SLOT_MS
from .money import CURRENCIES, looks_like_currency, minor_unit
from .shape import Bool, Int, Name, Seq, Struct, Text, Uint, key, shape
from .zones import DAY_MINUTES, LAST_INSTANT, to_local, wall_instants, zone_of

# Ten million units of a currency per kWh or hour: no price reaches it, and no sum of them leaves 63 bits.
MAX_PRICE_MICRO = 10**13
MAX_STEP = 86_400
MAX_TAX_BP = 10_000


class TariffDimension(Enum):
    """What is counted: energy per kWh, time while charging per hour, time after it per hour, or once."""

    ENERGY = "ENERGY"
    TIME = "TIME"
    PARKING_TIME = "PARKING_TIME"
    FLAT = "FLAT"


@shape
@dataclass(frozen=True, slots=True)
class PriceComponent:
    """`price` micro-units per kWh, hour or session; billed in blocks of `step` Wh or seconds."""

    dimension: TariffDimension = key(0, Name(TariffDimension))
    price: int = key(1, Uint(MAX_PRICE_MICRO))
    step: int = key(2, Int(1, MAX_STEP), default=1)

    def __post_init__(self) -> None:
        if not 0 <= self.price <= MAX_PRICE_MICRO:
            raise ValueError(f"a price goes from 0 to {MAX_PRICE_MICRO} micro-units")
        if not 1 <= self.step <= MAX_STEP or (self.dimension is TariffDimension.FLAT and self.step != 1):
            raise ValueError(f"a step goes from 1 to {MAX_STEP}, and a flat fee has none")


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Restrictions:
    """When an element holds: all that is given must. Local wall times, weekdays 1 Monday to 7 Sunday.

    `end_time` (not included) at or before `start_time` lies on the next day; weekdays are those of the
    instant itself, also after midnight. Power is the most that the booking may draw, agreed in the
    quote and not measured: from `min_power_w` to below `max_power_w`.
    """

    start_time: int | None = key(0, Int(0, DAY_MINUTES - 1), optional=True)
    end_time: int | None = key(1, Int(0, DAY_MINUTES), optional=True)
    weekdays: tuple[int, ...] | None = key(2, Seq(Int(1, 7), 7, 1), optional=True)
    min_power_w: int | None = key(3, Uint(), optional=True)
    max_power_w: int | None = key(4, Uint(), optional=True)

    def __post_init__(self) -> None:
        if (self.start_time is None) != (self.end_time is None):
            raise ValueError("a restriction to times of day has a start and an end")
        if self.start_time is not None and self.start_time == self.end_time:
            raise ValueError("a restriction from a time to the same time says nothing")
        if self.weekdays is not None and list(self.weekdays) != sorted(set(self.weekdays)):
            raise ValueError("weekdays are listed once each, in order")

    def hold_at(self, weekday: int, minute: int, power_w: int | None) -> bool:
        """Whether they hold at a wall time; ValueError if they ask for the power and it is not known."""
        if self.start_time is not None and self.end_time is not None:
            if self.start_time < self.end_time:
                inside = self.start_time <= minute < self.end_time
            else:
                inside = minute >= self.start_time or minute < self.end_time
            if not inside:
                return False
        if self.weekdays is not None and weekday not in self.weekdays:
            return False
        if self.min_power_w is None and self.max_power_w is None:
            return True
        if power_w is None:
            raise ValueError("this tariff depends on the power, so the quote must name it")
        return (self.min_power_w or 0) <= power_w and (self.max_power_w is None or power_w < self.max_power_w)


@shape
@dataclass(frozen=True, slots=True)
class TariffElement:
    """Prices that hold together, under restrictions or always."""

    components: tuple[PriceComponent, ...] = key(0, Seq(Struct(PriceComponent), len(TariffDimension), 1))
    restrictions: Restrictions | None = key(1, Struct(Restrictions), optional=True)

    def __post_init__(self) -> None:
        _check_components(self.components)
        if not self.components:
            raise ValueError("an element of a tariff has a price")


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """A charger's tariff as its listing shows it. `max_price` 0 means no limit. Tax in basis points."""

    currency: str = key(0, Text(3, 3))
    elements: tuple[TariffElement, ...] = key(1, Seq(Struct(TariffElement), MAX_TARIFF_ELEMENTS))
    min_price: int = key(2, Uint(MAX_PRICE_MICRO), default=0)
    max_price: int = key(3, Uint(MAX_PRICE_MICRO), default=0)
    tax_bp: int = key(4, Uint(MAX_TAX_BP), default=0)
    tax_included: bool = key(5, Bool(), default=True)

    def __post_init__(self) -> None:
        # A caretaker need not know a new currency to keep a listing in it; who pays in it must (PricePlan).
        if not looks_like_currency(self.currency):
            raise ValueError(f"{self.currency!r} is not written like a currency of ISO 4217")
        if len(self.elements) > MAX_TARIFF_ELEMENTS:
            raise ValueError(f"a tariff has at most {MAX_TARIFF_ELEMENTS} elements")
        _check_limits(self.currency, self.min_price, self.max_price, self.tax_bp)

    @property
    def depends_on_power(self) -> bool:
        """Whether some price holds for some power only, which no listing tells but a quote."""
        asked = (one.restrictions for one in self.elements if one.restrictions is not None)
        return any(one.min_power_w is not None or one.max_power_w is not None for one in asked)


@shape
@dataclass(frozen=True, slots=True)
class TariffPeriod:
    """Prices from `start` (unix ms) until the next period starts; at most one component per dimension."""

    start: int = key(0, Uint(LAST_INSTANT))
    components: tuple[PriceComponent, ...] = key(1, Seq(Struct(PriceComponent), len(TariffDimension)))

    def __post_init__(self) -> None:
        if not 0 <= self.start <= LAST_INSTANT:
            raise ValueError("a period starts before the year 2200")
        _check_components(self.components)

    def component(self, dimension: TariffDimension) -> PriceComponent | None:
        return next((one for one in self.components if one.dimension is dimension), None)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class PricePlan:
    """A tariff fixed for one booking: all that the arithmetic of its receipt needs.

    The first period also holds for what lies before it, the last one has no end.
    """

    currency: str = key(0, Text(3, 3))
    periods: tuple[TariffPeriod, ...] = key(1, Seq(Struct(TariffPeriod), MAX_TARIFF_PERIODS, 1))
    min_price: int = key(2, Uint(MAX_PRICE_MICRO), default=0)
    max_price: int = key(3, Uint(MAX_PRICE_MICRO), default=0)
    tax_bp: int = key(4, Uint(MAX_TAX_BP), default=0)
    tax_included: bool = key(5, Bool(), default=True)

    def __post_init__(self) -> None:
        minor_unit(self.currency)
        starts = [period.start for period in self.periods]
        if not 1 <= len(starts) <= MAX_TARIFF_PERIODS or starts != sorted(set(starts)):
            raise ValueError(
                f"a plan has 1 to {MAX_TARIFF_PERIODS} periods, each starting after the one before"
            )
        _check_limits(self.currency, self.min_price, self.max_price, self.tax_bp)

    def period_at(self, instant: int) -> int:
        """The index of the period that `instant` is billed by."""
        return sum(1 for period in self.periods[1:] if period.start <= instant)


def simple_tariff(
    currency: str,
    *,
    per_kwh: int | None = None,
    per_hour: int | None = None,
    parking_per_hour: int | None = None,
    flat: int | None = None,
    min_price: int = 0,
    max_price: int = 0,
    tax_bp: int = 0,
    tax_included: bool = True,
) -> Tariff:
    """One price for every hour of the week, in micro-units; without any price the charger is free."""
    priced = (
        (TariffDimension.ENERGY, per_kwh),
        (TariffDimension.TIME, per_hour),
        (TariffDimension.PARKING_TIME, parking_per_hour),
        (TariffDimension.FLAT, flat),
    )
    components = tuple(PriceComponent(dimension, price) for dimension, price in priced if price is not None)
    return Tariff(
        currency=currency,
        elements=(TariffElement(components),) if components else (),
        min_price=min_price,
        max_price=max_price,
        tax_bp=tax_bp,
        tax_included=tax_included,
    )


def prices(tariff: Tariff, dimension: TariffDimension) -> tuple[int, int]:
    """The lowest and highest price of `dimension` at any time, micro-units; (0, 0) if it is not charged."""
    found: list[int] = []
    always = False
    for element in tariff.elements:
        for component in element.components:
            if component.dimension is dimension and not always:
                found.append(component.price)
                always = element.restrictions is None  # no later element can count
    if not always:
        found.append(0)
    return min(found), max(found)


def resolve(
    tariff: Tariff,
    zone: str,
    start: int,
    end: int,
    *,
    power_w: int | None = None,
    overstay_after_ms: int = 0,
    overstay_per_hour: int = 0,
) -> PricePlan:
    """The prices of a booking from `start` to `end` (unix ms) by the wall clocks of `zone`.

    With `overstay_per_hour`, that price comes on top of TIME and PARKING_TIME from `overstay_after_ms`
    after the end. ValueError if the price changes more often than a quote can carry.
    """
    if not 0 <= start < end <= LAST_INSTANT:
        raise ValueError("the end must be after the start")
    where = zone_of(zone)
    periods: list[TariffPeriod] = []
    for at in _changes(tariff, where, start, end):
        components = _components_at(tariff, where, at, power_w)
        if not periods or periods[-1].components != components:
            periods.append(TariffPeriod(at, components))
    if overstay_per_hour:
        after = end + overstay_after_ms
        later = _components_at(tariff, where, after, power_w)
        periods.append(TariffPeriod(after, _with_overstay(later, overstay_per_hour)))
    if len(periods) > MAX_TARIFF_PERIODS:
        raise ValueError("the price changes too often in that time for one booking; book a shorter time")
    return PricePlan(
        currency=tariff.currency,
        periods=tuple(periods),
        min_price=tariff.min_price,
        max_price=tariff.max_price,
        tax_bp=tariff.tax_bp,
        tax_included=tariff.tax_included,
    )


def _changes(tariff: Tariff, zone: tzinfo, start: int, end: int) -> list[int]:
    """`start`, and every instant before `end` at which the answer of a restriction may change, ascending."""
    minutes = {0}  # midnight, for the weekdays
    for element in tariff.elements:
        if element.restrictions and element.restrictions.start_time is not None:
            minutes |= {element.restrictions.start_time, element.restrictions.end_time or 0}
    found = {start, *_offset_changes(zone, start, end)}
    day = to_local(start, zone).date() - timedelta(days=1)
    last = to_local(end, zone).date()
    while day <= last:
        for minute in minutes:
            found.update(at for at in wall_instants(day, minute, zone) if start < at < end)
        day += timedelta(days=1)
    return sorted(found)


def _offset_changes(zone: tzinfo, start: int, end: int) -> Iterator[int]:
    """The instants in (start, end) at which the clocks change; they fall on quarter hours of UTC."""
    before = to_local(start, zone).utcoffset()
    for at in range(start - start % SLOT_MS + SLOT_MS, end, SLOT_MS):
        offset = to_local(at, zone).utcoffset()
        if offset != before:
            yield at
        before = offset


def _components_at(
    tariff: Tariff, zone: tzinfo, instant: int, power_w: int | None
) -> tuple[PriceComponent, ...]:
    """For each dimension the component of the first element that holds at `instant`, in a fixed order."""
    local = to_local(instant, zone)
    weekday, minute = local.isoweekday(), local.hour * 60 + local.minute
    chosen: dict[TariffDimension, PriceComponent] = {}
    for element in tariff.elements:
        if element.restrictions is None or element.restrictions.hold_at(weekday, minute, power_w):
            for component in element.components:
                chosen.setdefault(component.dimension, component)
    return tuple(chosen[dimension] for dimension in TariffDimension if dimension in chosen)


def _with_overstay(components: tuple[PriceComponent, ...], per_hour: int) -> tuple[PriceComponent, ...]:
    by_dimension = {component.dimension: component for component in components}
    for dimension in (TariffDimension.TIME, TariffDimension.PARKING_TIME):
        usual = by_dimension.get(dimension, PriceComponent(dimension, 0))
        by_dimension[dimension] = PriceComponent(dimension, usual.price + per_hour, usual.step)
    return tuple(by_dimension[dimension] for dimension in TariffDimension if dimension in by_dimension)


def _check_components(components: tuple[PriceComponent, ...]) -> None:
    if len({component.dimension for component in components}) != len(components):
        raise ValueError("a dimension has one price at a time")


def _check_limits(currency: str, min_price: int, max_price: int, tax_bp: int) -> None:
    if min_price < 0 or max_price < 0 or (max_price and max_price < min_price):
        raise ValueError("the highest price must not be below the lowest")
    if max(min_price, max_price) > MAX_PRICE_MICRO or not 0 <= tax_bp <= MAX_TAX_BP:
        raise ValueError(f"a tax goes from 0 to {MAX_TAX_BP} basis points, a limit up to {MAX_PRICE_MICRO}")
    # In whole minor units, so that rounding a total can't carry it over its own limit.
    if currency in CURRENCIES and (min_price % minor_unit(currency) or max_price % minor_unit(currency)):
        raise ValueError(f"lowest and highest price are payable amounts of {currency}")
