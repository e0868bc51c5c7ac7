"""A disk that lives in memory: Store and Cache without threads or real time, with crashes on demand.

MemoryStore keeps apart what the system was told to write and what lies on the platter: a killed process
loses nothing written, a power cut loses what was not yet synced. A commit goes through three instants, each
with a hook that may raise SimulatedCrash: before anything is written, written but not synced, and durable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from chargemesh_protocol.booking.rows import AT_REST, ID_BYTES, OF_BOOKINGS, BookingRows
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.effects import (
    AddRecord,
    DropBooking,
    DropDocument,
    DropOutbox,
    HoldSlot,
    PutDocument,
    PutOutbox,
    ReleaseSlot,
    Save,
)
from chargemesh_protocol.listing import Need

from ..errors import SlotTaken, StoreError, StoreFull
from ..ports import CachedListing, CachedWithdrawal, Clock, Loaded, OutboxRow
from ..store.cache_rows import MAX_PEERS, coarser_cells, index_cells
from .process import SimulatedCrash

CommitHook = Callable[[Sequence[Save]], None]
_RowKey = tuple[str, bytes]


def _nothing(saves: Sequence[Save]) -> None:
    """The hook of a disk on which nothing happens."""


@dataclass(slots=True)
class _Tables:
    """The same tables as node.db."""

    documents: dict[str, dict[bytes, bytes]] = field(default_factory=dict)
    records: dict[bytes, dict[bytes, bytes]] = field(default_factory=dict)
    slots: dict[bytes, HoldSlot] = field(default_factory=dict)
    outbox: dict[_RowKey, OutboxRow] = field(default_factory=dict)

    def check(self, saves: Sequence[Save]) -> None:
        """SlotTaken or StoreError if `saves` can't be applied; changes nothing."""
        slots = self.slots
        if any(isinstance(save, HoldSlot | ReleaseSlot) for save in saves):
            slots = dict(slots)
        for save in saves:
            match save:
                case HoldSlot(charger, booking, start, end):
                    if start >= end:
                        raise StoreError("a slot ends after its start")
                    for other in slots.values():
                        overlaps = other.start < end and start < other.end
                        if other.charger == charger and other.booking != booking and overlaps:
                            raise SlotTaken("this time of the charger is reserved by another booking")
                    slots[booking] = save
                case ReleaseSlot(booking):
                    slots.pop(booking, None)

    def apply(self, saves: Sequence[Save]) -> None:
        for save in saves:
            match save:
                case PutDocument(collection, key, value):
                    self.documents.setdefault(collection, {})[key] = value
                case DropDocument(collection, key):
                    self.documents.get(collection, {}).pop(key, None)
                case AddRecord(booking, id, raw):
                    self.records.setdefault(booking, {}).setdefault(id, raw)
                case DropBooking(booking):
                    self.records.pop(booking, None)
                case HoldSlot(booking=booking):
                    self.slots[booking] = save
                case ReleaseSlot(booking):
                    self.slots.pop(booking, None)
                case PutOutbox(channel, key, expires, body, not_before):
                    self.outbox[(channel, key)] = OutboxRow(channel, key, body, expires, 0, not_before)
                case DropOutbox(channel, key):
                    self.outbox.pop((channel, key), None)

    def reschedule(self, row: OutboxRow) -> None:
        """Leaves a row alone that has been replaced meanwhile."""
        old = self.outbox.get((row.channel, row.key))
        if old is not None and (old.body, old.expires) == (row.body, row.expires):
            self.outbox[(row.channel, row.key)] = row

    def loaded(self, rescheduled: Mapping[_RowKey, OutboxRow], resting: bool = False) -> Loaded:
        """Copies, in the order in which node.db yields them; retries that wait in memory are seen. `resting`:
        with the rows of bookings at rest."""
        left_out = set() if resting else set(self.documents.get(AT_REST, {}))
        outbox = _Tables(outbox=dict(self.outbox))
        for row in rescheduled.values():
            outbox.reschedule(row)
        return Loaded(
            {name: found for name in sorted(self.documents) if (found := self._documents(name, left_out))},
            {booking: dict(found) for booking, found in self.records.items() if booking not in left_out},
            sorted(self.slots.values(), key=lambda slot: (slot.charger, slot.start)),
            [row for _, row in sorted(outbox.outbox.items())],
        )

    def _documents(self, name: str, left_out: set[bytes]) -> dict[bytes, bytes]:
        found = sorted(self.documents[name].items())
        return {
            key: value
            for key, value in found
            if name not in OF_BOOKINGS or not left_out or key[:ID_BYTES] not in left_out
        }

    def booking(self, booking: bytes) -> BookingRows:
        documents: dict[str, dict[bytes, bytes]] = {}
        for name in OF_BOOKINGS:
            for key, value in sorted(self.documents.get(name, {}).items()):
                if key[:ID_BYTES] == booking:
                    documents.setdefault(name, {})[key] = value
        return BookingRows(documents, dict(self.records.get(booking, {})))


