"""Thousands of identities made for nothing but to be in a host's way, each from an address of its own."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from chargemesh_node.sim.people import HOUR_MS
from chargemesh_node.sim.world import World
from chargemesh_protocol.booking.host import STRANGERS
from chargemesh_protocol.booking.table import Reservation
from chargemesh_protocol.chargers import DEFAULT_STRANGER_RULES, StrangerRules
from tests.privacy_scanner import Scanner
from tests.simulation.stories import Deal

from .attack import Attack, Finding
from .forge import Key

SCANNED = 100  # of the host's messages, in depth


async def on_request(seed: int, size: int) -> Finding:
    return await _many(seed, size, DEFAULT_STRANGER_RULES)


async def instantly(seed: int, size: int) -> Finding:
    return await _many(seed, size, replace(DEFAULT_STRANGER_RULES, on_request=False))


async def _many(seed: int, size: int, rules: StrangerRules) -> Finding:
    world = World(seed)
    host, known = await world.add_all("host", "known")
    charger = await host.offers()
    await world.pass_time(seconds=20)
    await Deal(world, host, known).happens()
    await world.settles()
    await host.offers(strangers=rules)
    await world.pass_time(seconds=20)

    before = len(
        host.store.durable().documents.get(STRANGERS, {})
    )  # the known driver, when it was a stranger
    home = host.node.runner.engine.listings.all_settings()[0].home
    scanner, said, leaks = Scanner(home), Counter[str](), list[str]()

    def hear(sender: str, _to: str, _protocol: str, body: bytes) -> None:
        said[sender] += 1
        if home.address.encode() in body:
            leaks.append("the address in clear")
        if sender == host.name and said[sender] % (1 + 2 * size // SCANNED) == 0:
            leaks.extend(str(one) for one in scanner.leaks([body]))

    world.taps.append(hear)
    codes: Counter[str] = Counter()
    for number in range(size):
        start = host.clock.now() + (1 + number % 30) * HOUR_MS
        codes[await Key(world, number).asks(host, charger, start, start + HOUR_MS)] += 1
    most = rules.pending_requests + rules.access_records_a_week
    assert codes.keys() <= {"booked", "busy", "not-offerable"}, codes
    assert codes["booked"] <= most, codes
    runner, kept = host.node.runner, host.store.durable()
    told = len(kept.documents.get(STRANGERS, {})) - before
    assert told <= (0 if rules.on_request else rules.access_records_a_week), f"{told} were told"
    bookings = len(runner.engine.ledger.known())
    assert bookings <= most + 1, bookings
    assert len(runner.outbox) <= 3 * bookings, f"{len(runner.outbox)} rows in the outbox"
    documents = sum(len(found) for found in kept.documents.values())
    assert documents <= 6 * bookings + 20, f"{documents} documents"
    slots = len(kept.slots)

    await world.pass_time(seconds=5)  # the last change of the listing is still on its way
    booking = await known.books(host, starts_in_h=40, hours=1)
    await world.until(
        lambda: known.sees(booking, lambda state: state.reservation is Reservation.RESERVED),
        60,
        "the known driver's acceptance",
    )
    assert said[host.name] >= size and not leaks, leaks[:3]
    await world.end()
    return Finding(
        f"{size:,} keys, each at an address of its own",
        f"{codes['booked']} requests taken, {slots} slots, {told} addresses at once; "
        "a known driver still books",
    )


ATTACKS = (
    Attack(
        "fresh keys",
        "Thousands of new identities ask one host for its slots",
        "strangers on request, 32 of them waiting at most; what waits holds nothing",
        on_request,
        size=60,
        long=50_000,
    ),
    Attack(
        "fresh keys",
        "The same, at a host whose charger strangers book instantly",
        "3 addresses a week for strangers, promises counted; then on request",
        instantly,
        size=60,
        long=5_000,
    ),
)
