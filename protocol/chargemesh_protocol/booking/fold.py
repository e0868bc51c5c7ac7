"""From a set of records to the state of the booking: one walk in an order that depends on the set alone.

The order: the host's chain, each host record preceded by the driver's records that it is the first to
include (by claimed time, then id); then cancellations and stops that nothing includes yet. One
exception: a cancellation from before a no-show, by a driver who had not seen it, precedes the no-show.
Each record is offered to its rule and by that to the tables; one that is refused is ignored, with a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..record import Record
from . import on_change, on_reservation, on_session
from .facts import Facts
from .records import Quote, Request
from .state import BookingState, Ignored, InForce

TAKES_EFFECT_ALONE = ("cancel", "stop")

_RULES: dict[str, Callable[[Facts, Record[Any]], str]] = {
    "accept": on_reservation.on_accept,
    "decline": on_reservation.on_decline,
    "access": on_reservation.on_access,
    "acknowledge": lambda _facts, _record: "",
    "host-cancel": on_reservation.on_host_cancel,
    "no-show": on_reservation.on_no_show,
    "cancel": on_reservation.on_cancel,
    "ticket": on_session.on_ticket,
    "receipt": on_session.on_receipt,
    "paid": on_session.on_paid,
    "authorisation": on_session.on_authorisation,
    "stop": on_session.on_stop,
    "countersign": on_session.on_countersign,
    "agreement": on_session.on_agreement,
    "claim": on_session.on_claim,
    "problem": on_session.on_problem,
    "offer": on_change.on_offer,
    "change": on_change.on_change,
    "amend": on_change.on_amend,
    "refuse": on_change.on_refuse,
    "fault": on_change.on_fault,
}


def fold(
    quote: Quote,
    request: Record[Request],
    chain: Sequence[Record[Any]],
    driver: Mapping[bytes, Record[Any]],
    carried: Mapping[bytes, Quote],
) -> BookingState:
    """The state by records alone, before any deadline: see `deadlines.at_instant`.

    chain: the host's records that count, in order. driver: all of the driver's records by id. carried: the
    quote inside each change and offer, by the id of that record.
    """
    position = {request.id: -1} | {one.id: number for number, one in enumerate(chain)}
    included_in: dict[bytes, Record[Any]] = {}
    for host in chain:
        for one in host.body.includes:
            if one in driver:
                included_in.setdefault(one, host)
    facts = Facts([InForce(quote)], request, chain, driver, carried, position, included_in)
    for host in chain:
        if host.body.includes:
            _take_all(facts, [driver[one] for one in host.body.includes if one in driver])
        if host.kind == "no-show" and not on_reservation.no_show_refused(facts, host):
            _take_all(facts, on_reservation.overtaking(facts, host))
        _take(facts, host)
    _take_all(facts, [one for one in driver.values() if one.kind in TAKES_EFFECT_ALONE])
    return _state(facts)


def _take_all(facts: Facts, records: Iterable[Record[Any]]) -> None:
    for one in sorted(records, key=_claimed_order):
        if one.id not in facts.taken:
            _take(facts, one)


def _take(facts: Facts, record: Record[Any]) -> None:
    facts.taken.add(record.id)
    reason = _RULES[record.kind](facts, record)
    if reason:
        facts.ignored.append(Ignored(record.id, record.kind, reason))


def _claimed_order(record: Record[Any]) -> tuple[int, bytes]:
    return record.body.issued, record.id


def _state(facts: Facts) -> BookingState:
    waiting = [one for one in facts.driver.values() if one.id not in facts.included_in]
    return BookingState(
        booking=facts.request.id,
        quote=facts.quote,
        request=facts.request.body,
        reservation=facts.reservation,
        session=facts.session,
        settlement=facts.settlement,
        head=facts.chain[-1].id if facts.chain else facts.request.id,
        next_number=len(facts.chain) + 1,
        accept=facts.accept,
        decline=facts.decline,
        in_force=tuple(facts.in_force),
        agreed_at=facts.agreed_at,
        offer=facts.offer,
        offered=facts.carried[facts.offer.id] if facts.offer else None,
        change=facts.change,
        wanted=facts.carried[facts.change.id] if facts.change else None,
        refusal=facts.refusal,
        equipment_fault=facts.equipment_fault,
        access=facts.access,
        access_sent_at=facts.access_sent_at,
        access_due=facts.access_due,
        no_show_from=on_reservation.earliest_no_show(facts),
        no_show_at=facts.no_show_at,
        authorised=facts.authorised,
        stopped_at=facts.stopped_at,
        stop_counts_from=facts.stop_counts_from,
        tickets=tuple(facts.tickets),
        countersigned=facts.countersigned,
        receipt=facts.receipt,
        agreed=facts.agreed,
        claimed=facts.claimed,
        paid=facts.paid,
        cancellation=facts.cancellation,
        cost=facts.cost,
        compensation=facts.compensation,
        problems=tuple(facts.problems),
        ignored=tuple(facts.ignored),
        not_included=tuple(one.id for one in sorted(waiting, key=_claimed_order)),
    )
