"""What comes of two records whose writers had not seen each other's: every pair, decided in one table.

A pair (driver's kind, host's kind): the driver's record named the last host record of `stage`, the host
wrote its own without including it, and included it afterwards. A pair of driver's kinds (two devices):
included by one host record, in the order of their claimed times. A pair of host's kinds: one number used
twice. A pair of an instant and a kind: the record was issued more than the tolerance after the instant.
`stands` names the kinds that take effect; the other's record stays in the set and is ignored.
"""

from __future__ import annotations

from itertools import combinations_with_replacement

from ..record import kind_of
from . import concurrent_changes
from .outcome import (
    ADDRESS,
    BILLED,
    BOTH_COUNT,
    CANCELED,
    CHARGING,
    CLAIMED,
    DISPUTED,
    FAILED,
    LATER_WORD,
    NO_SHOW,
    ONLY_INCLUDES,
    PAID,
    REJECTED,
    RESERVED,
    Outcome,
    Row,
)
from .records import HOST_KINDS

_AGAIN = "The host has answered before; a second answer says nothing."
_BEGUN = "Charging has begun: whoever cancels now asks for its end."
_THERE = "The driver has checked in, so there is no no-show."
_NO_BILL_TWICE = (
    "The driver's record names the receipt that this one replaces; the driver looks at the new one."
)
_LATE_METER = "The session was billed; what the meter shows later is not its energy."
_OVER = "The session is over and billed: nothing is left to cancel or to stop."

