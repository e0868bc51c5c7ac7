"""What a booking's set of records says at one instant."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ..record import Record
from .records import (
    Accept,
    Access,
    Agreement,
    CancelReason,
    Change,
    Claim,
    Decline,
    EquipmentFault,
    Offer,
    Paid,
    Problem,
    Quote,
    Receipt,
    Refuse,
    Request,
    Ticket,
)
from .table import Reservation, Session, Settlement


class Party(StrEnum):
    HOST = "host"
    DRIVER = "driver"


@dataclass(frozen=True, slots=True)
class Authorised:
    """What the driver pays for without signing again: the most of all its authorisations. Wh, micro-units."""

    energy_wh: int
    cost: int
    since: int  # when the first one was signed


@dataclass(frozen=True, slots=True)
class InForce:
    """The terms of a booking from `since` (unix ms) on.

    fee_floor: leaving costs at least that, in micro-units. change: id of the driver's change whose quote this
    is; None for the one that the request names, which is in force from the begin.
    """

    quote: Quote
    since: int = 0
    fee_floor: int = 0
    change: bytes | None = None


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Who cancelled, and what follows. Amounts in micro-units, bounded by the quote's cap.

    claimed: when it was signed, as its writer says. at: the time whose price counts. cost: the driver owes
    it. compensation: the host owes it. final: False while nobody has acknowledged it, which can still
    change the cost.
    """

    by: Party
    record: bytes
    reason: CancelReason
    claimed: int
    at: int
    cost: int
    compensation: int
    final: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """Signed evidence against the host: ids of the records that contradict each other, and why they do."""

    code: str
    records: tuple[bytes, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """A record that took no effect, and why."""

    record: bytes
    kind: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingState:
    """The state of one booking at an instant. Records named here took effect; others are in `ignored`.

    quote: what is in force: slot, plan, cap, energy and terms. (Keys, charger and host are those of the first
    quote for ever.) in_force: all that was, the first quote first; its last is `quote`. offer: the host's
    that stands, and offered its quote; it can have expired. change: the driver's that waits for the host's
    answer, and wanted its quote. refusal: the host's answer to the last one. agreed_at: when the host
    accepted, or last moved the start. head: id of the last host record of the chain (the request's before the
    first). next_number: of the host's next record. tickets: in the chain's order; time and energy never fall
    from one to the next. countersigned: how many of them, from the first, the driver agreed with. access: the
    newest address sent; access_sent_at: when the first was signed. stopped_at: when somebody asked for
    charging to end. stop_counts_from: from then on (and CLOCK_TOLERANCE_MS) the authorisation
    covers nothing more. no_show_from: from when on a no-show counts; None if none would (checked in, a
    problem at the plug, no address sent). not_included: the driver's records that no host record includes
    yet, oldest first. missing: ids that records of the set name and the set lacks. next_deadline: the next
    instant at which the state changes by time alone.
    """

    booking: bytes
    quote: Quote
    request: Request
    reservation: Reservation
    session: Session
    settlement: Settlement
    head: bytes
    next_number: int
    accept: Record[Accept] | None = None
    decline: Record[Decline] | None = None
    in_force: tuple[InForce, ...] = ()
    agreed_at: int | None = None
    offer: Record[Offer] | None = None
    offered: Quote | None = None
    change: Record[Change] | None = None
    wanted: Quote | None = None
    refusal: Record[Refuse] | None = None
    equipment_fault: Record[EquipmentFault] | None = None
    access: Record[Access] | None = None
    access_sent_at: int | None = None
    access_due: int | None = None
    access_overdue: bool = False
    no_show_from: int | None = None
    no_show_at: int | None = None
    authorised: Authorised | None = None
    stopped_at: int | None = None
    stop_counts_from: int | None = None
    tickets: tuple[Record[Ticket], ...] = ()
    countersigned: int = 0
    receipt: Record[Receipt] | None = None
    agreed: Record[Agreement] | None = None
    claimed: Record[Claim] | None = None
    paid: Record[Paid] | None = None
    cancellation: Cancellation | None = None
    cost: int = 0  # the driver owes it for a cancellation or a no-show, before any receipt
    compensation: int = 0  # the host owes it for failing the driver
    problems: tuple[Record[Problem], ...] = ()
    faults: tuple[Fault, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    not_included: tuple[bytes, ...] = ()
    missing: tuple[bytes, ...] = ()
    next_deadline: int | None = None

    @property
    def fee_floor(self) -> int:
        """Leaving costs at least that, in micro-units, whatever the terms in force say."""
        return self.in_force[-1].fee_floor if self.in_force else 0

    @property
    def access_sent(self) -> bool:
        return self.access is not None

    @property
    def cancelled_by(self) -> Party | None:
        return self.cancellation.by if self.cancellation else None

    @property
    def checked_in(self) -> bool:
        return self.authorised is not None

    @property
    def countersigned_up_to(self) -> Record[Ticket] | None:
        """The newest ticket that the driver agreed with."""
        return self.tickets[self.countersigned - 1] if self.countersigned else None

    @property
    def energy_wh(self) -> int:
        """What the newest ticket shows."""
        return self.tickets[-1].body.energy_wh if self.tickets else 0

    @property
    def holds_slot(self) -> bool:
        """Whether the booking needs its slot: reserved, or charging in it."""
        if self.reservation is Reservation.FULFILLED:
            return self.session in (Session.PENDING, Session.ACTIVE)
        return self.reservation is Reservation.RESERVED

    @property
    def finished(self) -> bool:
        """Nothing more is expected of either side: it never came about, or it is paid, or costs nothing."""
        if self.settlement is Settlement.PAID:
            return True
        if self.reservation in (Reservation.REJECTED, Reservation.FAILED):
            return True
        ended = self.reservation in (Reservation.CANCELED, Reservation.NO_SHOW)
        return ended and self.cost == 0 and self.receipt is None

    def ignored_reason(self, record: bytes) -> str:
        """Why a record of the set took no effect; empty if it did, or waits to be included."""
        return next((one.reason for one in self.ignored if one.record == record), "")
