"""A host with terms that cost something and a driver: where the stories of how bookings end begin."""

from __future__ import annotations

import json
from collections.abc import Coroutine
from typing import Any

from chargemesh_node.sim.loop import run
from chargemesh_node.sim.people import Person
from chargemesh_node.sim.world import World
from chargemesh_protocol.booking.state import BookingState
from chargemesh_protocol.booking.table import Reservation
from chargemesh_protocol.listing import BookingRules
from chargemesh_protocol.money import divide_half_up
from chargemesh_protocol.terms import CancellationTier, Terms
from tests.simulation.stories import Deal

TERMS = Terms(
    tiers=(CancellationTier(24 * 60, 10), CancellationTier(2 * 60, 50)),
    no_show_percent=100,
    no_show_after=15,
    host_failure_percent=20,
)
ON_REQUEST = BookingRules(instant=False, min_minutes=15, max_minutes=1440, lead_minutes=0, min_trust=0)


def share_of_cap(state: BookingState, percent: int) -> int:
    return divide_half_up(state.quote.cap * percent, 100)


class Scene:
    """A host with terms that cost something, and a driver."""

    def __init__(self, seed: int) -> None:
        self.world = World(seed)

    async def opens(self, **changes: Any) -> tuple[Person, Person]:
        host, driver = await self.world.add_all("host", "driver")
        await host.offers(terms=TERMS, **changes)
        await self.world.pass_time(seconds=20)
        return host, driver

    async def reserved(self, host: Person, driver: Person, starts_in_h: float) -> Deal:
        deal = Deal(self.world, host, driver)
        deal.id = await driver.books(host, starts_in_h=starts_in_h, hours=1)
        await deal.reaches("the acceptance", lambda state: state.reservation is Reservation.RESERVED)
        return deal

    async def closes(self) -> None:
        await self.world.settles()
        await self.world.end()


def events_of(person: Person) -> list[str]:
    return [json.loads(body)["event"] for _, body in person.notices]


def play(story: Coroutine[Any, Any, None]) -> None:
    run(story)


def is_cancelled(state: BookingState, by: str) -> bool:
    return state.reservation is Reservation.CANCELED and state.cancelled_by == by
