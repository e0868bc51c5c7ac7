"""From a search to a booking: find, quote, book."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import Response

from chargemesh_protocol.booking.walk_in import read_link
from chargemesh_protocol.errors import ExitCode, PersonError
from chargemesh_protocol.listing import CONNECTOR_TYPES, Need
from chargemesh_protocol.money import parse_currency
from chargemesh_protocol.place import Point
from chargemesh_protocol.zones import MINUTE_MS

from ..discovery.finder import Search
from ..errors import NetworkError
from ..targets import of_code
from ..views.bookings import BookingView, booking_view
from ..views.listings import ListingView, QuoteView, SearchEnd, listing_view, quote_view
from .bodies import FindQuery
from .context import Call
from .limits import MIN_PREFIX_CHARS
from .reading import by_prefix
from .streams import Stream


async def find(call: Call) -> Response:
    """A listing a line as it is found, and a last line that says how the search went."""
    query: FindQuery = call.query
    need = _need(query)
    call.context.streams.require_room()
    search = call.node.find(_point(query.lat, query.lon), query.radius_m, need, limit=query.limit)
    return Stream(call.context, _lines(call, search, need, query.min_trust), "application/x-ndjson")


async def ask_quote(call: Call) -> QuoteView:
    short = _listing(call, call.body.listing)
    _require_span(call.body.start, call.body.end, call.node.clock.now())
    found, asked = call.node.found[short], (call.body.start, call.body.end)
    try:
        offer = await call.node.ask_quote(found, *asked, call.body.energy_wh)
    except NetworkError as error:
        known = call.node.offers.standing(found, *asked, call.node.clock.now())
        if known is None:
            raise _host_away() from error
        return quote_view(call.node, known, short, host_away=True)
    return quote_view(call.node, offer, short)


async def walk_in(call: Call) -> QuoteView:
    """The price from now on of the charger whose code was read; a booking by that quote proves presence."""
    target = of_code(read_link(call.body.link), call.node.me.network)
    now = call.node.clock.now()
    start = now - now % MINUTE_MS
    _require_span(start, call.body.end, now)
    try:
        offer = await call.node.ask_target(target, start, call.body.end, call.body.energy_wh)
    except NetworkError as error:
        raise _host_away() from error
    return quote_view(call.node, offer, b"")


async def book(call: Call) -> BookingView:
    """The booking as it stands at once; wait for the host's answer with `wait_until=decided`."""
    quote = by_prefix(call.body.quote, list(call.node.offers), "quote", "chargemesh quote")
    body = call.body
    made = await call.node.book(quote, wait_ms=body.wait_ms, vehicle=body.vehicle, plug=body.plug)
    booking = await call.node.runner.booking(bytes.fromhex(made["booking"]))
    return booking_view(call.node, booking)


async def _lines(call: Call, search: Search, need: Need, min_trust: int) -> AsyncIterator[bytes]:
    shown = 0
    rows = call.node.rows = []
    async with search:
        async for found in search:
            short = call.node.remember(found)
            view: ListingView = listing_view(call.node, found, short, need, row=len(rows) + 1)
            if view["host"]["trust"] < min_trust:
                continue
            rows.append(short)
            shown += view["fits"]
            yield _line(view)
        report = search.report
        end: SearchEnd = {
            "done": True,
            "listings": shown,
            "caretakers": len(report.answered),
            "neighbours": len(report.neighbours),
            "believable": report.believable,
            "left_off": search.results.left_off,
            "untimely": search.results.untimely,
        }
        yield _line(end)


def _host_away() -> PersonError:
    return PersonError(
        "host-away",
        "The host's node can't be reached, and only it can say what the slot costs.",
        "Try again later, or choose another charger. A request for a quote that you already have can wait in "
        "the host's mailbox; a question for a new one can't.",
    )


def _listing(call: Call, text: str) -> bytes:
    """The short id of what a search showed: by its row in the last one, or by its id."""
    rows = call.node.rows
    if len(text) < MIN_PREFIX_CHARS and text.isdecimal():
        if 1 <= int(text) <= len(rows) and rows[int(text) - 1] in call.node.found:
            return rows[int(text) - 1]
        raise PersonError(
            "no-such-row",
            f"The last search showed {len(rows)} {'row' if len(rows) == 1 else 'rows'}, but no row {text}.",
            "Search again with `chargemesh find`.",
            ExitCode.NOT_FOUND,
        )
    return by_prefix(text, list(call.node.found), "listing", "chargemesh find")


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _need(query: FindQuery) -> Need:
    if (query.start is None) != (query.end is None):
        raise PersonError(
            "half-a-time", "A time to charge has a start and an end.", "Give both, or none.", ExitCode.USAGE
        )
    if query.start is not None and query.end is not None and query.end <= query.start:
        raise _backwards()
    if query.max_price_micro is not None and query.currency is None:
        raise PersonError(
            "no-currency", "A highest price needs its currency.", "Such as EUR.", ExitCode.USAGE
        )
    if query.connector is not None and query.connector not in CONNECTOR_TYPES:
        raise PersonError(
            "bad-connector",
            f"There is no connector {query.connector[:40]!r}.",
            "Use OCPI's names, such as IEC_62196_T2.",
            ExitCode.USAGE,
        )
    return Need(
        connector=query.connector,
        min_power_w=query.min_power_w,
        max_price=query.max_price_micro,
        currency=parse_currency(query.currency) if query.currency is not None else None,
        start=query.start,
        end=query.end,
        instant=query.instant,
    )


def _point(latitude: float, longitude: float) -> Point:
    try:
        return Point(latitude, longitude)
    except ValueError as error:
        raise PersonError(
            "bad-place",
            f"{latitude:g}, {longitude:g} is no place: {error}.",
            "Write latitude before longitude, for example 52.52, 13.405.",
            ExitCode.USAGE,
        ) from None


def _require_span(start: int, end: int, now: int) -> None:
    if end <= start:
        raise _backwards()
    if end <= now:
        raise PersonError("past", "That time is over.", "Choose one that is to come.", ExitCode.USAGE)


def _backwards() -> PersonError:
    return PersonError(
        "end-before-start", "The end must be after the start.", "Swap the two times.", ExitCode.USAGE
    )
