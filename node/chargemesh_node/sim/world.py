"""A world of simulated nodes: the real `Node` on modelled ports, with people who act like a story.

    world = World(seed=7)
    alice, bob = await world.add("alice"), await world.add("bob")
    await alice.offers()
    booking = await bob.books(alice)

Everything that happens follows from the seed; a failing run is replayed by it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from chargemesh_protocol.booking.ledger import Booking
from chargemesh_protocol.booking.state import BookingState
from chargemesh_protocol.chargers import (
    DEFAULT_STRANGER_RULES,
    ChargerSettings,
    Home,
    WallboxSettings,
)
from chargemesh_protocol.events import PutCharger
from chargemesh_protocol.identity import Bundle, create_identity, public_key
from chargemesh_protocol.listing import (
    About,
    BookingRules,
    Connector,
    ConnectorFormat,
    Need,
    ParkingType,
    PowerType,
)
from chargemesh_protocol.me import Me
from chargemesh_protocol.place import Point
from chargemesh_protocol.schedule import always_open
from chargemesh_protocol.tariff import simple_tariff
from chargemesh_protocol.terms import Terms
from chargemesh_protocol.trust.drafts import delay_of

from ..clock import SeededEntropy
from ..node import Node, Offer, Ports
from .box import CarAndBox, SimDriver
from .disk import MemoryCache, MemoryStore, SimulatedCrash
from .loop import LoopClock
from .network import SimulatedInternet

EPOCH_MS = 1_790_000_000_000  # September 2026, when simulated time begins
HOUR_MS = 3_600_000
BERLIN = Point(52.52, 13.405)
_YEAR_MS = 365 * 24 * HOUR_MS


class World:
    """Nodes, the internet between them, and simulated time."""

    def __init__(self, seed: int, *, network: str = "chargemesh-test-sim") -> None:
        self.seed = seed
        self.network = network
        self.internet = SimulatedInternet(seed)
        self.people: dict[str, Person] = {}

    async def add(self, name: str, *, skew_ms: int = 0, knows: Person | None = None) -> Person:
        """A new person with a node that is up; connected to `knows`, by default to whoever came first."""
        person = Person(self, name, skew_ms)
        await person.start()
        friend = knows or next(iter(self.people.values()), None)
        self.people[name] = person
        if friend is not None:
            await person.node.network.connect(friend.node.network.contact)
        return person

    def draw(self, label: str) -> bytes:
        """32 bytes of this world's seed for one purpose."""
        return hashlib.blake2b(f"{self.seed} {label}".encode(), digest_size=32).digest()

    async def pass_time(self, hours: float = 0, *, minutes: float = 0, seconds: float = 0) -> None:
        await asyncio.sleep(hours * 3600 + minutes * 60 + seconds)

    async def until(self, reached: Callable[[], bool], within_s: float, what: str) -> None:
        """Waits in simulated time; AssertionError naming `what` if it does not come about."""
        for _ in range(round(within_s * 4)):
            if reached():
                return
            await asyncio.sleep(0.25)
        raise AssertionError(f"seed {self.seed}: not within {within_s} s: {what}")

    async def end(self) -> None:
        for person in self.people.values():
            if person.is_up:
                await person.stop()