# stands: "d" the driver's record, "h" the host's, "dh" both.
_DRIVER_AND_HOST: tuple[Row, ...] = (
    (
        "cancel",
        "accept",
        "requested",
        "dh",
        CANCELED,
        "The driver takes the request back without knowing of the acceptance. Free if its time is before "
        "the acceptance, else at the tier's price.",
    ),
    ("cancel", "decline", "requested", "h", REJECTED, "Both say no, and neither costs anything."),
    (
        "cancel",
        "access",
        "reserved",
        "dh",
        CANCELED,
        "The address was on its way; the price is that of the time.",
    ),
    ("cancel", "acknowledge", "reserved", "dh", CANCELED, ONLY_INCLUDES),
    ("cancel", "ticket", "checked-in", "dh", CHARGING, _BEGUN),
    ("cancel", "receipt", "charging", "h", BILLED, _OVER),
    ("cancel", "paid", "billed", "h", PAID, _OVER),
    (
        "cancel",
        "host-cancel",
        "reserved",
        "h",
        CANCELED,
        "The host took the slot away by itself, so the driver owes nothing.",
    ),
    (
        "cancel",
        "no-show",
        "arrived",
        "d",
        CANCELED,
        "A cancellation changes the state as soon as it is in the set. Not acknowledged in time, it costs no "
        "less than one at the start, so an invented time gains nothing.",
    ),
    (
        "authorisation",
        "accept",
        "requested",
        "dh",
        RESERVED,
        "Whoever stands at the charger asks and checks in at once; it counts with the acceptance.",
    ),
    ("authorisation", "decline", "requested", "h", REJECTED, "Nothing is reserved that it could be for."),
    ("authorisation", "access", "reserved", "dh", RESERVED, ADDRESS),
    ("authorisation", "acknowledge", "arrived", "dh", RESERVED, ONLY_INCLUDES),
    (
        "authorisation",
        "ticket",
        "arrived",
        "dh",
        CHARGING,
        "Until the check-in the ticket was the host's claim only; then the authorisation covers it.",
    ),
    (
        "authorisation",
        "receipt",
        "charging",
        "h",
        BILLED,
        "What is billed is not authorised afterwards: the driver agrees with the receipt, or does not.",
    ),
    ("authorisation", "paid", "billed", "h", PAID, "The session was billed."),
    ("authorisation", "host-cancel", "arrived", "h", CANCELED, "Nothing is reserved any more."),
    (
        "authorisation",
        "no-show",
        "arrived",
        "h",
        NO_SHOW,
        "A no-show waits two minutes longer than the grace, so that a check-in in time has reached the host.",
    ),
    ("stop", "accept", "charging", "d", CHARGING, _AGAIN),
    ("stop", "decline", "charging", "d", CHARGING, _AGAIN),
    ("stop", "access", "charging", "dh", CHARGING, ADDRESS),
    ("stop", "acknowledge", "charging", "dh", CHARGING, ONLY_INCLUDES),
    (
        "stop",
        "ticket",
        "charging",
        "dh",
        CHARGING,
        "The ticket tells what the meter shows. Energy read over two minutes after the stop is a claim only.",
    ),
    ("stop", "receipt", "charging", "h", BILLED, _OVER),
    ("stop", "paid", "billed", "h", PAID, _OVER),
    ("stop", "host-cancel", "charging", "dh", CHARGING, "Both ask for the end; the earlier time counts."),
    ("stop", "no-show", "charging", "d", CHARGING, _THERE),
    ("countersign", "accept", "charging", "d", CHARGING, _AGAIN),
    ("countersign", "decline", "charging", "d", CHARGING, _AGAIN),
    ("countersign", "access", "charging", "dh", CHARGING, ADDRESS),
    ("countersign", "acknowledge", "charging", "dh", CHARGING, ONLY_INCLUDES),
    (
        "countersign",
        "ticket",
        "charging",
        "dh",
        CHARGING,
        "It covers the ticket that it names, not the new one.",
    ),
    (
        "countersign",
        "receipt",
        "charging",
        "dh",
        BILLED,
        "The driver still stands behind the tickets it saw.",
    ),
    ("countersign", "paid", "billed", "dh", PAID, "The driver still stands behind the tickets it saw."),
    ("countersign", "host-cancel", "charging", "dh", CHARGING, _BEGUN),
    ("countersign", "no-show", "charging", "d", CHARGING, _THERE),
    ("agreement", "accept", "billed", "d", BILLED, _AGAIN),
    ("agreement", "decline", "billed", "d", BILLED, _AGAIN),
    ("agreement", "access", "billed", "dh", BILLED, ADDRESS),
    ("agreement", "acknowledge", "billed", "dh", BILLED, ONLY_INCLUDES),
    ("agreement", "ticket", "billed", "d", BILLED, _LATE_METER),
    ("agreement", "receipt", "billed", "h", BILLED, _NO_BILL_TWICE),
    ("agreement", "paid", "billed", "dh", PAID, "Paid at the charger, before the phone had signed."),
    ("agreement", "host-cancel", "billed", "d", BILLED, _OVER),
    ("agreement", "no-show", "billed", "d", BILLED, _THERE),
    ("claim", "accept", "billed", "d", CLAIMED, _AGAIN),
    ("claim", "decline", "billed", "d", CLAIMED, _AGAIN),
    ("claim", "access", "billed", "dh", CLAIMED, ADDRESS),
    ("claim", "acknowledge", "billed", "dh", CLAIMED, ONLY_INCLUDES),
    ("claim", "ticket", "billed", "d", CLAIMED, _LATE_METER),
    ("claim", "receipt", "billed", "h", BILLED, _NO_BILL_TWICE),
    ("claim", "paid", "billed", "h", PAID, "The host has the money; the claim adds nothing."),
    ("claim", "host-cancel", "billed", "d", CLAIMED, _OVER),
    ("claim", "no-show", "billed", "d", CLAIMED, _THERE),
    ("problem", "accept", "arrived", "d", RESERVED, _AGAIN),
    ("problem", "decline", "arrived", "d", RESERVED, _AGAIN),
    ("problem", "access", "reserved", "dh", RESERVED, ADDRESS),
    ("problem", "acknowledge", "arrived", "dh", RESERVED, ONLY_INCLUDES),
    ("problem", "ticket", "checked-in", "dh", CHARGING, "Energy flows all the same."),
    (
        "problem",
        "receipt",
        "charging",
        "dh",
        BILLED,
        "Whoever had not seen the receipt does not dispute it; that takes a problem written afterwards.",
    ),
    ("problem", "paid", "billed", "dh", PAID, "The receipt was paid; what was wrong stays on record."),
    ("problem", "host-cancel", "arrived", "dh", CANCELED, "The host gives up the slot either way."),
    (
        "problem",
        "no-show",
        "arrived",
        "dh",
        NO_SHOW,
        "A problem at the plug that was included earlier would have shown that the driver was there.",
    ),
)


