"""Requests on our streams, and their answers as a message and as the word that a check expects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chargemesh_protocol import identity_wire
from chargemesh_protocol.booking import wire as booking_wire
from chargemesh_protocol.discovery import wire as listing_wire
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.mailbox import wire as mailbox_wire
from chargemesh_protocol.trust import sync

from .peer import NoAnswer, Peer

BOOKING, LISTING = booking_wire.PROTOCOL, listing_wire.PROTOCOL
IDENTITY, LOG = identity_wire.PROTOCOL, sync.PROTOCOL
MAILBOX = mailbox_wire.PROTOCOL
OURS = (BOOKING, LISTING, IDENTITY, LOG)  # of every node; mailboxes are for volunteers
_READ: dict[str, Any] = {
    BOOKING: booking_wire.read,
    LISTING: listing_wire.read,
    IDENTITY: identity_wire.read,
    LOG: sync.open_catch_up,
    MAILBOX: mailbox_wire.read,
}
_WORDS: dict[type[Any], str] = {
    booking_wire.QuoteGiven: "quote-given",
    booking_wire.Exchange: "exchange",
    listing_wire.Kept: "kept",
    listing_wire.Found: "found",
    identity_wire.Given: "given",
    sync.CatchUp: "catch-up",
    mailbox_wire.Terms: "terms",
    mailbox_wire.Taken: "taken",
    mailbox_wire.Challenge: "challenge",
    mailbox_wire.Collected: "collected",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """`word`: the message's name, `failed: CODE`, `empty`, `reset`, `closed`, `silence`, or why it can't be
    read; `message` is None where there is none."""

    word: str
    message: Any = None


async def say(peer: Peer, protocol: str, body: bytes) -> Answer:
    """One request, whatever its bytes; never raises for what the node answers."""
    try:
        answer = await peer.ask(protocol, body)
    except NoAnswer as none:
        return Answer(str(none))
    return understood(protocol, answer)


def understood(protocol: str, answer: bytes) -> Answer:
    if not answer:
        return Answer("empty")
    try:
        message = _READ[protocol](answer)
    except Refused as fault:
        return Answer(f"unreadable: {fault.code}")
    if isinstance(message, booking_wire.Failed | listing_wire.Failed | mailbox_wire.Failed):
        return Answer(f"failed: {message.code}", message)
    return Answer(_WORDS.get(type(message), type(message).__name__), message)


async def booking(peer: Peer, message: Any) -> Answer:
    return await say(peer, BOOKING, booking_wire.write(message))


async def listing(peer: Peer, message: Any) -> Answer:
    return await say(peer, LISTING, listing_wire.write(message))


async def identity(peer: Peer, *authors: bytes) -> Answer:
    return await say(peer, IDENTITY, identity_wire.write(identity_wire.Get(authors=authors)))


async def mailbox(peer: Peer, message: mailbox_wire.Message) -> Answer:
    return await say(peer, MAILBOX, mailbox_wire.write(message))


async def log(peer: Peer, message: sync.CatchUp) -> Answer:
    return await say(peer, LOG, message.to_bytes())
