"""Before the access record is sent, nothing that leaves the host's house says where it is."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chargemesh_node.errors import NetworkError
from chargemesh_node.sim.home import charger_settings
from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.records import CancelReason
from chargemesh_protocol.booking.table import Reservation
from chargemesh_protocol.chargers import ChargerSettings, Home, WallboxSettings
from chargemesh_protocol.discovery import wire as listing_wire
from chargemesh_protocol.events import CancelBooking, PutCharger, WriteMessage
from chargemesh_protocol.identity_wire import PROTOCOL as IDENTITY
from chargemesh_protocol.listing import Need
from chargemesh_protocol.place import Point, public_cell
from chargemesh_protocol.trust.sync import PROTOCOL as LOG
from tests.privacy_scanner import Scanner

from .ears import House, overheard
from .nodes import HOUR_MS, Person, draw, eventually, street

pytestmark = pytest.mark.asyncio

HOME = Home(
    address="83 Grüne Straße, 10115 Berlin",
    latitude=52_487_311,
    longitude=13_425_119,
    way="Behind the blue gate, then left.",
    code="83-1741-6",
    phone="+49 30 5550123",
)
NEARBY = Point(52.49, 13.40)  # where the driver searches; 1.5 km away
TOLD_TO_ALL = "83 Grüne Straße"
MANUAL = WallboxSettings(driver="manual", password="", owner_tags=(), plug_and_charge=False)


def settings(name: str, **changes: Any) -> ChargerSettings:
    """A charger at HOME, whose address is told an hour before the start."""
    usual = charger_settings(draw(name)[:16], HOME.point)
    mine = {
        "home": HOME,
        "wallbox": MANUAL,
        "access_lead_minutes": 60,
        "about": replace(usual.about, title=name),
        "strangers": replace(usual.strangers, open_bookings=100),
    }
    return replace(usual, **(mine | changes))


async def finds(driver: Person, title: str) -> Any:
    async def look() -> Any:
        async with driver.node.find(NEARBY, 5000, Need()) as search:
            return next((one for one in await search.all() if one.record.body.about.title == title), None)

    found = None
    while found is None:
        found = await look()
    return found


async def books(driver: Person, title: str, *, in_hours: float) -> bytes:
    start = driver.clock.now() + round(in_hours * HOUR_MS)
    offer = await driver.node.ask_quote(await finds(driver, title), start, start + HOUR_MS, 5_000)
    result = await driver.node.book(offer.record.id, wait_ms=HOUR_MS)
    return bytes.fromhex(result["booking"])


async def everybody_asks(driver: Person, house: House) -> None:
    """A driver who books early, talks, cancels and books again; strangers with questions of every kind."""
    booking = await books(driver, "Gate", in_hours=5)
    await eventually(lambda: driver.state(booking).reservation is Reservation.RESERVED, "it is booked")
    await driver.node.command(WriteMessage(booking, "Where exactly is it?"))
    await house.app.node.command(WriteMessage(booking, "You will know an hour before."))
    await eventually(lambda: len(driver.booking(booking).messages) == 2, "both have written")
    await driver.node.command(CancelBooking(booking, CancelReason.TRAFFIC))
    await eventually(lambda: driver.state(booking).reservation is Reservation.CANCELED, "it is cancelled")
    booking = await books(driver, "Gate", in_hours=8)
    await eventually(lambda: driver.state(booking).reservation is Reservation.RESERVED, "it is booked again")
    asked = await books(driver, "Ask me", in_hours=10)
    await eventually(
        lambda: any(b"booking.requested" in one for one in house.heard.webhook), "the host is told"
    )
    assert driver.state(asked).reservation is Reservation.PENDING
    cell = public_cell(HOME.point, 7)
    query = listing_wire.Query(cells=(cell,), need=Need(), limit=64)
    for protocol in (wire.PROTOCOL, listing_wire.PROTOCOL, IDENTITY, LOG):
        for body in (listing_wire.write(query), b"", random.Random(99).randbytes(99), b"\xa1\x00\x01"):
            try:
                await driver.network.request(house.app.network.contact, protocol, body)
            except NetworkError:
                continue  # refused: that says nothing either
    await house.strangers_ask_the_api()


async def test_nothing_says_where_the_home_is_until_the_address_is_sent(tmp_path: Path) -> None:
    async with street() as people, overheard(tmp_path, people.network_id) as house:
        heard, node = house.heard, house.app.node
        await node.command(PutCharger(settings("Gate")))
        by_hand = replace(settings("Ask me").rules, instant=False)
        await node.command(PutCharger(settings("Ask me", rules=by_hand)))
        driver = people.know("driver")
        await driver.start([house.app.network.contact])
        await everybody_asks(driver, house)
        peer_id = house.app.network.contact.peer_id.encode()
        await eventually(lambda: any(peer_id in packet for packet in heard.mdns), "it is announced")
        assert heard.bridge and heard.webhook and heard.api
        assert any(b"cancelled" in one or b"canceled" in one for one in heard.webhook)
        assert Scanner(HOME, 7).leaks(heard.everything) == []

        # The address does come when it is time, to the driver alone: sealed, nobody else sees it pass.
        soon = await books(driver, "Gate", in_hours=0)
        assert await driver.learns_address(soon) == HOME.address
        assert Scanner(HOME, 7).leaks(heard.everything) == []

        # What comes through is heard: the same ears hear a host who writes the address into the title.
        await node.command(PutCharger(settings(TOLD_TO_ALL)))
        await books(driver, TOLD_TO_ALL, in_hours=5)
        await eventually(lambda: Scanner(HOME, 7).leaks(heard.webhook), "the webhook's leak is found")
        assert any("street" in leak for leak in Scanner(HOME, 7).leaks(heard.bridge))
