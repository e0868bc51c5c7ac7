"""What changes in a booking by time alone, and when."""

from __future__ import annotations

from dataclasses import replace

from ..limits import CLOCK_TOLERANCE_MS
from ..terms import host_failure_compensation
from ..zones import MINUTE_MS
from .records import Quote
from .state import BookingState
from .table import RESERVATION, SESSION, Reservation


def no_show_from(quote: Quote, agreed_at: int) -> int:
    """The first instant at which a no-show counts: the grace, and two minutes for a check-in to arrive.

    agreed_at: when the host accepted, or moved the start to where it is.
    """
    return max(quote.start, agreed_at) + quote.terms.no_show_after * MINUTE_MS + CLOCK_TOLERANCE_MS


def slot_over(quote: Quote, agreed_at: int | None) -> int:
    """From this instant on nothing can begin any more, nor be cancelled."""
    waits = quote.end if agreed_at is None else max(quote.end, no_show_from(quote, agreed_at))
    return waits + CLOCK_TOLERANCE_MS


def at_instant(state: BookingState, as_of: int) -> BookingState:
    """`state` of `fold` with the deadlines that have passed by `as_of`, and the next that can.

    Records come before deadlines: what a record has settled, no passing of time unsettles.
    """
    if state.reservation is Reservation.PENDING:
        expired = state.request.expires + CLOCK_TOLERANCE_MS
        over = slot_over(state.quote, None)
        if as_of < min(expired, over):
            return replace(state, next_deadline=min(expired, over))
        return _failed_by(state, "request-expired" if expired <= over else "slot-over")
    if state.reservation is not Reservation.RESERVED:
        return state
    over = slot_over(state.quote, state.agreed_at)
    due = over if state.access or state.access_due is None else state.access_due + CLOCK_TOLERANCE_MS
    if as_of < due:
        return replace(state, next_deadline=min(due, over))
    late = replace(state, access_overdue=state.access is None)
    return replace(late, next_deadline=over) if as_of < over else _failed_by(late, "slot-over")


def _failed_by(state: BookingState, event: str) -> BookingState:
    to = RESERVATION[state.reservation][event]
    if to is None:
        raise AssertionError(f"{event} must end a reservation that is {state.reservation}")
    failed = state.access_overdue or state.equipment_fault is not None
    owed = host_failure_compensation(state.quote.terms, state.quote.cap) if failed else 0
    void = SESSION[state.session]["void"] or state.session
    return replace(state, reservation=to, session=void, compensation=owed)
