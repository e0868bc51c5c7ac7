"""Other terms of a booking as people see them: what was offered, what was asked for, what it would cost."""

from __future__ import annotations

from typing import TypedDict

from chargemesh_protocol.booking.change_text import change_waits, offer_stands
from chargemesh_protocol.booking.cost import cost_of_cancelling
from chargemesh_protocol.booking.kept import Booking
from chargemesh_protocol.booking.records import Quote
from chargemesh_protocol.booking.state import BookingState
from chargemesh_protocol.tariff_text import describe_plan
from chargemesh_protocol.terms import describe_terms

from ..node import Node
from ..other_terms import OtherTerms
from .values import Instant, Money, instant, total


class Terms(TypedDict):
    """A time, the energy that is assumed, and the price of that; cap: the most it can cost."""

    start: Instant
    end: Instant
    energy_wh: int
    estimate: Money
    cap: Money


class OfferView(TypedDict):
    """What the host offers instead. stands: it can still be taken, until `expires`. passed: the driver has
    let it pass (known to the driver's node only)."""

    offer: str
    terms: Terms
    text: str
    expires: Instant
    stands: bool
    passed: bool


class ChangeView(TypedDict):
    """What the driver asks for. takes_offer: the host has offered just that."""

    change: str
    terms: Terms
    takes_offer: bool


class TermsView(TypedDict):
    """What a change would cost, beside what is in force `now`. cut: the end that was asked for can't be had,
    and this is the latest that can. leaving_costs: what cancelling costs now, and will cost at least after a
    move."""

    quote: str
    terms: Terms
    now: Terms
    cut: bool
    asked_end: Instant
    zone: str
    expires: Instant
    expires_in_s: int
    prices: str
    conditions: str
    leaving_costs: Money


def terms_view(node: Node, booking: Booking, found: OtherTerms) -> TermsView:
    at, zone, quote = node.clock.now(), booking.file.zone, found.quote.body
    state = booking.state(at)
    currency = quote.plan.currency
    return {
        "quote": found.quote.id.hex(),
        "terms": _terms(quote, zone),
        "now": _terms(state.quote, zone),
        "cut": quote.end < found.asked_end,
        "asked_end": instant(found.asked_end, zone),
        "zone": zone,
        "expires": instant(quote.expires, zone),
        "expires_in_s": max(0, (quote.expires - at) // 1000),
        "prices": describe_plan(quote.plan, zone),
        "conditions": describe_terms(quote.terms, currency),
        "leaving_costs": total(cost_of_cancelling(booking.as_signed(state), at), currency),
    }


def offer_view(booking: Booking, state: BookingState, now: int) -> OfferView | None:
    if state.offer is None or state.offered is None:
        return None
    return {
        "offer": state.offer.id.hex(),
        "terms": _terms(state.offered, booking.file.zone),
        "text": state.offer.body.text,
        "expires": instant(state.offered.expires, booking.file.zone),
        "stands": offer_stands(state, now),
        "passed": booking.file.passed_offer == state.offer.id,
    }


def change_view(booking: Booking, state: BookingState) -> ChangeView | None:
    if state.change is None or state.wanted is None or not change_waits(state):
        return None
    return {
        "change": state.change.id.hex(),
        "terms": _terms(state.wanted, booking.file.zone),
        "takes_offer": state.change.body.offer is not None,
    }


def _terms(quote: Quote, zone: str) -> Terms:
    currency = quote.plan.currency
    return {
        "start": instant(quote.start, zone),
        "end": instant(quote.end, zone),
        "energy_wh": quote.energy_wh,
        "estimate": total(quote.estimate, currency),
        "cap": total(quote.cap, currency),
    }
