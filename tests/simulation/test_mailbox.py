"""Bookings between nodes that are never there at the same time, and mailboxes that lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chargemesh_node.sim.loop import run
from chargemesh_node.sim.people import Person
from chargemesh_node.sim.world import World
from chargemesh_protocol.booking.post import Delivery, delivery_of, message_delivery
from chargemesh_protocol.booking.records import CancelReason
from chargemesh_protocol.booking.table import Reservation
from chargemesh_protocol.limits import MAX_COLLECT_ROUNDS, MAX_COLLECTED_PARCELS
from chargemesh_protocol.listing import BookingRules
from chargemesh_protocol.mailbox import wire
from chargemesh_protocol.mailbox.desk import proven_time
from tests.seeds import seeds

ADDRESS = "12 Hidden Lane, 10115 Berlin"
ON_REQUEST = BookingRules(instant=False, min_minutes=15, max_minutes=1440, lead_minutes=0, min_trust=0)


class Street:
    """A host and a driver who use the mailbox of a third, as far apart in time as each story wants."""

    def __init__(self, seed: int) -> None:
        self.world = World(seed)

    async def opens(self, **charger: Any) -> tuple[Person, Person, Person]:
        volunteer = await self.world.add("volunteer", keeps_mailbox=True)
        host, driver = await self.world.add_all("host", "driver")
        await host.uses_mailbox(volunteer)
        await driver.uses_mailbox(volunteer)
        await host.offers(**charger)
        await self.world.pass_time(seconds=20)
        return volunteer, host, driver

    async def holds(self, volunteer: Person, count: int, what: str) -> None:
        assert volunteer.parcels is not None
        rows = volunteer.parcels.rows
        await self.world.until(lambda: len(rows) == count, 120, what)

    def delivery(self, person: Person, booking: bytes) -> Delivery:
        return delivery_of(person.booking(booking), person.clock.now())


@pytest.mark.parametrize("seed", seeds(1))
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


def has_accepted(person: Person, booking: bytes) -> bool:
    return person.sees(booking, lambda state: state.reservation is Reservation.RESERVED)


async def asks_while_host_sleeps(street: Street, host: Person, driver: Person, *, wait_h: float = 3) -> bytes:
    """A driver with a quote sends its request to a host that sleeps; it lies in the host's mailbox."""
    offer = await driver.gets_quote(host, starts_in_h=4)
    host.falls_asleep()
    booking = await driver.takes(offer, wait_h=wait_h)
    await street.world.until(
        lambda: street.delivery(driver, booking) is Delivery.IN_MAILBOX, 60, "the request handed in"
    )
    return booking


def test_a_laptop_that_sleeps_right_after_sending_finds_the_acceptance_in_its_mailbox() -> None:
    """Both were there for the request; the host's person answers when the driver is away."""

    async def story() -> None:
        street = Street(3)
        _, host, driver = await street.opens(rules=ON_REQUEST)
        booking = await driver.takes(await driver.gets_quote(host, starts_in_h=4), wait_h=3)
        await street.world.until(lambda: host.knows_booking(booking), 30, "the request")
        driver.falls_asleep()
        await street.world.pass_time(minutes=5)
        await host.accepts(booking)
        await street.world.until(
            lambda: street.delivery(host, booking) is Delivery.IN_MAILBOX, 60, "the acceptance handed in"
        )
        host.crash()  # its router reboots
        await driver.wakes()
        await street.world.until(lambda: has_accepted(driver, booking), 60, "the acceptance")
        await host.restart()
        await street.world.settles()
        assert street.delivery(host, booking) is Delivery.DELIVERED
        await street.world.end()

    run(story())


def test_a_quote_that_has_expired_meanwhile_still_books_if_the_request_was_handed_in_in_time() -> None:
    async def story() -> None:
        street = Street(4)
        _, host, driver = await street.opens()
        booking = await asks_while_host_sleeps(street, host, driver)
        await street.world.pass_time(minutes=20)  # a quote stands for 15
        await host.wakes()
        await street.world.until(lambda: has_accepted(driver, booking), 120, "RESERVED")
        await street.world.settles()
        await street.world.end()

    run(story())


def test_a_request_that_is_refused_at_once_is_answered_in_the_drivers_mailbox() -> None:
    async def story() -> None:
        street = Street(5)
        volunteer, host, driver = await street.opens()
        offer = await driver.gets_quote(host, starts_in_h=4)
        await host.offers(paused=True)
        host.falls_asleep()
        booking = await driver.takes(offer, wait_h=3)
        await street.holds(volunteer, 1, "the request in the host's mailbox")
        driver.falls_asleep()
        await street.world.pass_time(minutes=2)
        await host.wakes()
        await street.world.pass_time(seconds=30)
        host.falls_asleep()
        await driver.wakes()
        await street.world.until(
            lambda: driver.booking(booking).file.refused == "not-offerable", 60, "the refusal"
        )
        await host.wakes()
        await street.world.settles()
        await street.world.end()

    run(story())


