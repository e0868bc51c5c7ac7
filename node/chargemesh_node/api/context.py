"""What every handler is given: the running node, the parsed request, and the shared bounds on streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from chargemesh_protocol.booking.kept import Booking
from chargemesh_protocol.chargers import ChargerSettings
from chargemesh_protocol.errors import ExitCode, PersonError

from ..ics.feed import FeedEvent, event_of
from ..node import Node
from ..views.booking_list import BookingList
from ..views.past import Past
from .changes import Changes
from .limits import MAX_STREAMS
from .reading import by_prefix
from .tokens import Holder, Tokens

if TYPE_CHECKING:
    from starlette.requests import Request

    from ..app import App


LAST = "last"


class Streams:
    """How many clients follow something at this moment."""

    def __init__(self, most: int = MAX_STREAMS) -> None:
        self._most = most
        self.open = 0

    def require_room(self) -> None:
        if self.open >= self._most:
            raise PersonError(
                "too-many-streams",
                f"{self.open} programs follow this node already.",
                "Close one of them.",
            )

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1


def _event(node: Node, booking: Booking) -> FeedEvent:
    return event_of(booking, node.runner.engine.driver.access, "", node.clock.now())


async def _photo_of(picture: bytes) -> bytes:
    from ..images import photo_of  # Pillow takes a while to import, and few hosts add photos often

    return await photo_of(picture)


@dataclass(slots=True)
class Context:
    """One API. `closing` is set when it ends: streams and long polls answer then. `address`: its HOST:PORT
    on loopback. `to_photo`: makes a photo of a picture, or a PersonError (`images`)."""

    app: App
    tokens: Tokens
    address: str = ""
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    streams: Streams = field(default_factory=Streams)
    changes: Changes = field(default_factory=Changes)
    to_photo: Callable[[bytes], Awaitable[bytes]] = _photo_of
    list: BookingList = field(default_factory=BookingList)
    events: Past[FeedEvent] = field(default_factory=lambda: Past(_event))

    @property
    def node(self) -> Node:
        return self.app.node


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `query` and `body` are of the types that the route names."""

    context: Context
    request: Request
    query: Any
    body: Any

    @property
    def app(self) -> App:
        return self.context.app

    @property
    def node(self) -> Node:
        return self.context.app.node

    @property
    def holder(self) -> Holder | None:
        found: Holder | None = self.request.scope.get("chargemesh.holder")
        return found

    @property
    def id(self) -> str:
        """The id in the path, as it was written."""
        return str(self.request.path_params["id"])

    async def booking(self) -> Booking:
        """The booking that the path names."""
        return await self.node.runner.booking(self.find_booking(self.id))

    def find_booking(self, text: str) -> bytes:
        """Its id, by a beginning of it, or `last` for the one asked for most lately."""
        ledger = self.node.runner.engine.ledger
        if text == LAST and (asked := ledger.overview(self.node.clock.now())):
            return max(asked, key=lambda one: asked[one].asked)
        return by_prefix(text, ledger.known(), "booking", "chargemesh bookings")

    def charger(self) -> ChargerSettings:
        """The charger of ours that the path names: its id, a beginning of it, or `last` for the only one.

        Chargers have no order that both a person and a program would call the last, so of several one has
        to be named.
        """
        listings = self.node.runner.engine.listings
        known = [one.charger for one in listings.all_settings()]
        if self.id == LAST and len(known) == 1:
            return listings.require(known[0])
        return listings.require(by_prefix(self.id, known, "charger", "chargemesh charger list", tell=True))

    def require_owner(self) -> None:
        """PersonError for a phone: its token only looks after bookings."""
        if self.holder is not Holder.OWNER:
            raise PersonError(
                "phone",
                "A phone can only look after bookings.",
                "Do this with `chargemesh` on the node's own machine.",
                ExitCode.NOT_ALLOWED,
            )