class Person:
    """Somebody with a node, a disk that outlives it, and perhaps a wallbox in the drive."""

    def __init__(self, world: World, name: str, skew_ms: int) -> None:
        self.world = world
        self.name = name
        self.box = CarAndBox()
        self.store = MemoryStore()
        self.clock = LoopClock(EPOCH_MS, skew_ms)
        self.cache = MemoryCache(self.clock)
        self.notices: list[bytes] = []
        self.device = world.draw(f"{name} device")
        self.bundle: Bundle = create_identity(
            root_seed=world.draw(f"{name} root"),
            recovery_key=public_key(world.draw(f"{name} recovery")),
            device_key=public_key(self.device),
            network=world.network,
            now=EPOCH_MS - HOUR_MS,
            life_ms=_YEAR_MS,
        )
        self.starts = 0
        self.is_up = False
        self.crashed = asyncio.Event()
        self._node: Node | None = None

    # --- life -----------------------------------------------------------------------------------

    @property
    def node(self) -> Node:
        if self._node is None:
            raise AssertionError(f"{self.name} was never started")
        return self._node

    @property
    def author(self) -> bytes:
        return self.bundle.author

    async def start(self) -> None:
        """Starts the node on whatever the disk holds."""
        self.starts += 1
        self.crashed.clear()
        network = self.world.internet.node(self.name)
        self._node = Node(
            Me(self.author, self.bundle.to_bytes(), self.world.network, self.device),
            Ports(
                store=self.store,
                cache=self.cache,
                network=network,
                clock=self.clock,
                entropy=SeededEntropy(self.world.draw(f"{self.name} start {self.starts}")),
                make_driver=lambda _: SimDriver(self.box, self.clock),
                notify=self._notify,
            ),
            delay=delay_of(self.world.network),
            secret=self.world.draw(f"{self.name} walks"),
        )
        await self._node.start()
        self.is_up = True

    async def stop(self) -> None:
        self.is_up = False
        await self.node.close()

    async def crash(self, *, power_cut: bool = False) -> None:
        """The process is gone, or the house has no power; what was durable is still there."""
        self.is_up = False
        if power_cut:
            self.store.power_cut()
        else:
            self.store.crash()
        await self._bury()

    async def restart(self) -> None:
        await self.start()
        for other in self.world.people.values():
            if other is not self and other.is_up:
                await self.node.network.connect(other.node.network.contact)
                return

    async def _bury(self) -> None:
        try:
            await self.node.close()
        except SimulatedCrash:
            await self.node.network.close()

    async def _notify(self, key: bytes, body: bytes) -> None:
        self.notices.append(body)

    # --- what people do -------------------------------------------------------------------------

    async def offers(self, *, at: Point = BERLIN, **changes: Any) -> bytes:
        """Offers a charger that strangers may book at once; returns its id."""
        settings = replace(charger_settings(self.world.draw(f"{self.name} charger")[:16], at), **changes)
        await self.node.command(PutCharger(settings))
        return settings.charger

    async def finds(
        self, *, near: Point = BERLIN, radius_m: float = 3000, need: Need | None = None
    ) -> list[Any]:
        """What a search shows in the end."""
        async with self.node.find(near, radius_m, need or Need()) as search:
            return await search.all()

    async def gets_quote(self, host: Person, *, starts_in_h: float = 0, hours: float = 2) -> Offer:
        """Finds the host's charger and asks what it costs."""
        listing = next(one for one in await self.finds() if one.record.body.author == host.author)
        start = self.clock.now() + round(starts_in_h * HOUR_MS)
        return await self.node.ask_quote(listing, start, start + round(hours * HOUR_MS), 10_000)

    async def books(self, host: Person, *, starts_in_h: float = 0, hours: float = 2) -> bytes:
        """Takes the quote; the host's answer comes in its own time."""
        offer = await self.gets_quote(host, starts_in_h=starts_in_h, hours=hours)
        result = await self.node.book(offer.record.id, wait_ms=HOUR_MS)
        return bytes.fromhex(result["booking"])

    def booking(self, booking_id: bytes) -> Booking:
        return self.node.runner.engine.ledger.require(booking_id)

    def state(self, booking_id: bytes) -> BookingState:
        return self.booking(booking_id).state(self.clock.now())


def charger_settings(charger: bytes, at: Point) -> ChargerSettings:
    """A usual home charger: 11 kW, type 2, 0.35 EUR a kWh, always open, instant for everybody."""
    return ChargerSettings(
        charger=charger,
        home=Home(
            address="12 Hidden Lane, 10115 Berlin",
            latitude=round(at.latitude * 1e6),
            longitude=round(at.longitude * 1e6),
            way="Second drive on the left.",
            code="4711",
            phone="+49 30 000000",
        ),
        resolution=7,
        connectors=(
            Connector(
                type="IEC_62196_T2",
                format=ConnectorFormat.SOCKET,
                power_type=PowerType.AC_3_PHASE,
                max_power_w=11_000,
            ),
        ),
        tariff=simple_tariff("EUR", per_kwh=350_000),
        hours=always_open("Europe/Berlin"),
        rules=BookingRules(instant=True, min_minutes=15, max_minutes=1440, lead_minutes=0, min_trust=0),
        terms=Terms(),
        about=About(
            title="Driveway",
            parking=ParkingType.ON_DRIVEWAY,
            access_method="OPEN",
            amenities=(),
            languages=("de", "en"),
        ),
        strangers=replace(DEFAULT_STRANGER_RULES, on_request=False, access_records_a_week=1000),
        access_lead_minutes=120,
        wallbox=WallboxSettings(driver="sim", password="", owner_tags=(), plug_and_charge=False),
        paused=False,
        payee_name="",
        payee_account="",
        ticket_seconds=60,
    )
