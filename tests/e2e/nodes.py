"""People with real nodes: the `Node` of `chargemesh run` on libp2p, SQLite and the machine's clock.

    async with street() as people:
        alice = await people.add("alice")
        bob = await people.add("bob", knows=alice)
        await alice.offers()
        booking = await bob.books(alice)

Only the wallbox is modelled, with a car that charges 20 times too fast, and everything is on loopback.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from chargemesh_node.clock import SystemClock, SystemEntropy
from chargemesh_node.discovery.peers import MIN_CONNECTED
from chargemesh_node.errors import NetworkError
from chargemesh_node.node import Node, Ports
from chargemesh_node.offers import Offer
from chargemesh_node.p2p.bridge import Libp2pNetwork
from chargemesh_node.p2p.limits import DEFAULT_LIMITS, NetworkLimits
from chargemesh_node.ports import Cache, Store
from chargemesh_node.sim.box import CarAndBox, SimDriver
from chargemesh_node.sim.disk import MemoryCache, MemoryStore
from chargemesh_node.sim.home import BERLIN, charger_settings
from chargemesh_node.sim.parcels import MemoryParcels
from chargemesh_node.store.cache_db import SqliteCache
from chargemesh_node.store.node_db import SqliteStore
from chargemesh_protocol.booking.kept import Booking
from chargemesh_protocol.booking.sealing import AccessRecord
from chargemesh_protocol.booking.state import BookingState
from chargemesh_protocol.booking.table import Settlement
from chargemesh_protocol.charging.reports import Reading
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.events import (
    ClaimPaid,
    ConfirmPaid,
    PutCharger,
    StartCharging,
    StopCharging,
    WriteReview,
)
from chargemesh_protocol.identity import Bundle, create_identity, public_key
from chargemesh_protocol.listing import Need
from chargemesh_protocol.me import Me
from chargemesh_protocol.place import Point
from chargemesh_protocol.trust.drafts import delay_of

from .warm import Nursery, warm_processes

HOUR_MS = 3_600_000
LIMITS = replace(DEFAULT_LIMITS, join_jitter_seconds=0.5)  # the spread is for streets after a power cut
CACHE_BYTES = 16 * 1024 * 1024
READ_EVERY_S = 0.25
_AT_ONCE = 6
POWER_W = 200_000  # 55 Wh a second: some minutes of charging until 10 kWh are reached

_networks = itertools.count(1)


def draw(label: str) -> bytes:
    """32 bytes for one purpose, the same in each run."""
    return hashlib.blake2b(f"e2e {label}".encode(), digest_size=32).digest()


class Person:
    """A person, their disk and their car, which outlive the node: it starts and stops as often as wanted."""

    def __init__(self, people: People, name: str, seed: bytes, *, sqlite: bool) -> None:
        self.name = name
        self.people = people
        self.clock = SystemClock()
        self.box = CarAndBox(power_w=POWER_W)
        self.device = draw(f"{name} device")
        self.seed = seed
        self.bundle: Bundle = create_identity(
            root_seed=draw(f"{name} root"),
            recovery_key=public_key(draw(f"{name} recovery")),
            device_key=public_key(self.device),
            network=people.network_id,
            now=self.clock.now() - HOUR_MS,
            life_ms=100 * 24 * HOUR_MS,
        )
        self.met: set[str] = set()  # every PeerId that was ever connected
        self.notices: list[bytes] = []
        self.sent: list[bytes] = []  # each frame to the network process, in clear
        self.keeps_mailbox = False  # for others, from its next start on
        self._sqlite = sqlite
        self._memory: tuple[Store, Cache] = (MemoryStore(), MemoryCache(self.clock))
        self._node: Node | None = None
        self._network: Libp2pNetwork | None = None
        self._reading: asyncio.Task[None] | None = None

    @property
    def author(self) -> bytes:
        return self.bundle.author

    @property
    def node(self) -> Node:
        assert self._node is not None, f"{self.name} is off"
        return self._node

    @property
    def network(self) -> Libp2pNetwork:
        assert self._network is not None, f"{self.name} is off"
        return self._network

    @property
    def contact(self) -> Contact:
        return self.network.contact

    # --- life -----------------------------------------------------------------------------------

    async def start(self, told: Sequence[Contact] = (), **settings: Any) -> None:
        """A new node on the same disk; `told` are the addresses it is given."""
        store, cache = self._disk()
        self._network = Libp2pNetwork(
            **{
                "seed": self.seed,
                "network_id": self.people.network_id,
                "listen": ["/ip4/127.0.0.1/tcp/0"],
                "bootstrap": list(told),
                "limits": self.people.limits,
                "tap": self.sent.append,
                "launch": self.people.nursery.launch,
            }
            | settings
        )
        self._network.on_peer(lambda contact, here: self.met.add(contact.peer_id))
        self._node = Node(
            Me(self.author, self.bundle.to_bytes(), self.people.network_id, self.device),
            Ports(
                store=store,
                cache=cache,
                network=self._network,
                clock=self.clock,
                entropy=SystemEntropy(),
                make_driver=lambda _: SimDriver(self.box, self.clock),
                notify=self._notify,
                min_peers=self.people.min_peers,
                parcels=MemoryParcels() if self.keeps_mailbox else None,
            ),
            delay=delay_of(self.people.network_id),
            secret=draw(f"{self.name} walks"),
        )
        await self._node.start()
        self._reading = asyncio.create_task(self._read_meter())

    async def stop(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._node is not None:
            await self._node.close()
        self._node = self._network = self._reading = None

    def _disk(self) -> tuple[Store, Cache]:
        if not self._sqlite:
            return self._memory
        folder = self.people.folder / self.name
        folder.mkdir(exist_ok=True)
        cache = SqliteCache(folder / "cache.db", CACHE_BYTES, self.clock)
        return SqliteStore(folder / "node.db", self.clock), cache

    async def _read_meter(self) -> None:
        """A wallbox that reads its meter more often than the modelled one would by itself."""
        while True:
            await asyncio.sleep(READ_EVERY_S)
            if self.box.running is not None:
                now = self.clock.now()
                self.box.advance(now)
                self.box.tell(
                    Reading(self.box.running.name, self.box.register_wh, 11_000, now, "Sample.Periodic")
                )

    async def _notify(self, key: bytes, body: bytes) -> None:
        self.notices.append(body)

    # --- what people do -------------------------------------------------------------------------

    async def meets(self, *others: Person) -> None:
        """Connects to others, and waits until both sides know it."""
        for other in others:
            await self.network.connect(other.contact)
            await eventually(lambda other=other: self.sees(other) and other.sees(self), "they meet")

    def sees(self, other: Person) -> bool:
        return other.contact.peer_id in {one.peer_id for one in self.network.peers()}

    def knows_nodes(self) -> int:
        """How many others are in its routing table; of 25 in the end 15 to 24."""
        return self.network.counters().get("routing_table", 0)

    async def offers(self, *, at: Point = BERLIN, **changes: Any) -> bytes:
        """Offers a charger that strangers may book at once; returns its id."""
        settings = charger_settings(draw(f"{self.name} charger")[:16], at)
        await self.node.command(PutCharger(replace(settings, **({"ticket_seconds": 1} | changes))))
        return settings.charger

    async def finds(self, near: Point = BERLIN, radius_m: float = 3000) -> list[Any]:
        """What a search shows in the end."""
        async with self.node.find(near, radius_m, Need()) as search:
            return await search.all()

    async def finds_charger_of(self, host: Person, within_s: float = 20.0) -> Any:
        """The host's listing, searched for again until it is there."""
        async with asyncio.timeout(within_s):
            while True:
                for one in await self.finds():
                    if one.record.body.author == host.author:
                        return one
                await asyncio.sleep(0.2)

    async def gets_quote(self, host: Person, *, starts_in_h: float = 0, hours: float = 0.25) -> Offer:
        start = self.clock.now() + round(starts_in_h * HOUR_MS)
        listing = await self.finds_charger_of(host)
        return await self.asks(listing, start, start + round(hours * HOUR_MS))

    async def asks(self, listing: Any, start: int, end: int) -> Offer:
        """What 10 kWh cost; asked again, as people do, where a busy machine was too slow."""
        for _ in range(2):
            try:
                return await self.node.ask_quote(listing, start, end, 10_000)
            except NetworkError:
                continue
        return await self.node.ask_quote(listing, start, end, 10_000)

    async def books(self, host: Person, *, starts_in_h: float = 0, hours: float = 0.25) -> bytes:
        """Takes the quote; the host's answer comes in its own time."""
        offer = await self.gets_quote(host, starts_in_h=starts_in_h, hours=hours)
        result = await self.node.book(offer.record.id, wait_ms=HOUR_MS)
        return bytes.fromhex(result["booking"])

    async def learns_address(self, booking: bytes) -> str:
        """The address, once the host has sent it; a booking that starts now gets it with the acceptance."""
        await eventually(lambda: self._access(booking) is not None, "the address comes")
        access = self._access(booking)
        assert access is not None
        return access.address

    def _access(self, booking: bytes) -> AccessRecord | None:
        return self.node.runner.engine.driver.access(self.booking(booking))

    async def charges(self, booking: bytes, tickets: int = 3) -> None:
        """Starts, waits for some tickets, stops, and waits until both sides have signed the receipt."""
        await self.starts(booking)
        await self.has_tickets(booking, tickets)
        await self.stops(booking)

    async def starts(self, booking: bytes) -> None:
        await self.node.command(StartCharging(booking))

    async def has_tickets(self, booking: bytes, count: int) -> None:
        await eventually(lambda: len(self.state(booking).tickets) >= count, f"{count} tickets come")

    async def stops(self, booking: bytes) -> None:
        await self.node.command(StopCharging(booking))
        await eventually(lambda: self.state(booking).agreed is not None, "both sides sign the receipt")

    async def pays(self, booking: bytes, host: Person) -> None:
        await self.node.command(ClaimPaid(booking, "manual", "cash"))
        await host.node.command(ConfirmPaid(booking))
        await eventually(lambda: self.state(booking).settlement is Settlement.PAID, "it is paid")

    async def reviews(self, booking: bytes, stars: int) -> None:
        await self.node.command(WriteReview(booking, stars, f"{stars} stars by {self.name}"))

    async def goes_through(self, host: Person, *, stars: int) -> bytes:
        """The whole job, both reviews written; the booking."""
        booking = await self.books(host)
        await self.learns_address(booking)
        await self.charges(booking)
        await self.pays(booking, host)
        await self.reviews(booking, stars)
        await host.reviews(booking, 5)
        return booking

    def booking(self, booking: bytes) -> Booking:
        return self.node.runner.engine.ledger.require(booking)

    def state(self, booking: bytes) -> BookingState:
        return self.booking(booking).state(self.clock.now())

    def thinks_of(self, other: Person) -> int:
        """The other's score, per mille."""
        return self.node.score(other.author).number


