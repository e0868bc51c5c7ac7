"""What comes of two records whose writers had not seen each other's: every pair, decided in one table.

A pair (driver's kind, host's kind): the driver's record named the last host record of `stage`, the host
wrote its own without including it, and included it afterwards. A pair of driver's kinds (two devices):
included by one host record, in the order of their claimed times. A pair of host's kinds: one number used
twice. A pair of an instant and a kind: the record was issued more than the tolerance after the instant.
`stands` names the kinds that take effect; the other's record stays in the set and is ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement

from ..record import kind_of
from .records import HOST_KINDS
from .table import Reservation, Session, Settlement

# How far the booking was: each stage contains the ones before it.
STAGES = ("requested", "reserved", "arrived", "checked-in", "charging", "billed")
# One of those stages, with a change to a longer time that the host has included and not yet answered.
CHANGING = {"changing": "arrived", "extending": "charging"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """stage: where the two begin, of STAGES or CHANGING. stands: the kinds that take effect. The states are
    those after both.

    Of a fork, stage and states are None: they depend on which of the two ids is lower.
    """

    stage: str | None
    stands: tuple[str, ...]
    reservation: Reservation | None
    session: Session | None
    settlement: Settlement | None
    reason: str


_RESERVED = (Reservation.RESERVED, Session.PENDING, Settlement.OPEN)
_REJECTED = (Reservation.REJECTED, Session.INVALID, Settlement.OPEN)
_FAILED = (Reservation.FAILED, Session.INVALID, Settlement.OPEN)
_CANCELED = (Reservation.CANCELED, Session.INVALID, Settlement.OPEN)
_NO_SHOW = (Reservation.NO_SHOW, Session.INVALID, Settlement.OPEN)
_CHARGING = (Reservation.FULFILLED, Session.ACTIVE, Settlement.OPEN)
_BILLED = (Reservation.FULFILLED, Session.COMPLETED, Settlement.OPEN)
_CLAIMED = (Reservation.FULFILLED, Session.COMPLETED, Settlement.CLAIMED)
_PAID = (Reservation.FULFILLED, Session.COMPLETED, Settlement.PAID)
_DISPUTED = (Reservation.FULFILLED, Session.COMPLETED, Settlement.DISPUTED)

_States = tuple[Reservation, Session, Settlement]
_Row = tuple[str, str, str, str, _States, str]

_AGAIN = "The host has answered before; a second answer says nothing."
_ADDRESS = "Where the charger is does not depend on it."
_ONLY_INCLUDES = "An acknowledgement changes nothing by itself; the next one includes the driver's record."
_BEGUN = "Charging has begun: whoever cancels now asks for its end."
_THERE = "The driver has checked in, so there is no no-show."
_NO_BILL_TWICE = (
    "The driver's record names the receipt that this one replaces; the driver looks at the new one."
)
_LATE_METER = "The session was billed; what the meter shows later is not its energy."
_OVER = "The session is over and billed: nothing is left to cancel or to stop."
_OFFER = "An offer holds nothing and changes nothing until it is taken and that is accepted."
_LEAVES = "The driver leaves instead; the price is that of the time, by the terms that were in force then."
_NOTHING_TO_CHANGE = "The session is over and billed: nothing is left to change."
_NOT_A_FAULT = "Charging has begun, so the wallbox has not failed this driver."
_ONE_BY_ONE = "The answer is to the change that it names; the driver's new one waits for its own."

# stands: "d" the driver's record, "h" the host's, "dh" both.
_DRIVER_AND_HOST: tuple[_Row, ...] = (
    (
        "cancel",
        "accept",
        "requested",
        "dh",
        _CANCELED,
        "The driver takes the request back without knowing of the acceptance. Free if its time is before "
        "the acceptance, else at the tier's price.",
    ),
    ("cancel", "decline", "requested", "h", _REJECTED, "Both say no, and neither costs anything."),
    (
        "cancel",
        "access",
        "reserved",
        "dh",
        _CANCELED,
        "The address was on its way; the price is that of the time.",
    ),
    ("cancel", "acknowledge", "reserved", "dh", _CANCELED, _ONLY_INCLUDES),
    ("cancel", "ticket", "checked-in", "dh", _CHARGING, _BEGUN),
    ("cancel", "receipt", "charging", "h", _BILLED, _OVER),
    ("cancel", "paid", "billed", "h", _PAID, _OVER),
    (
        "cancel",
        "host-cancel",
        "reserved",
        "h",
        _CANCELED,
        "The host took the slot away by itself, so the driver owes nothing.",
    ),
    (
        "cancel",
        "no-show",
        "arrived",
        "d",
        _CANCELED,
        "A cancellation changes the state as soon as it is in the set. Not acknowledged in time, it costs no "
        "less than one at the start, so an invented time gains nothing.",
    ),
    (
        "authorisation",
        "accept",
        "requested",
        "dh",
        _RESERVED,
        "Whoever stands at the charger asks and checks in at once; it counts with the acceptance.",
    ),
    ("authorisation", "decline", "requested", "h", _REJECTED, "Nothing is reserved that it could be for."),
    ("authorisation", "access", "reserved", "dh", _RESERVED, _ADDRESS),
    ("authorisation", "acknowledge", "arrived", "dh", _RESERVED, _ONLY_INCLUDES),
    (
        "authorisation",
        "ticket",
        "arrived",
        "dh",
        _CHARGING,
        "Until the check-in the ticket was the host's claim only; then the authorisation covers it.",
    ),
    (
        "authorisation",
        "receipt",
        "charging",
        "h",
        _BILLED,
        "What is billed is not authorised afterwards: the driver agrees with the receipt, or does not.",
    ),
    ("authorisation", "paid", "billed", "h", _PAID, "The session was billed."),
    ("authorisation", "host-cancel", "arrived", "h", _CANCELED, "Nothing is reserved any more."),
    (
        "authorisation",
        "no-show",
        "arrived",
        "h",
        _NO_SHOW,
        "A no-show waits two minutes longer than the grace, so that a check-in in time has reached the host.",
    ),
    ("stop", "accept", "charging", "d", _CHARGING, _AGAIN),
    ("stop", "decline", "charging", "d", _CHARGING, _AGAIN),
    ("stop", "access", "charging", "dh", _CHARGING, _ADDRESS),
    ("stop", "acknowledge", "charging", "dh", _CHARGING, _ONLY_INCLUDES),
    (
        "stop",
        "ticket",
        "charging",
        "dh",
        _CHARGING,
        "The ticket tells what the meter shows. Energy read over two minutes after the stop is a claim only.",
    ),
    ("stop", "receipt", "charging", "h", _BILLED, _OVER),
    ("stop", "paid", "billed", "h", _PAID, _OVER),
    ("stop", "host-cancel", "charging", "dh", _CHARGING, "Both ask for the end; the earlier time counts."),
    ("stop", "no-show", "charging", "d", _CHARGING, _THERE),
    ("countersign", "accept", "charging", "d", _CHARGING, _AGAIN),
    ("countersign", "decline", "charging", "d", _CHARGING, _AGAIN),
    ("countersign", "access", "charging", "dh", _CHARGING, _ADDRESS),
    ("countersign", "acknowledge", "charging", "dh", _CHARGING, _ONLY_INCLUDES),
    (
        "countersign",
        "ticket",
        "charging",
        "dh",
        _CHARGING,
        "It covers the ticket that it names, not the new one.",
    ),
    (
        "countersign",
        "receipt",
        "charging",
        "dh",
        _BILLED,
        "The driver still stands behind the tickets it saw.",
    ),
    ("countersign", "paid", "billed", "dh", _PAID, "The driver still stands behind the tickets it saw."),
    ("countersign", "host-cancel", "charging", "dh", _CHARGING, _BEGUN),
    ("countersign", "no-show", "charging", "d", _CHARGING, _THERE),
    ("agreement", "accept", "billed", "d", _BILLED, _AGAIN),
    ("agreement", "decline", "billed", "d", _BILLED, _AGAIN),
    ("agreement", "access", "billed", "dh", _BILLED, _ADDRESS),
    ("agreement", "acknowledge", "billed", "dh", _BILLED, _ONLY_INCLUDES),
    ("agreement", "ticket", "billed", "d", _BILLED, _LATE_METER),
    ("agreement", "receipt", "billed", "h", _BILLED, _NO_BILL_TWICE),
    ("agreement", "paid", "billed", "dh", _PAID, "Paid at the charger, before the phone had signed."),
    ("agreement", "host-cancel", "billed", "d", _BILLED, _OVER),
    ("agreement", "no-show", "billed", "d", _BILLED, _THERE),
    ("claim", "accept", "billed", "d", _CLAIMED, _AGAIN),
    ("claim", "decline", "billed", "d", _CLAIMED, _AGAIN),
    ("claim", "access", "billed", "dh", _CLAIMED, _ADDRESS),
    ("claim", "acknowledge", "billed", "dh", _CLAIMED, _ONLY_INCLUDES),
    ("claim", "ticket", "billed", "d", _CLAIMED, _LATE_METER),
    ("claim", "receipt", "billed", "h", _BILLED, _NO_BILL_TWICE),
    ("claim", "paid", "billed", "h", _PAID, "The host has the money; the claim adds nothing."),
    ("claim", "host-cancel", "billed", "d", _CLAIMED, _OVER),
    ("claim", "no-show", "billed", "d", _CLAIMED, _THERE),
    ("problem", "accept", "arrived", "d", _RESERVED, _AGAIN),
    ("problem", "decline", "arrived", "d", _RESERVED, _AGAIN),
    ("problem", "access", "reserved", "dh", _RESERVED, _ADDRESS),
    ("problem", "acknowledge", "arrived", "dh", _RESERVED, _ONLY_INCLUDES),
    ("problem", "ticket", "checked-in", "dh", _CHARGING, "Energy flows all the same."),
    (
        "problem",
        "receipt",
        "charging",
        "dh",
        _BILLED,
        "Whoever had not seen the receipt does not dispute it; that takes a problem written afterwards.",
    ),
    ("problem", "paid", "billed", "dh", _PAID, "The receipt was paid; what was wrong stays on record."),
    ("problem", "host-cancel", "arrived", "dh", _CANCELED, "The host gives up the slot either way."),
    (
        "problem",
        "no-show",
        "arrived",
        "dh",
        _NO_SHOW,
        "A problem at the plug that was included earlier would have shown that the driver was there.",
    ),
    ("cancel", "offer", "reserved", "dh", _CANCELED, _OFFER),
    ("cancel", "amend", "changing", "dh", _CANCELED, _LEAVES),
    ("cancel", "refuse", "changing", "dh", _CANCELED, _LEAVES),
    (
        "cancel",
        "fault",
        "arrived",
        "dh",
        _CANCELED,
        "The host has failed the driver, who leaves for nothing.",
    ),
    ("authorisation", "offer", "arrived", "dh", _RESERVED, _OFFER),
    (
        "authorisation",
        "amend",
        "changing",
        "dh",
        _RESERVED,
        "The check-in counts for the new terms if it is not from before one may check in for them.",
    ),
    ("authorisation", "refuse", "changing", "dh", _RESERVED, "The check-in is for the booking as it was."),
    ("authorisation", "fault", "arrived", "dh", _RESERVED, "The driver waits whether it starts after all."),
    ("stop", "offer", "charging", "dh", _CHARGING, _OFFER),
    ("stop", "amend", "extending", "dh", _CHARGING, "Charging ends; the longer time is there to go on in."),
    ("stop", "refuse", "extending", "dh", _CHARGING, "Charging ends either way."),
    ("stop", "fault", "charging", "d", _CHARGING, _NOT_A_FAULT),
    ("countersign", "offer", "charging", "dh", _CHARGING, _OFFER),
    ("countersign", "amend", "extending", "dh", _CHARGING, "What was drawn keeps its price."),
    ("countersign", "refuse", "extending", "dh", _CHARGING, "What was drawn keeps its price."),
    ("countersign", "fault", "charging", "d", _CHARGING, _NOT_A_FAULT),
    ("agreement", "offer", "billed", "d", _BILLED, _NOTHING_TO_CHANGE),
    ("agreement", "amend", "billed", "d", _BILLED, _NOTHING_TO_CHANGE),
    ("agreement", "refuse", "billed", "d", _BILLED, _NOTHING_TO_CHANGE),
    ("agreement", "fault", "billed", "d", _BILLED, _NOT_A_FAULT),
    ("claim", "offer", "billed", "d", _CLAIMED, _NOTHING_TO_CHANGE),
    ("claim", "amend", "billed", "d", _CLAIMED, _NOTHING_TO_CHANGE),
    ("claim", "refuse", "billed", "d", _CLAIMED, _NOTHING_TO_CHANGE),
    ("claim", "fault", "billed", "d", _CLAIMED, _NOT_A_FAULT),
    ("problem", "offer", "arrived", "dh", _RESERVED, _OFFER),
    (
        "problem",
        "amend",
        "changing",
        "dh",
        _RESERVED,
        "It frees the driver if it is not from before one may check in for the new terms.",
    ),
    ("problem", "refuse", "changing", "dh", _RESERVED, "The problem is with the booking as it was."),
    ("problem", "fault", "arrived", "dh", _RESERVED, "Both say that something is wrong."),
    (
        "change",
        "accept",
        "requested",
        "dh",
        _RESERVED,
        "The host accepts what was asked for first; the change waits for its own answer.",
    ),
    ("change", "decline", "requested", "h", _REJECTED, "There is nothing left to change."),
    ("change", "access", "reserved", "dh", _RESERVED, _ADDRESS),
    ("change", "acknowledge", "reserved", "dh", _RESERVED, _ONLY_INCLUDES),
    ("change", "ticket", "checked-in", "dh", _CHARGING, "A session that has begun can still be made longer."),
    ("change", "receipt", "charging", "h", _BILLED, _NOTHING_TO_CHANGE),
    ("change", "paid", "billed", "h", _PAID, _NOTHING_TO_CHANGE),
    ("change", "host-cancel", "reserved", "h", _CANCELED, "There is nothing left to change."),
    (
        "change",
        "no-show",
        "arrived",
        "h",
        _NO_SHOW,
        "Whoever asks for another time has not come in this one.",
    ),
    (
        "change",
        "offer",
        "reserved",
        "dh",
        _RESERVED,
        "Each has a wish; neither counts before it is answered.",
    ),
    ("change", "amend", "changing", "dh", _RESERVED, _ONE_BY_ONE),
    ("change", "refuse", "changing", "dh", _RESERVED, _ONE_BY_ONE),
    ("change", "fault", "arrived", "dh", _RESERVED, "A driver may ask for another time instead of leaving."),
)

_BOTH_COUNT = "Each says something of its own."
_LATER_WORD = "The driver's later word counts."

# Two devices of one driver, in the order of their claimed times; a pair that stands once, in either order.
_DRIVER_AND_DRIVER: tuple[_Row, ...] = (
    ("cancel", "cancel", "reserved", "d", _CANCELED, "The first has done it."),
    ("cancel", "authorisation", "arrived", "d", _CANCELED, "Nothing is reserved any more."),
    (
        "authorisation",
        "cancel",
        "arrived",
        "dh",
        _CANCELED,
        "No energy has flowed yet, so it can be cancelled.",
    ),
    ("cancel", "stop", "charging", "dh", _CHARGING, _BEGUN),
    ("cancel", "countersign", "charging", "dh", _CHARGING, _BEGUN),
    ("cancel", "agreement", "billed", "h", _BILLED, _OVER),
    ("cancel", "claim", "billed", "h", _CLAIMED, _OVER),
    (
        "cancel",
        "problem",
        "arrived",
        "dh",
        _CANCELED,
        "Only a problem from before makes the cancellation free.",
    ),
    ("authorisation", "authorisation", "arrived", "dh", _RESERVED, "The larger bounds count."),
    (
        "authorisation",
        "stop",
        "charging",
        "dh",
        _CHARGING,
        "A check-in after a stop goes on; a stop after it ends.",
    ),
    ("authorisation", "countersign", "charging", "dh", _CHARGING, _BOTH_COUNT),
    ("authorisation", "agreement", "billed", "h", _BILLED, "The session was billed."),
    ("authorisation", "claim", "billed", "h", _CLAIMED, "The session was billed."),
    ("authorisation", "problem", "arrived", "dh", _RESERVED, _BOTH_COUNT),
    ("stop", "stop", "charging", "dh", _CHARGING, "The earlier time counts."),
    ("stop", "countersign", "charging", "dh", _CHARGING, _BOTH_COUNT),
    ("stop", "agreement", "billed", "h", _BILLED, _OVER),
    ("stop", "claim", "billed", "h", _CLAIMED, _OVER),
    ("stop", "problem", "charging", "dh", _CHARGING, _BOTH_COUNT),
    ("countersign", "countersign", "charging", "dh", _CHARGING, "The newer ticket counts."),
    ("countersign", "agreement", "billed", "dh", _BILLED, _BOTH_COUNT),
    ("countersign", "claim", "billed", "dh", _CLAIMED, _BOTH_COUNT),
    ("countersign", "problem", "charging", "dh", _CHARGING, _BOTH_COUNT),
    ("agreement", "agreement", "billed", "dh", _BILLED, "Both agree with the same receipt."),
    ("agreement", "claim", "billed", "dh", _CLAIMED, _BOTH_COUNT),
    ("agreement", "problem", "billed", "dh", _DISPUTED, _LATER_WORD),
    ("problem", "agreement", "billed", "dh", _BILLED, _LATER_WORD),
    ("claim", "claim", "billed", "d", _CLAIMED, "The first claim counts."),
    ("claim", "problem", "billed", "dh", _DISPUTED, _LATER_WORD),
    ("problem", "claim", "billed", "dh", _CLAIMED, _LATER_WORD),
    ("problem", "problem", "arrived", "dh", _RESERVED, _BOTH_COUNT),
    ("cancel", "change", "reserved", "d", _CANCELED, "There is nothing left to change."),
    ("change", "cancel", "reserved", "dh", _CANCELED, _LATER_WORD),
    ("authorisation", "change", "arrived", "dh", _RESERVED, _BOTH_COUNT),
    ("stop", "change", "charging", "dh", _CHARGING, _BOTH_COUNT),
    ("countersign", "change", "charging", "dh", _CHARGING, _BOTH_COUNT),
    ("agreement", "change", "billed", "d", _BILLED, _NOTHING_TO_CHANGE),
    ("claim", "change", "billed", "d", _CLAIMED, _NOTHING_TO_CHANGE),
    ("problem", "change", "arrived", "dh", _RESERVED, _BOTH_COUNT),
    ("change", "change", "reserved", "dh", _RESERVED, "The later one takes the place of the earlier."),
)

REQUEST_EXPIRED = "request-expired"
SLOT_OVER = "slot-over"
_TOO_LATE = "The slot is over: nobody used it, and nothing changes that any more."

_INSTANT_AND_RECORD: tuple[_Row, ...] = (
    (REQUEST_EXPIRED, "accept", "requested", "d", _FAILED, "The driver no longer waits for an answer."),
    (REQUEST_EXPIRED, "decline", "requested", "h", _REJECTED, "A late no is still the plainer answer."),
    (REQUEST_EXPIRED, "cancel", "requested", "h", _CANCELED, "The driver's own word is the plainer end."),
    (REQUEST_EXPIRED, "host-cancel", "requested", "h", _CANCELED, "The host's own word is the plainer end."),
    (SLOT_OVER, "cancel", "arrived", "d", _FAILED, _TOO_LATE),
    (SLOT_OVER, "host-cancel", "arrived", "d", _FAILED, _TOO_LATE),
    (SLOT_OVER, "authorisation", "arrived", "d", _FAILED, _TOO_LATE),
    (SLOT_OVER, "amend", "changing", "d", _FAILED, _TOO_LATE),
    (SLOT_OVER, "fault", "arrived", "d", _FAILED, _TOO_LATE),
    (
        SLOT_OVER,
        "no-show",
        "arrived",
        "d",
        _FAILED,
        "A host that said nothing during the whole slot can't tell that the driver stayed away.",
    ),
    (
        SLOT_OVER,
        "ticket",
        "checked-in",
        "h",
        _CHARGING,
        "Backlog of a session within the slot: the driver had checked in, and the ticket bears its own time.",
    ),
)

_FORK = (
    "The host used one number twice. The record with the lower id counts, with what follows it; the pair is "
    "evidence against the host."
)


def _outcomes(rows: tuple[_Row, ...]) -> dict[tuple[str, str], Outcome]:
    found = {}
    for first, second, stage, stands, states, reason in rows:
        kinds = tuple(one for one, letter in ((first, "d"), (second, "h")) if letter in stands)
        found[first, second] = Outcome(stage, kinds, *states, reason)
    return found


def _forks() -> dict[tuple[str, str], Outcome]:
    kinds = [kind_of(one) for one in HOST_KINDS]
    fork = Outcome(None, ("lower id",), None, None, None, _FORK)
    return dict.fromkeys(combinations_with_replacement(kinds, 2), fork)


CONCURRENT: dict[tuple[str, str], Outcome] = {
    **_outcomes(_DRIVER_AND_HOST),
    **_outcomes(_DRIVER_AND_DRIVER),
    **_outcomes(_INSTANT_AND_RECORD),
    **_forks(),
}


def as_data() -> list[dict[str, object]]:
    """The table as plain values, for `specs/tables/booking-concurrent.json`."""
    return [
        {
            "pair": list(pair),
            "stage": one.stage,
            "stands": list(one.stands),
            "reservation": one.reservation and str(one.reservation),
            "session": one.session and str(one.session),
            "settlement": one.settlement and str(one.settlement),
            "reason": one.reason,
        }
        for pair, one in CONCURRENT.items()
    ]
