"""The three state machines of a booking, as tables: what each event does in each state.

Every (state, event) pair stands here. None means that the event takes no effect: the record that
brought it stays in the set as evidence, and the state tells why it was ignored. States are stored and
sent by these names. Reservation and session states are OCPI 2.3.0's.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias, TypeVar


class Reservation(StrEnum):
    """Is the slot the driver's?"""

    PENDING = "PENDING"  # asked for, not answered
    RESERVED = "RESERVED"
    REJECTED = "REJECTED"
    FAILED = "FAILED"  # no answer in time, or nobody used the slot and nobody said why
    CANCELED = "CANCELED"
    NO_SHOW = "NO_SHOW"
    FULFILLED = "FULFILLED"  # charging began, and the driver stands behind it


class Session(StrEnum):
    """Does energy flow for it?"""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"
    INVALID = "INVALID"  # there was or will be no session that counts


class Settlement(StrEnum):
    """Is it paid?"""

    OPEN = "OPEN"
    CLAIMED = "CLAIMED"  # the driver says so
    PAID = "PAID"  # the host says so, or nothing was due
    DISPUTED = "DISPUTED"


S = TypeVar("S", bound=StrEnum)
Table: TypeAlias = dict[S, dict[str, S | None]]

_NOTHING_COUNTS: dict[str, Reservation | None] = {
    "accept": None,
    "decline": None,
    "cancel": None,
    "host-cancel": None,
    "no-show": None,
    "begin": None,
    "request-expired": None,
    "slot-over": None,
    "offer": None,
    "change": None,
    "amend": None,
    "refuse": None,
    "fault": None,
}

# begin: there is a meter ticket, and the driver has signed for it (checked in, countersigned or agreed).
# request-expired, slot-over: an instant that passes without a record.
RESERVATION: Table[Reservation] = {
    Reservation.PENDING: {
        "accept": Reservation.RESERVED,
        "decline": Reservation.REJECTED,
        "cancel": Reservation.CANCELED,
        "host-cancel": Reservation.CANCELED,
        "no-show": None,
        "begin": None,
        "request-expired": Reservation.FAILED,
        "slot-over": Reservation.FAILED,
        "offer": Reservation.PENDING,  # a counter-offer; the request waits on
        "change": Reservation.PENDING,
        "amend": None,  # it is accepted, with the change or without
        "refuse": Reservation.PENDING,
        "fault": None,
    },
    Reservation.RESERVED: {
        "accept": None,
        "decline": None,
        "cancel": Reservation.CANCELED,
        "host-cancel": Reservation.CANCELED,
        "no-show": Reservation.NO_SHOW,
        "begin": Reservation.FULFILLED,
        "request-expired": None,
        "slot-over": Reservation.FAILED,
        "offer": Reservation.RESERVED,
        "change": Reservation.RESERVED,
        "amend": Reservation.RESERVED,  # with other terms in force
        "refuse": Reservation.RESERVED,
        "fault": Reservation.RESERVED,  # the driver may leave for nothing, or wait
    },
    Reservation.FULFILLED: {
        "accept": None,
        "decline": None,
        "cancel": Reservation.FULFILLED,  # charging has begun: whoever cancels now stops it
        "host-cancel": Reservation.FULFILLED,
        "no-show": None,
        "begin": None,
        "request-expired": None,
        "slot-over": None,
        "offer": Reservation.FULFILLED,
        "change": Reservation.FULFILLED,
        "amend": Reservation.FULFILLED,  # a longer session
        "refuse": Reservation.FULFILLED,
        "fault": None,  # charging has begun
    },
    Reservation.REJECTED: _NOTHING_COUNTS,
    Reservation.FAILED: _NOTHING_COUNTS,
    Reservation.CANCELED: _NOTHING_COUNTS,
    Reservation.NO_SHOW: _NOTHING_COUNTS,
}

# final-ticket: a ticket of context Transaction.End. void: the reservation ended without being fulfilled.
SESSION: Table[Session] = {
    Session.PENDING: {
        "check-in": Session.PENDING,
        "ticket": Session.ACTIVE,
        "final-ticket": Session.COMPLETED,
        "stop": Session.PENDING,  # not to be started until the driver checks in again
        "receipt": None,
        "void": Session.INVALID,
    },
    Session.ACTIVE: {
        "check-in": Session.ACTIVE,
        "ticket": Session.ACTIVE,
        "final-ticket": Session.COMPLETED,
        "stop": Session.ACTIVE,  # the final ticket ends it, not the wish
        "receipt": Session.COMPLETED,
        "void": Session.INVALID,
    },
    Session.COMPLETED: {
        "check-in": Session.COMPLETED,  # a phone without a network signs afterwards
        "ticket": None,
        "final-ticket": Session.COMPLETED,  # final values that came after the stop
        "stop": None,
        "receipt": Session.COMPLETED,
        "void": Session.INVALID,
    },
    Session.INVALID: {
        "check-in": None,
        "ticket": None,
        "final-ticket": None,
        "stop": None,
        "receipt": Session.INVALID,  # the fee of a cancellation or of a no-show
        "void": None,
    },
}

# nothing-due: the driver agreed to a receipt over nothing. problem: one whose writer had seen the receipt.
SETTLEMENT: Table[Settlement] = {
    Settlement.OPEN: {
        "receipt": Settlement.OPEN,
        "agreement": Settlement.OPEN,
        "nothing-due": Settlement.PAID,
        "claim": Settlement.CLAIMED,
        "paid": Settlement.PAID,
        "problem": Settlement.DISPUTED,
    },
    Settlement.CLAIMED: {
        "receipt": None,
        "agreement": Settlement.CLAIMED,
        "nothing-due": Settlement.PAID,
        "claim": None,
        "paid": Settlement.PAID,
        "problem": Settlement.DISPUTED,
    },
    Settlement.PAID: {
        "receipt": None,
        "agreement": Settlement.PAID,  # paid in cash before the phone had signed
        "nothing-due": Settlement.PAID,
        "claim": None,
        "paid": None,
        "problem": None,
    },
    Settlement.DISPUTED: {
        "receipt": Settlement.OPEN,  # the host's correction
        "agreement": Settlement.OPEN,
        "nothing-due": Settlement.PAID,
        "claim": Settlement.CLAIMED,
        "paid": Settlement.PAID,
        "problem": Settlement.DISPUTED,
    },
}


def as_data() -> dict[str, dict[str, dict[str, str | None]]]:
    """The tables as plain text values, for `specs/tables/booking-states.json` and for diagrams."""
    return {
        "reservation": _as_text(RESERVATION),
        "session": _as_text(SESSION),
        "settlement": _as_text(SETTLEMENT),
    }


def _as_text(table: Table[S]) -> dict[str, dict[str, str | None]]:
    return {
        str(state): {event: None if to is None else str(to) for event, to in row.items()}
        for state, row in table.items()
    }