class MemoryStore:
    """Store for simulations. It outlives the node that uses it: `crash` or `power_cut`, then `open` again.

    before_commit, before_sync, after_commit: called with the saves, at the instants named above. A hook
    that raises SimulatedCrash ends this run of the store: every call raises it until the next `open`.
    before_commit may also raise a StoreError: then that commit fails and the store goes on.
    full: while True, commits raise StoreFull. sync_seconds: (virtual) time that a commit takes.
    commits: how many were durable so far, over all runs.
    """

    def __init__(self, *, sync_seconds: float = 0.0) -> None:
        self.before_commit: CommitHook = _nothing
        self.before_sync: CommitHook = _nothing
        self.after_commit: CommitHook = _nothing
        self.full = False
        self.commits = 0
        self._sync_seconds = sync_seconds
        self._synced = _Tables()
        self._written: list[Sequence[Save]] = []
        self._rescheduled: dict[_RowKey, OutboxRow] = {}
        self._turn = asyncio.Lock()
        self._is_open = False
        self._run = 0
        self._dead: BaseException | None = None

    async def open(self) -> Loaded:
        """As node.db does, it makes durable what a killed process left written but not synced."""
        self._turn = asyncio.Lock()  # the old one may be held by a task that the crash took away
        self._dead, self._is_open = None, True
        self._run += 1
        self._sync()
        return await self.load()

    async def load(self) -> Loaded:
        self._require_open()
        return self._synced.loaded(self._rescheduled)

    async def booking(self, booking: bytes) -> BookingRows:
        self._require_open()
        return self.durable_booking(booking)

    async def commit(self, saves: Sequence[Save]) -> None:
        if not saves:
            return
        async with self._turn:
            self._call(self.before_commit, saves)
            self._require_open()
            if self.full:
                raise StoreFull("no room on the simulated disk")
            self._take_rescheduled()
            self._synced.check(saves)
            self._written.append(tuple(saves))
            self._call(self.before_sync, saves)
            await self._wait_for_sync()
            self._sync()
            self.commits += 1
            self._call(self.after_commit, saves)

    async def reschedule(self, row: OutboxRow) -> None:
        self._require_open()
        self._rescheduled[(row.channel, row.key)] = row

    async def close(self) -> None:
        if self._is_open and self._dead is None:
            self._take_rescheduled()
        self._is_open = False

    def durable(self) -> Loaded:
        """All that lies on the platter at this instant, for whoever checks it from outside."""
        return self._synced.loaded({}, resting=True)

    def durable_booking(self, booking: bytes) -> BookingRows:
        return self._synced.booking(booking)

    def crash(self) -> None:
        """kill -9: what was written stays, even if not synced; what waited in memory is gone."""
        self._rescheduled.clear()
        self._is_open = False
        self._dead = self._dead or SimulatedCrash("the process was killed")

    def power_cut(self) -> None:
        """As `crash`, and what was written but not synced is gone too."""
        self.crash()
        self._written.clear()

    async def _wait_for_sync(self) -> None:
        run = self._run
        try:
            await asyncio.sleep(self._sync_seconds)
        except asyncio.CancelledError:
            if run == self._run and self._dead is None:
                self._sync()  # the disk goes on with what it was told, whoever waits for it
            raise
        self._require_open()
        if run != self._run:
            raise SimulatedCrash("this commit belongs to a process that was killed")

    def _call(self, hook: CommitHook, saves: Sequence[Save]) -> None:
        self._require_open()
        try:
            hook(saves)
        except SimulatedCrash as crash:
            self._dead = crash
            raise

    def _require_open(self) -> None:
        if self._dead is not None:
            raise self._dead
        if not self._is_open:
            raise StoreError("the store is not open")

    def _sync(self) -> None:
        for saves in self._written:
            self._synced.apply(saves)
        self._written.clear()

    def _take_rescheduled(self) -> None:
        for row in self._rescheduled.values():
            self._synced.reschedule(row)
        self._rescheduled.clear()


