"""Making our own chargers known: to their cells' caretakers, to neighbours, and by gossip to whoever listens.

A change (a new listing or a withdrawal) goes at once to everybody who has the last one, and by gossip; whom a
look-up names beside them, eight caretakers in all, are told next. Every hour a renewal follows. Until
caretakers reconcile among themselves, renewals go to all of them as well, not to two only. The look-up is
repeated at growing intervals, since in a young or changing network others are nearest to the key by then.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from chargemesh_protocol.contact import Contact
from chargemesh_protocol.discovery import wire
from chargemesh_protocol.discovery.cells import cell_key
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.identity import Directory
from chargemesh_protocol.limits import (
    CARETAKERS,
    MAX_LISTING_LIFE_MS,
    MAX_LOCAL_PEERS,
    RENEWAL_EVERY_MS,
    RENEWAL_LIFE_MS,
)
from chargemesh_protocol.listing import Listing, Withdrawal
from chargemesh_protocol.place import region_of
from chargemesh_protocol.record import Record, open_record

from ..errors import NetworkError
from ..ports import Clock, Entropy, Network
from .gossip import ListingGossip
from .rivals import Rivals

FIRST_PAUSE_SECONDS = 4.0  # doubled each time, up to the interval of renewals
FAILED_PAUSE_SECONDS = 300.0  # at most, while a caretaker could not be told
SETTLE_SECONDS = 1.0  # where one peer comes, others are coming too
SEND_SECONDS = 5.0
MAX_KEEPERS = 64  # nodes remembered for one charger, to tell them of the next change
ROUNDS_AT_ONCE = 4  # chargers: a node that does not answer keeps only one of them waiting


@dataclass(frozen=True, slots=True)
class OwnListings:
    """Where the announcer takes what it announces from, always the newest.

    chargers: ids of all that are or were offered. newest: raw listing or withdrawal, None if there is none.
    renewal: raw, signed now, None if withdrawn. bundle: ours.
    """

    chargers: Callable[[], Iterable[bytes]]
    newest: Callable[[bytes], bytes | None]
    renewal: Callable[[bytes], bytes | None]
    bundle: Callable[[], bytes]


@dataclass(slots=True)
class Keeper:
    """One node that keeps a listing of ours, or was to: which record it has, renewed when (unix ms), and why
    it did not take the last message. superseded: the record of ours that it refused for a newer one that is
    proven (rivals.py)."""

    contact: Contact
    record: bytes | None = None
    renewed: int = 0
    error: str = ""
    superseded: bytes | None = None


@dataclass(slots=True)
class Announcement:
    """How one charger is known. `keepers`: by PeerId, ourselves and neighbours included; `caretakers`: the
    PeerIds that the last look-up named. `tried`: unix ms of the last round; `gossiped`: the record that was
    told by gossip; `round`: the one that runs."""

    charger: bytes
    record: bytes | None = None
    sequence: int = 0
    withdrawn: bool = False
    keepers: dict[str, Keeper] = field(default_factory=dict)
    caretakers: tuple[str, ...] = ()
    neighbours: tuple[str, ...] = ()
    tried: int = 0
    gossiped: bytes | None = None
    pause: float = FIRST_PAUSE_SECONDS
    next_try: float = 0.0  # loop time
    round: asyncio.Task[None] | None = None

    def note(self, *contacts: Contact) -> None:
        """These are to keep it, at these addresses."""
        for contact in contacts:
            self.keepers.setdefault(contact.peer_id, Keeper(contact)).contact = contact

    def kept_by(self) -> list[str]:
        """Caretakers (PeerIds) that have the newest record."""
        return [one for one in self.caretakers if self.keepers[one].record == self.record]

    def superseded_at(self) -> list[str]:
        """Nodes (PeerIds) that refuse our newest record for a newer one: another node signs as we do."""
        return [key for key, one in self.keepers.items() if one.superseded and one.superseded == self.record]


class Announcer:
    """`announce` on every change; everything else happens by itself. `announcements` is for `status`.

    `neighbours` gives the contacts found on the local network. Construct before the network starts.
    """

    def __init__(
        self,
        *,
        network: Network,
        gossip: ListingGossip,
        clock: Clock,
        entropy: Entropy,
        directory: Directory,
        network_id: str,
        own: OwnListings,
        neighbours: Callable[[], Iterable[Contact]] = tuple,
        logger: logging.Logger | None = None,
    ) -> None:
        self._network = network
        self._gossip = gossip
        self._clock = clock
        self._entropy = entropy
        self._network_id = network_id
        self._own = own
        self._neighbours = neighbours
        self._logger = logger or logging.getLogger(__name__)
        self.announcements: dict[bytes, Announcement] = {}
        self.counters: Counter[str] = Counter()
        self._rivals = Rivals(directory, clock, self.counters)
        self._wake = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        network.on_peer(self._peer_changed)

    async def start(self) -> None:
        """Begins with whatever is offered already."""
        for charger in self._own.chargers():
            self.announce(charger)
        self._worker = asyncio.create_task(self._work(), name="announcer")

    async def close(self) -> None:
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        rounds = [one.round for one in self.announcements.values() if one.round is not None]
        for task in rounds:
            task.cancel()
        await asyncio.gather(*rounds, return_exceptions=True)

    def announce(self, charger: bytes) -> None:
        """The charger's listing changed, or it was withdrawn: it is told at once."""
        announcement = self.announcements.setdefault(charger, Announcement(charger))
        announcement.pause = FIRST_PAUSE_SECONDS
        announcement.next_try = 0.0
        if announcement.round is not None:
            announcement.round.cancel()  # it tells what is no longer true
        self._wake.set()

    def neighbour_found(self, contact: Contact) -> None:
        """Somebody on the local network announced itself: it is told within a second, if it wasn't yet."""
        soon = asyncio.get_running_loop().time() + SETTLE_SECONDS
        for announcement in self.announcements.values():
            keeper = announcement.keepers.get(contact.peer_id)
            if (keeper is None or keeper.record != announcement.record) and announcement.next_try > soon:
                announcement.next_try = soon
                self._wake.set()

    def _peer_changed(self, contact: Contact, connected: bool) -> None:
        """With the first peers, what nobody could be told so far is told again without waiting."""
        if not connected:
            return
        soon = asyncio.get_running_loop().time() + SETTLE_SECONDS
        for announcement in self.announcements.values():
            others = [one for one in announcement.kept_by() if one != self._network.contact.peer_id]
            if not others and announcement.next_try > soon:
                announcement.pause = FIRST_PAUSE_SECONDS
                announcement.next_try = soon
                self._wake.set()

    # --- rounds -----------------------------------------------------------------------------------

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            resting = [one for one in self.announcements.values() if one.round is None]
            places = ROUNDS_AT_ONCE - (len(self.announcements) - len(resting))
            resting.sort(key=lambda one: one.next_try)
            for announcement in resting[:places]:
                if announcement.next_try <= loop.time():
                    self._begin(announcement)
            later = [one.next_try for one in resting if one.round is None] if places > 0 else []
            try:
                async with asyncio.timeout_at(min(later, default=None)):
                    await self._wake.wait()
            except TimeoutError:
                pass

    def _begin(self, announcement: Announcement) -> None:
        announcement.round = asyncio.create_task(self._round(announcement), name="announcement")
        announcement.round.add_done_callback(lambda _: self._over(announcement))

    def _over(self, announcement: Announcement) -> None:
        announcement.round = None
        self._wake.set()

    async def _round(self, announcement: Announcement) -> None:
        """Tells everybody who lacks it, and sets when to look again."""
        announcement.tried = self._clock.now()
        announcement.next_try = asyncio.get_running_loop().time() + announcement.pause * self._jitter()
        announcement.pause = min(2 * announcement.pause, RENEWAL_EVERY_MS / 1000)
        raw = self._own.newest(announcement.charger)
        record = None if raw is None else open_record(raw, self._network_id)
        if record is None or self._is_over(record):
            del self.announcements[announcement.charger]
            return
        announcement.record, announcement.sequence = record.id, record.body.sequence
        announcement.withdrawn = isinstance(record.body, Withdrawal)
        change = self._change(announcement.charger, record)
        if change is None:
            return  # it was withdrawn just now, which is announced by itself
        self._note_neighbours(announcement)
        tried: dict[str, Contact] = {}
        telling = [
            self._tell_keepers(announcement, change, tried),
            self._tell_caretakers(announcement, record.body.cell, change, tried),
        ]
        if announcement.gossiped is not None:
            telling.append(self._tell_by_gossip(announcement, record, change))
        await asyncio.gather(*telling)
        # The first time caretakers must have it before: they pass on what is gossiped of what they keep.
        await self._tell_by_gossip(announcement, record, change)
        if len(announcement.kept_by()) < len(announcement.caretakers):
            announcement.pause = min(announcement.pause, FAILED_PAUSE_SECONDS)
        self._forget_old_keepers(announcement)

    def _is_over(self, record: Record[Listing | Withdrawal]) -> bool:
        """Whether a withdrawal has done its work: what it withdrew has expired everywhere."""
        body = record.body
        return isinstance(body, Withdrawal) and self._clock.now() >= body.issued + MAX_LISTING_LIFE_MS

    def _jitter(self) -> float:
        """0.9 to 1: a street that came back after a power cut does not stay in step for ever."""
        return 1 - self._entropy.bytes(1)[0] / 2560

    def _change(self, charger: bytes, record: Record[Listing | Withdrawal]) -> wire.Change | None:
        if isinstance(record.body, Withdrawal):
            return wire.Withdraw(withdrawal=record.raw, bundle=self._own.bundle())
        renewal = self._own.renewal(charger)
        if renewal is None:
            return None
        root = region_of(record.body.cell)
        return wire.Store(listing=record.raw, renewal=renewal, bundle=self._own.bundle(), cell=root)

    def _note_neighbours(self, announcement: Announcement) -> None:
        local = list(self._neighbours())[:MAX_LOCAL_PEERS]
        announcement.neighbours = tuple(one.peer_id for one in local)
        announcement.note(self._network.contact, *local)

    async def _tell_caretakers(
        self, announcement: Announcement, cell: int, change: wire.Change, tried: dict[str, Contact]
    ) -> None:
        """Looks up who keeps that cell now, and tells those as well."""
        try:
            found = await self._network.closest(cell_key(self._network_id, region_of(cell)), CARETAKERS)
        except NetworkError as error:
            self.counters["look-ups failed"] += 1
            self._logger.info("no caretakers found: %s", error)
            return
        announcement.caretakers = tuple(dict.fromkeys(one.peer_id for one in found))
        announcement.note(*found)
        await self._tell_keepers(announcement, change, tried)

    async def _tell_keepers(
        self, announcement: Announcement, change: wire.Change, tried: dict[str, Contact]
    ) -> None:
        """Whoever was not tried in this round, or is said to be elsewhere now."""
        keepers = [one for peer_id, one in announcement.keepers.items() if tried.get(peer_id) != one.contact]
        tried.update({one.contact.peer_id: one.contact for one in keepers})
        await asyncio.gather(*(self._tell(announcement, keeper, change) for keeper in keepers))

    async def _tell(self, announcement: Announcement, keeper: Keeper, change: wire.Change) -> None:
        """Brings one node up to date, if it isn't: a renewal if it has the listing, else all of it."""
        now = self._clock.now()
        up_to_date = keeper.record == announcement.record
        # A round a little early need not be followed by another one for the renewal alone.
        due = not announcement.withdrawn and now >= keeper.renewed + RENEWAL_EVERY_MS * 3 // 4
        if up_to_date and not (due and self._is_wanted(announcement, keeper)):
            return
        messages: list[wire.Message] = [change]
        if up_to_date and isinstance(change, wire.Store):
            author = open_record(change.listing, self._network_id).body.author
            renewal = wire.StoreRenewal(author=author, charger=announcement.charger, renewal=change.renewal)
            messages.insert(0, renewal)
        for message in messages:
            try:
                refusal = await self._send(keeper.contact, message)
            except NetworkError as error:
                self.counters["failed"] += 1
                keeper.error = f"{type(error).__name__}: {error}"
                return
            except Refused as fault:  # what it answered is no answer
                refusal = wire.failed(fault)
            if refusal is None:
                self.counters["told"] += 1
                keeper.record, keeper.renewed, keeper.error = announcement.record, now, ""
                keeper.superseded = None
                return
            # A renewal: perhaps it has lost the listing, and wants all of it.
            self.counters[f"refused:{refusal.code}"] += 1
            keeper.error = f"{refusal.code}: {refusal.message}"
            keeper.superseded = announcement.record if self._is_copied(announcement, refusal) else None

    def _is_copied(self, announcement: Announcement, refusal: wire.Failed) -> bool:
        """Whether it was refused for a newer record that this node never signed."""
        raw = self._own.newest(announcement.charger)
        ours = None if raw is None else open_record(raw, self._network_id)
        # A change of ours cancels the round before it: what is newer than the newest isn't ours.
        is_newest = ours is not None and ours.id == announcement.record
        return ours is not None and is_newest and self._rivals.supersede(ours, refusal)

    async def _send(self, to: Contact, message: wire.Message) -> wire.Failed | None:
        """Tells one node; its refusal, if it refuses. Refused if it answers neither."""
        answer = await self._network.request(to, wire.PROTOCOL, wire.write(message), timeout=SEND_SECONDS)
        told = wire.read(answer)
        if isinstance(told, wire.Failed):
            return told
        if not isinstance(told, wire.Kept):
            raise Refused("unexpected", "the peer answered something else")
        return None

    async def _tell_by_gossip(
        self, announcement: Announcement, record: Record[Listing | Withdrawal], change: wire.Change
    ) -> None:
        try:
            await self._gossip.follow_cell(record.body.cell)
            if announcement.gossiped == record.id:
                return
            await self._gossip.publish(record.body.cell, change)
            announcement.gossiped = record.id
        except NetworkError as error:
            self._logger.info("a change was not gossiped: %s", error)

    def _is_wanted(self, announcement: Announcement, keeper: Keeper) -> bool:
        """Whether it should go on keeping the listing."""
        peer_id = keeper.contact.peer_id
        ours = peer_id == self._network.contact.peer_id
        return ours or peer_id in announcement.caretakers or peer_id in announcement.neighbours

    def _forget_old_keepers(self, announcement: Announcement) -> None:
        """Who is no caretaker any more is still told of changes for as long as it shows what it has."""
        now = self._clock.now()
        for peer_id, keeper in list(announcement.keepers.items()):
            shows = keeper.record is not None and now < keeper.renewed + RENEWAL_LIFE_MS
            crowded = len(announcement.keepers) > MAX_KEEPERS
            if not self._is_wanted(announcement, keeper) and (not shows or crowded):
                del announcement.keepers[peer_id]
