"""What a person can do with a booking now: what a page offers as buttons. The engine judges for itself."""

from __future__ import annotations

from typing import Any

from chargemesh_protocol.booking.change_text import change_waits, offer_stands
from chargemesh_protocol.booking.changes import can_change
from chargemesh_protocol.booking.check_in import waiting_check_in
from chargemesh_protocol.booking.kept import Booking
from chargemesh_protocol.booking.objections import objections, reading_to_confirm
from chargemesh_protocol.booking.records import Change, Claim
from chargemesh_protocol.booking.state import BookingState
from chargemesh_protocol.booking.table import Reservation, Session, Settlement
from chargemesh_protocol.limits import CLOCK_TOLERANCE_MS

_OPEN = (Reservation.PENDING, Reservation.RESERVED)
_LIVE = (Reservation.RESERVED, Reservation.FULFILLED)


def actions(booking: Booking, state: BookingState, now: int) -> list[str]:
    """Names of the routes under /v1/bookings/{id}/ that would do something, the most urgent first."""
    if booking.file.refused:
        return []
    found = _host(state, now) if booking.is_host else _driver(booking, state, now)
    if booking.agreed_receipt(now) is not None and not booking.file.review:
        found.append("review")
    if booking.file.secret:
        found.append("message")
    return found


def _on_its_way(booking: Booking, state: BookingState, kind: type[Any]) -> bool:
    """Whether such a record of ours waits to be included by the host, from when on it counts."""
    return any(one.id in state.not_included for one in booking.own(kind))


def _host(state: BookingState, now: int) -> list[str]:
    found = []
    if state.reservation is Reservation.PENDING or change_waits(state):
        found += ["accept", "decline"]
    if can_change(state) and now < state.quote.end:
        found.append("offer")
    if state.receipt is not None and state.paid is None and state.settlement is not Settlement.PAID:
        found.append("confirm")
    if state.reservation in _OPEN and state.session is not Session.COMPLETED:
        found.append("cancel")
    if state.reservation is Reservation.RESERVED and state.equipment_fault is None:
        found.append("fault")
    return found


def _driver(booking: Booking, state: BookingState, now: int) -> list[str]:
    found = []
    quote = state.quote
    if state.offer is not None and offer_stands(state, now) and can_change(state):
        taken = any(one.body.offer == state.offer.id for one in booking.own(Change))
        if not taken and booking.file.passed_offer != state.offer.id:
            found += ["accept", "decline"]
    live = state.reservation in _LIVE
    running = state.session in (Session.PENDING, Session.ACTIVE)
    in_time = quote.start - CLOCK_TOLERANCE_MS <= now < quote.end
    signed = booking.as_signed(state)
    unread = reading_to_confirm(signed) is not None
    if unread:
        found.append("reading")
    waiting = waiting_check_in(state, booking.mine)
    stopped_at = state.stopped_at if waiting is None else waiting.stopped_at
    idle = stopped_at is not None or (waiting is None and not state.checked_in)
    if live and running and in_time and idle:
        found.append("start")
    if live and running and not idle:
        found.append("stop")
    disputed = state.settlement is Settlement.DISPUTED
    open_receipt = state.receipt is not None and (signed.agreed is None or disputed)
    if open_receipt and (unread or disputed or objections(signed)):
        found.append("agree")
    due = state.receipt is not None and state.receipt.body.total > 0
    if (
        due
        and state.settlement in (Settlement.OPEN, Settlement.DISPUTED)
        and not _on_its_way(booking, state, Claim)
    ):
        found.append("claim")
    if state.reservation in _OPEN and state.session is Session.PENDING:
        found.append("cancel")
    if can_change(state) and now < quote.end:
        found.append("change")
    if live:
        found.append("problem")
    return found
