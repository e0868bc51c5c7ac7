"""What the records taken so far have established, while `fold` walks over a booking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..record import Record
from .cost import effective_time, frees_driver, overdue
from .records import (
    Accept,
    Access,
    Agreement,
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
from .state import Authorised, Cancellation, Ignored, InForce
from .table import RESERVATION, SESSION, SETTLEMENT, Reservation, Session, Settlement

STILL_OPEN = (Reservation.PENDING, Reservation.RESERVED, Reservation.FULFILLED)


@dataclass(slots=True)
class Facts:
    """Changed by the rules (`on_reservation`, `on_session`, `on_settlement`), read out by `fold`.

    chain, driver, carried: as given to `fold`. in_force: the terms that were and, last, those that are.
    agreed_at: when the acceptance was signed, or the amendment that moved the start. position: index in the
    chain of each host record, -1 for the request. included_in: of a driver's record, the first host record of
    the chain that includes it. taken: records that have had their turn.
    """

    in_force: list[InForce]
    request: Record[Request]
    chain: Sequence[Record[Any]]
    driver: Mapping[bytes, Record[Any]]
    carried: Mapping[bytes, Quote]
    position: Mapping[bytes, int]
    included_in: Mapping[bytes, Record[Any]]
    reservation: Reservation = Reservation.PENDING
    session: Session = Session.PENDING
    settlement: Settlement = Settlement.OPEN
    accept: Record[Accept] | None = None
    decline: Record[Decline] | None = None
    agreed_at: int | None = None
    offer: Record[Offer] | None = None
    change: Record[Change] | None = None
    refusal: Record[Refuse] | None = None
    equipment_fault: Record[EquipmentFault] | None = None
    access: Record[Access] | None = None
    access_sent_at: int | None = None
    access_due: int | None = None
    no_show_at: int | None = None
    cancellation: Cancellation | None = None
    cost: int = 0
    compensation: int = 0
    authorised: Authorised | None = None
    stopped_at: int | None = None
    stop_counts_from: int | None = None
    tickets: list[Record[Ticket]] = field(default_factory=list)
    ticket_number: dict[bytes, int] = field(default_factory=dict)
    countersigned: int = 0
    receipt: Record[Receipt] | None = None
    agreed: Record[Agreement] | None = None
    claimed: Record[Claim] | None = None
    paid: Record[Paid] | None = None
    problems: list[Record[Problem]] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)
    taken: set[bytes] = field(default_factory=set)

    @property
    def quote(self) -> Quote:
        """The one in force, as far as the walk has come."""
        return self.in_force[-1].quote

    @property
    def accepted_at(self) -> int | None:
        return self.accept.body.issued if self.accept else None

    @property
    def problem_at_plug(self) -> bool:
        return any(frees_driver(self.quote, one.body) for one in self.problems)

    def reserve(self, event: str) -> str:
        """Moves the reservation by its table, and voids the session when nothing is left of it.

        Returns why the event takes no effect, or an empty string; so do the next two.
        """
        to = RESERVATION[self.reservation][event]
        if to is None:
            return f"{event} changes nothing of a reservation that is {self.reservation}"
        self.reservation = to
        if to not in STILL_OPEN:
            self.session = SESSION[self.session]["void"] or self.session
        return ""

    def run_session(self, event: str) -> str:
        to = SESSION[self.session][event]
        if to is None:
            return f"{event} changes nothing of a session that is {self.session}"
        self.session = to
        return ""

    def settle(self, event: str) -> str:
        to = SETTLEMENT[self.settlement][event]
        if to is None:
            return f"{event} changes nothing of a settlement that is {self.settlement}"
        self.settlement = to
        return ""

    def begin(self) -> None:
        """The booking is fulfilled once the meter runs and the driver has signed for it."""
        signed = self.authorised or self.countersigned or self.agreed
        if signed and self.tickets and self.reservation is Reservation.RESERVED:
            self.reserve("begin")

    def stop(self, at: int, counts_from: int | None) -> str:
        """Asks the session to end; of several wishes, the earliest counts. Returns why not, as `reserve`."""
        if reason := self.run_session("stop"):
            return reason
        self.stopped_at = at if self.stopped_at is None else min(self.stopped_at, at)
        known = [one for one in (self.stop_counts_from, counts_from) if one is not None]
        self.stop_counts_from = min(known, default=None)
        return ""

    def claimed_time(self, record: Record[Any]) -> int:
        """The time that the driver claims, never before the host record that it says it had seen."""
        seen = self.position.get(record.body.seen, -1)
        issued: int = record.body.issued
        return issued if seen < 0 else max(issued, self.chain[seen].body.issued)

    def acknowledged(self, record: Record[Any]) -> int | None:
        """When the host included this record of the driver; None if it has not."""
        host = self.included_in.get(record.id)
        return None if host is None else int(host.body.issued)

    def stop_counts(self, record: Record[Any]) -> int | None:
        """From when on a stop bounds the authorisation; None while nobody has acknowledged it."""
        acknowledged, claimed = self.acknowledged(record), self.claimed_time(record)
        return None if acknowledged is None else effective_time(claimed, acknowledged, claimed)

    def host_failed_by(self, at: int) -> bool:
        """Whether the driver may leave for nothing at `at`: no address, a problem at the plug, a fault."""
        return self.access_overdue(at) or self.problem_at_plug or self.equipment_fault is not None

    def access_overdue(self, at: int) -> bool:
        """Whether the address was due at `at` and had not been sent by then; what came later is no excuse."""
        return overdue(self.access_due, self.access_sent_at, at)
