"""Weekly series of the driver's: begin one, look, leave dates out or move them, agree to a price, end it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

from chargemesh_protocol.errors import ExitCode, PersonError
from chargemesh_protocol.series.commands import (
    AgreePrice,
    EndSeries,
    MoveDate,
    SeriesCommand,
    SkipDate,
)
from chargemesh_protocol.series.text import parse_date

from ..views.series import SeriesView, series_view
from .context import LAST, Call
from .reading import by_prefix


class AllSeries(TypedDict):
    """Those that go on first."""

    series: list[SeriesView]


class StartedSeries(SeriesView):
    """booking: of the first date."""

    booking: str


async def get_all(call: Call) -> AllSeries:
    views = [series_view(call.node, id) for id, _ in call.node.runner.engine.series.own]
    return {"series": sorted(views, key=lambda one: one["ended"])}


async def start(call: Call) -> StartedSeries:
    """The series as it stands at once; wait for the host's answer at the booking."""
    body = call.body
    if body.until is not None and body.count is not None:
        raise PersonError("bad-series", "until and count both end it.", "Give one of them.", ExitCode.USAGE)
    quote = by_prefix(body.quote, list(call.node.offers), "quote", "chargemesh quote")
    made = await call.node.book_weekly(
        quote,
        wait_ms=body.wait_ms,
        vehicle=body.vehicle,
        plug=body.plug,
        weekdays=body.weekdays,
        last=None if body.until is None else parse_date(body.until),
        count=body.count,
        at_most=body.at_most_micro,
    )
    return {**series_view(call.node, bytes.fromhex(made["series"])), "booking": made["booking"]}


async def get_one(call: Call) -> SeriesView:
    return series_view(call.node, _id(call))


async def skip(call: Call) -> SeriesView:
    day = parse_date(call.body.date)
    return await _do(call, lambda id: SkipDate(id, day, call.body.skipped))


async def move(call: Call) -> SeriesView:
    day = parse_date(call.body.date)
    return await _do(call, lambda id: MoveDate(id, day, call.body.start, call.body.end))


async def price(call: Call) -> SeriesView:
    return await _do(call, lambda id: AgreePrice(id, call.body.at_most_micro))


async def end(call: Call) -> SeriesView:
    return await _do(call, EndSeries)


async def _do(call: Call, command: Callable[[bytes], SeriesCommand]) -> SeriesView:
    """One command about the series in the path, and the series as it is then."""
    id = _id(call)
    await call.node.command(command(id))
    return series_view(call.node, id)


def _id(call: Call) -> bytes:
    """The series that the path names: its id, a beginning of it, or `last` for the only one that goes on."""
    own = list(call.node.runner.engine.series.own)
    going_on = [id for id, series in own if not series.ended]
    if call.id == LAST and len(going_on) == 1:
        return going_on[0]
    return by_prefix(call.id, [id for id, _ in own], "series", "chargemesh series list", tell=True)
