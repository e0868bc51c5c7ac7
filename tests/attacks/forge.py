"""Tools of an attacker whose own software sends what no node of ours would: keys, records and messages."""

from __future__ import annotations

from typing import Any, TypeVar

from chargemesh_node.sim.people import EPOCH_MS, HOUR_MS, Person
from chargemesh_node.sim.world import World
from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.kept import Booking
from chargemesh_protocol.booking.records import Quote, Request
from chargemesh_protocol.booking.sealing import one_time_keypair
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.events import MessageReceived
from chargemesh_protocol.identity import create_identity, public_key
from chargemesh_protocol.record import Record, open_as, sign

T = TypeVar("T")


class Key:
    """A fresh identity that costs nothing but its making, at a network address of its own."""

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

    async def asks(self, host: Person, charger: bytes, start: int, end: int) -> str:
        """Quote and request, straight into the host's engine: "booked", or the code of the refusal."""
        question = wire.AskQuote(charger=charger, start=start, end=end, energy_wh=5_000)
        given = wire.read(await send(host, self.contact.peer_id, wire.write(question)))
        if isinstance(given, wire.Failed):
            return given.code
        assert isinstance(given, wire.QuoteGiven)
        quote = open_as(Quote, given.quote, host.world.network)
        body = self.request(quote, host.clock.now())
        reply = wire.read(await send(host, self.contact.peer_id, body))
        return reply.code if isinstance(reply, wire.Failed) else "booked"


async def send(to: Person, sender: str, body: bytes) -> bytes:
    """The answer of the real node to a message from a peer in an address block of its own."""
    message = MessageReceived(sender, f"block of {sender}", body)
    reply = await to.asks(to.node.runner.answer(message))
    to.world.internet.listen(to.name, sender, wire.PROTOCOL, reply)
    return reply


async def try_send(to: Person, sender: str, body: bytes) -> str:
    """The code with which the node refuses it; empty if it took it."""
    try:
        answer = wire.read(await send(to, sender, body))
    except Refused as refused:
        return refused.code
    return answer.code if isinstance(answer, wire.Failed) else ""


def forged(
    by: Person, booking: Booking, cls: type[T], issued: int, seen: bytes = b"", **fields: Any
) -> Record[T]:
    """A driver's record signed with its own key, at any time it likes."""
    state = booking.state(by.clock.now())
    body = cls(author=by.author, issued=issued, booking=booking.id, seen=seen or state.head, **fields)  # type: ignore[call-arg]
    return sign(body, by.device, by.world.network)


def forged_by_host(by: Person, booking: Booking, cls: type[T], issued: int, **fields: Any) -> Record[T]:
    """The next record of a host's chain, at any time it likes."""
    host_fields = booking.set.host_fields(issued) | {"issued": issued}
    return sign(cls(**host_fields, **fields), by.device, by.world.network)


def exchange(booking: bytes, *records: Record[Any], known: int = 0) -> bytes:
    """A message with these records of its sender."""
    return wire.write(wire.Exchange(booking=booking, records=tuple(one.raw for one in records), known=known))
