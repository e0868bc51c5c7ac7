"""Asking a host what a slot costs, and keeping the answers until one is taken."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.records import Quote
from chargemesh_protocol.discovery.search import FoundListing
from chargemesh_protocol.errors import ExitCode, PersonError, Refused
from chargemesh_protocol.events import Book
from chargemesh_protocol.identity import Directory, Scope
from chargemesh_protocol.record import Record, open_as

from .ports import Network
from .targets import Target

QUOTE_TIMEOUT_S = 10.0
_MAX_KEPT = 256


@dataclass(frozen=True, slots=True)
class Offer:
    """A quote as the driver got it, with what booking it needs."""

    record: Record[Quote]
    bundle: bytes
    target: Target

    def taking(self, wait_ms: int, vehicle: str | None, plug: str | None) -> Book:
        """The command that takes it."""
        target = self.target
        return Book(
            quote=self.record.raw,
            host_bundle=self.bundle,
            to=target.contact,
            region=target.region,
            title=target.title,
            zone=target.zone,
            wait_ms=wait_ms,
            vehicle=vehicle,
            plug=plug,
            walk_in=target.secret,
        )


class QuotesAsked:
    """Offers by the id of their quote."""

    def __init__(self, network: Network, directory: Directory, network_id: str) -> None:
        self._network = network
        self._directory = directory
        self._network_id = network_id
        self._kept: OrderedDict[bytes, Offer] = OrderedDict()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._kept)

    async def ask(self, target: Target, start: int, end: int, energy_wh: int) -> Offer:
        """PersonError if the host refuses, NetworkError if it is away."""
        ask = wire.AskQuote(charger=target.charger, start=start, end=end, energy_wh=energy_wh)
        answer = await self._network.request(
            target.contact, wire.PROTOCOL, wire.write(ask), timeout=QUOTE_TIMEOUT_S
        )
        try:
            given = wire.read_as(wire.QuoteGiven, answer)
            quote = opened(given, ask, target.host, self._directory, self._network_id)
        except Refused as refused:
            raise PersonError(
                refused.code,
                f"The host does not offer that: {refused.message}.",
                "Try another time or another charger.",
                ExitCode.REJECTED_BY_PEER,
            ) from refused
        offer = Offer(quote, given.bundle, target)
        self._kept[quote.id] = offer
        if len(self._kept) > _MAX_KEPT:
            self._kept.popitem(last=False)
        return offer

    def standing(self, listing: FoundListing, start: int, end: int, now: int) -> Offer | None:
        """The newest for that slot whose quote has not expired."""
        wanted = (*listing.key, start, end)
        known = []
        for one in self._kept.values():
            quote = one.record.body
            if (quote.author, quote.charger, quote.start, quote.end) == wanted and quote.expires > now:
                known.append(one)
        return max(known, key=lambda one: one.record.body.issued, default=None)

    def require(self, quote: bytes) -> Offer:
        """The offer with that quote; PersonError where it is not known here."""
        offer = self._kept.get(quote)
        if offer is None:
            raise PersonError(
                "no-such-quote", "This quote is not known here.", "Ask for a new one.", ExitCode.NOT_FOUND
            )
        return offer


def opened(
    given: wire.QuoteGiven, ask: wire.AskQuote, host: bytes, directory: Directory, network_id: str
) -> Record[Quote]:
    """The quote of an answer; Refused unless it is that host's, and for what was asked."""
    directory.learn(given.bundle)
    quote = open_as(Quote, given.quote, network_id)
    directory.authorise(quote, host, Scope.LIST)
    body = quote.body
    if (body.author, body.charger, body.start, body.end) != (host, ask.charger, ask.start, ask.end):
        raise Refused("mismatch", "the quote is not for what was asked")
    return quote
