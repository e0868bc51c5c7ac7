"""What people of a simulated world do one after the other, told so that nobody gives up over a crash."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from chargemesh_node.sim.people import Person
from chargemesh_node.sim.world import World
from chargemesh_protocol.booking.state import BookingState
from chargemesh_protocol.booking.table import Reservation, Session, Settlement

Step = Callable[[], Coroutine[Any, Any, Any]]


async def neighbours(world: World) -> tuple[Person, Person]:
    """A host with a listed charger, and a driver who has had the time to hear of it."""
    host, driver = await world.add_all("host", "driver")
    await host.offers()
    await world.pass_time(seconds=20)
    return host, driver


class Deal:
    """One booking between a host and a driver, step by step; each step is safe to repeat."""

    def __init__(self, world: World, host: Person, driver: Person, *, hours: float = 0.5) -> None:
        self.world, self.host, self.driver, self.hours = world, host, driver, hours
        self.id = b""
        self._before = set(driver.node.runner.engine.ledger.known())

    async def is_booked(self) -> None:
        """Quote, request, acceptance."""

        async def take() -> None:
            await self.driver.takes(await self.driver.gets_quote(self.host, hours=self.hours))

        await self.driver.insists(take, lambda: bool(self._made()))
        self.id = self._made()[0]
        await self.reaches("the acceptance", lambda state: state.reservation is Reservation.RESERVED)

    async def gets_address(self) -> None:
        await self.reaches("the address", lambda state: state.access_sent)

    async def begins_charging(self) -> None:
        await self._driver_does(
            lambda: self.driver.starts_charging(self.id),
            lambda state: state.checked_in or self._wrote("authorisation"),
        )
        await self.reaches("charging", lambda state: state.session is Session.ACTIVE)

    async def charges(self, tickets: int = 2) -> None:
        await self.reaches("meter tickets", lambda state: len(state.tickets) >= tickets)

    async def ends_charging(self) -> None:
        await self._driver_does(
            lambda: self.driver.stops_charging(self.id), lambda state: state.stopped_at is not None
        )
        await self.reaches("an agreed receipt", lambda state: state.agreed is not None)

    async def is_paid(self) -> None:
        await self._driver_does(
            lambda: self.driver.pays(self.id),
            lambda state: state.settlement is not Settlement.OPEN or self._wrote("claim"),
        )
        await self.reaches("the claim", lambda state: state.claimed is not None)
        await self.host.insists(
            lambda: self.host.confirms(self.id),
            lambda: self.host.sees(self.id, lambda state: state.paid is not None),
        )
        await self.reaches("payment", lambda state: state.settlement is Settlement.PAID)

    async def is_reviewed(self, by_driver: int, by_host: int) -> None:
        for person, stars in ((self.driver, by_driver), (self.host, by_host)):
            await person.insists(
                lambda person=person, stars=stars: person.reviews(self.id, stars, "as agreed"),  # type: ignore[misc]
                lambda person=person: bool(person.booking(self.id).file.review),  # type: ignore[misc]
            )
        for person in (self.driver, self.host):
            await self.world.until(
                lambda person=person: person.is_up and person.has_reviewed(self.id),  # type: ignore[misc]
                300,
                f"the review in the log of {person.name}",
            )

    async def happens(self, *, by_driver: int = 5, by_host: int = 4) -> None:
        """All of it, up to the stars that each gives the other."""
        await self.is_booked()
        await self.gets_address()
        await self.begins_charging()
        await self.charges()
        await self.ends_charging()
        await self.is_paid()
        await self.is_reviewed(by_driver, by_host)

    async def reaches(self, what: str, reached: Callable[[BookingState], Any], within_s: float = 300) -> None:
        """Both sides see it."""
        for person in (self.driver, self.host):
            await self.world.until(
                lambda person=person: person.sees(self.id, reached),  # type: ignore[misc]
                within_s,
                f"{person.name} sees {what}",
            )

    async def _driver_does(self, step: Step, done: Callable[[BookingState], Any]) -> None:
        await self.driver.insists(step, lambda: self.driver.sees(self.id, done))

    def _wrote(self, kind: str) -> bool:
        return any(one.kind == kind for one in self.driver.booking(self.id).mine)

    def _made(self) -> list[bytes]:
        """The driver's bookings at this host that are still to be used."""
        return [
            one.id
            for one in self.driver.bookings()
            if one.host == self.host.author and one.id not in self._before
        ]
