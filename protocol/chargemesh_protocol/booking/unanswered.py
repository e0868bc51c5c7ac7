"""A request that waits for the host's person: until when, when to remind them, what then (specs/05).

The deadline stands in the quote, so that both sides read the same; the host's node keeps it by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..policy import Otherwise
from ..zones import MINUTE_MS
from .records import Quote, Request
from .state import BookingState
from .table import Reservation

_REMIND_MS = 30 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Waiting:
    """At `due` (unix ms) the host's node answers by itself. remind_at: when its person is told once more;
    None where an offer was made."""

    due: int
    otherwise: Otherwise
    remind_at: int | None


def answer_due(quote: Quote, request: Request) -> int | None:
    """When the host's node answers by itself; None if it never does: the host set no time for it, or the
    driver wants the answer earlier, so that the request ends before."""
    if quote.answer is None:
        return None
    due = request.issued + quote.answer.minutes * MINUTE_MS
    return due if due <= request.expires else None


def waiting_for_person(state: BookingState) -> Waiting | None:
    """What a request waits for; None if it is answered, or waits to its end.

    An offer of the host is an answer as long as it stands, and a change of the driver's asks for another one.
    """
    if state.reservation is not Reservation.PENDING or state.change is not None:
        return None
    answer, due = state.quote.answer, answer_due(state.quote, state.request)
    if answer is None or due is None:
        return None
    if state.offered is not None:
        return Waiting(max(due, state.offered.expires), answer.otherwise, None)
    half = answer.minutes * MINUTE_MS // 2
    return Waiting(due, answer.otherwise, due - min(_REMIND_MS, half))
