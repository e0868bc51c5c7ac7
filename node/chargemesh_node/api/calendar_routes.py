"""Calendars: the feed of bookings under its secret URL, and the busy times read from a host's own."""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict

from starlette.responses import Response

from chargemesh_protocol.errors import ExitCode, PersonError

from ..ics.feed import FeedEvent, as_ics, shown
from ..ics.feed_token import FeedToken
from ..views.chargers import ChargerView, charger_view
from .context import Call

_SUFFIX = ".ics"


class FeedView(TypedDict):
    """url: whoever has it sees all bookings, and as a driver the addresses once they are known. webcal: the
    same, as calendars of phones take it. on_lan: false where only this machine reaches it."""

    url: str
    webcal: str
    on_lan: bool


class FeedOff(TypedDict):
    on: bool


async def get_feed(call: Call) -> Response:
    """The bookings, for whoever knows the secret; nothing says whether there is a feed at all."""
    name = str(call.request.path_params["name"])
    if not name.endswith(_SUFFIX) or not _token(call).opens(name.removesuffix(_SUFFIX)):
        raise PersonError("no-such-file", "There is nothing here.", "", ExitCode.NOT_FOUND)
    events = await _events(call, f"http://{_host(call)}")
    headers = {"Cache-Control": "private, no-cache"}
    return Response(as_ics(events), 200, headers, "text/calendar; charset=utf-8")


async def _events(call: Call, page: str) -> list[FeedEvent]:
    node = call.node
    ids = shown(node.runner.engine.ledger.overview(node.clock.now()), node.clock.now())
    found = [await call.context.events.of(node, id) for id in ids]
    return [replace(one, url=page + one.url) for one in found if one is not None]


async def feed_url(call: Call) -> FeedView:
    return _view(call, _token(call).ensure())


async def renew_feed(call: Call) -> FeedView:
    return _view(call, _token(call).renew())


async def end_feed(call: Call) -> FeedOff:
    _token(call).drop()
    return {"on": False}


async def refresh_busy(call: Call) -> ChargerView:
    """Reads the charger's other calendar now; PersonError if it can't be read."""
    settings = call.charger()
    if settings.busy_from is None:
        raise PersonError(
            "no-calendar",
            "This charger follows no other calendar.",
            "`chargemesh charger edit ID --busy-from FILE|URL` names one.",
            ExitCode.USAGE,
        )
    await call.node.busy.refresh(settings)
    return charger_view(call.node, settings)


def _token(call: Call) -> FeedToken:
    return FeedToken(call.app.home, call.node.ports.entropy)


def _host(call: Call) -> str:
    """Where the phone page answers: on the LAN if it does so there."""
    return call.app.config.phone.address or call.context.address


def _view(call: Call, token: str) -> FeedView:
    path = f"{_host(call)}/calendar/{token}{_SUFFIX}"
    return {
        "url": f"http://{path}",
        "webcal": f"webcal://{path}",
        "on_lan": bool(call.app.config.phone.address),
    }
