"""Taking a charger's time without using it: many small bookings, quotes without end, bookings never used."""

from __future__ import annotations

from dataclasses import replace

from chargemesh_node.sim.people import HOUR_MS, Person
from chargemesh_node.sim.world import World
from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.table import Reservation
from chargemesh_protocol.chargers import DEFAULT_STRANGER_RULES
from chargemesh_protocol.limits import MAX_OPEN_BOOKINGS_OF_DRIVER, SLOT_MS
from tests.simulation.scene import TERMS, Scene, share_of_cap
from tests.simulation.stories import Deal

from .attack import Attack, Finding, money
from .forge import Key, send


def held_h(host: Person) -> float:
    """Hours of its calendar that bookings hold."""
    return sum(slot.end - slot.start for slot in host.store.durable().slots) / HOUR_MS


async def strangers(seed: int, size: int) -> Finding:
    """Keys at networks of their own take the longest that strangers can have, where they book instantly."""
    world = World(seed)
    host = await world.add("host")
    rules = replace(DEFAULT_STRANGER_RULES, on_request=False)
    charger = await host.offers(terms=TERMS, strangers=rules)
    longest = rules.max_minutes * 60_000
    codes = []
    for number in range(size):
        start = host.clock.now() + HOUR_MS + (number * longest) % (40 * HOUR_MS)
        codes.append(await Key(world, number).asks(host, charger, start, start + longest))
    most = rules.access_records_a_week * rules.max_minutes / 60
    held = held_h(host)
    assert held <= most, f"{held} h are held"
    await world.end()
    return Finding(f"{size} keys at as many networks", f"{held:.0f} h of the next 48, for one time")


async def quotes_without_end(seed: int, size: int) -> Finding:
    """Prices asked for every quarter of an hour, and nothing booked."""
    world = World(seed)
    host, known = await world.add_all("host", "known")
    charger = await host.offers()
    await world.pass_time(seconds=20)
    now, before = host.clock.now(), sum(len(one) for one in host.store.durable().documents.values())
    for number in range(size):
        start = now + (1 + number % 1000) * SLOT_MS
        ask = wire.AskQuote(charger=charger, start=start, end=start + SLOT_MS, energy_wh=1)
        assert isinstance(wire.read(await send(host, f"peer {number}", wire.write(ask))), wire.QuoteGiven)
    kept = host.store.durable()
    grown = sum(len(one) for one in kept.documents.values()) - before
    assert not kept.slots and grown <= 2, f"{grown} documents of {size} quotes"
    await Deal(world, host, known).is_booked()
    await world.end()
    return Finding(f"{size:,} quotes", f"0 slots, {grown} documents on the host's disk")


async def somebody_known(seed: int, size: int) -> Finding:
    """A driver whom the host knows books `size` quarters of an hour, and comes to none of them."""
    scene = Scene(seed)
    host, driver = await scene.opens()
    deal = Deal(scene.world, host, driver)
    await deal.is_booked()
    await deal.begins_charging()
    await deal.charges()
    await deal.ends_charging()
    await deal.is_paid()
    got, booking = 0, b""
    for number in range(size):
        booking = await driver.books(host, starts_in_h=0.3 + number / 2, hours=0.25)
        await scene.world.until(
            lambda booking=booking: _answered(driver, booking),  # type: ignore[misc]
            60,
            "an answer",
        )
        got += driver.state(booking).reservation is Reservation.RESERVED
    assert got <= MAX_OPEN_BOOKINGS_OF_DRIVER, got
    held = held_h(host)
    await scene.world.pass_time(minutes=40)
    unpaid = [one for one in driver.bookings() if driver.state(one.id).reservation is Reservation.NO_SHOW]
    owed = [driver.state(one.id) for one in unpaid]
    assert owed and all(state.cost == share_of_cap(state, 100) for state in owed)
    late = await driver.books(host, starts_in_h=50, hours=0.25)
    await scene.world.until(lambda: _answered(driver, late), 60, "an answer")
    assert driver.booking(late).file.refused == "unpaid-receipt"
    await scene.world.end()
    return Finding(
        f"one completed session; {size} bookings asked for, {money(owed[0].cost)} owed for each not used",
        f"{got} slots, {held:.0f} h; nothing more from the first no-show on",
    )


def _answered(driver: Person, booking: bytes) -> bool:
    pending = driver.state(booking).reservation is Reservation.PENDING
    return not pending or bool(driver.booking(booking).file.refused)


ATTACKS = (
    Attack(
        "slot squatting",
        "Strangers take the longest slots there are and use none",
        "one open booking a key and network, 4 h each, within 48 h, 3 a week for all of them",
        strangers,
        size=20,
        long=1000,
    ),
    Attack(
        "slot squatting",
        "Quotes without end",
        "a quote holds nothing and is kept nowhere: its key is derived from it",
        quotes_without_end,
        size=40,
        long=5000,
    ),
    Attack(
        "slot squatting",
        "Somebody the host knows books ahead and never comes",
        "64 open bookings of one driver; each no-show is owed, and who owes is refused",
        somebody_known,
        size=3,
        long=70,
    ),
)
