"""Bookings between nodes that are never there at the same time, and mailboxes that lie."""

from __future__ import annotations

import pytest

from chargemesh_node.sim.loop import run
from chargemesh_node.sim.people import Person
from chargemesh_node.sim.world import World
from chargemesh_protocol.booking.post import Delivery, delivery_of, message_delivery
from chargemesh_protocol.booking.table import Reservation
from tests.seeds import seeds

ADDRESS = "12 Hidden Lane, 10115 Berlin"


class Street:
    """A host and a driver who use the mailbox of a third, as far apart in time as each story wants."""

    def __init__(self, seed: int) -> None:
        self.world = World(seed)

    async def opens(self) -> tuple[Person, Person, Person]:
        volunteer = await self.world.add("volunteer", keeps_mailbox=True)
        host, driver = await self.world.add_all("host", "driver")
        await host.uses_mailbox(volunteer)
        await driver.uses_mailbox(volunteer)
        await host.offers()
        await self.world.pass_time(seconds=20)
        return volunteer, host, driver

    async def holds(self, volunteer: Person, count: int, what: str) -> None:
        assert volunteer.parcels is not None
        rows = volunteer.parcels.rows
        await self.world.until(lambda: len(rows) == count, 120, what)

    def delivery(self, person: Person, booking: bytes) -> Delivery:
        return delivery_of(person.booking(booking), person.clock.now())


@pytest.mark.parametrize("seed", seeds(1, 2))
def test_two_who_are_never_there_at_the_same_time_book(seed: int) -> None:
    async def story() -> None:
        street = Street(seed)
        world = street.world
        volunteer, host, driver = await street.opens()
        offer = await driver.gets_quote(host, starts_in_h=1)

        host.falls_asleep()  # its router reboots
        booking = await driver.takes(offer, wait_h=6)
        await street.holds(volunteer, 1, "the request in the host's mailbox")
        assert street.delivery(driver, booking) is Delivery.IN_MAILBOX, seed
        driver.falls_asleep()
        await world.pass_time(minutes=6)

        await host.wakes()
        await world.until(lambda: host.sees(booking, lambda one: one.accept), 60, "the acceptance")
        await street.holds(volunteer, 1, "the acceptance in the driver's mailbox")
        assert street.delivery(host, booking) is Delivery.IN_MAILBOX, seed
        host.falls_asleep()
        await world.pass_time(minutes=6)

        await driver.wakes()
        await world.until(
            lambda: driver.sees(booking, lambda one: one.reservation is Reservation.RESERVED), 60, "RESERVED"
        )
        await driver.writes(booking, "I come at eight")
        await street.holds(volunteer, 1, "the message and the driver's word that it knows")
        assert street.delivery(driver, booking) is Delivery.IN_MAILBOX, seed
        assert message_delivery(driver.booking(booking), 0, driver.clock.now()) is Delivery.IN_MAILBOX
        driver.falls_asleep()
        await world.pass_time(minutes=6)

        await host.wakes()
        await world.until(lambda: len(host.booking(booking).messages) == 1, 60, "the message")
        assert street.delivery(host, booking) is Delivery.DELIVERED, seed
        await world.pass_time(hours=1)  # the address is due
        await street.holds(volunteer, 1, "the address in the driver's mailbox")
        host.falls_asleep()

        await driver.wakes()
        node = driver.node.runner.engine.driver
        await world.until(lambda: node.access(driver.booking(booking)) is not None, 60, "the address")
        access = node.access(driver.booking(booking))
        assert access is not None and access.address == ADDRESS, seed
        assert street.delivery(driver, booking) is Delivery.DELIVERED, seed
        assert frozenset(("host", "driver")) in world.internet.met  # for the quote

        await host.wakes()
        await world.settles()
        await world.end()

    run(story())
