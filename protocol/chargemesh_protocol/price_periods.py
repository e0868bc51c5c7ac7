"""Prices of a kWh by the time of the week, as a host says them, and the OCPI elements that they become.

OCPI's weekdays are those of the instant itself: a Friday night is two elements, Friday until midnight and
Saturday after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from .schedule import WeeklySpan
from .tariff import PriceComponent, Restrictions, Tariff, TariffDimension, TariffElement
from .zones import DAY_MINUTES

_EVERY_DAY = tuple(range(1, 8))


@dataclass(frozen=True, slots=True)
class PricePeriod:
    """`price` micro-units a kWh in these spans of each week."""

    spans: tuple[WeeklySpan, ...]
    price: int


def with_periods(base: Tariff, periods: Iterable[PricePeriod]) -> Tariff:
    """`base`, one price for every hour of the week, with other prices of a kWh at some; where two hold, the
    first counts. ValueError if that makes too many elements."""
    elements = [
        TariffElement((PriceComponent(TariffDimension.ENERGY, one.price),), restrictions)
        for one in periods
        for restrictions in _restrictions(one.spans)
    ]
    return replace(base, elements=(*elements, *base.elements))


def split_periods(tariff: Tariff) -> tuple[Tariff, tuple[PricePeriod, ...]] | None:
    """The base and the periods that make this tariff; None if it is made otherwise."""
    if any(one.restrictions is None for one in tariff.elements[:-1]):
        return None
    restricted = [one for one in tariff.elements if one.restrictions is not None]
    periods = []
    for element in restricted:
        spans = _spans(element.restrictions) if element.restrictions else ()
        component = element.components[0]
        simple = component.dimension is TariffDimension.ENERGY and component.step == 1
        if not spans or len(element.components) > 1 or not simple:
            return None
        periods.append(PricePeriod(spans, component.price))
    base = replace(tariff, elements=tariff.elements[len(restricted) :])
    # What says the same in other words is not taken apart, so that it comes back as it was written.
    return (base, tuple(periods)) if with_periods(base, periods) == tariff else None


def _restrictions(spans: Sequence[WeeklySpan]) -> list[Restrictions]:
    found: list[Restrictions] = []
    for opens, closes in dict.fromkeys((one.opens, one.closes) for one in spans):
        days = sorted({one.weekday for one in spans if (one.opens, one.closes) == (opens, closes)})
        if closes > opens or (len(days) == 7 and closes < opens):
            found.append(_on(days, opens, closes))
        else:
            found.append(_on(days, opens, DAY_MINUTES))
            if closes:
                found.append(_on(sorted(day % 7 + 1 for day in days), 0, closes))
    return found


def _on(days: Sequence[int], opens: int, closes: int) -> Restrictions:
    return Restrictions(start_time=opens, end_time=closes, weekdays=None if len(days) == 7 else tuple(days))


def _spans(restrictions: Restrictions) -> tuple[WeeklySpan, ...]:
    """When they hold; none if they ask for a power."""
    if restrictions.min_power_w is not None or restrictions.max_power_w is not None:
        return ()
    days = restrictions.weekdays or _EVERY_DAY
    opens, closes = restrictions.start_time, restrictions.end_time
    if opens is None or closes is None:
        return tuple(WeeklySpan(day, 0, DAY_MINUTES) for day in days)
    if closes > opens or len(days) == 7:
        return tuple(WeeklySpan(day, opens, closes) for day in days)
    late = tuple(WeeklySpan(day, opens, DAY_MINUTES) for day in days)
    return late + tuple(WeeklySpan(day, 0, closes) for day in days if closes)
