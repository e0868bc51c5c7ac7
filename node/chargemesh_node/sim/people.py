"""One person of a simulated world: a node, a disk that outlives it, and perhaps a wallbox in the drive."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from chargemesh_protocol.booking.kept import Booking
from chargemesh_protocol.booking.records import CancelReason, ProblemKind
from chargemesh_protocol.booking.state import BookingState
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.events import (
    CancelBooking,
    ChangeBooking,
    ClaimPaid,
    Command,
    ConfirmPaid,
    Decide,
    OfferTerms,
    PutCharger,
    ReportProblem,
    SayFault,
    StartCharging,
    StopCharging,
    UseMailboxes,
    WriteMessage,
    WriteReview,
)
from chargemesh_protocol.identity import Bundle, create_identity, public_key, renewed
from chargemesh_protocol.listing import Need
from chargemesh_protocol.me import Me
from chargemesh_protocol.place import Point
from chargemesh_protocol.trust.drafts import delay_of
from chargemesh_protocol.trust.entries import booking_hash

from ..clock import SeededEntropy
from ..errors import NetworkError
from ..node import Node, Ports
from ..offers import Offer
from ..other_terms import OtherTerms
from ..wallbox.pool import DriverFactory
from .box import CarAndBox, SimDriver
from .disk import MemoryCache, MemoryStore
from .home import BERLIN, charger_settings
from .loop import LoopClock, SimulatedLoop
from .parcels import MemoryParcels
from .process import Process, ProcessGone, SimulatedCrash

if TYPE_CHECKING:
    from .world import World

T = TypeVar("T")
EPOCH_MS = 1_790_000_000_000  # September 2026, when simulated time begins
HOUR_MS = 3_600_000
_PATIENCE = 60  # times that a person tries the same again
YEAR_MS = 365 * 24 * HOUR_MS


class NothingFound(NetworkError):
    """A search did not show the charger that was looked for."""


class Person:
    """`points` names every instant at which this node could have died so far: at each commit and before each
    thing it sends. It dies at number `dies_at`, loses what was not synced if `power_cut`, and comes back
    after `away_s`, if that is set; `dies_again_after` so many points more it dies once more."""

    def __init__(self, world: World, name: str, skew_ms: int = 0, delegated_ms: int = YEAR_MS) -> None:
        self.world = world
        self.name = name
        self.box = CarAndBox()
        self.make_driver: DriverFactory = lambda _: SimDriver(self.box, self.box_clock, self._reach)
        self.clock = LoopClock(EPOCH_MS, skew_ms)
        self.box_clock = LoopClock(EPOCH_MS)  # a wallbox has one of its own
        self.store = MemoryStore()
        self.cache = MemoryCache(self.clock)
        self.parcels: MemoryParcels | None = None  # set before `start` for who keeps a mailbox
        self.notices: list[tuple[bytes, bytes]] = []
        self.points: list[str] = []
        self.dies_at: int | None = None
        self.dies_again_after: int | None = None
        self.power_cut = False
        self.away_s: float | None = 4.0
        self.starts = 0
        self.is_up = False
        self.device = world.draw(f"{name} device")
        self.bundle: Bundle = create_identity(
            root_seed=world.draw(f"{name} root"),
            recovery_key=public_key(world.draw(f"{name} recovery")),
            device_key=public_key(self.device),
            network=world.network,
            now=EPOCH_MS - HOUR_MS,
            life_ms=delegated_ms,
        )
        self._node: Node | None = None
        self._process = Process(name)
        self._returning: asyncio.Task[None] | None = None

    # --- life -----------------------------------------------------------------------------------

    @property
    def node(self) -> Node:
        if self._node is None:
            raise AssertionError(f"{self.name} was never started")
        return self._node

    @property
    def author(self) -> bytes:
        return self.bundle.author

    @property
    def owes(self) -> bool:
        """Whether something waits for delivery, or to be cut into the log; False for who is down."""
        return self.is_up and bool(len(self.node.runner.outbox) or self.node.runner.engine.keeper.waiting)

    async def start(self, *, read_only: bool = False) -> None:
        """Starts the node on whatever the disk holds."""
        self.starts += 1
        self._process = Process(f"{self.name} {self.starts}")
        network = self.world.internet.node(self.name, self._process)
        network.before_send = self._reach
        self.store.before_commit = lambda saves: self._reach("before commit", saves)
        self.store.before_sync = lambda saves: self._reach("before sync", saves)
        self.store.after_commit = self._committed
        self._node = Node(
            Me(self.author, self.bundle.to_bytes(), self.world.network, self.device),
            Ports(
                store=self.store,
                cache=self.cache,
                network=network,
                clock=self.clock,
                entropy=SeededEntropy(self.world.draw(f"{self.name} start {self.starts}")),
                make_driver=lambda settings: self.make_driver(settings),
                notify=self._notify,
                parcels=self.parcels,
            ),
            delay=delay_of(self.world.network),
            secret=self.world.draw(f"{self.name} walks"),
            read_only=read_only,
        )
        await self._process.run(self._node.start())
        self.is_up = True

    def falls_asleep(self) -> None:
        """The laptop is shut: nobody reaches it, and nothing goes on in it until it `wakes`."""
        self.is_up = False
        self.world.internet.nodes[self.name].vanish()
        loop = asyncio.get_running_loop()
        if not isinstance(loop, SimulatedLoop):
            raise AssertionError("only in simulated time anybody sleeps")
        loop.let_sleep(self._process)

    async def wakes(self) -> None:
        """It goes on where it stood, and finds somebody again."""
        self.is_up = True
        self.world.checkers.excuse(self)
        self._process.wake()
        await self._process.run(self.node.network.start())
        await self._finds_somebody(None)

    async def stop(self) -> None:
        self.is_up = False
        await self._process.run(self.node.close())

    def crash(self, *, power_cut: bool = False) -> None:
        """The process is gone, or the house has no power; what was durable is still there."""
        self.is_up = False
        if power_cut:
            self.store.power_cut()
        else:
            self.store.crash()
        self.world.internet.nodes[self.name].vanish()
        self.box.say = lambda report: None
        self._process.kill()

    async def restart(self, *, knows: Person | None = None) -> None:
        """The node comes back and finds somebody it had met, or `knows`."""
        await self.start()
        await self._finds_somebody(knows)

    async def _finds_somebody(self, knows: Person | None) -> None:
        others = [one for one in self.world.people.values() if one is not self and one.is_up]
        friend = knows or next(iter(others), None)
        if friend is None:
            return
        try:
            await self.connects(friend)
        except NetworkError:
            return  # cut off: the node looks for its peers by itself

    async def connects(self, other: Person) -> None:
        await self._process.run(self.node.network.connect(other.node.network.contact))

    async def renews_delegation(self) -> None:
        """The device key may sign for another year, as from now; told to the node if it runs."""
        self.bundle = renewed(
            self.bundle,
            root_seed=self.world.draw(f"{self.name} root"),
            device_key=public_key(self.device),
            network=self.world.network,
            now=self.clock.now(),
        )
        if self.is_up:
            await self.asks(self.node.delegated(self.bundle.to_bytes()))

    async def asks(self, work: Coroutine[Any, Any, T]) -> T:
        """Has this person's node do something; ProcessGone if it dies over it."""
        return await self._process.run(work)

    def _reach(self, what: str, saves: object = ()) -> None:
        """An instant at which the node may die. Called in its process, so that the crash ends the caller."""
        if not self._process.alive:
            raise SimulatedCrash(f"{self.name} is dead already")
        self.points.append(what)
        if len(self.points) - 1 == self.dies_at:
            died_at, self.dies_at = self.dies_at, None
            if self.dies_again_after is not None:
                self.dies_at, self.dies_again_after = len(self.points) + self.dies_again_after, None
            self.crash(power_cut=self.power_cut)
            if self.away_s is not None:
                self._returning = asyncio.get_running_loop().create_task(
                    self._come_back(), context=self.world.context
                )
            raise SimulatedCrash(f"{self.name} died at {died_at}, {what}")

    async def _come_back(self) -> None:
        await asyncio.sleep(self.away_s or 0)
        try:
            await self.restart()
        except ProcessGone:
            return  # it died again, and will come back again

    def _committed(self, saves: Any) -> None:
        self.world.checkers.committed(self, saves)
        self._reach("after commit")

    async def _notify(self, key: bytes, body: bytes) -> None:
        self._reach("notify")
        self.notices.append((key, body))

    # --- what people do -------------------------------------------------------------------------

    async def does(self, command: Command) -> Any:
        """Gives a command once. PersonError as at home, ProcessGone if the node dies over it."""
        return await self.asks(self.node.command(command))

    async def insists(self, make: Callable[[], Coroutine[Any, Any, Any]], done: Callable[[], bool]) -> None:
        """Does it again until it is done, as a person does whose node fell over meanwhile."""
        last: BaseException | None = None
        for _ in range(_PATIENCE):
            await self.world.until(lambda: self.is_up, 120, f"{self.name} is up")
            if done():
                return
            try:
                await make()
            except (ProcessGone, NetworkError) as error:
                last = error
            except PersonError as error:
                if error.code not in ("store", "unavailable"):
                    raise
                last = error
            await self.world.pass_time(seconds=1)
        raise AssertionError(f"seed {self.world.seed}: {self.name} gave up: {last}")

    async def uses_mailbox(self, *volunteers: Person) -> None:
        """From now on parcels for this node are left there."""
        chosen = []
        for one in volunteers:
            if one.node.mailbox is None:
                raise AssertionError(f"{one.name} keeps no mailbox")
            chosen.append((one.node.network.contact, one.node.mailbox.signer))
        await self.does(UseMailboxes(tuple(chosen)))

    async def offers(self, *, at: Point = BERLIN, **changes: Any) -> bytes:
        """Offers a charger that strangers may book at once; returns its id."""
        settings = replace(charger_settings(self.world.draw(f"{self.name} charger")[:16], at), **changes)
        await self.does(PutCharger(settings))
        return settings.charger

    async def finds(
        self, *, near: Point = BERLIN, radius_m: float = 3000, need: Need | None = None
    ) -> list[Any]:
        """What a search shows in the end."""

        async def search() -> list[Any]:
            async with self.node.find(near, radius_m, need or Need()) as found:
                return await found.all()

        return await self.asks(search())

    async def gets_quote(self, host: Person, *, starts_in_h: float = 0, hours: float = 2) -> Offer:
        """Finds the host's charger and asks what it costs."""
        found = await self.finds()
        listing = next((one for one in found if one.record.body.author == host.author), None)
        if listing is None:
            raise NothingFound(f"{self.name} does not find {host.name} among {len(found)}")
        start = self.clock.now() + round(starts_in_h * HOUR_MS)
        return await self.asks(self.node.ask_quote(listing, start, start + round(hours * HOUR_MS), 10_000))

    async def takes(self, offer: Offer, *, wait_h: float = 1) -> bytes:
        """Books what was offered; the host's answer comes in its own time."""
        result = await self.asks(self.node.book(offer.record.id, wait_ms=round(wait_h * HOUR_MS)))
        return bytes.fromhex(result["booking"])

    async def books(self, host: Person, *, starts_in_h: float = 0, hours: float = 2) -> bytes:
        return await self.takes(await self.gets_quote(host, starts_in_h=starts_in_h, hours=hours))

    async def accepts(self, booking: bytes) -> None:
        await self.does(Decide(booking, True))

    async def declines(self, booking: bytes) -> None:
        await self.does(Decide(booking, False))

    async def offers_terms(self, booking: bytes, **wanted: Any) -> None:
        """The host offers other terms: start, end (unix ms), text."""
        await self.does(OfferTerms(booking, **wanted))

    async def asks_terms(self, booking: bytes, *, later_h: float = 0, longer_h: float = 0) -> OtherTerms:
        """What it would cost to move a booking by so many hours, and to make it longer by so many."""
        now = self.state(booking).quote
        start = now.start + round(later_h * HOUR_MS)
        end = now.end + round((later_h + longer_h) * HOUR_MS)
        return await self.asks(self.node.terms.ask(self.booking(booking), now, start, end, None))

    async def changes(self, terms: OtherTerms) -> None:
        """Asks for those terms."""
        await self.does(ChangeBooking(terms.booking, terms.quote.raw))

    async def says_fault(self, booking: bytes, problem: ProblemKind, text: str = "") -> None:
        await self.does(SayFault(booking, problem, text))

    async def cancels(self, booking: bytes, reason: CancelReason) -> Any:
        return await self.does(CancelBooking(booking, reason))

    async def starts_charging(self, booking: bytes) -> None:
        await self.does(StartCharging(booking))

    async def stops_charging(self, booking: bytes) -> None:
        await self.does(StopCharging(booking))

    async def pays(self, booking: bytes) -> None:
        await self.does(ClaimPaid(booking, "manual", "in cash"))

    async def confirms(self, booking: bytes) -> None:
        await self.does(ConfirmPaid(booking))

    async def reviews(self, booking: bytes, stars: int, text: str = "") -> None:
        await self.does(WriteReview(booking, stars, text))

    async def writes(self, booking: bytes, text: str) -> None:
        await self.does(WriteMessage(booking, text))

    async def reports(self, booking: bytes, problem: ProblemKind, text: str = "") -> None:
        await self.does(ReportProblem(booking, problem, text))

    # --- what people see ------------------------------------------------------------------------

    def has_reviewed(self, booking: bytes) -> bool:
        """Whether the own log holds a review of this booking."""
        receipt, keeper = self.state(booking).receipt, self.node.runner.engine.keeper
        return (
            receipt is not None
            and keeper.has_reviewed(booking_hash(booking, receipt.id))
            and not keeper.waiting
        )

    def knows_booking(self, booking: bytes) -> bool:
        return self.is_up and booking in self.node.runner.engine.ledger.known()

    def sees(self, booking: bytes, what: Callable[[BookingState], Any]) -> bool:
        """Whether this node is up, has that booking, and `what` is so of its state."""
        return self.knows_booking(booking) and bool(what(self.state(booking)))

    def booking(self, booking: bytes) -> Booking:
        """As `Runner.booking`, but at once."""
        ledger = self.node.runner.engine.ledger
        if booking not in ledger.resting:
            return ledger.require(booking)
        return ledger.rebuilt(booking, self.store.durable_booking(booking))

    def bookings(self) -> list[Booking]:
        """All of them, those at rest as well."""
        return [self.booking(one) for one in self.node.runner.engine.ledger.known()]

    def state(self, booking: bytes) -> BookingState:
        return self.booking(booking).state(self.clock.now())