# Two devices of one driver, in the order of their claimed times; a pair that stands once, in either order.
_DRIVER_AND_DRIVER: tuple[Row, ...] = (
    ("cancel", "cancel", "reserved", "d", CANCELED, "The first has done it."),
    ("cancel", "authorisation", "arrived", "d", CANCELED, "Nothing is reserved any more."),
    (
        "authorisation",
        "cancel",
        "arrived",
        "dh",
        CANCELED,
        "No energy has flowed yet, so it can be cancelled.",
    ),
    ("cancel", "stop", "charging", "dh", CHARGING, _BEGUN),
    ("cancel", "countersign", "charging", "dh", CHARGING, _BEGUN),
    ("cancel", "agreement", "billed", "h", BILLED, _OVER),
    ("cancel", "claim", "billed", "h", CLAIMED, _OVER),
    (
        "cancel",
        "problem",
        "arrived",
        "dh",
        CANCELED,
        "Only a problem from before makes the cancellation free.",
    ),
    ("authorisation", "authorisation", "arrived", "dh", RESERVED, "The larger bounds count."),
    (
        "authorisation",
        "stop",
        "charging",
        "dh",
        CHARGING,
        "A check-in after a stop goes on; a stop after it ends.",
    ),
    ("authorisation", "countersign", "charging", "dh", CHARGING, BOTH_COUNT),
    ("authorisation", "agreement", "billed", "h", BILLED, "The session was billed."),
    ("authorisation", "claim", "billed", "h", CLAIMED, "The session was billed."),
    ("authorisation", "problem", "arrived", "dh", RESERVED, BOTH_COUNT),
    ("stop", "stop", "charging", "dh", CHARGING, "The earlier time counts."),
    ("stop", "countersign", "charging", "dh", CHARGING, BOTH_COUNT),
    ("stop", "agreement", "billed", "h", BILLED, _OVER),
    ("stop", "claim", "billed", "h", CLAIMED, _OVER),
    ("stop", "problem", "charging", "dh", CHARGING, BOTH_COUNT),
    ("countersign", "countersign", "charging", "dh", CHARGING, "The newer ticket counts."),
    ("countersign", "agreement", "billed", "dh", BILLED, BOTH_COUNT),
    ("countersign", "claim", "billed", "dh", CLAIMED, BOTH_COUNT),
    ("countersign", "problem", "charging", "dh", CHARGING, BOTH_COUNT),
    ("agreement", "agreement", "billed", "dh", BILLED, "Both agree with the same receipt."),
    ("agreement", "claim", "billed", "dh", CLAIMED, BOTH_COUNT),
    ("agreement", "problem", "billed", "dh", DISPUTED, LATER_WORD),
    ("problem", "agreement", "billed", "dh", BILLED, LATER_WORD),
    ("claim", "claim", "billed", "d", CLAIMED, "The first claim counts."),
    ("claim", "problem", "billed", "dh", DISPUTED, LATER_WORD),
    ("problem", "claim", "billed", "dh", CLAIMED, LATER_WORD),
    ("problem", "problem", "arrived", "dh", RESERVED, BOTH_COUNT),
)

REQUEST_EXPIRED = "request-expired"
SLOT_OVER = "slot-over"
_TOO_LATE = "The slot is over: nobody used it, and nothing changes that any more."

_INSTANT_AND_RECORD: tuple[Row, ...] = (
    (REQUEST_EXPIRED, "accept", "requested", "d", FAILED, "The driver no longer waits for an answer."),
    (REQUEST_EXPIRED, "decline", "requested", "h", REJECTED, "A late no is still the plainer answer."),
    (REQUEST_EXPIRED, "cancel", "requested", "h", CANCELED, "The driver's own word is the plainer end."),
    (REQUEST_EXPIRED, "host-cancel", "requested", "h", CANCELED, "The host's own word is the plainer end."),
    (SLOT_OVER, "cancel", "arrived", "d", FAILED, _TOO_LATE),
    (SLOT_OVER, "host-cancel", "arrived", "d", FAILED, _TOO_LATE),
    (SLOT_OVER, "authorisation", "arrived", "d", FAILED, _TOO_LATE),
    (SLOT_OVER, "amend", "changing", "d", FAILED, _TOO_LATE),
    (SLOT_OVER, "fault", "arrived", "d", FAILED, _TOO_LATE),
    (
        SLOT_OVER,
        "no-show",
        "arrived",
        "d",
        FAILED,
        "A host that said nothing during the whole slot can't tell that the driver stayed away.",
    ),
    (
        SLOT_OVER,
        "ticket",
        "checked-in",
        "h",
        CHARGING,
        "Backlog of a session within the slot: the driver had checked in, and the ticket bears its own time.",
    ),
)

_FORK = (
    "The host used one number twice. The record with the lower id counts, with what follows it; the pair is "
    "evidence against the host."
)


def _outcomes(rows: tuple[Row, ...]) -> dict[tuple[str, str], Outcome]:
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
    **_outcomes(concurrent_changes.DRIVER_AND_HOST),
    **_outcomes(_DRIVER_AND_DRIVER),
    **_outcomes(concurrent_changes.DRIVER_AND_DRIVER),
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
