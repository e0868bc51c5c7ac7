"""The main job between real nodes, on libp2p streams and SQLite files; also while the network dies."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from dataclasses import replace

import pytest

from chargemesh_protocol.booking.kept import Booking
from chargemesh_protocol.booking.table import Reservation, Session, Settlement

from .nodes import HOUR_MS, LIMITS, Person, eventually, street

pytestmark = pytest.mark.asyncio


async def test_a_stranger_goes_through_everything_and_a_third_sees_the_reputation() -> None:
    async with street() as people:
        host = await people.add("host", sqlite=True)
        driver = await people.add("driver", knows=host, sqlite=True)
        third = await people.add("third", knows=host, sqlite=True)
        await host.offers()
        booking = await driver.goes_through(host, stars=4)
        for person in (host, driver):
            state = person.state(booking)
            assert (state.reservation, state.session) == (Reservation.FULFILLED, Session.COMPLETED)
            assert state.settlement is Settlement.PAID
            assert state.receipt is not None and state.receipt.body.total > 0
        assert host.state(booking).receipt == driver.state(booking).receipt
        await eventually(lambda: third.node.score(host.author).completions == 1, "the third hears of it")
        await eventually(lambda: driver.thinks_of(host) > 0, "the review counts for who wrote it")
        # All of it is on disk: the same after a restart.
        before = driver.state(booking)
        await driver.stop()
        await driver.start()
        assert driver.state(booking).receipt == before.receipt
        assert driver.state(booking).settlement is Settlement.PAID


async def killed(person: Person) -> float:
    """`kill -9` of the person's network process; seconds until it is back with its peers and its name."""
    peers, before, pid = (
        {one.peer_id for one in person.network.peers()},
        person.contact,
        person.network.pid,
    )
    assert pid is not None and peers
    began = asyncio.get_running_loop().time()
    os.kill(pid, signal.SIGKILL)
    await eventually(lambda: person.network.pid not in (None, pid), "the process is back", 15)
    await eventually(lambda: peers <= {one.peer_id for one in person.network.peers()}, "with its peers", 15)
    assert person.contact == before
    return asyncio.get_running_loop().time() - began


async def test_the_hosts_network_process_is_killed_at_every_turn_and_nobody_notices() -> None:
    async with street() as people:
        host = await people.add("host", sqlite=True)
        driver = await people.add("driver", knows=host, sqlite=True)
        await host.offers()
        took = [await killed(host)]  # before anything
        offer = await driver.gets_quote(host)
        result = await driver.node.book(offer.record.id, wait_ms=60_000)
        booking = bytes.fromhex(result["booking"])
        took.append(await killed(host))  # the request is under way
        assert await driver.learns_address(booking) == "12 Hidden Lane, 10115 Berlin"
        await driver.starts(booking)
        await driver.has_tickets(booking, 2)
        began_wh = host.box.register_wh
        took.append(await killed(host))  # the car is charging, and goes on
        assert host.box.running is not None and host.box.register_wh > began_wh
        count = len(driver.state(booking).tickets)
        await driver.has_tickets(booking, count + 2)
        stopping = asyncio.create_task(driver.stops(booking))
        took.append(await killed(host))  # the stop is under way
        await stopping
        await driver.pays(booking, host)
        assert len(host.box.sessions) == 1
        assert host.network.restarts == 4 and host.node.runner.counters.get("defects", 0) == 0
        assert max(took) < 10, took


async def test_fifty_drivers_want_the_same_slot_at_the_same_moment() -> None:
    """Fifty nodes with a network process each. Getting to know each other, which is not the matter here,
    would cost them a thousand handshakes."""
    async with street(replace(LIMITS, join_jitter_seconds=3600.0)) as people:
        people.min_peers = 0
        host = await people.add("host", sqlite=True)
        await host.offers()
        drivers = [people.know(f"driver {number}") for number in range(50)]
        await asyncio.gather(*(driver.start() for driver in drivers))
        first = drivers[0]
        await first.meets(host)
        listing = await first.finds_charger_of(host)
        start = first.clock.now() + HOUR_MS
        offers = [await one.asks(listing, start, start + HOUR_MS) for one in drivers]
        asked = (
            driver.node.book(offer.record.id, wait_ms=60_000)
            for driver, offer in zip(drivers, offers, strict=True)
        )
        bookings = [bytes.fromhex(one["booking"]) for one in await asyncio.gather(*asked)]
        mine = list(zip(drivers, bookings, strict=True))

        async def answered() -> list[Booking]:
            while True:
                # Whoever was refused has nothing more to do, so that its booking may be at rest in the store.
                seen = [await driver.node.runner.booking(one) for driver, one in mine]
                if all(one.file.refused or one.theirs for one in seen):
                    return seen
                await asyncio.sleep(0.2)

        seen = await asyncio.wait_for(answered(), 40)
        now = host.clock.now()
        winners = [one for one in seen if one.state(now).reservation is Reservation.RESERVED]
        refusals = Counter(one.file.refused for one in seen if not one.theirs)
        assert len(winners) == 1
        assert refusals == {"not-offerable": 49}
        assert len(host.node.runner.engine.calendar.busy(listing.record.body.charger, start)) == 1
