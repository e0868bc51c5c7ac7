"""The node itself: who it is, whom it knows, what it keeps, and every bound on what strangers can send."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypedDict

from chargemesh_protocol import limits as bounds
from chargemesh_protocol.contact import Contact

from ..backup import is_read_only
from ..extensions import Extension, installed
from ..invite import Invite, make_link, qr_text
from ..node import Node
from .chargers import is_listed, superseded_at
from .mailbox import MailboxView, mailbox_view
from .values import UTC, Instant, instant

if TYPE_CHECKING:
    from ..app import App

_INVITED_PEERS = 3  # beside ourselves: enough to get in when we are away


class Peer(TypedDict):
    """Where a node answers. Contacting it shows it our IP address."""

    peer_id: str
    addresses: list[str]


class Identity(TypedDict):
    """author: the identity, 32 bytes. device: the key that signs for it. peer_id: the transport key's."""

    author: str
    device: str
    peer_id: str
    addresses: list[str]
    network: str


class Counts(TypedDict):
    peers: int
    neighbours: int
    chargers: int
    listed: int
    superseded: int
    calendars_failing: int
    bookings: int
    open_bookings: int
    listings_kept: int
    own_entries: int
    entries_waiting: int
    undelivered: int


class ClockView(TypedDict):
    """ok: whether the clock can be believed; while it can't, nothing is signed and `reason` is a sentence.
    peers_heard: peers whose clocks it was compared with in the last hour."""

    ok: bool
    reason: str
    peers_heard: int


class ExtensionView(TypedDict):
    """An entry point of another package. what: record kind, wallbox driver or payment rail. fault: why it
    can't be used, empty if it can."""

    what: str
    name: str
    package: str
    version: str
    fault: str


class Status(TypedDict):
    """read_only: restored, and not yet sure of its own newest log entry. limits: see `limits.py`.
    network_pid: of the network process, null while there is none; it is started again by itself."""

    version: str
    pid: int
    network_pid: int | None
    identity: Identity
    home: str
    started: Instant
    now: Instant
    read_only: bool
    clock: ClockView
    mailbox: MailboxView
    counts: Counts
    phone: str
    extensions: list[ExtensionView]
    counters: dict[str, int]
    limits: dict[str, int]


class Peers(TypedDict):
    """peers: connected now. neighbours: found on the local network."""

    us: Peer
    peers: list[Peer]
    neighbours: list[Peer]


class InviteView(TypedDict):
    """link: for `chargemesh join`. qr_terminal: the same as a QR code in characters."""

    link: str
    qr_terminal: str


def identity(app: App) -> Identity:
    contact = app.node.network.contact
    return {
        "author": app.node.me.author.hex(),
        "device": app.keys.device_key.hex(),
        "peer_id": contact.peer_id,
        "addresses": list(contact.addresses),
        "network": app.node.me.network,
    }


def status(app: App, version: str) -> Status:
    node = app.node
    return {
        "version": version,
        "pid": os.getpid(),
        "network_pid": getattr(app.node.network, "pid", None),  # simulated networks have no process
        "identity": identity(app),
        "home": str(app.home.root),
        "started": instant(app.started_at, UTC),
        "now": instant(node.clock.now(), UTC),
        "read_only": is_read_only(app.home),
        "clock": _clock(node),
        "mailbox": mailbox_view(node),
        "counts": _counts(app),
        "phone": app.config.phone.address,
        "extensions": [_extension(one) for one in installed().found],
        "counters": _counters(node),
        "limits": {name: value for name, value in sorted(vars(bounds).items()) if isinstance(value, int)},
    }


def peers(app: App) -> Peers:
    return {
        "us": peer(app.node.network.contact),
        "peers": [peer(one) for one in app.node.network.peers()],
        "neighbours": [peer(one) for one in _neighbours(app)],
    }


def peer(contact: Contact) -> Peer:
    return {"peer_id": contact.peer_id, "addresses": list(contact.addresses)}


def invite(node: Node) -> InviteView:
    """Ourselves first, then peers that could stand in for us; PersonError if nobody could be dialled."""
    known = [node.network.contact, *node.network.peers()]
    dialled = tuple(one for one in known if one.addresses)[: 1 + _INVITED_PEERS]
    link = make_link(Invite(node.me.network, dialled))
    return {"link": link, "qr_terminal": qr_text(link)}


def _extension(one: Extension) -> ExtensionView:
    return {
        "what": one.what,
        "name": one.name,
        "package": one.package,
        "version": one.version,
        "fault": one.fault,
    }


def _clock(node: Node) -> ClockView:
    verdict = node.clock_verdict()
    return {
        "ok": verdict.trusted,
        "reason": verdict.reason,
        "peers_heard": len(node.clocks.offsets()),
    }


def _counts(app: App) -> Counts:
    node, now = app.node, app.node.clock.now()
    engine = node.runner.engine
    bookings = engine.ledger.overview(now).values()
    chargers = engine.listings.all_settings()
    return {
        "peers": len(node.network.peers()),
        "neighbours": len(_neighbours(app)),
        "chargers": len(chargers),
        "listed": sum(is_listed(node, one.charger) for one in chargers),
        "superseded": sum(bool(superseded_at(node, one.charger)) for one in chargers),
        "calendars_failing": sum(
            bool(one.busy_from and (kept := engine.imports.kept(one.charger)) and kept.fault)
            for one in chargers
        ),
        "bookings": len(bookings),
        "open_bookings": sum(not one.finished for one in bookings),
        "listings_kept": len(node.caretaker.places),
        "own_entries": engine.keeper.next - 1,
        "entries_waiting": engine.keeper.waiting,
        "undelivered": len(node.runner.outbox),
    }


def _counters(node: Node) -> dict[str, int]:
    """Everything that was dropped, refused or repeated since the start, by the part that counted it."""
    parts = {
        "node": node.counters,
        "runner": node.runner.counters,
        "caretaker": node.caretaker.counters,
        "announcer": node.announcer.counters,
        "gossip": node.gossip.counters,
        "replica": node.replica.counters,
        "bundles": node.bundles.counters,
        "peers": node.peers.counters,
        "wallboxes": node.wallboxes.counters,
        "mailboxes": node.visitor.counters,
        "mailbox-kept": {} if node.mailbox is None else node.mailbox.counters,
    }
    found = {f"{part}.{name}": count for part, counts in parts.items() for name, count in counts.items()}
    network = getattr(node.network, "counters", None)
    if callable(network):  # only the real network counts
        found |= {f"network.{name}": count for name, count in network().items()}
    return dict(sorted(found.items()))


def _neighbours(app: App) -> list[Contact]:
    return [] if app.local is None else app.local.neighbours
