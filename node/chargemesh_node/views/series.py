"""A weekly series as its person sees it: what is agreed, and what becomes of each date."""

from __future__ import annotations

from typing import TypedDict

from chargemesh_protocol.series.dates import wall_day
from chargemesh_protocol.series.kept import NOTHING_YET, DateState, Outcome, Series
from chargemesh_protocol.series.planner import Occurrence, due_at, occurrences
from chargemesh_protocol.series.text import describe_series, format_date
from chargemesh_protocol.terms import describe_terms

from ..node import Node
from .bookings import REFUSALS
from .values import Instant, Money, instant, total

_PAST_DAYS, _AHEAD_DAYS = 8, 366
_SHOWN = 12
_WHY = {
    **REFUSALS,
    "host-away": "their node can't be reached",
    "price": "it costs more than you agreed to",
    "terms": "the conditions are others than you agreed to",
    "currency": "it is priced in another currency by now",
}


class DateView(TypedDict):
    """One date. start, end: moved ones have their new times. state: PLANNED, ASKED, BOOKED, TRYING (it can't
    be had yet, and is tried again), PRICE (it waits for the person's word), SKIPPED, CANCELED (or declined)
    or LEFT_OUT. why: what it waits for or came to nothing of, "" if there is nothing to say. again: when it
    is tried next."""

    date: str
    start: Instant
    end: Instant
    moved: bool
    state: str
    why: str
    again: Instant | None
    booking: str | None


class AskedView(TypedDict):
    """What the host asks by now, for whose date first; `series price` agrees to it."""

    date: str
    cap: Money
    conditions: str


class SeriesView(TypedDict):
    """says: when it is, in a sentence. at_most: what one date may cost. dates: the last and the next ones.
    ended: nothing more is booked."""

    id: str
    title: str
    says: str
    zone: str
    energy_wh: int
    at_most: Money
    asked: AskedView | None
    ended: bool
    dates: list[DateView]


def series_view(node: Node, id: bytes) -> SeriesView:
    own, now = node.runner.engine.series.own, node.clock.now()
    series, kept = own.require(id), own.dates(id)
    today = wall_day(series.zone, now)
    dates = []
    for one in occurrences(series, today - _PAST_DAYS, today + _AHEAD_DAYS):
        state = kept.get(one.day)
        if state is None and (one.start <= now or series.ended):
            continue  # nobody has seen to it, or nobody will
        dates.append(_date(series, one, state or NOTHING_YET, now))
        if len(dates) == _SHOWN:
            break
    last = series.last is not None and series.last < today
    return {
        "id": id.hex(),
        "title": series.title,
        "says": describe_series(series),
        "zone": series.zone,
        "energy_wh": series.energy_wh,
        "at_most": total(series.at_most, series.currency),
        "asked": _asked(series),
        "ended": bool(series.ended) or last,
        "dates": dates,
    }


def _date(series: Series, one: Occurrence, state: DateState, now: int) -> DateView:
    name = _state(series, one, state)
    waits = name == "TRYING" and not series.ended
    return {
        "date": format_date(one.day),
        "start": instant(one.start, series.zone),
        "end": instant(one.end, series.zone),
        "moved": one.day in series.moved,
        "state": name,
        "why": _why(name, state),
        "again": instant(max(now, due_at(series, one, state)), series.zone) if waits else None,
        "booking": state.booking.hex() if state.booking else None,
    }


def _state(series: Series, one: Occurrence, state: DateState) -> str:
    if one.day in series.skips:
        return "SKIPPED"
    if state.left_out:
        return "LEFT_OUT"
    if state.booking is not None and state.outcome is not Outcome.AGAIN:
        return {Outcome.ASKED: "ASKED", Outcome.STANDS: "BOOKED"}.get(state.outcome, "CANCELED")
    if state.cap is not None and (state.cap > series.at_most or state.terms != series.terms):
        return "PRICE"
    return "TRYING" if state.tries else "PLANNED"


def _why(name: str, state: DateState) -> str:
    if name not in ("TRYING", "PRICE", "LEFT_OUT"):
        return ""
    if state.booking is not None and not state.code:
        return "nobody has answered"
    return _WHY.get(state.code, state.message or state.code)


def _asked(series: Series) -> AskedView | None:
    asked = series.asked
    if asked is None or series.ended:
        return None
    return {
        "date": format_date(asked.day),
        "cap": total(asked.cap, series.currency),
        "conditions": describe_terms(asked.terms, series.currency),
    }
