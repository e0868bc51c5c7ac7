"""A charger's calendar as `POST /v1/chargers` takes it (see `api.calendar_body`)."""

from __future__ import annotations

from typing import Any

from chargemesh_protocol.opening import CalendarRules
from chargemesh_protocol.opening_text import (
    format_dates,
    format_hours_on,
    format_open_on,
    format_power_by,
    format_quiet,
)
from chargemesh_protocol.price_periods import PricePeriod
from chargemesh_protocol.schedule import format_spans


def rules_as_json(rules: CalendarRules) -> dict[str, Any]:
    """What a `CalendarBody` takes to make these rules again."""
    return {
        "closed": [format_dates(one.first, one.last) for one in rules.exceptions if not one.spans],
        "hours_on": [format_hours_on(one) for one in rules.exceptions if one.spans],
        "open_on": [format_open_on(one) for one in rules.one_offs],
        "quiet": [format_quiet(rules.quiet)] if rules.quiet else [],
        "power_by": list(format_power_by(rules.power)),
        "buffer_minutes": rules.buffer_minutes,
        "horizon_minutes": rules.horizon_minutes,
    }


def periods_as_json(periods: tuple[PricePeriod, ...]) -> list[dict[str, Any]]:
    return [{"when": format_spans(one.spans, daily=True), "per_kwh": one.price} for one in periods]
