"""Booking only to learn where somebody lives, and cancelling before it costs anything."""

from __future__ import annotations

from dataclasses import replace

from chargemesh_node.sim.people import HOUR_MS, Person
from chargemesh_node.sim.world import World
from chargemesh_protocol.booking.records import Cancel, CancelReason
from chargemesh_protocol.booking.table import Reservation
from chargemesh_protocol.chargers import DEFAULT_STRANGER_RULES
from chargemesh_protocol.terms import Terms, cancellation_cost
from tests.simulation.scene import TERMS, Scene

from .attack import Attack, Finding, money
from .forge import Key, exchange, forged, send

INSTANT = replace(DEFAULT_STRANGER_RULES, on_request=False)


def addresses_told(host: Person) -> int:
    """Bookings whose address left the host."""
    return sum(one.state(host.clock.now()).access_sent for one in host.bookings())


async def cancel_while_free(seed: int, size: int) -> Finding:
    """The same driver books for the day after tomorrow and leaves while that is free, again and again."""
    scene = Scene(seed)
    host, driver = await scene.opens()
    for _ in range(size):
        deal = await scene.reserved(host, driver, 40)
        told = await driver.cancels(deal.id, CancelReason.DRIVER_CANCELED)
        assert told["cost"] == 0, told
    await scene.world.settles()
    assert addresses_told(host) == 0 and not host.store.durable().slots
    await scene.world.end()
    return Finding(f"{size} bookings of one key, each cancelled", "0 addresses, 0 slots, at no cost")


async def cancel_when_told(seed: int, size: int) -> Finding:
    """One driver waits for the address each time, and leaves then."""
    scene = Scene(seed)
    host, driver = await scene.opens()
    deal = await scene.reserved(host, driver, 1)
    await deal.gets_address()
    told = await driver.cancels(deal.id, CancelReason.DRIVER_CANCELED)
    state = driver.state(deal.id)
    assert told["cost"] == cancellation_cost(TERMS, state.quote.cap, state.quote.start, driver.clock.now())
    assert told["cost"] > 0
    await deal.reaches("the receipt", lambda state: state.agreed is not None)
    for _ in range(size):
        refused = await driver.books(host, starts_in_h=3, hours=1)
        await scene.world.until(lambda: bool(driver.booking(refused).file.refused), 60, "a refusal")  # noqa: B023
        assert driver.booking(refused).file.refused == "unpaid-receipt"
    assert addresses_told(host) == 1
    await scene.closes()
    return Finding(
        f"{money(told['cost'])} of a cap of {money(state.quote.cap)}, owed for the first",
        f"1 address; {size} further requests refused until it is paid",
    )


async def new_key_each_time(seed: int, size: int) -> Finding:
    """Each address is asked for by another key from another address; nobody ever comes or pays."""
    world = World(seed)
    host = await world.add("host")
    charger = await host.offers(terms=TERMS, strangers=INSTANT)
    booked = 0
    for number in range(size):
        start = host.clock.now() + 2 * 60_000
        booked += await Key(world, number).asks(host, charger, start, start + HOUR_MS // 2) == "booked"
        await world.pass_time(minutes=40)
    told = addresses_told(host)
    assert told <= INSTANT.access_records_a_week, f"{told} addresses by {size} keys"
    await world.end()
    return Finding(
        f"{size} keys at as many networks, one every 40 minutes",
        f"{booked} requests taken, {told} addresses in a week",
    )


async def cancel_frees_no_address(seed: int, size: int) -> Finding:
    """A booking that was cancelled before its address was due: what is due later is not sent any more, and
    another record of the attacker's changes nothing."""
    scene = Scene(seed)
    host, driver = await scene.opens()
    await host.offers(terms=Terms())  # leaving is free to the end
    await scene.world.pass_time(seconds=5)
    deal = await scene.reserved(host, driver, 2.2)  # the address is due two hours before
    booking = driver.booking(deal.id)
    driver.crash()
    now = driver.clock.now()
    for number in range(size):
        record = forged(driver, booking, Cancel, now + number, reason=CancelReason.DRIVER_CANCELED)
        await send(host, driver.name, exchange(deal.id, record))
    await scene.world.pass_time(minutes=20)
    state = host.state(deal.id)
    assert state.reservation is Reservation.CANCELED and not state.access_sent and state.cost == 0
    await scene.world.end()
    return Finding(f"{size} cancellations of one booking", "0 addresses; all but the first take no effect")


ATTACKS = (
    Attack(
        "addresses",
        "Book, and cancel while that is free",
        "the address is sent when leaving costs something, and not before",
        cancel_while_free,
        size=3,
        long=100,
    ),
    Attack(
        "addresses",
        "Book, wait for the address, and cancel",
        "the tier is owed, and who owes is refused",
        cancel_when_told,
        size=2,
        long=50,
    ),
    Attack(
        "addresses",
        "Another key for each address",
        "3 addresses a week for strangers, counted by the host and not by key",
        new_key_each_time,
        size=5,
        long=100,
    ),
    Attack(
        "addresses",
        "Cancel many times over before the address is due",
        "no address is sent for a booking that has ended",
        cancel_frees_no_address,
        size=3,
        long=100,
    ),
)
