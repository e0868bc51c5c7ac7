"""What a person is told: one event as JSON, delivered to their webhook or command by the outbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .booking.records import (
    Accept,
    Amend,
    Cancel,
    Claim,
    Decline,
    EquipmentFault,
    HostCancel,
    NoShow,
    Offer,
    Paid,
    Problem,
    Refuse,
)
from .effects import Effect, PutOutbox, Tell
from .moment import Moment
from .record import Record, carried

if TYPE_CHECKING:
    from .booking.kept import Booking

_KEY_BYTES = 16
_LIFE_MS = 24 * 3600 * 1000  # a notice that could not be delivered for a day is no news any more


def notice(name: str, booking: Booking, at: Moment, **facts: Any) -> list[Effect]:
    """A notice about a booking; never carries an address, a code or a key.

    It is kept until delivered, and told to the event stream as well.
    """
    quote = booking.state(at.now).quote
    said = {
        "event": name,
        "booking": booking.id.hex(),
        "role": booking.file.role.value,
        "title": booking.file.title,
        "start": quote.start,
        "end": quote.end,
        "at": at.now,
        **facts,
    }
    return _told(name, booking.id, said, at)


def news(booking: Booking, record: Record[Any], at: Moment) -> list[Effect]:
    """What a new record of the other side says to our person; nothing if it only keeps the machines going."""
    match record.body:
        case Accept():
            return notice("booking.accepted", booking, at)
        case Decline(reason=reason):
            return notice("booking.declined", booking, at, reason=reason.name)
        case Cancel(reason=reason) | HostCancel(reason=reason):
            return notice("booking.canceled", booking, at, reason=reason.name)
        case Offer(text=text):
            return _offered(booking, record, text, at)
        case Amend():
            return notice("booking.changed", booking, at)
        case Refuse(reason=reason):
            return notice("booking.change_refused", booking, at, reason=reason.name)
        case EquipmentFault(problem=problem, text=text):
            return notice("booking.equipment_fault", booking, at, problem=problem.name, text=text)
        case NoShow():
            return notice("booking.no_show", booking, at)
        case Problem(problem=problem, text=text):
            return notice("booking.problem", booking, at, problem=problem.name, text=text)
        case Claim(rail=rail, reference=reference):
            return notice("receipt.claimed", booking, at, rail=rail, reference=reference)
        case Paid():
            return notice("receipt.paid", booking, at)
    return []


def _offered(booking: Booking, record: Record[Offer], text: str, at: Moment) -> list[Effect]:
    quote = carried(record)
    facts = {
        "offered_start": quote.start,
        "offered_end": quote.end,
        "cap": quote.cap,
        "expires": quote.expires,
    }
    return notice("booking.offered", booking, at, offer=record.id.hex(), text=text, **facts)


def charger_notice(name: str, charger: bytes, at: Moment, **facts: Any) -> list[Effect]:
    """A notice about a charger rather than a booking."""
    said = {"event": name, "charger": charger.hex(), "at": at.now, **facts}
    return _told(name, charger, said, at)


def series_notice(name: str, series: bytes, at: Moment, **facts: Any) -> list[Effect]:
    """A notice about a weekly series rather than one of its bookings."""
    said = {"event": name, "series": series.hex(), "at": at.now, **facts}
    return _told(name, series, said, at)


def _told(name: str, subject: bytes, said: dict[str, Any], at: Moment) -> list[Effect]:
    """To be delivered until it is too old, and to the event stream at once."""
    body = json.dumps(said, sort_keys=True).encode()
    key = at.fresh(f"notice {subject.hex()} {body.decode()}", _KEY_BYTES)
    return [PutOutbox("notify", key, at.now + _LIFE_MS, body), Tell(name, said)]
