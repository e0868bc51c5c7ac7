"""Fifty who want the same slot at once, and thousands of keys made for nothing but to be in the way."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from chargemesh_node.sim.loop import run
from chargemesh_node.sim.people import EPOCH_MS, HOUR_MS, Person
from chargemesh_node.sim.world import World
from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.host import STRANGERS
from chargemesh_protocol.booking.records import Quote, Request
from chargemesh_protocol.booking.sealing import one_time_keypair
from chargemesh_protocol.booking.table import Reservation
from chargemesh_protocol.chargers import DEFAULT_STRANGER_RULES
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.events import MessageReceived
from chargemesh_protocol.identity import create_identity, public_key
from chargemesh_protocol.record import Record, open_as, sign
from tests.privacy_scanner import Scanner
from tests.seeds import seeds
from tests.simulation.stories import Deal

DRIVERS = 50
SCANNED = 200  # of the messages, in depth


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


class Key:
    """A fresh identity that costs nothing but its making."""

    def __init__(self, world: World, number: int) -> None:
        self._network = world.network
        self._device = world.draw(f"device {number}")
        bundle = create_identity(
            root_seed=world.draw(f"root {number}"),
            recovery_key=public_key(world.draw(f"recovery {number}")),
            device_key=public_key(self._device),
            network=world.network,
            now=EPOCH_MS - HOUR_MS,
            life_ms=300 * 24 * HOUR_MS,
        )
        self._author, self._bundle = bundle.author, bundle.to_bytes()
        self.contact = Contact(f"key {number}", (f"/dns4/key-{number}/tcp/1",))

    def request(self, quote: Record[Quote], now: int) -> bytes:
        request = sign(
            Request(
                author=self._author,
                issued=now,
                quote=quote.id,
                one_time_key=one_time_keypair(self._device)[0],
                contact=self.contact,
                expires=now + HOUR_MS,
            ),
            self._device,
            self._network,
        )
        return wire.write(
            wire.Exchange(booking=request.id, records=(request.raw,), opening=quote.raw, bundle=self._bundle)
        )


@pytest.mark.parametrize(
    ("keys", "on_request"),
    [
        (500, True),
        (200, False),
        pytest.param(5_000, True, marks=(pytest.mark.long, pytest.mark.timeout(600))),
    ],
)
@pytest.mark.parametrize("seed", seeds(2))
def test_fresh_keys_neither_keep_a_known_driver_out_nor_learn_the_address(
    seed: int, keys: int, on_request: bool
) -> None:
    """With the usual rules for strangers, and with instant bookings for them: then three learn it a week."""
    rules = DEFAULT_STRANGER_RULES if on_request else replace(DEFAULT_STRANGER_RULES, on_request=False)

    async def story() -> None:
        world = World(seed)
        host, known = await world.add_all("host", "known")
        charger = await host.offers()
        await world.pass_time(seconds=20)
        await Deal(world, host, known).happens()
        await world.settles()
        await host.offers(strangers=rules)
        await world.pass_time(seconds=20)

        said: list[bytes] = []
        world.taps.append(
            lambda sender, _to, _protocol, body: said.append(body) if sender == host.name else None
        )
        codes: Counter[str] = Counter()
        for number in range(keys):
            codes[await ask(host, charger, Key(world, number), number)] += 1
        assert codes.keys() <= {"booked", "busy", "not-offerable"}, f"seed {seed}: {codes}"
        assert codes["booked"] <= rules.pending_requests + rules.access_records_a_week, (
            f"seed {seed}: {codes}"
        )
        runner = host.node.runner
        told = len(host.store.durable().documents.get(STRANGERS, {}))
        # One of them was the known driver, when it was a stranger.
        assert told <= (1 if on_request else rules.access_records_a_week), f"seed {seed}: {told} were told"
        bookings = len(runner.engine.ledger.known())
        assert bookings <= rules.pending_requests + rules.access_records_a_week + 1, (
            f"seed {seed}: {bookings}"
        )
        assert len(runner.outbox) <= 3 * bookings, f"seed {seed}: {len(runner.outbox)} rows in the outbox"
        documents = sum(len(found) for found in host.store.durable().documents.values())
        assert documents <= 6 * bookings + 20, f"seed {seed}: {documents} documents"

        await world.pass_time(seconds=5)  # the last change of the listing is still on its way
        booking = await known.books(host, starts_in_h=40, hours=1)
        await world.until(
            lambda: known.sees(booking, lambda state: state.reservation is Reservation.RESERVED),
            60,
            "the known driver's acceptance",
        )
        home = host.node.runner.engine.listings.all_settings()[0].home
        assert len(said) >= keys, seed
        assert not any(home.address.encode() in body for body in said), f"seed {seed}: the address left"
        leaks = Scanner(home).leaks(said[:: 1 + len(said) // SCANNED])
        assert not leaks, f"seed {seed}: {leaks[:3]}"
        await world.end()

    run(story())


async def ask(host: Person, charger: bytes, key: Key, number: int) -> str:
    """Quote and request, each from an address block of its own, straight into the engine."""
    now = host.clock.now()
    start = now + (1 + number % 30) * HOUR_MS
    question = wire.AskQuote(charger=charger, start=start, end=start + HOUR_MS, energy_wh=5_000)
    given = wire.read(await answer(host, key, wire.write(question)))
    if isinstance(given, wire.Failed):
        return given.code
    assert isinstance(given, wire.QuoteGiven)
    quote = open_as(Quote, given.quote, host.world.network)
    reply = wire.read(await answer(host, key, key.request(quote, now)))
    return reply.code if isinstance(reply, wire.Failed) else "booked"


async def answer(host: Person, key: Key, body: bytes) -> bytes:
    message = MessageReceived(key.contact.peer_id, f"block of {key.contact.peer_id}", body)
    reply = await host.asks(host.node.runner.answer(message))
    host.world.internet.listen(host.name, key.contact.peer_id, wire.PROTOCOL, reply)
    return reply
