"""What keeps a driver's node from signing by itself: a reading of a person, a receipt that is not as agreed.

The driver's person may sign all the same (see `consent`); here is what they are told first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ..metering import Reading, bill
from ..money import format_amount
from ..record import Record
from ..units import format_energy
from .cost import OVERSHOOT_WH, charge_due, signed_for, tolerated
from .receipt import Reckoning, differences, reckon_charge, reckon_session
from .records import Agreement, Countersign, Problem, Ticket
from .state import BookingState

# Both look at one meter: whoever leaves out what stands behind the first digit after the point reads alike.
READING_TOLERANCE_WH = 100


def as_signed(state: BookingState, driver: Iterable[Record[Any]]) -> BookingState:
    """`state` with all countersigns, agreements and problems of the driver, also those that no host record
    includes.

    So nothing is signed twice while the host is silent, and what a driver reported before it cancels counts,
    as it will: the host takes it in first.
    """
    driver = tuple(driver)
    numbers = {one.id: number for number, one in enumerate(state.tickets, 1)}
    countersigned, agreed = state.countersigned, state.agreed
    for one in driver:
        if type(one.body) is Countersign:
            countersigned = max(countersigned, numbers.get(one.body.ticket, 0))
        elif type(one.body) is Agreement and state.receipt and one.body.receipt == state.receipt.id:
            agreed = agreed or one
    waiting = [one for one in driver if type(one.body) is Problem and one.id in state.not_included]
    waiting.sort(key=lambda one: (one.body.issued, one.id))
    problems = (*state.problems, *waiting)
    return replace(state, countersigned=countersigned, agreed=agreed, problems=problems)


def ticket_to_countersign(state: BookingState) -> Record[Ticket] | None:
    """The newest ticket, if the driver's node signs it by itself; `state` as signed.

    It and what is before it are the wallbox's own readings, its cost follows from the tariff, it is within
    what was agreed to, and not yet signed.
    """
    if state.countersigned == len(state.tickets) or reading_to_confirm(state) is not None:
        return None
    newest, within = state.tickets[-1], tolerated(state)
    agreed_to = newest.body.energy_wh <= within.energy_wh and newest.body.cost <= within.cost
    return newest if agreed_to and not _wrong_cost(state) else None


def reading_to_confirm(state: BookingState) -> Record[Ticket] | None:
    """The newest ticket, where it or one before it rests on a reading that only the host has made."""
    if state.agreed is not None:
        return None
    waiting = state.tickets[state.countersigned :]
    return waiting[-1] if any(one.body.by_hand for one in waiting) else None


def same_reading(one_wh: int, other_wh: int) -> bool:
    """Whether two people who type these registers have read the same."""
    return abs(one_wh - other_wh) < READING_TOLERANCE_WH


def ticket_faults(state: BookingState) -> tuple[str, ...]:
    """What the newest ticket says otherwise than its registers and the tariff do; empty if it is right."""
    first, last = state.tickets[0].body, state.tickets[-1].body
    found: tuple[str, ...] = ()
    risen, drawn = last.register_wh - first.register_wh, last.energy_wh - first.energy_wh
    if risen != drawn:
        found += (f"energy: {format_energy(drawn)} counted, {format_energy(max(risen, 0))} by the readings",)
    return found + _wrong_cost(state)


def objections(state: BookingState) -> tuple[str, ...]:
    """Why the driver's node does not agree with the receipt by itself, as "what: how"; empty if it is right.

    Fields that it computes otherwise; a total above the quote's cap; of a session more than was authorised
    or countersigned, within the tolerance: that part is the host's claim only. What awaits the driver's
    reading is not compared with the authorisation, since a confirmed reading is signed for.
    """
    if state.receipt is None:
        return ()
    receipt, quote = state.receipt.body, state.quote
    currency = quote.plan.currency
    charge = charge_due(state)
    if charge is not None:
        own, most = reckon_charge(quote, *charge), max(quote.cap, state.fee_floor)
        return differences(receipt, own, currency) + _above(most, state)
    if not state.tickets:
        return ("there is no meter ticket",)
    try:
        own = reckon_session(quote, [one.body for one in state.tickets])
    except ValueError as error:  # tickets of a session that no car could have
        return (f"tickets: {error}",)
    found = differences(receipt, own, currency) + _above(quote.cap, state)
    return found if reading_to_confirm(state) else found + _beyond(state, own)


def _wrong_cost(state: BookingState) -> tuple[str, ...]:
    """What the newest ticket's cost is by the plan, where it says otherwise."""
    said, currency = state.tickets[-1].body.cost, state.quote.plan.currency
    try:
        cost = bill(state.quote.plan, [Reading(one.body.at, one.body.energy_wh) for one in state.tickets])
    except ValueError as error:  # a session that no car could have
        return (f"cost: {error}",)
    if cost.total == said:
        return ()
    return (f"cost: {format_amount(said, currency)} said, {format_amount(cost.total, currency)} computed",)


def _above(most: int, state: BookingState) -> tuple[str, ...]:
    if state.receipt is None or state.receipt.body.total <= most:
        return ()
    currency = state.quote.plan.currency
    billed = format_amount(state.receipt.body.total, currency)
    return (f"cap: {billed} billed, at most {format_amount(most, currency)} by the quote",)


def _beyond(state: BookingState, own: Reckoning) -> tuple[str, ...]:
    signed, within = signed_for(state), tolerated(state)
    currency = state.quote.plan.currency
    found: tuple[str, ...] = ()
    if own.energy_wh > within.energy_wh:
        billed, agreed = format_energy(own.energy_wh), format_energy(signed.energy_wh)
        more = f"{format_energy(OVERSHOOT_WH)} more is tolerated"
        found += (f"energy: {billed} billed, {agreed} authorised or countersigned ({more})",)
    if own.total > within.cost:
        billed, agreed = format_amount(own.total, currency), format_amount(signed.cost, currency)
        found += (f"cost: {billed} billed, {agreed} authorised or countersigned",)
    return found
