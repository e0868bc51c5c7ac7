"""Many drivers at one host: a hundred whom it knows, each with a slot of its own, and fifty for one slot.

The host is a whole node (libp2p, SQLite) whose drivers have charged there before. A driver here is the same
engine, with its messages on real streams; a few network processes carry those of all.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

from chargemesh_node.clock import SystemClock, SystemEntropy
from chargemesh_node.errors import NetworkError
from chargemesh_node.p2p.bridge import Libp2pNetwork
from chargemesh_node.sim.home import BERLIN, charger_settings
from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.rules import Standing
from chargemesh_protocol.booking.table import Reservation
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.engine import Engine, EngineState
from chargemesh_protocol.events import Book, ParcelAnswered, PutCharger
from chargemesh_protocol.identity import Directory
from chargemesh_protocol.me import Me
from chargemesh_protocol.moment import Moment
from chargemesh_protocol.place import region_of
from chargemesh_protocol.trust.drafts import delay_of
from tests.benchmarks.booking import NETWORK, SLOT_MS, node_of
from tests.benchmarks.years import Years

DRIVERS = 100
FOR_ONE_SLOT = 50
LINES = 5  # network processes for all drivers: one may send a burst of 100 messages
AT_ONCE = 4  # of one of them, whose streams a host bounds as those of one peer
CHARGER = b"bench-charger-02"
_ASK_SECONDS, _TRIES, _AGAIN_AFTER_S = 30.0, 5, 0.2


def measure() -> dict[str, Any]:
    """Seconds from the first question to the last answer, those of CPU that the host and all its drivers
    needed for it (they share a process here), and who won."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> dict[str, Any]:
    clock = SystemClock()
    (folder / "host").mkdir()
    host = node_of(folder / "host", b"h")
    years = Years(host.me, clock.now(), most=DRIVERS, drivers=DRIVERS)
    await asyncio.to_thread(years.fill, folder / "host" / "node.db", DRIVERS)
    await host.start()
    lines = [await _line(number) for number in range(LINES)]
    try:
        settings = charger_settings(CHARGER, BERLIN)
        await host.command(PutCharger(settings))
        for line in lines:
            await line.connect(host.network.contact)
        region = region_of(settings.cell)
        turns = [asyncio.Semaphore(AT_ONCE) for _ in lines]
        guests = [
            Guest(me, lines[number % LINES], turns[number % LINES], host.network.contact, region)
            for number, me in enumerate(years.drivers)
        ]
        first = clock.now() - clock.now() % SLOT_MS + 2 * SLOT_MS
        began, cpu = time.perf_counter(), time.process_time()
        booked = await asyncio.gather(
            *(one.books(first + number * SLOT_MS) for number, one in enumerate(guests))
        )
        all_booked, all_cpu = time.perf_counter() - began, time.process_time() - cpu
        contested = first + (DRIVERS + 4) * SLOT_MS
        quotes = [await one.asks(contested) for one in guests[:FOR_ONE_SLOT]]
        await asyncio.sleep(4.0)  # what may be sent in a burst is there again
        began, cpu = time.perf_counter(), time.process_time()
        won = await asyncio.gather(*(one.takes(quote) for one, quote in zip(guests, quotes, strict=False)))
        one_slot, one_cpu = time.perf_counter() - began, time.process_time() - cpu
        return {
            "known_drivers": DRIVERS,
            "booked": sum(booked),
            "all_booked_s": round(all_booked, 2),
            "all_booked_cpu_s": round(all_cpu, 2),
            "for_one_slot": FOR_ONE_SLOT,
            "winners": sum(won),
            "one_winner_s": round(one_slot, 2),
            "one_winner_cpu_s": round(one_cpu, 2),
        }
    finally:
        for line in lines:
            await line.close()
        await host.close()


class Guest:
    """One driver: an engine whose parcels are carried by a network that it shares."""

    def __init__(
        self, me: Me, network: Libp2pNetwork, turn: asyncio.Semaphore, host: Contact, region: int
    ) -> None:
        self._network = network
        self._turn = turn
        self._host = host
        self._region = region
        self._clock, self._entropy = SystemClock(), SystemEntropy()
        nobody = Standing(known=False, trust=0, unpaid=False)
        self._engine = Engine(
            me,
            Directory(NETWORK),
            EngineState({}, {}, ()),
            network.contact,
            lambda _: nobody,
            delay_of(NETWORK),
        )

    async def books(self, start: int) -> bool:
        return await self.takes(await self.asks(start))

    async def asks(self, start: int) -> wire.QuoteGiven:
        ask = wire.AskQuote(charger=CHARGER, start=start, end=start + SLOT_MS, energy_wh=1000)
        return wire.read_as(wire.QuoteGiven, await self._send(wire.write(ask)))

    async def takes(self, given: wire.QuoteGiven) -> bool:
        """Whether the booking is confirmed once the host has answered."""
        command = Book(given.quote, given.bundle, self._host, self._region, "", "Europe/Berlin", 60_000)
        self._engine.handle(command, self._moment())
        booking = list(self._engine.ledger)[-1]
        parcel = self._engine.parcel(booking.id, self._moment())
        assert parcel is not None
        self._engine.handle(ParcelAnswered(booking.id, await self._send(parcel.body)), self._moment())
        return booking.state(self._clock.now()).reservation is Reservation.RESERVED

    async def _send(self, body: bytes) -> bytes:
        """The host's answer; as a node does, it tries again where none came."""
        async with self._turn:
            for _ in range(_TRIES - 1):
                try:
                    return await self._ask(body)
                except NetworkError:
                    await asyncio.sleep(_AGAIN_AFTER_S)
            return await self._ask(body)

    async def _ask(self, body: bytes) -> bytes:
        return await self._network.request(self._host, wire.PROTOCOL, body, timeout=_ASK_SECONDS)

    def _moment(self) -> Moment:
        return Moment(self._clock.now(), self._entropy.bytes(32))


async def _line(number: int) -> Libp2pNetwork:
    network = Libp2pNetwork(
        seed=(b"line %d" % number).ljust(32), network_id=NETWORK, listen=["/ip4/127.0.0.1/tcp/0"]
    )
    await network.start()
    return network


if __name__ == "__main__":
    for name, value in measure().items():
        print(name, value)
