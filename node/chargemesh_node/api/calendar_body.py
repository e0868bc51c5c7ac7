"""A charger's calendar and its prices by time as clients send them: texts as people write them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chargemesh_protocol.opening import DEFAULT_HORIZON_MINUTES, CalendarRules
from chargemesh_protocol.opening_text import read_rules
from chargemesh_protocol.price_periods import PricePeriod, with_periods
from chargemesh_protocol.schedule import parse_spans
from chargemesh_protocol.tariff import Tariff

from .bodies import Micro


class CalendarBody(Struct, forbid_unknown_fields=True):
    """What is added to the weekly hours, by the charger's clocks. closed: "2026-12-24..2026-12-26". hours_on:
    "2026-12-24 10:00-14:00, 16:00-18:00", instead of the weekly ones. open_on: "2026-12-31 10:00-14:00",
    beside everything else. quiet: "22:00-07:00", also "mon-fri 22:00-07:00". power_by: "17:00-21:00 4kW"."""

    closed: list[str] = []
    hours_on: list[str] = []
    open_on: list[str] = []
    quiet: list[str] = []
    power_by: list[str] = []
    buffer_minutes: Annotated[int, Meta(description="between two bookings")] = 0
    horizon_minutes: Annotated[int, Meta(description="how long ahead a booking may begin")] = (
        DEFAULT_HORIZON_MINUTES
    )


class PricePeriodBody(Struct, forbid_unknown_fields=True):
    """A price of a kWh at some times of the week. when: "17:00-21:00", also "mon-fri 17:00-21:00"."""

    when: str
    per_kwh: Micro


def rules_from(body: CalendarBody) -> CalendarRules | None:
    """The rules, None where there are none; PersonError says which text can't be read."""
    rules = read_rules(
        closed=body.closed,
        hours_on=body.hours_on,
        open_on=body.open_on,
        quiet=body.quiet,
        power_by=body.power_by,
        buffer_minutes=body.buffer_minutes,
        horizon_minutes=body.horizon_minutes,
    )
    return None if rules == CalendarRules() else rules


def tariff_with(base: Tariff, periods: list[PricePeriodBody]) -> Tariff:
    """`base` with a price of a kWh of its own in each of these periods; where two hold, the first counts."""
    said = [PricePeriod(parse_spans(one.when, daily=True), one.per_kwh) for one in periods]
    return with_periods(base, said)
