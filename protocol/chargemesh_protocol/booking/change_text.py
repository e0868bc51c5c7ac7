"""Other terms in sentences: what was offered, asked for, agreed to and refused, and what each can do now."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..money import format_total
from .records import DeclineReason, ProblemKind, Quote
from .state import BookingState
from .table import Reservation

When = Callable[[int], str]

_REFUSED = {
    DeclineReason.NOT_OFFERABLE: "the time can't be had",
    DeclineReason.RULES: "the host's rules don't allow it",
    DeclineReason.HOST_DECLINED: "without giving a reason",
    DeclineReason.QUOTE_EXPIRED: "its price held no longer",
    DeclineReason.UNPAID_RECEIPT: "an earlier receipt is unpaid",
}
_FAULT = {
    ProblemKind.BLOCKED: "the charger is blocked",
    ProblemKind.NO_POWER: "the charger has no power",
    ProblemKind.WONT_START: "charging does not start",
    ProblemKind.OTHER: "something is wrong",
}


def offer_stands(state: BookingState, now: int) -> bool:
    """Whether the host's newest offer can still be taken."""
    return state.offered is not None and now <= state.offered.expires and not state.finished


def change_waits(state: BookingState) -> bool:
    """Whether the host has yet to answer what the driver asked for."""
    open_ = (Reservation.PENDING, Reservation.RESERVED, Reservation.FULFILLED)
    return state.change is not None and state.reservation in open_ and state.receipt is None


def changes_so_far(state: BookingState, now: int, *, is_driver: bool, when: When) -> Iterator[str]:
    """What became of the terms, oldest first."""
    you, they = ("you", "the host") if is_driver else ("the driver", "you")
    for one in state.in_force[1:]:
        yield _sentence(f"since {when(one.since)} it is {_span(one.quote, when)}, for {_price(one.quote)}")
    if state.refusal is not None:
        yield _sentence(f"{they} refused another time: {_REFUSED[state.refusal.body.reason]}")
    if state.offer is not None and state.offered is not None:
        said = f' ("{state.offer.body.text}")' if state.offer.body.text else ""
        stands = "" if offer_stands(state, now) else ", which stands no longer"
        offers = f"{they} offered {_span(state.offered, when)} instead, for {_price(state.offered)}{stands}"
        yield _sentence(offers + said)
    if change_waits(state) and state.change is not None and state.wanted is not None:
        took = " as offered" if state.change.body.offer else ""
        yield _sentence(f"{you} asked for {_span(state.wanted, when)}{took}, for {_price(state.wanted)}")
    if state.equipment_fault is not None:
        body = state.equipment_fault.body
        said = f": {body.text.rstrip('.')}" if body.text else ""
        yield _sentence(f"{they} said at {when(body.issued)} that {_FAULT[body.problem]}{said}")


def changes_to_come(
    state: BookingState, now: int, *, is_driver: bool, when: When, passed: bool = False
) -> Iterator[str]:
    """What each can do about other terms now. passed: the driver has let the offer pass."""
    if change_waits(state):
        yield (
            "The host answers what you asked for; until then all stays as it is."
            if is_driver
            else "Accept what the driver asks for, or refuse it; until then all stays as it is."
        )
    elif offer_stands(state, now) and state.offered is not None and not passed:
        until = when(state.offered.expires)
        yield (
            f"Accept the host's offer by {until}, or let it pass."
            if is_driver
            else f"The driver can accept your offer until {until}."
        )


def _span(quote: Quote, when: When) -> str:
    return f"{when(quote.start)} to {when(quote.end)}"


def _price(quote: Quote) -> str:
    currency = quote.plan.currency
    return f"about {format_total(quote.estimate, currency)} (at most {format_total(quote.cap, currency)})"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
