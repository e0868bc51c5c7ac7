"""A charger's calendar as `POST /v1/chargers` takes it (see `api.calendar_body`)."""

from __future__ import annotations

from typing import Any, TypedDict
from urllib.parse import urlsplit

from chargemesh_protocol.booking.imported import Imported, source_of, times_of
from chargemesh_protocol.chargers import ChargerSettings
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

from .values import Instant, instant


class Busy(TypedDict):
    """source: the file, or the server of the URL, whose path may be a secret. times: how many stretches are
    taken. skipped: events that could not be understood, and count as free. read: when it last could be read;
    fault: why it can't since `failing_since`, empty if it can."""

    source: str
    read: Instant | None
    times: int
    skipped: int
    fault: str
    failing_since: Instant | None


def busy_view(settings: ChargerSettings, kept: Imported | None) -> Busy | None:
    """How it stands with the calendar that the charger follows."""
    if settings.busy_from is None:
        return None
    if kept is None or kept.source != source_of(settings):
        kept = None
    zone = settings.hours.zone
    failing = kept is not None and kept.fault
    return {
        "source": urlsplit(settings.busy_from).hostname or settings.busy_from,
        "read": instant(kept.read_at, zone) if kept is not None and kept.read_at else None,
        "times": len(times_of(kept)) if kept is not None else 0,
        "skipped": kept.skipped if kept is not None else 0,
        "fault": kept.fault if kept is not None else "",
        "failing_since": instant(kept.failing_since, zone) if kept is not None and failing else None,
    }


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