def test_a_cancellation_left_in_the_mailbox_proves_when_it_was_handed_in() -> None:
    async def story() -> None:
        street = Street(6)
        volunteer, host, driver = await street.opens()
        booking = await driver.books(host, starts_in_h=4)
        await street.world.until(lambda: has_accepted(driver, booking), 60, "RESERVED")
        await street.world.settles()
        host.falls_asleep()
        await driver.cancels(booking, CancelReason.TRAFFIC)
        before = driver.clock.now()
        await street.world.until(lambda: bool(driver.booking(booking).deposits), 90, "handed in")
        held = driver.booking(booking)
        cancel = held.mine[-1].raw
        assert volunteer.node.mailbox is not None
        signer = volunteer.node.mailbox.signer
        proven = proven_time(held.deposits[-1], cancel, signer, street.world.network)
        assert proven is not None and before <= proven <= driver.clock.now()
        assert proven_time(held.deposits[-1], cancel, bytes(32), street.world.network) is None
        assert proven_time(held.deposits[-1], held.request.raw, signer, street.world.network) is None
        await host.wakes()
        await street.world.settles()
        assert host.state(booking).reservation is Reservation.CANCELED
        await street.world.end()

    run(story())


class Hostile:
    """Answers in the volunteer's place: `twist` makes of each answer to a collect what it likes."""

    def __init__(
        self, volunteer: Person, twist: Callable[[wire.Collected, list[wire.HeldParcel]], Any]
    ) -> None:
        self.asked = 0
        self.seen: list[wire.HeldParcel] = []
        keeper = volunteer.node.mailbox
        assert keeper is not None
        honest = keeper.answer

        async def answer(caller: Any, body: bytes) -> bytes:
            told = await honest(caller, body)
            found = wire.read(told)
            if not isinstance(found, wire.Collected):
                return told
            self.asked += 1
            self.seen += [one for one in found.parcels if one not in self.seen]
            made = twist(found, self.seen)
            return made if isinstance(made, bytes) else wire.write(made)

        volunteer.node.network.serve(wire.PROTOCOL, answer)


def garbage(number: int) -> wire.HeldParcel:
    return wire.HeldParcel(sealed=number.to_bytes(4, "big") * 1024, at=0)


TWISTS: dict[str, Callable[[wire.Collected, list[wire.HeldParcel]], Any]] = {
    "withholds everything": lambda found, seen: wire.Collected(parcels=(), more=False),
    "repeats all for ever": lambda found, seen: wire.Collected(parcels=tuple(seen[:3]), more=True),
    "reverses the order": lambda found, seen: wire.Collected(parcels=tuple(reversed(seen[:3])), more=False),
    "adds garbage": lambda found, seen: wire.Collected(
        parcels=(garbage(1), *found.parcels, garbage(2)), more=found.more
    ),
    "dates everything wrongly": lambda found, seen: wire.Collected(
        parcels=tuple(wire.HeldParcel(sealed=one.sealed, at=0) for one in found.parcels), more=False
    ),
    "says something else": lambda found, seen: wire.write(wire.AskTerms()),
}


@pytest.mark.parametrize("name", TWISTS)
def test_a_mailbox_that_lies_costs_time_only(name: str) -> None:
    """The direct way brings the booking about, whatever came of the other; nothing is done twice."""

    async def story() -> None:
        street = Street(7)
        volunteer, host, driver = await street.opens()
        booking = await asks_while_host_sleeps(street, host, driver)
        Hostile(volunteer, TWISTS[name])
        await host.wakes()
        await street.world.until(lambda: has_accepted(driver, booking), 600, "RESERVED")
        await driver.writes(booking, "on my way")
        await street.world.pass_time(minutes=4)
        assert len(host.booking(booking).messages) == 1
        await street.world.settles()
        await street.world.end()

    run(story())


def test_a_visit_ends_though_there_seems_to_be_ever_more() -> None:
    async def story() -> None:
        street = Street(8)
        volunteer, host, _ = await street.opens()
        counted = iter(range(10**9))
        hostile = Hostile(
            volunteer,
            lambda found, seen: wire.Collected(
                parcels=tuple(garbage(next(counted)) for _ in range(MAX_COLLECTED_PARCELS)), more=True
            ),
        )
        host.node.visitor.hurry()
        await street.world.pass_time(minutes=1)
        assert hostile.asked == MAX_COLLECT_ROUNDS
        refused = host.node.visitor.counters["refused:sealed"]
        assert refused == MAX_COLLECT_ROUNDS * MAX_COLLECTED_PARCELS
        await street.world.end()

    run(story())


def test_a_parcel_replayed_later_brings_no_booking_back() -> None:
    """The host declined, and has forgotten nothing that the mailbox could bring again."""

    async def story() -> None:
        street = Street(9)
        volunteer, host, driver = await street.opens(rules=ON_REQUEST)
        booking = await asks_while_host_sleeps(street, host, driver, wait_h=0.4)
        Hostile(volunteer, TWISTS["repeats all for ever"])
        await host.wakes()
        await street.world.until(lambda: host.knows_booking(booking), 60, "the request")
        await host.declines(booking)
        await street.world.settles()
        for _ in range(10):  # an hour after the request's own end it is forgotten
            await street.world.pass_time(minutes=9)
            asked = host.knows_booking(booking) and host.state(booking).reservation is Reservation.PENDING
            assert not asked, "a declined request came back"
        await street.world.end()

    run(story())


def test_a_node_without_its_mailbox_books_as_ever() -> None:
    async def story() -> None:
        street = Street(10)
        volunteer, host, driver = await street.opens()
        await volunteer.stop()
        host.falls_asleep()
        await street.world.pass_time(minutes=1)
        await host.wakes()
        booking = await driver.books(host, starts_in_h=4)
        await street.world.until(lambda: has_accepted(driver, booking), 120, "RESERVED")
        await street.world.settles()
        await street.world.end()

    run(story())
