"""Fifty who want the same slot at once. (Thousands of fresh keys: `tests/attacks`.)"""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from chargemesh_node.sim.loop import run
from chargemesh_node.sim.people import HOUR_MS, Person
from chargemesh_node.sim.world import World
from chargemesh_protocol.booking.table import Reservation
from tests.seeds import seeds

DRIVERS = 50


@pytest.mark.parametrize("seed", seeds(1))
def test_one_of_fifty_drivers_gets_the_slot_and_the_others_are_told(seed: int) -> None:
    async def story() -> None:
        world = World(seed)
        host = await world.add("host")
        drivers = await world.add_all(*(f"driver {number}" for number in range(DRIVERS)))
        await host.offers()
        await world.pass_time(seconds=30)
        listing = next(iter(await drivers[0].finds()))
        start = host.clock.now() + HOUR_MS
        offers = await asyncio.gather(
            *(one.asks(one.node.ask_quote(listing, start, start + HOUR_MS, 5_000)) for one in drivers)
        )
        bookings = await asyncio.gather(
            *(one.takes(offer) for one, offer in zip(drivers, offers, strict=True))
        )
        pairs = list(zip(drivers, bookings, strict=True))

        def answered(one: Person, booking: bytes) -> bool:
            pending = one.state(booking).reservation is Reservation.PENDING
            return not pending or bool(one.booking(booking).file.refused)

        await world.until(lambda: all(answered(*pair) for pair in pairs), 120, "fifty answers")
        won = [one for one, booking in pairs if one.state(booking).reservation is Reservation.RESERVED]
        refusals = Counter(one.booking(booking).file.refused for one, booking in pairs)
        assert len(won) == 1, f"seed {seed}: {len(won)} got the slot"
        assert refusals == {"": 1, "not-offerable": DRIVERS - 1}, f"seed {seed}: {refusals}"
        for one, booking in pairs:
            told = [event for _, event in one.notices if b"booking.refused" in event]
            assert len(told) == (one not in won), (
                f"seed {seed}: {one.name} was told {told} of {booking.hex()}"
            )
        assert len(host.store.durable().slots) == 1, seed
        await world.settles()
        await world.end()

    run(story())
