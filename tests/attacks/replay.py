"""What was said once is said again: to the same host, to another, in another booking and network."""

from __future__ import annotations

from chargemesh_node.sim.world import World
from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.table import Reservation
from tests.simulation.stories import Deal

from .attack import Attack, Finding
from .forge import try_send


def _kept(world: World) -> list[object]:
    """All that the host holds, and the state it follows to."""
    host = world.people["host"]
    kept = host.store.durable()
    records = sorted((booking, sorted(found)) for booking, found in kept.records.items())
    states = [host.state(booking) for booking in sorted(host.node.runner.engine.ledger.known())]
    return [records, states, sorted(slot.booking for slot in kept.slots)]


async def _tapped(seed: int) -> tuple[World, list[bytes], Deal]:
    """A whole booking, and what its driver sent to the host."""
    world = World(seed)
    said: list[bytes] = []
    host, driver = await world.add_all("host", "driver")
    await host.offers()
    await world.pass_time(seconds=20)

    def hear(sender: str, to: str, protocol: str, body: bytes) -> None:
        if (sender, to, protocol) == ("driver", "host", wire.PROTOCOL):
            said.append(body)

    world.taps.append(hear)
    deal = Deal(world, host, driver)
    await deal.is_booked()
    await deal.gets_address()
    await deal.begins_charging()
    await deal.charges()
    await deal.ends_charging()
    await deal.is_paid()
    await world.settles()
    world.taps.clear()
    return world, said, deal


async def to_the_same_host(seed: int, size: int) -> Finding:
    """All of it `size` times over, last message first, from a stranger's address."""
    world, said, _ = await _tapped(seed)
    host, before = world.people["host"], _kept(world)
    for _ in range(size):
        for body in reversed(said):
            await try_send(host, "thief", body)
    assert _kept(world) == before
    await world.end()
    return Finding(
        f"{len(said)} messages of a booking, played {size}-fold", "0 records, 0 slots, no change of state"
    )


async def in_another_booking(seed: int, size: int) -> Finding:
    """The driver itself brings records of the paid booking into its next one."""
    world, _, deal = await _tapped(seed)
    host, driver = world.people["host"], world.people["driver"]
    second = Deal(world, host, driver)
    second.id = await driver.books(host, starts_in_h=3, hours=1)
    await second.reaches("the acceptance", lambda state: state.reservation is Reservation.RESERVED)
    await world.settles()
    before = _kept(world)
    records = [one.raw for one in driver.booking(deal.id).mine] + [
        one.raw for one in host.booking(deal.id).mine
    ]
    for raw in records:
        await try_send(host, "driver", wire.write(wire.Exchange(booking=second.id, records=(raw,))))
    assert _kept(world) == before
    await world.end()
    return Finding(f"{len(records)} signed records of a paid booking", "none is taken in the other booking")


async def to_others(seed: int, size: int) -> Finding:
    """To another host, and to the same people in a network of another name, with the same keys."""
    world, said, deal = await _tapped(seed)
    said = [body for body in said if isinstance(wire.read(body), wire.Exchange)]  # a question is no secret
    other = await world.add("other")
    await other.offers()
    codes = {await try_send(other, "thief", body) for body in said}
    assert "" not in codes and not other.bookings() and not other.store.durable().slots, codes
    await world.end()

    twin = World(seed, network="chargemesh-test-twin")
    host = await twin.add("host")
    charger = await host.offers()
    assert charger == deal.driver.booking(deal.id).quote.body.charger
    codes |= {await try_send(host, "thief", body) for body in said}
    assert "" not in codes and not host.bookings() and not host.store.durable().slots, codes
    await twin.end()
    return Finding(
        f"{len(said)} messages, to another host and to the same keys in another network",
        f"0 bookings; refused as {', '.join(sorted(codes))}",
    )


ATTACKS = (
    Attack(
        "replay",
        "Repeat a whole booking to its host",
        "a booking is its request's hash, and a record its own: what is there is there",
        to_the_same_host,
        size=1,
        long=20,
    ),
    Attack(
        "replay",
        "Bring records of one booking into another",
        "each record names its booking under its signature",
        in_another_booking,
    ),
    Attack(
        "replay",
        "Repeat it to another host, and in another network",
        "the request names the host's quote, the quote the charger, every signature the network",
        to_others,
    ),
)
