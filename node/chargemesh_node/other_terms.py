"""Asking a host what other terms for a booking would cost, and keeping the answers until one is taken."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.extension import is_extension
from chargemesh_protocol.booking.kept import Booking
from chargemesh_protocol.booking.records import Quote
from chargemesh_protocol.errors import ExitCode, PersonError, Refused
from chargemesh_protocol.identity import Directory, Scope
from chargemesh_protocol.record import Record, open_as

from .ports import Network

_MAX_KEPT = 64  # answers that a person looks at; the oldest go first
_TIMEOUT_S = 10.0
_MOST_WH = 1_000_000


@dataclass(frozen=True, slots=True)
class OtherTerms:
    """booking: whose terms they would be. asked_end: may be later than the quote's, which is the latest that
    can be had."""

    booking: bytes
    quote: Record[Quote]
    asked_end: int


class TermsAsked:
    """Prices of changes, by the id of their quote."""

    def __init__(self, network: Network, directory: Directory, network_id: str) -> None:
        self._network = network
        self._directory = directory
        self._network_id = network_id
        self._kept: OrderedDict[bytes, OtherTerms] = OrderedDict()

    async def ask(
        self, booking: Booking, now: Quote, start: int, end: int, energy_wh: int | None
    ) -> OtherTerms:
        """PersonError if the host refuses, NetworkError if it is away. energy_wh None: as now, and in
        proportion for a longer time."""
        energy = _in_proportion(now, start, end) if energy_wh is None else energy_wh
        ask = wire.AskQuote(
            charger=now.charger, start=start, end=end, energy_wh=min(energy, _MOST_WH), booking=booking.id
        )
        answer = await self._network.request(
            booking.file.peer, wire.PROTOCOL, wire.write(ask), timeout=_TIMEOUT_S
        )
        try:
            given = wire.read_as(wire.QuoteGiven, answer)
            self._directory.learn(given.bundle)
            quote = open_as(Quote, given.quote, self._network_id)
            self._directory.authorise(quote, booking.host, Scope.LIST)
            _require_as_asked(quote.body, ask, booking, now)
        except Refused as refused:
            raise PersonError(
                refused.code,
                f"The host does not offer that: {refused.message}.",
                "Try another time.",
                ExitCode.REJECTED_BY_PEER,
            ) from refused
        terms = OtherTerms(booking.id, quote, end)
        self._kept[quote.id] = terms
        if len(self._kept) > _MAX_KEPT:
            self._kept.popitem(last=False)
        return terms

    def require(self, booking: bytes, quote: bytes) -> OtherTerms:
        """What was asked for that booking; PersonError where it is not known here."""
        found = self._kept.get(quote)
        if found is None or found.booking != booking:
            raise PersonError(
                "no-such-quote", "This quote is not known here.", "Ask for a new one.", ExitCode.NOT_FOUND
            )
        return found


def _in_proportion(now: Quote, start: int, end: int) -> int:
    longer = max(end - start, now.end - now.start)
    return -(-now.energy_wh * longer // (now.end - now.start))


def _require_as_asked(quote: Quote, ask: wire.AskQuote, booking: Booking, now: Quote) -> None:
    first = booking.quote.body
    if (quote.charger, quote.one_time_key) != (first.charger, first.one_time_key):
        raise Refused("mismatch", "the quote was not made for this booking")
    shorter = is_extension(now, ask.start, quote.end) and quote.end < ask.end
    if quote.start != ask.start or not (quote.end == ask.end or shorter):
        raise Refused("mismatch", "the quote is not for what was asked")
