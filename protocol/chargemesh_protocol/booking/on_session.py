"""What records do to the session and its bill. Each rule returns why its record is ignored, or nothing."""

from __future__ import annotations

from ..pricing import MAX_ENERGY_WH
from ..record import Record
from ..zones import LAST_INSTANT
from .cost import earliest_at_plug
from .deadlines import slot_over
from .facts import STILL_OPEN, Facts
from .records import (
    Agreement,
    Authorisation,
    Claim,
    Countersign,
    Paid,
    Problem,
    ReadingContext,
    Receipt,
    Stop,
    Ticket,
)
from .state import Authorised
from .table import Reservation, Session, Settlement


def on_authorisation(facts: Facts, record: Record[Authorisation]) -> str:
    body, before = record.body, facts.authorised
    if facts.reservation not in STILL_OPEN:
        return "nothing is reserved"
    if facts.receipt is not None:
        return "the session was billed"
    if body.issued < earliest_at_plug(facts.quote):
        return "it was too early to check in"
    begun = facts.reservation is Reservation.FULFILLED
    if not begun and body.issued >= slot_over(facts.quote, facts.agreed_at):
        return "the slot was over"
    if reason := facts.run_session("check-in"):
        return reason
    if before is None:
        facts.authorised = Authorised(body.energy_wh, body.cost, body.issued)
    else:
        # Nobody takes an authorisation back by a smaller one: a stop ends it.
        energy, cost = max(body.energy_wh, before.energy_wh), max(body.cost, before.cost)
        facts.authorised = Authorised(energy, cost, before.since)
    facts.stopped_at = facts.stop_counts_from = None
    facts.begin()
    return ""


def on_ticket(facts: Facts, record: Record[Ticket]) -> str:
    body = record.body
    if facts.reservation not in (Reservation.RESERVED, Reservation.FULFILLED):
        return "nothing is reserved"
    if facts.receipt is not None:
        return "the session was billed"
    if body.at > LAST_INSTANT or body.energy_wh > MAX_ENERGY_WH:
        return "no meter shows that"
    if facts.tickets:
        last = facts.tickets[-1].body
        if body.at < last.at or body.energy_wh < last.energy_wh:
            return "the meter went backwards"
    final = body.context is ReadingContext.TRANSACTION_END
    if reason := facts.run_session("final-ticket" if final else "ticket"):
        return reason
    facts.tickets.append(record)
    facts.ticket_number[record.id] = len(facts.tickets)
    facts.begin()
    return ""


def on_stop(facts: Facts, record: Record[Stop]) -> str:
    if facts.authorised is None and not facts.tickets:
        return "nothing had begun"
    return facts.stop(facts.claimed_time(record), facts.stop_counts(record))


def on_countersign(facts: Facts, record: Record[Countersign]) -> str:
    number = facts.ticket_number.get(record.body.ticket)
    if number is None:
        return "it names no ticket that counts"
    facts.countersigned = max(facts.countersigned, number)
    facts.begin()
    return ""


def on_receipt(facts: Facts, record: Record[Receipt]) -> str:
    over = facts.reservation in (Reservation.CANCELED, Reservation.NO_SHOW)
    if not over and facts.session not in (Session.ACTIVE, Session.COMPLETED):
        return "there is nothing to bill"
    if record.body.currency != facts.quote.plan.currency:
        return "it is in another currency than the quote"
    if facts.agreed and facts.settlement is not Settlement.DISPUTED:
        return "the driver had agreed to the receipt before"
    if reason := facts.settle("receipt"):
        return reason
    facts.run_session("receipt")
    facts.receipt, facts.agreed, facts.claimed = record, None, None
    return ""


def on_agreement(facts: Facts, record: Record[Agreement]) -> str:
    receipt = facts.receipt
    if receipt is None or receipt.id != record.body.receipt:
        return _OTHER_RECEIPT
    if reason := facts.settle("agreement" if receipt.body.total else "nothing-due"):
        return reason
    facts.agreed = record
    facts.begin()
    return ""


def on_claim(facts: Facts, record: Record[Claim]) -> str:
    if facts.receipt is None or facts.receipt.id != record.body.receipt:
        return _OTHER_RECEIPT
    if reason := facts.settle("claim"):
        return reason
    facts.claimed = record
    return ""


def on_paid(facts: Facts, record: Record[Paid]) -> str:
    if facts.receipt is None or facts.receipt.id != record.body.receipt:
        return _OTHER_RECEIPT
    if reason := facts.settle("paid"):
        return reason
    facts.paid = record
    return ""


def on_problem(facts: Facts, record: Record[Problem]) -> str:
    """Always kept; it disputes a receipt only if its writer had seen that receipt."""
    facts.problems.append(record)
    receipt = facts.receipt
    if receipt and facts.position.get(record.body.seen, -1) >= facts.position[receipt.id]:
        facts.settle("problem")
    return ""


_OTHER_RECEIPT = "it does not name the receipt that counts"
