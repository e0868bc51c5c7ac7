"""Whose charger a quote is asked for (one that a search found, or before which the driver stands), and what
comes of asking."""

from __future__ import annotations

from dataclasses import dataclass, field

from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.records import Quote
from chargemesh_protocol.booking.walk_in import WalkInLink
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.discovery.search import FoundListing
from chargemesh_protocol.errors import ExitCode, PersonError, Refused
from chargemesh_protocol.identity import Directory, Scope
from chargemesh_protocol.place import region_of
from chargemesh_protocol.record import Record, open_as

from .ports import Network

QUOTE_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Target:
    """What a question for a price, and then a booking, need to know. secret: of the charger's code, where it
    was read."""

    host: bytes
    charger: bytes
    contact: Contact
    region: int
    title: str
    zone: str
    secret: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Offer:
    """A quote as the driver got it, with what booking it needs."""

    record: Record[Quote]
    bundle: bytes
    target: Target


def of_listing(found: FoundListing) -> Target:
    body = found.record.body
    return Target(body.author, body.charger, body.contact, region_of(body.cell), body.about.title, body.zone)


def of_code(link: WalkInLink, network: str) -> Target:
    """PersonError where the code is of another network than ours."""
    if link.network != network:
        raise PersonError(
            "other-network",
            f"This charger belongs to the network {link.network}, and this node to {network}.",
            "A home of its own can join that one: `chargemesh --home DIR init --network NAME`.",
            ExitCode.USAGE,
        )
    return Target(link.host, link.charger, link.contact, link.region, link.title, link.zone, link.secret)


async def ask_offer(
    network: Network,
    directory: Directory,
    network_id: str,
    target: Target,
    start: int,
    end: int,
    energy_wh: int,
) -> Offer:
    """What the host answers to a question for a price, checked. PersonError if it refuses, NetworkError if
    it is away."""
    ask = wire.AskQuote(charger=target.charger, start=start, end=end, energy_wh=energy_wh)
    body = wire.write(ask)
    answer = await network.request(target.contact, wire.PROTOCOL, body, timeout=QUOTE_TIMEOUT_S)
    try:
        given = wire.read_as(wire.QuoteGiven, answer)
        directory.learn(given.bundle)
        quote = open_as(Quote, given.quote, network_id)
        directory.authorise(quote, target.host, Scope.LIST)
        said = (quote.body.author, quote.body.charger, quote.body.start, quote.body.end)
        if said != (target.host, ask.charger, ask.start, ask.end):
            raise Refused("mismatch", "the quote is not for what was asked")
    except Refused as refused:
        raise PersonError(
            refused.code,
            f"The host does not offer that: {refused.message}.",
            "Try another time or another charger.",
            ExitCode.REJECTED_BY_PEER,
        ) from refused
    return Offer(quote, given.bundle, target)