class People:
    """Everybody of one test, and the folder with their files."""

    def __init__(self, nursery: Nursery, folder: Path, limits: NetworkLimits, network_id: str) -> None:
        self.nursery = nursery
        self.folder = folder
        self.limits = limits
        self.network_id = network_id
        self.min_peers = MIN_CONNECTED  # with fewer, a node looks for others
        self.all: list[Person] = []

    def know(self, name: str, *, seed: bytes | None = None, sqlite: bool = False) -> Person:
        """A person whose node is still off."""
        person = Person(self, name, seed or draw(f"{name} transport"), sqlite=sqlite)
        self.all.append(person)
        return person

    async def add(self, name: str, *, knows: Person | None = None, sqlite: bool = False) -> Person:
        """A person whose node is up, and connected to whom it was told of."""
        person = self.know(name, sqlite=sqlite)
        await person.start([] if knows is None else [knows.contact])
        if knows is not None:
            await eventually(lambda: person.sees(knows) and knows.sees(person), "they are connected")
        return person

    async def many(self, count: int) -> tuple[Person, list[Person]]:
        """A bootstrap, and `count` others that are told of it alone; some of them start at a time."""
        bootstrap = await self.add("bootstrap")
        others = [self.know(f"other {number}") for number in range(count)]
        for first in range(0, count, _AT_ONCE):
            joining = others[first : first + _AT_ONCE]
            await asyncio.gather(*(one.start([bootstrap.contact]) for one in joining))
        return bootstrap, others

    async def end(self) -> None:
        await asyncio.gather(*(person.stop() for person in self.all))


@asynccontextmanager
async def street(limits: NetworkLimits = LIMITS, *, network_id: str = "") -> AsyncIterator[People]:
    """People on a network of their own; at the end their nodes stop."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        nursery = await stack.enter_async_context(warm_processes())
        people = People(nursery, folder, limits, network_id or f"chargemesh-test-e2e-{next(_networks)}")
        stack.push_async_callback(people.end)
        yield people


async def eventually(what: Callable[[], object], name: str, within_s: float = 20.0) -> None:
    """Waits until `what` is true; AssertionError that names it if it isn't in time."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within_s
    while not what():
        if loop.time() > end:
            raise AssertionError(f"not within {within_s:g} s: {name}")
        await asyncio.sleep(0.02)
