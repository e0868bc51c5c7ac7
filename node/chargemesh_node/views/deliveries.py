"""Where what we sent is: with the other side by its word, in its mailbox by the volunteer's, or with us."""

from __future__ import annotations

from typing import Literal, TypeAlias, TypedDict

from chargemesh_protocol.booking.kept import Booking
from chargemesh_protocol.booking.post import Delivery, delivery_of, live_deposit, message_delivery

from ..node import Node
from .values import Instant, instant

Where: TypeAlias = Literal["delivered", "in-mailbox", "trying", "pending", "given-up"]


class DeliveryView(TypedDict):
    """state: of the least advanced thing of ours (request, records, messages). delivered: the other side said
    that it holds all; in-mailbox: its volunteer signed that it was handed in, at handed_in; trying: tried in
    vain; pending: not tried yet; given-up: not delivered, and no more tried. next_try: of reaching the other
    side itself, null where nothing is tried. kept_until: how long its mailbox holds it."""

    state: Where
    tries: int
    next_try: Instant | None
    handed_in: Instant | None
    kept_until: Instant | None


def delivery_view(node: Node, booking: Booking) -> DeliveryView:
    now, zone = node.clock.now(), booking.file.zone
    state = delivery_state(node, booking)
    row = None if state == "delivered" else node.runner.outbox.get("peer", booking.id)
    deposit = live_deposit(booking, now) if state == "in-mailbox" else None
    return {
        "state": state,
        "tries": 0 if row is None else row.attempts,
        "next_try": None if row is None else instant(max(now, row.next_try), zone),
        "handed_in": None if deposit is None else instant(deposit.at, zone),
        "kept_until": None if deposit is None else instant(deposit.expires, zone),
    }


def delivery_state(node: Node, booking: Booking) -> Where:
    return _where(node, booking, delivery_of(booking, node.clock.now()))


def message_states(node: Node, booking: Booking) -> list[Where | None]:
    """Of each message of the booking, in order; None for those of the other side."""
    now, found, ours = node.clock.now(), list[Where | None](), 0
    for message in booking.messages:
        if message.ours:
            found.append(_where(node, booking, message_delivery(booking, ours, now)))
            ours += 1
        else:
            found.append(None)
    return found


def _where(node: Node, booking: Booking, delivery: Delivery) -> Where:
    if delivery is Delivery.DELIVERED:
        return "delivered"
    row = node.runner.outbox.get("peer", booking.id)
    if row is None:
        return "given-up"
    if delivery is Delivery.IN_MAILBOX:
        return "in-mailbox"
    return "trying" if row.attempts else "pending"
