"""What ending a booking costs, and how much of a session the driver's signatures cover."""

from __future__ import annotations

from ..limits import CLOCK_TOLERANCE_MS, SLOT_MS
from ..terms import cancellation_cost, host_failure_compensation
from .records import CancelReason, Problem, ProblemKind, Quote
from .state import BookingState
from .table import Reservation

# A driver who is a little early may check in, and may find the plug blocked, from then on.
EARLY_MS = SLOT_MS
# A minute between two readings, and the stop: 22 kW make 370 Wh of it.
OVERSHOOT_WH = 500
# What a driver reports of these, it may leave for nothing, and was not absent.
AT_THE_PLUG = frozenset({ProblemKind.BLOCKED, ProblemKind.NO_POWER, ProblemKind.WONT_START})


def earliest_at_plug(quote: Quote) -> int:
    """From when on the driver's check-in or problem counts, by its own clock within the tolerance."""
    return quote.start - EARLY_MS - CLOCK_TOLERANCE_MS


def frees_driver(quote: Quote, problem: Problem) -> bool:
    """Whether this problem keeps the driver from charging in its own time."""
    return problem.problem in AT_THE_PLUG and problem.issued >= earliest_at_plug(quote)


def effective_time(claimed: int, acknowledged: int | None, unacknowledged: int) -> int:
    """The time that counts of what a driver says happened at `claimed` (design, section 3, Clocks).

    Its claimed time if a host record that includes it was issued within the tolerance of it; else that
    record's time; with none, `unacknowledged`, or the claimed time if that is later.
    """
    if acknowledged is None:
        return max(claimed, unacknowledged)
    return claimed if abs(acknowledged - claimed) <= CLOCK_TOLERANCE_MS else acknowledged


def driver_cancel_cost(
    quote: Quote, reason: CancelReason, accepted_at: int | None, at: int, host_failed: bool
) -> int:
    """Micro-units that the driver owes for a cancellation whose time is `at`.

    Nothing before the acceptance, for safety, or when the host has failed (see `fold`).
    """
    if accepted_at is None or at < accepted_at or reason is CancelReason.SAFETY or host_failed:
        return 0
    return cancellation_cost(quote.terms, quote.cap, quote.start, at)


def host_cancel_compensation(quote: Quote, reason: CancelReason) -> int:
    """Micro-units that the host owes for taking an accepted booking back."""
    return 0 if reason is CancelReason.SAFETY else host_failure_compensation(quote.terms, quote.cap)


def cost_of_cancelling(
    state: BookingState, at: int, reason: CancelReason = CancelReason.DRIVER_CANCELED
) -> int:
    """Micro-units that the driver would owe for cancelling at `at`, if the host acknowledges it in time."""
    if state.reservation is not Reservation.RESERVED:
        return 0
    accepted_at = state.accept.body.issued if state.accept else None
    return driver_cancel_cost(state.quote, reason, accepted_at, at, host_failed(state, at))


def cost_if_acknowledged(state: BookingState) -> int:
    """Micro-units that a cancellation will cost the driver if the host acknowledges it in time.

    The cost itself once it is final, and of a state without a cancellation.
    """
    one = state.cancellation
    if one is None or one.final:
        return state.cost
    accepted_at = state.accept.body.issued if state.accept else None
    return driver_cancel_cost(
        state.quote, one.reason, accepted_at, one.claimed, host_failed(state, one.claimed)
    )


def host_failed(state: BookingState, at: int) -> bool:
    """Whether at `at` the driver may leave for nothing: no address in time, or a problem at the plug."""
    overdue = state.access_due is not None and at >= state.access_due + CLOCK_TOLERANCE_MS
    if state.access is None and overdue:
        return True
    return any(frees_driver(state.quote, one.body) for one in state.problems)


def authorised_energy(state: BookingState) -> int:
    """Wh of this session that the driver signed for; what the meter shows beyond is the host's claim only.

    By authorisation up to its energy and its cost, and until the stop; or by countersigned tickets.
    """
    seen = state.countersigned_up_to
    countersigned = seen.body.energy_wh if seen else 0
    return max(countersigned, _within_authorisation(state))


def tolerated_energy(state: BookingState) -> int:
    """Wh up to which a driver's node signs for its person: a box ends a session only after the reading that
    showed enough. The tolerance counts once, from the authorisation and not from what was countersigned."""
    if state.authorised is None:
        return authorised_energy(state)
    return max(authorised_energy(state), _within_authorisation(state) + OVERSHOOT_WH)


def _within_authorisation(state: BookingState) -> int:
    if state.authorised is None:
        return 0
    until = state.stop_counts_from
    covered = 0
    for ticket in state.tickets:
        body = ticket.body
        if body.cost > state.authorised.cost:
            break
        if until is not None and body.at > until + CLOCK_TOLERANCE_MS:
            break
        covered = min(body.energy_wh, state.authorised.energy_wh)
    return covered
