"""What comes of offers, changes, their answers and faults beside other records: rows of `concurrent`."""

from __future__ import annotations

from .outcome import (
    ADDRESS,
    BILLED,
    BOTH_COUNT,
    CANCELED,
    CHARGING,
    CLAIMED,
    LATER_WORD,
    NO_SHOW,
    ONLY_INCLUDES,
    PAID,
    REJECTED,
    RESERVED,
    Row,
)

_OFFER = "An offer holds nothing and changes nothing until it is taken and that is accepted."
_LEAVES = "The driver leaves instead; the price is that of the time, by the terms that were in force then."
_NOTHING_TO_CHANGE = "The session is over and billed: nothing is left to change."
_NOT_A_FAULT = "Charging has begun, so the wallbox has not failed this driver."
_ONE_BY_ONE = "The answer is to the change that it names; the driver's new one waits for its own."

DRIVER_AND_HOST: tuple[Row, ...] = (
    ("cancel", "offer", "reserved", "dh", CANCELED, _OFFER),
    ("cancel", "amend", "changing", "dh", CANCELED, _LEAVES),
    ("cancel", "refuse", "changing", "dh", CANCELED, _LEAVES),
    (
        "cancel",
        "fault",
        "arrived",
        "dh",
        CANCELED,
        "The host has failed the driver, who leaves for nothing.",
    ),
    ("authorisation", "offer", "arrived", "dh", RESERVED, _OFFER),
    (
        "authorisation",
        "amend",
        "changing",
        "dh",
        RESERVED,
        "The check-in counts for the new terms if it is not from before one may check in for them.",
    ),
    ("authorisation", "refuse", "changing", "dh", RESERVED, "The check-in is for the booking as it was."),
    ("authorisation", "fault", "arrived", "dh", RESERVED, "The driver waits whether it starts after all."),
    ("stop", "offer", "charging", "dh", CHARGING, _OFFER),
    ("stop", "amend", "extending", "dh", CHARGING, "Charging ends; the longer time is there to go on in."),
    ("stop", "refuse", "extending", "dh", CHARGING, "Charging ends either way."),
    ("stop", "fault", "charging", "d", CHARGING, _NOT_A_FAULT),
    ("countersign", "offer", "charging", "dh", CHARGING, _OFFER),
    ("countersign", "amend", "extending", "dh", CHARGING, "What was drawn keeps its price."),
    ("countersign", "refuse", "extending", "dh", CHARGING, "What was drawn keeps its price."),
    ("countersign", "fault", "charging", "d", CHARGING, _NOT_A_FAULT),
    ("agreement", "offer", "billed", "d", BILLED, _NOTHING_TO_CHANGE),
    ("agreement", "amend", "billed", "d", BILLED, _NOTHING_TO_CHANGE),
    ("agreement", "refuse", "billed", "d", BILLED, _NOTHING_TO_CHANGE),
    ("agreement", "fault", "billed", "d", BILLED, _NOT_A_FAULT),
    ("claim", "offer", "billed", "d", CLAIMED, _NOTHING_TO_CHANGE),
    ("claim", "amend", "billed", "d", CLAIMED, _NOTHING_TO_CHANGE),
    ("claim", "refuse", "billed", "d", CLAIMED, _NOTHING_TO_CHANGE),
    ("claim", "fault", "billed", "d", CLAIMED, _NOT_A_FAULT),
    ("problem", "offer", "arrived", "dh", RESERVED, _OFFER),
    (
        "problem",
        "amend",
        "changing",
        "dh",
        RESERVED,
        "It frees the driver if it is not from before one may check in for the new terms.",
    ),
    ("problem", "refuse", "changing", "dh", RESERVED, "The problem is with the booking as it was."),
    ("problem", "fault", "arrived", "dh", RESERVED, "Both say that something is wrong."),
    (
        "change",
        "accept",
        "requested",
        "dh",
        RESERVED,
        "The host accepts what was asked for first; the change waits for its own answer.",
    ),
    ("change", "decline", "requested", "h", REJECTED, "There is nothing left to change."),
    ("change", "access", "reserved", "dh", RESERVED, ADDRESS),
    ("change", "acknowledge", "reserved", "dh", RESERVED, ONLY_INCLUDES),
    ("change", "ticket", "checked-in", "dh", CHARGING, "A session that has begun can still be made longer."),
    ("change", "receipt", "charging", "h", BILLED, _NOTHING_TO_CHANGE),
    ("change", "paid", "billed", "h", PAID, _NOTHING_TO_CHANGE),
    ("change", "host-cancel", "reserved", "h", CANCELED, "There is nothing left to change."),
    (
        "change",
        "no-show",
        "arrived",
        "h",
        NO_SHOW,
        "Whoever asks for another time has not come in this one.",
    ),
    (
        "change",
        "offer",
        "reserved",
        "dh",
        RESERVED,
        "Each has a wish; neither counts before it is answered.",
    ),
    ("change", "amend", "changing", "dh", RESERVED, _ONE_BY_ONE),
    ("change", "refuse", "changing", "dh", RESERVED, _ONE_BY_ONE),
    ("change", "fault", "arrived", "dh", RESERVED, "A driver may ask for another time instead of leaving."),
)

# Two devices of one driver.
DRIVER_AND_DRIVER: tuple[Row, ...] = (
    ("cancel", "change", "reserved", "d", CANCELED, "There is nothing left to change."),
    ("change", "cancel", "reserved", "dh", CANCELED, LATER_WORD),
    ("authorisation", "change", "arrived", "dh", RESERVED, BOTH_COUNT),
    ("stop", "change", "charging", "dh", CHARGING, BOTH_COUNT),
    ("countersign", "change", "charging", "dh", CHARGING, BOTH_COUNT),
    ("agreement", "change", "billed", "d", BILLED, _NOTHING_TO_CHANGE),
    ("claim", "change", "billed", "d", CLAIMED, _NOTHING_TO_CHANGE),
    ("problem", "change", "arrived", "dh", RESERVED, BOTH_COUNT),
    ("change", "change", "reserved", "dh", RESERVED, "The later one takes the place of the earlier."),
)
