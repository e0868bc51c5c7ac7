"""Everything of a node above its ports, put together in one place: real and simulated nodes alike.

`app` gives it real sockets, files and clocks, `sim.world` modelled ones; nothing in here knows which.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.rules import Standing
from chargemesh_protocol.clock import ClockVerdict
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.discovery.search import FoundListing
from chargemesh_protocol.effects import AuthoriseTag, Mail, Parcel, StartWallbox, StopWallbox, Tell
from chargemesh_protocol.engine import Engine, EngineState
from chargemesh_protocol.errors import PersonError, Refused
from chargemesh_protocol.events import (
    Command,
    ContactChanged,
    MessageReceived,
    OwnLogFound,
    WallboxRemembered,
)
from chargemesh_protocol.identity import Directory
from chargemesh_protocol.listing import Need
from chargemesh_protocol.me import Me
from chargemesh_protocol.place import Point
from chargemesh_protocol.series.commands import StartSeries
from chargemesh_protocol.trust.drafts import BatchDelay
from chargemesh_protocol.trust.score import Score

from .bundles import Bundles
from .bus import EventBus
from .discovery.allowance import Allowance
from .discovery.announcer import Announcer, OwnListings
from .discovery.caretaker import Caretaker
from .discovery.finder import Finder, Search
from .discovery.gossip import ListingGossip
from .discovery.peers import MIN_CONNECTED, PeerBook
from .ics.watch import BusyWatch
from .mailbox.keeper import MailboxKeeper
from .mailbox.visits import Visitor, hand_in
from .offers import Offer, QuotesAsked
from .other_terms import TermsAsked
from .peer_clocks import PeerClocks
from .ports import BusyReader, Cache, Caller, Clock, Entropy, Loaded, Network, ParcelStore, Store
from .replica import LogReplica
from .reputation import Opinion
from .runner import Runner
from .series import SeriesKeeper
from .targets import Target, of_listing
from .wallbox.pool import DriverFactory, WallboxPool

_log = logging.getLogger(__name__)

MESSAGES_PER_SECOND, MESSAGES_BURST = 20.0, 100.0  # booking messages of one address block
_MAX_FOUND = 2000


@dataclass(frozen=True, slots=True)
class Ports:
    """The outside world of one node."""

    store: Store
    cache: Cache
    network: Network
    clock: Clock
    entropy: Entropy
    make_driver: DriverFactory
    notify: Callable[[bytes, bytes], Any]  # async (key, body); DeliveryError if it was not taken
    neighbours: Callable[[], Iterable[Contact]] = tuple
    told: Sequence[Contact] = ()  # bootstrap peers
    min_peers: int = MIN_CONNECTED
    read_busy: BusyReader | None = None  # None: nobody's calendar is read
    parcels: ParcelStore | None = None  # a disk for others' parcels: set where this node keeps a mailbox
    max_parcel_bytes: int = 256 * 1024 * 1024


class Node:
    """One node. Commands go through `command`, everything else happens by itself."""

    def __init__(
        self, me: Me, ports: Ports, *, delay: BatchDelay, secret: bytes, read_only: bool = False
    ) -> None:
        """`secret` (32 bytes, kept with the keys) makes this node's walks its own."""
        self.me = me
        self.ports = ports
        self.clock = ports.clock
        self.network = ports.network
        self.directory = Directory(me.network)
        self.directory.learn(me.bundle)
        self.events = EventBus()
        self.offers = QuotesAsked(ports.network, self.directory, me.network)
        self.terms = TermsAsked(ports.network, self.directory, me.network)
        self.found: OrderedDict[bytes, FoundListing] = OrderedDict()
        self.rows: list[bytes] = []  # what the last search showed, in order
        self._delay, self._read_only = delay, read_only
        self._contact = ports.network.contact
        self._allowance = Allowance(ports.clock, MESSAGES_PER_SECOND, MESSAGES_BURST)
        self.counters: dict[str, int] = {}
        shared: dict[str, Any] = {"network": ports.network, "clock": ports.clock}
        named = {**shared, "network_id": me.network}
        self.bundles = Bundles(**shared, cache=ports.cache, directory=self.directory)
        self.clocks = PeerClocks(**shared)
        self.replica = LogReplica(
            **named,
            clocks=self.clocks,
            cache=ports.cache,
            entropy=ports.entropy,
            bundles=self.bundles,
            author=me.author,
        )
        self.opinion = Opinion(me.author, secret, self.replica, ports.clock)
        self.caretaker = Caretaker(
            **shared,
            cache=ports.cache,
            entropy=ports.entropy,
            directory=self.directory,
            proven=self.opinion.proven,
        )
        self.gossip = ListingGossip(**named, caretaker=self.caretaker)
        self.finder = Finder(
            **named,
            caretaker=self.caretaker,
            gossip=self.gossip,
            directory=self.directory,
            proven=self.opinion.proven,
            neighbours=ports.neighbours,
        )
        self.peers = PeerBook(
            **shared,
            cache=ports.cache,
            entropy=ports.entropy,
            told=ports.told,
            minimum=ports.min_peers,
        )
        self.runner = Runner(ports.store, ports.clock, ports.entropy, self._build, self)
        self.visitor = Visitor(**shared, runner=self.runner, ready=self.replica.restored)
        self.mailbox = _keeper(ports, secret, me.network)
        self.clocks.trusted = lambda: self.runner.is_running and self.clock_verdict().trusted
        self.announcer = Announcer(
            **named,
            gossip=self.gossip,
            entropy=ports.entropy,
            directory=self.directory,
            own=OwnListings(self._own_chargers, self._newest, self._renewal, lambda: self.me.bundle),
            neighbours=ports.neighbours,
        )
        self.wallboxes = WallboxPool(ports.make_driver, self.runner.submit, ports.clock)
        self.busy = BusyWatch(ports.read_busy, self.runner, ports.clock)
        self.series = SeriesKeeper(
            **named, runner=self.runner, directory=self.directory, find=self.finder.find
        )
        ports.network.serve(wire.PROTOCOL, self._answer)
        ports.network.on_peer(self._peer_changed)

    # --- life -----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Loads what is kept, joins the network, begins to serve."""
        await self.ports.cache.open()
        await self.network.start()
        self._contact = self.network.contact
        await self.runner.start()
        if self.mailbox is not None:
            await self.mailbox.start()
        await self.visitor.start()
        await self.bundles.start()
        await self.replica.start(self.runner.engine.keeper.raw_entries)
        await self.caretaker.start()
        await self.gossip.start()
        await self._keep_wallboxes()
        await self.announcer.start()
        await self.peers.start()
        await self.clocks.start(self.replica.catch_ups.with_peer)
        self.busy.start()
        self.series.start()

    async def close(self) -> None:
        for part in (
            self.series,
            self.busy,
            self.visitor,
            self.clocks,
            self.peers,
            self.announcer,
            self.finder,
            self.wallboxes,
            self.gossip,
            self.caretaker,
            self.replica,
            self.runner,
        ):
            await part.close()
        if self.mailbox is not None:
            await self.mailbox.close()
        await self.network.close()
        await self.ports.cache.close()

    @property
    def contact(self) -> Contact:
        """Where we answer, as our listings say it."""
        return self._contact

    async def contact_changed(self, contact: Contact) -> None:
        """Our addresses or our transport key changed: the listings must say so."""
        self._contact = contact
        await self.runner.submit(ContactChanged(contact))

    def neighbour_found(self, contact: Contact) -> None:
        """Somebody announced itself on the local network."""
        self.announcer.neighbour_found(contact)
        self.peers.neighbour_found(contact)

    def clock_verdict(self) -> ClockVerdict:
        """Whether our clock can be believed, and so anything be signed."""
        return self.runner.engine.clock.judge(self.clock.now())

    async def delegated(self, bundle: bytes) -> None:
        """Our delegation was renewed while we run: from now on others are shown this bundle."""
        self.me = replace(self.me, bundle=bundle)
        await self.runner.build_again()

    async def adopt_own_log(self, peers: int = 3) -> bool:
        """Asks peers for our own newest entry after a restore; True once one has told all it has.

        From then on the node signs again, after what was found. PersonError if histories differ.
        """
        await self.replica.restored.wait()
        if not await self.replica.catch_ups.with_some(peers):
            return False
        await self.go_on_unasked()
        return True

    async def go_on_unasked(self) -> None:
        """Ends the silence of a restored node with what it knows: its log could fork, but listings go on
        above what was published, and each booking waits until its other side was heard. PersonError as
        above."""
        await self.runner.submit(OwnLogFound(self.replica.logs))
        self._read_only = False  # an engine that is built again must not forget it
        await self.wallboxes.restart()  # what boxes said meanwhile was heard by nobody
        await self._keep_wallboxes()

    # --- what a person asks ---------------------------------------------------------------------

    async def command(self, command: Command) -> Any:
        """Does what a person asked and returns the result as plain values; PersonError if it can't be."""
        result = await self.runner.command(command)
        self.series.look()
        await self._keep_wallboxes()
        return result

    def find(self, point: Point, radius_m: float, need: Need, *, limit: int = 100) -> Search:
        """Searches; iterate over it. What was found can then be quoted by its charger."""
        return self.finder.find(point, radius_m, need, limit=limit)

    def remember(self, found: FoundListing) -> bytes:
        """Keeps a search result so that it can be quoted; returns its short id (8 bytes)."""
        short = found.record.id[:8]
        self.found[short] = found
        self.found.move_to_end(short)
        if len(self.found) > _MAX_FOUND:
            self.found.popitem(last=False)
        return short

    async def ask_quote(self, listing: FoundListing, start: int, end: int, energy_wh: int) -> Offer:
        """Asks the host what a slot costs. PersonError if the host refuses, NetworkError if it is away."""
        return await self.ask_target(of_listing(listing), start, end, energy_wh)

    async def ask_target(self, target: Target, start: int, end: int, energy_wh: int) -> Offer:
        """The same of a charger that was found, or that the driver stands before."""
        return await self.offers.ask(target, start, end, energy_wh)

    async def book(
        self, quote_id: bytes, *, wait_ms: int, vehicle: str | None = None, plug: str | None = None
    ) -> Any:
        """Takes an offer; the booking's id comes back at once, the host's answer later."""
        return await self.command(self.offers.require(quote_id).taking(wait_ms, vehicle, plug))

    async def book_weekly(
        self,
        quote_id: bytes,
        *,
        wait_ms: int,
        vehicle: str | None = None,
        plug: str | None = None,
        **repeats: Any,
    ) -> Any:
        """Takes it as the first of a series; `repeats`: weekdays, last, count, at_most of `StartSeries`."""
        offer = self.offers.require(quote_id)
        taking = offer.taking(wait_ms, vehicle, plug)
        return await self.command(StartSeries(taking, offer.target.cell, **repeats))

    def score(self, author: bytes) -> Score:
        """What this node thinks of somebody, with the reasons."""
        return self.opinion.score(author, self.runner.engine.keeper.evidence())

    # --- the runner's performer -----------------------------------------------------------------

    async def deliver(self, parcel: Parcel) -> bytes:
        return await self.network.request(parcel.to, parcel.protocol, parcel.body)

    async def hand_in(self, mail: Mail) -> tuple[int, bytes]:
        return await hand_in(self.network, mail)

    async def notify(self, key: bytes, body: bytes) -> None:
        await self.ports.notify(key, body)

    def wallbox(self, effect: StartWallbox | StopWallbox | AuthoriseTag) -> None:
        self.wallboxes.perform(effect)

    def announce(self, charger: bytes) -> None:
        self.announcer.announce(charger)

    def entries_cut(self, raws: Sequence[bytes]) -> None:
        self.replica.publish(raws)

    def tell(self, event: Tell) -> None:
        # Logs are shown to others, and a whole booking id is a secret (specs/05, B18).
        _log.info("%s %s", event.name, str(event.facts.get("booking", event.facts.get("charger", "")))[:16])
        self.events.tell(event)

    # --- inside ---------------------------------------------------------------------------------

    def _build(self, loaded: Loaded) -> Engine:
        state = EngineState(loaded.documents, loaded.records, loaded.slots)
        return Engine(
            self.me,
            self.directory,
            state,
            self._contact,
            self._standing,
            self._delay,
            read_only=self._read_only,
            peer_offsets=self.clocks.offsets,
        )

    def _standing(self, author: bytes) -> Standing:
        score = self.score(author)
        return Standing(
            known=score.own_completions > 0,
            trust=score.number,
            unpaid=False,
            with_me=score.own_completions,
            in_all=score.completions,
            vouched=self.opinion.vouched(author, self.runner.engine.keeper.evidence()),
        )

    async def _answer(self, caller: Caller, body: bytes) -> bytes:
        """A booking message of a peer. What is wrong with it is told back in one word, and counted."""
        if not self.runner.is_running:
            return wire.write(wire.Failed(code=wire.UNAVAILABLE, message="this node is starting or stopping"))
        if not self._allowance.take(caller.block):
            self._count("booking-too-often")
            return wire.write(wire.Failed(code=wire.UNAVAILABLE, message="too many messages; wait a moment"))
        try:
            if not self.replica.restored.is_set() and _asks_for_a_booking(body):
                # Who it is might be in a log that is still being read, and the rules ask for it.
                return wire.write(wire.Failed(code=wire.UNAVAILABLE, message="this node is starting"))
            return await self.runner.answer(MessageReceived(caller.peer_id, caller.block, body))
        except Refused as fault:
            self._count(f"booking-{fault.code}")
            return wire.write(wire.Failed(code=fault.code, message=fault.message[:300]))
        except PersonError as error:
            # Our disk is full, say: nothing was promised, and the peer tries again.
            self._count(f"booking-{error.code}")
            return wire.write(wire.Failed(code=wire.UNAVAILABLE, message="this node can't answer now"))

    def _peer_changed(self, contact: Contact, connected: bool) -> None:
        if connected and self.runner.is_running:
            self.runner.peer_is_back(contact.peer_id)

    def _own_chargers(self) -> Iterable[bytes]:
        return self.runner.engine.listings.known()

    def _newest(self, charger: bytes) -> bytes | None:
        return self.runner.engine.listings.newest_raw(charger)

    def _renewal(self, charger: bytes) -> bytes | None:
        engine = self.runner.engine
        if engine.keeper.read_only or not self.clock_verdict().trusted:
            return None
        renewal = engine.listings.renewal(charger, self.clock.now())
        return None if renewal is None else renewal.raw

    async def _keep_wallboxes(self) -> None:
        await self.wallboxes.keep(self.runner.engine.listings.all_settings())

    def _count(self, name: str) -> None:
        self.counters[name] = self.counters.get(name, 0) + 1


class RunnerBook:
    """What wallbox drivers remember, kept through the one writer (see `wallbox.book.SessionBook`)."""

    def __init__(self, runner: Callable[[], Runner]) -> None:
        self._runner = runner

    async def load(self, charger_id: str) -> bytes | None:
        return self._runner().engine.wallbox_memory.get(bytes.fromhex(charger_id))

    async def save(self, charger_id: str, memory: bytes) -> None:
        await self._runner().submit(WallboxRemembered(bytes.fromhex(charger_id), memory))


def _keeper(ports: Ports, secret: bytes, network_id: str) -> MailboxKeeper | None:
    """The mailbox that this node keeps for others, if it does."""
    if ports.parcels is None:
        return None
    return MailboxKeeper(
        network=ports.network,
        clock=ports.clock,
        entropy=ports.entropy,
        store=ports.parcels,
        secret=secret,
        network_id=network_id,
        max_bytes=ports.max_parcel_bytes,
    )


def _asks_for_a_booking(body: bytes) -> bool:
    message = wire.read(body)
    return isinstance(message, wire.Exchange) and message.opening is not None
