"""What records do to the reservation. Each rule returns why its record is ignored, or an empty string."""

from __future__ import annotations

from ..limits import CLOCK_TOLERANCE_MS
from ..record import Record
from ..terms import host_failure_compensation
from .cost import driver_cancel_cost, effective_time, host_cancel_compensation, no_show_due, terms_at
from .deadlines import no_show_from, slot_over
from .facts import Facts
from .on_change import NO_OPEN_CHANGE, accepted_quote, put_in_force
from .records import Accept, Access, Cancel, Decline, HostCancel, NoShow
from .state import Cancellation, Party
from .table import RESERVATION, Reservation


def on_accept(facts: Facts, record: Record[Accept]) -> str:
    issued, quote = record.body.issued, accepted_quote(facts, record)
    if quote is None:
        return NO_OPEN_CHANGE
    if issued > facts.request.body.expires + CLOCK_TOLERANCE_MS or issued >= slot_over(quote, None):
        return "the request had expired"
    if reason := facts.reserve("accept"):
        return reason
    facts.accept, facts.agreed_at, facts.offer = record, issued, None
    if record.body.change is not None and facts.change is not None:
        put_in_force(facts, facts.change, issued, 0)
    facts.access_due = min(record.body.access_due, max(quote.start, issued))
    return ""


def on_decline(facts: Facts, record: Record[Decline]) -> str:
    if reason := facts.reserve("decline"):
        return reason
    facts.decline = record
    return ""


def on_access(facts: Facts, record: Record[Access]) -> str:
    if facts.reservation not in (Reservation.RESERVED, Reservation.FULFILLED):
        return "nothing is reserved"
    if facts.access is None:
        facts.access_sent_at = record.body.issued
    facts.access = record
    return ""


def on_host_cancel(facts: Facts, record: Record[HostCancel]) -> str:
    issued, reason = record.body.issued, record.body.reason
    if facts.reservation is Reservation.FULFILLED:
        return facts.stop(issued, issued)
    if issued >= slot_over(facts.quote, facts.agreed_at):
        return "the slot was over"
    if refused := facts.reserve("host-cancel"):
        return refused
    faulty = facts.equipment_fault is not None
    owed = host_cancel_compensation(facts.quote, reason, faulty) if facts.accept else 0
    _cancelled(facts, Cancellation(Party.HOST, record.id, reason, issued, issued, 0, owed, final=True))
    return ""


def on_cancel(facts: Facts, record: Record[Cancel]) -> str:
    claimed, reason = facts.claimed_time(record), record.body.reason
    if facts.reservation is Reservation.FULFILLED:
        return facts.stop(claimed, facts.stop_counts(record))
    if claimed >= slot_over(facts.quote, facts.agreed_at):
        return "the slot was over"
    if refused := facts.reserve("cancel"):
        return refused
    acknowledged = facts.acknowledged(record)
    at = effective_time(claimed, acknowledged, facts.quote.start)
    # While nobody has heard of it, whether the host had failed by then is asked of the claimed time.
    asked_of = claimed if acknowledged is None else at
    terms, failed = terms_at(facts.in_force, at), facts.host_failed_by(asked_of)
    cost = driver_cancel_cost(terms, reason, facts.accepted_at, at, failed)
    owes = facts.access_overdue(asked_of) or facts.equipment_fault is not None
    owed = host_failure_compensation(facts.quote.terms, facts.quote.cap) if owes else 0
    final = acknowledged is not None
    _cancelled(facts, Cancellation(Party.DRIVER, record.id, reason, claimed, at, cost, owed, final))
    return ""


def on_no_show(facts: Facts, record: Record[NoShow]) -> str:
    """`fold` has given the cancellations that precede it their turn (see `overtaking`)."""
    if refused := no_show_refused(facts, record):
        return refused
    facts.reserve("no-show")
    facts.no_show_at = record.body.issued
    facts.cost = no_show_due(facts.in_force[-1])
    return ""


def no_show_refused(facts: Facts, record: Record[NoShow]) -> str:
    """Why this no-show does not count, as things are; empty if it does."""
    if RESERVATION[facts.reservation]["no-show"] is None:
        return f"no-show changes nothing of a reservation that is {facts.reservation}"
    if facts.access is None:
        return "the driver was never told where to go"
    earliest = earliest_no_show(facts)
    if earliest is None:
        return "the driver was there"
    if record.body.issued < earliest:
        return "the driver still had time to come"
    if record.body.issued >= slot_over(facts.quote, facts.agreed_at):
        return "the slot was over"
    return ""


def earliest_no_show(facts: Facts) -> int | None:
    """From when on a no-show counts, as things are; None if none would."""
    if facts.reservation is not Reservation.RESERVED or facts.agreed_at is None:
        return None
    if facts.access is None or facts.authorised or facts.problem_at_plug or facts.equipment_fault:
        return None
    return no_show_from(facts.quote, facts.agreed_at)


def overtaking(facts: Facts, record: Record[NoShow]) -> list[Record[Cancel]]:
    """Cancellations from before the no-show, by a driver who had not seen it when signing."""
    here = facts.position[record.id]
    return [
        one
        for one in facts.driver.values()
        if one.kind == "cancel"
        and one.id not in facts.taken
        and one.body.issued < record.body.issued
        and facts.position.get(one.body.seen, -1) < here
    ]


def _cancelled(facts: Facts, cancellation: Cancellation) -> None:
    facts.cancellation = cancellation
    facts.cost, facts.compensation = cancellation.cost, cancellation.compensation
