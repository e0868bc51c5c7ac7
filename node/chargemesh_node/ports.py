"""The outside world as the node sees it: one small Protocol for each thing that can be real or simulated."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chargemesh_protocol.booking.imported import BusyFound
from chargemesh_protocol.booking.rows import BookingRows
from chargemesh_protocol.charging.reports import WallboxReport, WallboxStatus
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.discovery.places import Source
from chargemesh_protocol.effects import (
    AuthoriseTag,
    HoldSlot,
    Mail,
    Parcel,
    Save,
    StartWallbox,
    StopWallbox,
    Tell,
)
from chargemesh_protocol.listing import Need
from chargemesh_protocol.mailbox.places import HeldRow


class Clock(Protocol):
    def now(self) -> int:
        """Unix milliseconds, UTC."""
        ...


class Entropy(Protocol):
    def bytes(self, n: int) -> bytes:
        """`n` bytes that no one can predict (in a simulation: that one seed gives)."""
        ...


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is at the other end of a stream: the transport key that Noise proved, and where it connects from.

    `block` is the IPv4 /24 or IPv6 /48 of the connected peer as text; on loopback and link-local
    addresses each PeerId is a block of its own (`peer:<PeerId>`).
    """

    peer_id: str
    block: str


RequestHandler = Callable[[Caller, bytes], Awaitable[bytes]]
GossipHandler = Callable[[Caller, bytes], bool | None]
PeerHandler = Callable[[Contact, bool], None]


class Network(Protocol):
    @property
    def contact(self) -> Contact:
        """Our transport PeerId and where it answers."""
        ...

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def serve(self, protocol: str, handler: RequestHandler) -> None:
        """Answers `protocol`; call before `start`. Bodies are at most MAX_MESSAGE_BYTES."""
        ...

    async def request(self, to: Contact, protocol: str, body: bytes, *, timeout: float = 5.0) -> bytes:
        """The response, or a NetworkError: Unreachable, TimedOut or RefusedByPeer."""
        ...

    async def closest(self, key: bytes, count: int = 8) -> list[Contact]:
        """Nodes nearest to `key` by Kademlia, nearest first, ourselves included where we belong."""
        ...

    async def publish(self, topic: str, data: bytes) -> None: ...

    async def subscribe(self, topic: str, handler: GossipHandler) -> None:
        """`handler` says whether a message is valid: only then is it forwarded. None: it is not, and nobody
        is to blame, since an honest peer can send it (stale, specs/08, K7). It must not raise."""
        ...

    async def unsubscribe(self, topic: str) -> None:
        """Hears and forwards no more of `topic`."""
        ...

    async def connect(self, to: Contact) -> None: ...

    def peers(self) -> list[Contact]: ...

    def address_block(self, peer_id: str) -> str:
        """Where a connected peer is, as a Caller's `block`: never by the addresses that it claims."""
        ...

    def on_peer(self, handler: PeerHandler) -> None:
        """Called with True when a peer connects and False when it goes."""
        ...


Room = Callable[[], Coroutine[Any, Any, None]]


async def always_room() -> None:
    """The Room of a listener that takes in every report at once."""


class WallboxDriver(Protocol):
    """One charger's control, whatever speaks to it. Errors are WallboxError(code, message)."""

    async def start(self, report: Callable[[WallboxReport], None], room: Room = always_room) -> None:
        """`report` must not block. A driver awaits `room` before it takes a start or an end from its box."""
        ...

    async def close(self) -> None: ...

    async def authorise(self, tag: str, until: int | None) -> None:
        """Lets `tag` charge until that instant (unix ms); None withdraws it."""
        ...

    async def remote_start(self, tag: str, connector: int) -> None: ...

    async def remote_stop(self, session: str) -> None: ...

    async def limit_power(self, watts: int | None) -> None: ...

    async def unlock(self, connector: int) -> None: ...

    @property
    def status(self) -> WallboxStatus: ...


class BusyReader(Protocol):
    """Reads a host's other calendar, wherever that is and whatever it holds, without stalling the node."""

    async def __call__(self, source: str, zone: str, start: int, end: int) -> BusyFound:
        """The busy times in [start, end), unix ms; times without a zone are those of `zone`. CalendarError
        says why it can't be read."""
        ...


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A delivery that is owed (see `PutOutbox`). `attempts` and `next_try` survive a restart."""

    channel: str
    key: bytes
    body: bytes
    expires: int
    attempts: int = 0
    next_try: int = 0


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a store holds, as the engine is built from it: everything but the rows of bookings at rest, those
    with a document AT_REST, which `Store.booking` reads one by one.

    documents: collection -> key -> value. records: booking -> id -> raw record, in order of arrival.
    slots by charger and start, outbox by channel and key.
    """

    documents: Mapping[str, Mapping[bytes, bytes]]
    records: Mapping[bytes, Mapping[bytes, bytes]]
    slots: Sequence[HoldSlot]
    outbox: Sequence[OutboxRow]


