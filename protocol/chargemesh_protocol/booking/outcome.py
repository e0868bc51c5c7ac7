"""What can come of two records: the stages at which they are written, and the states after both."""

from __future__ import annotations

from dataclasses import dataclass

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


RESERVED = (Reservation.RESERVED, Session.PENDING, Settlement.OPEN)
REJECTED = (Reservation.REJECTED, Session.INVALID, Settlement.OPEN)
FAILED = (Reservation.FAILED, Session.INVALID, Settlement.OPEN)
CANCELED = (Reservation.CANCELED, Session.INVALID, Settlement.OPEN)
NO_SHOW = (Reservation.NO_SHOW, Session.INVALID, Settlement.OPEN)
CHARGING = (Reservation.FULFILLED, Session.ACTIVE, Settlement.OPEN)
BILLED = (Reservation.FULFILLED, Session.COMPLETED, Settlement.OPEN)
CLAIMED = (Reservation.FULFILLED, Session.COMPLETED, Settlement.CLAIMED)
PAID = (Reservation.FULFILLED, Session.COMPLETED, Settlement.PAID)
DISPUTED = (Reservation.FULFILLED, Session.COMPLETED, Settlement.DISPUTED)

States = tuple[Reservation, Session, Settlement]
# (first, second, stage, stands: "d" the first record, "h" the second, "dh" both, states, reason)
Row = tuple[str, str, str, str, States, str]

# Reasons that hold for several pairs.
ADDRESS = "Where the charger is does not depend on it."
ONLY_INCLUDES = "An acknowledgement changes nothing by itself; the next one includes the driver's record."
BOTH_COUNT = "Each says something of its own."
LATER_WORD = "The driver's later word counts."