class MemoryCache:
    """Cache for simulations: at most `max_rows` listings, and as many entries; the oldest go first."""

    def __init__(self, clock: Clock, *, max_rows: int = 100_000) -> None:
        self._clock = clock
        self._max_rows = max_rows
        self._listings: dict[tuple[bytes, bytes], CachedListing] = {}
        self._withdrawals: dict[tuple[bytes, bytes], CachedWithdrawal] = {}
        self._entries: dict[bytes, tuple[bytes, str]] = {}
        self._bundles: dict[bytes, bytes] = {}
        self._peers: dict[str, tuple[int, Contact]] = {}

    async def open(self) -> None:
        """Nothing to do; what an earlier run of the node kept is still there."""

    async def put_listing(self, row: CachedListing) -> None:
        key = (row.author, row.charger)
        old = self._listings.get(key)
        if old is not None and row.sequence < old.sequence:
            return
        self._listings[key] = row
        self._withdrawals.pop(key, None)
        if len(self._listings) > self._max_rows:
            del self._listings[min(self._listings, key=lambda one: self._listings[one].expires)]

    async def listing(self, author: bytes, charger: bytes) -> CachedListing | None:
        return self._listings.get((author, charger))

    async def all_listings(self) -> list[CachedListing]:
        return list(self._listings.values())

    async def put_withdrawal(self, row: CachedWithdrawal) -> None:
        await self.drop_listing(row.author, row.charger)
        self._withdrawals[row.author, row.charger] = row

    async def withdrawal(self, author: bytes, charger: bytes) -> CachedWithdrawal | None:
        return self._withdrawals.get((author, charger))

    async def withdrawals(self) -> list[CachedWithdrawal]:
        return list(self._withdrawals.values())

    async def drop_listing(self, author: bytes, charger: bytes) -> None:
        self._listings.pop((author, charger), None)
        self._withdrawals.pop((author, charger), None)

    async def listings(self, cells: Sequence[int], need: Need, limit: int) -> list[CachedListing]:
        wanted, coarser, now = set(cells), set(coarser_cells(cells)), self._clock.now()
        found = [
            row
            for row in self._listings.values()
            if row.expires > now
            and _fits(row, need)
            and (row.cell in coarser or not wanted.isdisjoint(index_cells(row.cell)))
        ]
        return sorted(found, key=lambda row: (not row.proven, row.price))[:limit]

    async def put_entries(self, rows: Sequence[tuple[bytes, bytes]], block: str = "") -> None:
        for id_, raw in rows:
            self._entries.setdefault(id_, (raw, block))
        while len(self._entries) > self._max_rows:
            del self._entries[next(iter(self._entries))]

    async def drop_entries(self, ids: Sequence[bytes]) -> None:
        for id_ in ids:
            self._entries.pop(id_, None)

    async def entries(self) -> list[tuple[bytes, str]]:
        return list(self._entries.values())

    async def put_bundle(self, author: bytes, bundle: bytes) -> None:
        self._bundles[author] = bundle

    async def bundles(self) -> list[bytes]:
        return list(self._bundles.values())

    async def put_peer(self, contact: Contact, seen: int) -> None:
        if seen >= self._peers.get(contact.peer_id, (seen, contact))[0]:
            self._peers[contact.peer_id] = (seen, contact)
        if len(self._peers) > MAX_PEERS:
            del self._peers[min(self._peers, key=lambda one: self._peers[one][0])]

    async def peers(self, limit: int) -> list[Contact]:
        newest = sorted(self._peers.values(), key=lambda one: one[0], reverse=True)
        return [contact for _, contact in newest[:limit]]

    async def close(self) -> None:
        """Nothing to do: the rows outlive the node that used them."""


def _fits(row: CachedListing, need: Need) -> bool:
    return (
        (need.connector is None or need.connector in row.connectors)
        and (need.min_power_w is None or row.max_power_w >= need.min_power_w)
        and (need.max_price is None or row.price <= need.max_price)
    )
