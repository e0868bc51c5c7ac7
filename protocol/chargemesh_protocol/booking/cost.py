"""What ending a booking costs, and how much of a session the driver's signatures cover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..limits import CLOCK_TOLERANCE_MS, SLOT_MS
from ..pricing import most_added
from ..terms import cancellation_cost, host_failure_compensation, no_show_cost
from .records import CancelReason, Problem, ProblemKind, Quote
from .state import BookingState, InForce
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


def extends(quote: Quote, longer: Quote) -> bool:
    """Whether `longer` only moves the end of `quote`, and not nearer."""
    return longer.start == quote.start and longer.end >= quote.end


def terms_at(in_force: Sequence[InForce], at: int) -> InForce:
    """What was in force at `at`: a driver who leaves owes by what both had agreed to then."""
    return next((one for one in reversed(in_force) if one.since <= at), in_force[0])


def effective_time(claimed: int, acknowledged: int | None, unacknowledged: int) -> int:
    """The time that counts of what a driver says happened at `claimed` (specs/05, "The order that counts").

    Its claimed time if a host record that includes it was issued within the tolerance of it; else that
    record's time; with none, `unacknowledged`, or the claimed time if that is later.
    """
    if acknowledged is None:
        return max(claimed, unacknowledged)
    return claimed if abs(acknowledged - claimed) <= CLOCK_TOLERANCE_MS else acknowledged


def overdue(due: int | None, sent_at: int | None, at: int) -> bool:
    """Whether an address that was due at `due` had not been sent at `at`. Unix ms; None: never."""
    if due is None or at < due + CLOCK_TOLERANCE_MS:
        return False
    return sent_at is None or sent_at > at


def driver_cancel_cost(
    terms: InForce, reason: CancelReason, accepted_at: int | None, at: int, host_failed: bool
) -> int:
    """Micro-units that the driver owes for a cancellation whose time is `at`; `terms` of that time.

    Nothing before the acceptance, for safety, or when the host has failed (see `fold`).
    """
    if accepted_at is None or at < accepted_at or reason is CancelReason.SAFETY or host_failed:
        return 0
    quote = terms.quote
    return max(cancellation_cost(quote.terms, quote.cap, quote.start, at), terms.fee_floor)


def no_show_due(terms: InForce) -> int:
    """Micro-units that a driver owes who never came."""
    quote = terms.quote
    return max(no_show_cost(quote.terms, quote.cap, quote.start), terms.fee_floor)


def host_cancel_compensation(quote: Quote, reason: CancelReason, faulty: bool) -> int:
    """Micro-units that the host owes for taking an accepted booking back. faulty: it had said that its
    equipment fails the driver, which no reason undoes."""
    if reason is CancelReason.SAFETY and not faulty:
        return 0
    return host_failure_compensation(quote.terms, quote.cap)


def cost_of_cancelling(
    state: BookingState, at: int, reason: CancelReason = CancelReason.DRIVER_CANCELED
) -> int:
    """Micro-units that the driver would owe for cancelling at `at`, if the host acknowledges it in time."""
    if state.reservation is not Reservation.RESERVED:
        return 0
    accepted_at = state.accept.body.issued if state.accept else None
    terms = terms_at(state.in_force, at)
    return driver_cancel_cost(terms, reason, accepted_at, at, host_failed(state, at))


def cost_if_acknowledged(state: BookingState) -> int:
    """Micro-units that a cancellation will cost the driver if the host acknowledges it in time.

    The cost itself once it is final, and of a state without a cancellation.
    """
    one = state.cancellation
    if one is None or one.final:
        return state.cost
    accepted_at = state.accept.body.issued if state.accept else None
    terms = terms_at(state.in_force, one.claimed)
    return driver_cancel_cost(terms, one.reason, accepted_at, one.claimed, host_failed(state, one.claimed))


def host_failed(state: BookingState, at: int) -> bool:
    """Whether at `at` the driver may leave for nothing: no address in time, a problem there, a fault."""
    if overdue(state.access_due, state.access_sent_at, at) or state.equipment_fault is not None:
        return True
    return any(frees_driver(state.quote, one.body) for one in state.problems)


def charge_due(state: BookingState) -> tuple[str, int] | None:
    """(dimension, micro-units) of what is owed without a session, once it can't change any more."""
    if state.cost == 0:
        return None
    if state.cancellation is not None:
        return ("CANCELLATION", state.cost) if state.cancellation.final else None
    return "NO_SHOW", state.cost


@dataclass(frozen=True, slots=True)
class Covered:
    """How much of a session somebody agrees to pay for: Wh, and micro-units."""

    energy_wh: int
    cost: int


def signed_for(state: BookingState) -> Covered:
    """What the driver signed for of this session; what the meter shows beyond is the host's claim only.

    By authorisation up to its energy and its cost, and until the stop; or by countersigned tickets.
    """
    seen, within = _countersigned(state), _within_authorisation(state)
    return Covered(max(seen.energy_wh, within.energy_wh), max(seen.cost, within.cost))


def tolerated(state: BookingState) -> Covered:
    """Up to where a driver's node signs for its person: a box ends a session only after the reading that
    showed enough. The tolerance counts once, from the authorisation and not from what was countersigned."""
    seen, within = _countersigned(state), _within_authorisation(state)
    if state.authorised is None:
        return seen
    more = most_added(state.quote.plan, OVERSHOOT_WH, CLOCK_TOLERANCE_MS)
    return Covered(max(seen.energy_wh, within.energy_wh + OVERSHOOT_WH), max(seen.cost, within.cost + more))


def _countersigned(state: BookingState) -> Covered:
    seen = state.countersigned_up_to
    return Covered(seen.body.energy_wh, seen.body.cost) if seen else Covered(0, 0)


def _within_authorisation(state: BookingState) -> Covered:
    """The energy of the tickets that the authorisation covers; all of its cost but for a stop before."""
    if state.authorised is None:
        return Covered(0, 0)
    until = state.stop_counts_from
    energy = cost = 0
    for ticket in state.tickets:
        body = ticket.body
        if until is not None and body.at > until + CLOCK_TOLERANCE_MS:
            return Covered(energy, cost)
        if body.cost > state.authorised.cost:
            break
        energy, cost = min(body.energy_wh, state.authorised.energy_wh), body.cost
    return Covered(energy, state.authorised.cost)
