"""The state of a booking by chapter 05, written from its text and tables alone, on plain trees."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cbor2

from .tariff_text import Tree, cancelling, half_up

TABLES = Path(__file__).parents[2] / "specs" / "tables"
STATES: dict[str, Any] = json.loads((TABLES / "booking-states.json").read_text())
NAMES: dict[str, list[str]] = json.loads((TABLES / "names.json").read_text())
MINUTE = 60_000
M = 2 * MINUTE
OPEN = ("PENDING", "RESERVED", "FULFILLED")


@dataclass(frozen=True)
class Signed:
    """One record: its id, its kind and the tree of its payload."""

    id: bytes
    kind: str
    tree: Tree

    @property
    def issued(self) -> int:
        return int(self.tree[1])


def carried(one: Signed) -> Tree:
    """The payload of the quote inside a change or an offer."""
    raw: bytes = one.tree[4 if one.kind == "change" else 6]
    found: Tree = cbor2.loads(cbor2.loads(raw).value[2])
    return found


@dataclass
class Booking:
    """What the walk has found so far."""

    quote: Tree
    request: Signed
    records: list[Signed]
    reservation: str = "PENDING"
    session: str = "PENDING"
    settlement: str = "OPEN"
    accepted: int | None = None
    agreed_at: int | None = None
    in_force: list[tuple[int, Tree, int]] = field(default_factory=list)  # since, quote, floor
    offer: Signed | None = None
    change: Signed | None = None
    fault: bool = False
    due: int | None = None
    sent: int | None = None
    cost: int = 0
    owed: int = 0
    authorised: tuple[int, int] | None = None
    checked_in: int = 0
    stop_from: int | None = None
    tickets: list[Signed] = field(default_factory=list)
    countersigned: int = 0
    receipt: Signed | None = None
    agreed: bool = False
    problems: list[Signed] = field(default_factory=list)  # of those that can be at the plug
    at_plug: bool = False
    taken: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        hosts = [one for one in self.records if one.kind in NAMES["kinds of the host's chain"]]
        self.driver = [one for one in self.records if one.kind in NAMES["kinds of the driver"]]
        self.chain: list[Signed] = []
        tip = self.request.id
        while following := [
            one for one in hosts if one.tree[3] == len(self.chain) + 1 and one.tree[4] == tip
        ]:  # B11
            self.chain.append(min(following, key=lambda one: one.id))
            tip = self.chain[-1].id
        self.in_force.append((0, self.quote, 0))

    # --- words ------------------------------------------------------------------------------------

    @property
    def now(self) -> Tree:
        """The quote in force."""
        return self.in_force[-1][1]

    @property
    def start(self) -> int:
        return int(self.now[4])

    @property
    def end(self) -> int:
        return int(self.now[5])

    @property
    def no_show_time(self) -> int:
        return int(max(self.start, self.agreed_at or 0) + self.now[12][2] * MINUTE + M)

    @property
    def slot_over(self) -> int:
        return int((self.end if self.accepted is None else max(self.end, self.no_show_time)) + M)

    @property
    def earliest(self) -> int:
        return int(self.start - 15 * MINUTE - M)

    def place(self, record: bytes) -> int:
        """Where it stands in the chain; -1 for the request and whatever is not in it."""
        return next((n for n, one in enumerate(self.chain) if one.id == record), -1)

    def claimed(self, one: Signed) -> int:
        at = self.place(one.tree[3])
        return one.issued if at < 0 else max(one.issued, self.chain[at].issued)

    def included(self, one: Signed) -> int | None:
        return next((host.issued for host in self.chain if one.id in host.tree[5]), None)

    def effective(self, one: Signed) -> int | None:
        said, heard = self.claimed(one), self.included(one)
        return None if heard is None else said if abs(heard - said) <= M else heard

    def fails(self) -> int:
        return int(min(half_up(self.now[9] * self.now[12][3], 100), self.now[9]))

    def leaving(self, at: int) -> int:
        """T13 at that time, by what was in force then, and the floor."""
        in_time = [one for one in self.in_force if one[0] <= at] or self.in_force[:1]
        _, quote, floor = in_time[-1]
        return max(int(cancelling(quote[12], quote[9], quote[4], at)), floor)

    def overdue(self, at: int) -> bool:
        due = self.due is not None and at >= self.due + M
        return due and (self.sent is None or self.sent > at)

    # --- the walk ---------------------------------------------------------------------------------

    def walk(self) -> None:
        """B12 and B13."""
        for host in self.chain:
            self._all(one for one in self.driver if one.id in host.tree[5])
            if host.kind == "no-show" and self._no_show_counts(host):
                here = self.place(host.id)
                self._all(
                    one
                    for one in self.driver
                    if one.kind == "cancel" and one.issued < host.issued and self.place(one.tree[3]) < here
                )
            self._take(host)
        self._all(one for one in self.driver if one.kind in NAMES["kinds that take effect alone"])

    def _all(self, records: Any) -> None:
        for one in sorted(records, key=lambda one: (one.issued, one.id)):
            if one.id not in self.taken:
                self._take(one)

    def _take(self, one: Signed) -> None:
        self.taken.add(one.id)
        getattr(self, "_" + one.kind.replace("-", "_"))(one)

    def _move(self, table: str, event: str) -> bool:
        to = STATES[table][getattr(self, table)][event]
        if to is None:
            return False
        setattr(self, table, to)
        if table == "reservation" and to not in OPEN:
            self.session = STATES["session"][self.session]["void"] or self.session
        return True

    def _begin(self) -> None:
        signed = self.authorised or self.countersigned or self.agreed
        if signed and self.tickets and self.reservation == "RESERVED":
            self._move("reservation", "begin")

    def _stopped(self, counts: int | None) -> None:
        if self._move("session", "stop") and counts is not None:
            self.stop_from = counts if self.stop_from is None else min(self.stop_from, counts)

    # --- what each record does --------------------------------------------------------------------

    def _accept(self, one: Signed) -> None:
        named, change = one.tree.get(16), self.change
        if named is not None and (change is None or change.id != named):
            return
        end = self.end if named is None or change is None else carried(change)[5]
        if one.issued > self.request.tree[5] + M or one.issued >= end + M:
            return
        if self._move("reservation", "accept"):
            self.accepted = self.agreed_at = one.issued
            self.offer = None
            if named is not None and change is not None:
                self._put_in_force(change, one.issued, 0)
            self.due = min(one.tree[6], max(self.start, one.issued))

    # --- other terms ------------------------------------------------------------------------------

    def _fits(self, one: Signed) -> bool:
        """B26."""
        quote, first = carried(one), self.quote
        same = all(quote[n] == first[n] for n in (0, 3, 11)) and quote[6][0] == first[6][0]
        return same and (not self.tickets or (quote[4] == self.start and quote[5] >= self.end))

    def _may_change(self, one: Signed) -> bool:
        return self.receipt is None and self.session != "COMPLETED" and self._fits(one)

    def _offer(self, one: Signed) -> None:
        if self._may_change(one) and self._move("reservation", "offer"):
            self.offer = one

    def _change(self, one: Signed) -> None:
        named = one.tree.get(16)
        if named is not None and (self.offer is None or self.offer.id != named):
            return
        if named is not None and self.offer is not None and self.offer.tree[6] != one.tree[4]:
            return
        if self._may_change(one) and self._move("reservation", "change"):
            self.change = one

    def _refuse(self, one: Signed) -> None:
        open_ = self.change is not None and self.change.id == one.tree[6]
        if open_ and self._move("reservation", "refuse"):
            self.change = None

    def _amend(self, one: Signed) -> None:
        change = self.change
        if change is None or change.id != one.tree[6] or not self._may_change(change):
            return
        if self.reservation == "RESERVED" and one.issued >= self.slot_over:
            return
        if one.issued >= carried(change)[5]:
            return
        reserved = self.reservation == "RESERVED"
        if self._move("reservation", "amend"):
            floor = self.in_force[-1][2]
            if 16 not in change.tree and reserved:  # B29
                free = self.overdue(one.issued) or self.at_plug or self.fault
                early = self.accepted is None or one.issued < self.accepted
                quote = self.now
                costs = max(int(cancelling(quote[12], quote[9], quote[4], one.issued)), floor)
                floor = 0 if free or early else costs
            self._put_in_force(change, one.issued, floor)
            if self.sent is None:
                self.due = min(one.tree[7], max(self.start, one.issued))

    def _put_in_force(self, change: Signed, at: int, floor: int) -> None:
        """B28."""
        before, quote = self.start, carried(change)
        self.in_force.append((at, quote, floor))
        self.change = None
        if 16 in change.tree:
            self.offer = None
        if quote[4] != before:
            self.agreed_at, self.fault = at, False
        if self.authorised is not None and self.checked_in < self.earliest:
            self.authorised = self.stop_from = None
        elif self.authorised is not None:
            self.authorised = max(self.authorised[0], quote[7]), max(self.authorised[1], quote[9])
        self.at_plug = any(one.issued >= self.earliest for one in self.problems)

    def _fault(self, one: Signed) -> None:
        if one.issued < self.slot_over and self._move("reservation", "fault"):
            self.fault = True

    # --- and the rest -----------------------------------------------------------------------------

    def _decline(self, one: Signed) -> None:
        self._move("reservation", "decline")

    def _access(self, one: Signed) -> None:
        if self.reservation in ("RESERVED", "FULFILLED") and self.sent is None:
            self.sent = one.issued

    def _acknowledge(self, one: Signed) -> None:
        pass

    def _host_cancel(self, one: Signed) -> None:
        if self.reservation == "FULFILLED":
            self._stopped(one.issued)
        elif (
            one.issued < self.slot_over
            and self._move("reservation", "host-cancel")
            and self.accepted is not None
            and (one.tree[6] != "SAFETY" or self.fault)
        ):
            self.owed = self.fails()

    def _no_show_counts(self, one: Signed) -> bool:
        possible = STATES["reservation"][self.reservation]["no-show"] is not None
        there = self.authorised is not None or self.at_plug or self.fault
        return (
            possible
            and self.sent is not None
            and not there
            and self.no_show_time <= one.issued < self.slot_over
        )

    def _no_show(self, one: Signed) -> None:
        if self._no_show_counts(one) and self._move("reservation", "no-show"):
            quote = self.now
            costs = int(cancelling(quote[12], quote[9], self.start, self.start + 1))
            self.cost = max(costs, self.in_force[-1][2])

    def _cancel(self, one: Signed) -> None:
        if self.reservation == "FULFILLED":
            self._stopped(self.effective(one))
            return
        if self.claimed(one) >= self.slot_over or not self._move("reservation", "cancel"):
            return
        at = self.effective(one)
        overdue = self.overdue(self.claimed(one) if at is None else at)  # B15
        at = max(self.claimed(one), self.start) if at is None else at
        self.owed = self.fails() if overdue or self.fault else 0
        free = overdue or self.at_plug or self.fault or one.tree[4] == "SAFETY"
        if self.accepted is not None and at >= self.accepted and not free:
            self.cost = self.leaving(at)

    def _authorisation(self, one: Signed) -> None:
        late = self.reservation != "FULFILLED" and one.issued >= self.slot_over
        if self.reservation not in OPEN or self.receipt or one.issued < self.earliest or late:
            return
        if self._move("session", "check-in"):
            self.checked_in = self.checked_in if self.authorised else one.issued
            before = self.authorised or (0, 0)
            self.authorised = (max(before[0], one.tree[4]), max(before[1], one.tree[5]))
            self.stop_from = None
            self._begin()

    def _ticket(self, one: Signed) -> None:
        at, energy = one.tree[6], one.tree[7]
        if self.reservation not in ("RESERVED", "FULFILLED") or self.receipt:
            return
        if at > 7_258_118_400_000 or energy > 10**8:
            return
        if self.tickets and (at < self.tickets[-1].tree[6] or energy < self.tickets[-1].tree[7]):
            return
        if self._move("session", "final-ticket" if one.tree[11] == "Transaction.End" else "ticket"):
            self.tickets.append(one)
            self._begin()

    def _stop(self, one: Signed) -> None:
        if self.authorised or self.tickets:
            self._stopped(self.effective(one))

    def _countersign(self, one: Signed) -> None:
        ids = [ticket.id for ticket in self.tickets]
        if one.tree[4] in ids:
            self.countersigned = max(self.countersigned, ids.index(one.tree[4]) + 1)
            self._begin()

    def _receipt(self, one: Signed) -> None:
        over = self.reservation in ("CANCELED", "NO_SHOW")
        if not over and self.session not in ("ACTIVE", "COMPLETED"):
            return
        if one.tree[9] != self.quote[6][0] or (self.agreed and self.settlement != "DISPUTED"):
            return
        if self._move("settlement", "receipt"):
            self._move("session", "receipt")
            self.receipt, self.agreed = one, False

    def _names_receipt(self, named: bytes) -> bool:
        return self.receipt is not None and self.receipt.id == named

    def _agreement(self, one: Signed) -> None:
        if self.receipt is None or not self._names_receipt(one.tree[4]):
            return
        if self._move("settlement", "agreement" if self.receipt.tree[11] else "nothing-due"):
            self.agreed = True
            self._begin()

    def _claim(self, one: Signed) -> None:
        if self._names_receipt(one.tree[4]):
            self._move("settlement", "claim")

    def _paid(self, one: Signed) -> None:
        if self._names_receipt(one.tree[6]):
            self._move("settlement", "paid")

    def _problem(self, one: Signed) -> None:
        if one.tree[4] in NAMES["problems at the plug"]:
            self.problems.append(one)
        self.at_plug = any(each.issued >= self.earliest for each in self.problems)
        if self.receipt and self.place(one.tree[3]) >= self.place(self.receipt.id):
            self._move("settlement", "problem")

    # --- by time alone ----------------------------------------------------------------------------

    def pass_time(self, t: int) -> None:
        """B14."""
        if self.reservation == "PENDING" and t >= min(self.request.tree[5], self.end) + M:
            earlier = self.request.tree[5] <= self.end
            self._move("reservation", "request-expired" if earlier else "slot-over")
        elif self.reservation == "RESERVED" and t >= self.slot_over:
            overdue = self.sent is None and self.overdue(t)
            self.owed = self.fails() if overdue or self.fault else 0
            self._move("reservation", "slot-over")
