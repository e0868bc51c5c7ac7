"""What offers, changes and their answers do. Each rule returns why its record is ignored, or nothing.

Only the host prices, so that every change rests on another quote of the host's, carried in the record itself.
"""

from __future__ import annotations

from ..record import Record
from .cost import driver_cancel_cost, earliest_at_plug, extends
from .deadlines import slot_over
from .facts import Facts
from .records import Accept, Amend, CancelReason, Change, EquipmentFault, Offer, Quote, Refuse
from .state import Authorised, InForce
from .table import Reservation, Session

NO_OPEN_CHANGE = "it names no change that waits for an answer"


def on_offer(facts: Facts, record: Record[Offer]) -> str:
    if reason := _over(facts) or _unfit(facts, facts.carried[record.id]):
        return reason
    if reason := facts.reserve("offer"):
        return reason
    facts.offer = record
    return ""


def on_change(facts: Facts, record: Record[Change]) -> str:
    if reason := _over(facts) or _unfit(facts, facts.carried[record.id]):
        return reason
    if record.body.offer is not None:
        if facts.offer is None or facts.offer.id != record.body.offer:
            return "it takes no offer that stands"
        if facts.offer.body.quote != record.body.quote:
            return "it carries another quote than the offer"
    if reason := facts.reserve("change"):
        return reason
    facts.change, facts.refusal = record, None
    return ""


def on_refuse(facts: Facts, record: Record[Refuse]) -> str:
    if facts.change is None or facts.change.id != record.body.change:
        return NO_OPEN_CHANGE
    if reason := facts.reserve("refuse"):
        return reason
    facts.change, facts.refusal = None, record
    return ""


def on_amend(facts: Facts, record: Record[Amend]) -> str:
    body, change = record.body, facts.change
    if change is None or change.id != body.change:
        return NO_OPEN_CHANGE
    quote = facts.carried[change.id]
    if reason := _over(facts) or _unfit(facts, quote):
        return reason
    if facts.reservation is Reservation.RESERVED and body.issued >= slot_over(facts.quote, facts.agreed_at):
        return "the slot was over"
    if body.issued >= quote.end:
        return "the time that was asked for was over"
    if reason := facts.reserve("amend"):
        return reason
    put_in_force(facts, change, body.issued, _fee_floor(facts, change, body.issued))
    if facts.access is None:
        facts.access_due = min(body.access_due, max(quote.start, body.issued))
    return ""


def on_fault(facts: Facts, record: Record[EquipmentFault]) -> str:
    if record.body.issued >= slot_over(facts.quote, facts.agreed_at):
        return "the slot was over"
    if reason := facts.reserve("fault"):
        return reason
    facts.equipment_fault = facts.equipment_fault or record
    return ""


def accepted_quote(facts: Facts, record: Record[Accept]) -> Quote | None:
    """The quote that an acceptance puts in force; None if it names a change that does not wait."""
    if record.body.change is None:
        return facts.quote
    if facts.change is None or facts.change.id != record.body.change:
        return None
    return facts.carried[facts.change.id]


def put_in_force(facts: Facts, change: Record[Change], since: int, fee_floor: int) -> None:
    """From `since` on the change's quote counts; who has checked in is authorised up to it."""
    quote, moved = facts.carried[change.id], facts.carried[change.id].start != facts.quote.start
    facts.in_force.append(InForce(quote, since, fee_floor, change.id))
    facts.change = facts.refusal = None
    if change.body.offer is not None:
        facts.offer = None
    if moved:
        facts.agreed_at, facts.equipment_fault = since, None
    had = facts.authorised
    if had is not None and had.since < earliest_at_plug(quote):
        # Who has moved to another time is not at the charger then: it takes a check-in of its own.
        facts.authorised = facts.stopped_at = facts.stop_counts_from = None
    elif had is not None:
        energy, cost = max(had.energy_wh, quote.energy_wh), max(had.cost, quote.cap)
        facts.authorised = Authorised(energy, cost, had.since)


def _fee_floor(facts: Facts, change: Record[Change], at: int) -> int:
    """What leaving costs at least from now on: moving a booking never makes leaving cheaper. What the host
    itself offered adds nothing to it."""
    now = facts.in_force[-1]
    if change.body.offer is not None or facts.reservation is not Reservation.RESERVED:
        return now.fee_floor
    return driver_cancel_cost(
        now, CancelReason.DRIVER_CANCELED, facts.accepted_at, at, facts.host_failed_by(at)
    )


def _over(facts: Facts) -> str:
    over = facts.receipt is not None or facts.session is Session.COMPLETED
    return "the session is over" if over else ""


def _unfit(facts: Facts, quote: Quote) -> str:
    """Why a carried quote can't take the place of the one in force; empty if it can."""
    first = facts.in_force[0].quote
    if quote.author != first.author:
        return "its quote is by somebody else"
    if quote.charger != first.charger:
        return "its quote is for another charger"
    if quote.plan.currency != first.plan.currency:
        return "its quote is in another currency"
    if quote.one_time_key != first.one_time_key:
        return "its quote was not made for this booking"
    if facts.tickets and not extends(facts.quote, quote):
        return "a session that has begun can only be made longer"
    return ""
