"""Another quote put in the place of the one that counts."""

from __future__ import annotations

from dataclasses import replace

from chargemesh_node.sim.people import HOUR_MS, Person
from chargemesh_node.sim.world import World
from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.records import Change, Quote
from chargemesh_protocol.record import Record, open_as, sign
from tests.simulation.scene import Scene

from .attack import Attack, Finding
from .forge import Key, exchange, forged, send, try_send


async def in_a_request(seed: int, size: int) -> Finding:
    """A request beside another quote than it names, beside its own made cheaper, and another host's."""
    world = World(seed)
    host, other = await world.add_all("host", "other")
    charger, elsewhere = await host.offers(), await other.offers()
    key, codes = Key(world, 1), []
    start = host.clock.now() + HOUR_MS
    one = await _quote(host, charger, start)
    late = await _quote(host, charger, start + 3 * HOUR_MS)
    foreign = await _quote(other, elsewhere, start)
    cheap = sign(replace(one.body, cap=1, estimate=1), world.draw("device 1"), world.network)
    right = wire.read(key.request(one, host.clock.now()))
    assert isinstance(right, wire.Exchange)
    for opening in (late.raw, cheap.raw, foreign.raw):
        codes.append(await try_send(host, "thief", wire.write(replace(right, opening=opening))))
        codes.append(await try_send(host, "thief", key.request(open_as(Quote, opening, world.network), 0)))
    own = await try_send(host, "thief", key.request(cheap, host.clock.now()))
    assert own and codes[0] and codes[2] and codes[4] and codes[3] and codes[5], codes
    assert not host.store.durable().slots
    await world.end()
    found = sorted({one for one in [*codes, own] if one})
    return Finding("7 requests with swapped or forged quotes", f"0 bookings; refused as {', '.join(found)}")


async def twice(seed: int, size: int) -> Finding:
    """One quote shown by many keys: it names no driver, and its slot is had once."""
    world = World(seed)
    host = await world.add("host")
    charger = await host.offers()
    quote = await _quote(host, charger, host.clock.now() + HOUR_MS)
    codes = [
        await try_send(host, f"key {number}", Key(world, number).request(quote, host.clock.now()))
        for number in range(size)
    ]
    assert codes.count("") == 1 and len(host.store.durable().slots) == 1, codes
    await world.end()
    return Finding(f"{size} keys with one quote", "1 slot for one of them; the others are refused")


async def in_a_change(seed: int, size: int) -> Finding:
    """A change of a booking that carries a quote of the same host for somebody else, and one made up."""
    scene = Scene(seed)
    host, driver = await scene.opens()
    deal = await scene.reserved(host, driver, 1)
    booking, now = driver.booking(deal.id), driver.clock.now()
    (settings,) = host.node.runner.engine.listings.all_settings()
    foreign = await _quote(host, settings.charger, now + 5 * HOUR_MS)
    cheap = sign(replace(foreign.body, cap=1), driver.device, scene.world.network)
    driver.crash()
    before = host.state(deal.id).quote
    for quote in (foreign, cheap):
        await try_send(
            host, driver.name, exchange(deal.id, forged(driver, booking, Change, now, quote=quote.raw))
        )
    await scene.world.pass_time(seconds=5)
    state = host.state(deal.id)
    assert state.quote == before and state.change is None
    await scene.world.end()
    return Finding("2 changes with quotes that were not made for the booking", "the terms stay as they were")


async def _quote(host: Person, charger: bytes, start: int) -> Record[Quote]:
    ask = wire.AskQuote(charger=charger, start=start, end=start + HOUR_MS, energy_wh=5_000)
    given = wire.read(await send(host, "asker", wire.write(ask)))
    assert isinstance(given, wire.QuoteGiven)
    return open_as(Quote, given.quote, host.world.network)


ATTACKS = (
    Attack(
        "quote swapping",
        "Ask by one quote and show another, or one made cheaper",
        "the request names its quote by hash, and only the host's own signature makes one",
        in_a_request,
    ),
    Attack(
        "quote swapping",
        "Show one quote under many keys",
        "a quote holds nothing: the calendar gives a slot once",
        twice,
        size=10,
        long=1000,
    ),
    Attack(
        "quote swapping",
        "Change a booking to a quote that was not made for it",
        "a change's quote has the booking's own one-time key, charger, host and currency",
        in_a_change,
    ),
)