class Store(Protocol):
    """What must never be lost. One writer; errors are StoreError (StoreFull, SlotTaken)."""

    async def open(self) -> Loaded: ...

    async def load(self) -> Loaded:
        """The state as of the last commit, again: to rebuild an engine whose commit failed."""
        ...

    async def booking(self, booking: bytes) -> BookingRows:
        """The rows of one booking as of the last commit, at rest or not; none if there is no such booking."""
        ...

    async def commit(self, saves: Sequence[Save]) -> None:
        """All of `saves` or none, durable (fsync) when it returns; cancelled, it may or may not be done.

        A booking has one slot: a second HoldSlot of the same booking moves it.
        """
        ...

    async def reschedule(self, row: OutboxRow) -> None:
        """Writes a row's `attempts` and `next_try` if it still stands (same body and expiry).

        Not durable at once: a crash forgets it, and the delivery is tried earlier than planned.
        """
        ...

    async def close(self) -> None: ...


class Performer(Protocol):
    """What the runner asks for after a commit. Every call must be quick or start work of its own."""

    async def deliver(self, parcel: Parcel) -> bytes:
        """Sends to a peer and returns its answer; DeliveryError (a NetworkError) if there was none."""
        ...

    async def hand_in(self, mail: Mail) -> tuple[int, bytes]:
        """Which copy a volunteer took, and its signed word; DeliveryError if none was taken."""
        ...

    async def notify(self, key: bytes, body: bytes) -> None:
        """DeliveryError if the person's webhook or command did not take it."""
        ...

    def wallbox(self, effect: StartWallbox | StopWallbox | AuthoriseTag) -> None: ...

    def announce(self, charger: bytes) -> None: ...

    def entries_cut(self, raws: Sequence[bytes]) -> None: ...

    def tell(self, event: Tell) -> None: ...


class ParcelStore(Protocol):
    """What a volunteer holds for others; errors are StoreError (StoreFull). One caller at a time."""

    async def open(self) -> list[HeldRow]:
        """Every parcel held since the last run."""
        ...

    async def put(self, row: HeldRow, sealed: bytes, replaces: bytes | None) -> None:
        """Durable when it returns; the parcel whose hash is `replaces` goes in the same step."""
        ...

    async def get(self, parcels: Sequence[bytes]) -> dict[bytes, bytes]:
        """The sealed bytes of those hashes that are there."""
        ...

    async def drop(self, parcels: Sequence[bytes]) -> None: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class CachedListing:
    """A listing as a caretaker keeps it: the signed bytes, and the columns a query needs."""

    author: bytes
    charger: bytes
    sequence: int
    cell: int
    listing: bytes
    renewal: bytes
    bundle: bytes
    expires: int  # when it is no longer shown: the earlier of its own end and the renewal's
    connectors: tuple[str, ...]
    max_power_w: int
    price: int  # cheapest kWh, micro-units
    proven: bool  # its author has a completed pair
    source: Source  # whose quota it counts to


@dataclass(frozen=True, slots=True)
class CachedWithdrawal:
    """That a charger was withdrawn. Kept while an older listing of it could be shown to us again."""

    author: bytes
    charger: bytes
    sequence: int
    id: bytes  # of the record
    root: int  # its cell of resolution 4
    ends: int
    source: Source
    raw: bytes  # the record, for whoever is refused over it


class Cache(Protocol):
    """Others' listings and log entries: batched, bounded, disposable. Loss costs a catch-up, nothing else."""

    async def open(self) -> None: ...

    async def put_listing(self, row: CachedListing) -> None:
        """Keeps a listing, replacing that of the same author and charger unless it has a higher sequence."""
        ...

    async def listing(self, author: bytes, charger: bytes) -> CachedListing | None:
        """The listing kept of that charger; a renewal is put with it again."""
        ...

    async def put_withdrawal(self, row: CachedWithdrawal) -> None:
        """Keeps a withdrawal in the place of the charger's listing; a newer listing takes its place again."""
        ...

    async def withdrawal(self, author: bytes, charger: bytes) -> CachedWithdrawal | None:
        """The withdrawal kept of that charger."""
        ...

    async def withdrawals(self) -> list[CachedWithdrawal]:
        """Every withdrawal kept."""
        ...

    async def drop_listing(self, author: bytes, charger: bytes) -> None:
        """Forgets the listing of that charger, or its withdrawal."""
        ...

    async def listings(self, cells: Sequence[int], need: Need, limit: int) -> list[CachedListing]:
        """Unexpired listings whose public cell is one of `cells`, lies within one or holds one (by H3 index),
        fitting connector, power and price; proven ones first, then the cheapest."""
        ...

    async def all_listings(self) -> list[CachedListing]:
        """Every listing kept: a caretaker that starts again counts its places from them."""
        ...

    async def put_entries(self, rows: Sequence[tuple[bytes, bytes]], block: str = "") -> None:
        """Log entries as (id, raw with attachment) that came from one address block; known ids are left
        alone."""
        ...

    async def drop_entries(self, ids: Sequence[bytes]) -> None:
        """Forgets these entries: their log lost its place."""
        ...

    async def entries(self) -> list[tuple[bytes, str]]:
        """Every log entry kept, in order of arrival, and the block it came from."""
        ...

    async def put_bundle(self, author: bytes, bundle: bytes) -> None: ...

    async def bundles(self) -> list[bytes]: ...

    async def put_peer(self, contact: Contact, seen: int) -> None: ...

    async def peers(self, limit: int) -> list[Contact]:
        """Contacts that worked, the latest first."""
        ...

    async def close(self) -> None: ...
