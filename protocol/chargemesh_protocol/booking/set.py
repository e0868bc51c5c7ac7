"""The set of records of one booking, and the state that it makes: the order of arrival plays no part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, TypedDict

from ..errors import Refused, Severity
from ..limits import MAX_CHANGES_A_SIDE, MAX_INCLUDES, MAX_RECORDS_A_SIDE
from ..record import Record, carried
from .deadlines import at_instant
from .fold import fold
from .records import DRIVER_KINDS, HOST_KINDS, Quote, Request
from .state import BookingState, Fault


class HostFields(TypedDict):
    """The fields that every host record begins with: `Accept(**booking.host_fields(now), access_due=…)`."""

    author: bytes
    issued: int
    booking: bytes
    number: int
    previous: bytes
    includes: tuple[bytes, ...]


class DriverFields(TypedDict):
    """The fields that every driver's record begins with: `Stop(**booking.driver_fields(now))`."""

    author: bytes
    issued: int
    booking: bytes
    seen: bytes


class BookingSet:
    """Quote, request, and whatever else the two have signed. The caller has checked who may sign for whom.

    A record that can't count yet (its predecessor is missing) is kept and counts once it can.
    """

    def __init__(
        self, quote: Record[Quote], request: Record[Request], records: Iterable[Record[Any]] = ()
    ) -> None:
        """Refused("other-quote") or ("same-author") if quote and request make no booking."""
        if request.body.quote != quote.id:
            raise Refused("other-quote", "the request names another quote")
        if request.body.author == quote.body.author:
            raise Refused("same-author", "a booking has two parties")
        self.quote, self.request = quote, request
        self._host: dict[bytes, Record[Any]] = {}
        self._driver: dict[bytes, Record[Any]] = {}
        self._carried: dict[bytes, Quote] = {}  # inside changes and offers
        self._next: dict[tuple[bytes, int], bytes] = {}  # host record after an id, under its number
        self._numbers: dict[int, list[bytes]] = {}  # the two lowest ids of each number
        self._timeless: BookingState | None = None  # the fold of what is here now
        self._shown: tuple[int, BookingState] | None = None  # as of when, and good until its next deadline
        self._chain: tuple[Record[Any], ...] | None = None
        for record in records:
            self.add(record)

    @property
    def id(self) -> bytes:
        return self.request.id

    @property
    def host(self) -> bytes:
        return self.quote.body.author

    @property
    def driver(self) -> bytes:
        return self.request.body.author

    def add(self, record: Record[Any]) -> bool:
        """Takes a record in; False if it was here. Refused if it can't belong to this booking, ever."""
        if record.id in self:
            return False
        body: Any = record.body
        by_host = isinstance(body, HOST_KINDS)
        if not by_host and not isinstance(body, DRIVER_KINDS):
            raise Refused("wrong-kind", f"a {record.kind} is no record of a running booking")
        if body.booking != self.id:
            raise Refused("other-booking", "the record names another booking")
        if body.author != (self.host if by_host else self.driver):
            raise Refused("wrong-author", f"a {record.kind} is not this author's to write", Severity.FORGED)
        side = self._host if by_host else self._driver
        if len(side) >= MAX_RECORDS_A_SIDE:
            raise Refused("booking-full", f"a booking has at most {MAX_RECORDS_A_SIDE} records of a side")
        quote: Quote | None = carried(record)
        if quote is not None and not self.has_room_for_change(by_host):
            raise Refused("booking-full", f"a booking has at most {MAX_CHANGES_A_SIDE} changes of a side")
        if by_host:
            if body.number > MAX_RECORDS_A_SIDE:
                raise Refused("booking-full", f"host records are numbered up to {MAX_RECORDS_A_SIDE}")
            self._place(record, body.number, body.previous)
        if quote is not None:
            self._carried[record.id] = quote
        side[record.id] = record
        self._timeless = self._chain = self._shown = None
        return True

    def has_room_for_change(self, by_host: bool) -> bool:
        """Whether that side may add an offer or a change."""
        side = self._host if by_host else self._driver
        return sum(one in side for one in self._carried) < MAX_CHANGES_A_SIDE

    def state(self, as_of: int) -> BookingState:
        """The state at `as_of` (unix ms): a pure function of the records here and of that instant."""
        if self._timeless is None:
            folded = fold(self.quote.body, self.request, self.chain, self._driver, self._carried)
            self._timeless = replace(folded, faults=self._faults(), missing=self._missing())
        if self._shown is not None:
            since, state = self._shown
            if since <= as_of and (state.next_deadline is None or as_of < state.next_deadline):
                return state
        self._shown = as_of, at_instant(self._timeless, as_of)
        return self._shown[1]

    @property
    def chain(self) -> tuple[Record[Any], ...]:
        """The host records that count: from number 1, each after the one before; of two, the lower id."""
        if self._chain is None:
            found: list[Record[Any]] = []
            tip = self._next.get((self.id, 1))
            while tip is not None:
                found.append(self._host[tip])
                tip = self._next.get((tip, len(found) + 1))
            self._chain = tuple(found)
        return self._chain

    @property
    def pending(self) -> tuple[Record[Any], ...]:
        """Host records outside the chain, by number: what they follow is missing, or they lost to a fork."""
        inside = {one.id for one in self.chain}
        outside = [one for one in self._host.values() if one.id not in inside]
        return tuple(sorted(outside, key=lambda one: (one.body.number, one.id)))

    @property
    def driver_records(self) -> tuple[Record[Any], ...]:
        """The driver's records after the request, oldest first."""
        return tuple(sorted(self._driver.values(), key=lambda one: (one.body.issued, one.id)))

    def get(self, record: bytes) -> Record[Any] | None:
        """A record of the set, quote and request included."""
        if record == self.quote.id:
            return self.quote
        if record == self.request.id:
            return self.request
        return self._host.get(record) or self._driver.get(record)

    def __contains__(self, record: bytes) -> bool:
        return self.get(record) is not None

    def __iter__(self) -> Iterator[Record[Any]]:
        """Every record, in an order that depends on the set alone: the evidence of a dispute."""
        yield self.quote
        yield self.request
        yield from sorted(
            (*self._host.values(), *self._driver.values()), key=lambda one: (one.body.issued, one.id)
        )

    def __len__(self) -> int:
        return 2 + len(self._host) + len(self._driver)

    def host_fields(self, now: int) -> HostFields:
        """What the host's next record begins with; it includes the driver's records that wait for it.

        A clock that was set back dates no record before its predecessor: that would be evidence against us.
        """
        state = self.state(now)
        return {
            "author": self.host,
            "issued": max(now, self.chain[-1].body.issued) if self.chain else now,
            "booking": self.id,
            "number": state.next_number,
            "previous": state.head,
            "includes": state.not_included[:MAX_INCLUDES],
        }

    def driver_fields(self, now: int) -> DriverFields:
        """What the driver's next record begins with."""
        return {"author": self.driver, "issued": now, "booking": self.id, "seen": self.state(now).head}

    def _place(self, record: Record[Any], number: int, previous: bytes) -> None:
        """Files a host record under what it follows; of two in one place the lower id counts."""
        place = (previous, number)
        self._next[place] = min(self._next.get(place, record.id), record.id)
        self._numbers[number] = sorted((*self._numbers.get(number, ()), record.id))[:2]

    def _faults(self) -> tuple[Fault, ...]:
        """By the whole set and not the chain: what comes later takes no evidence away."""
        forks = (
            Fault("fork", tuple(same), f"the host signed two records as number {number}")
            for number, same in sorted(self._numbers.items())
            if len(same) > 1
        )
        back = (
            Fault("time-runs-back", (before.id, after.id), "the host dated a record before its predecessor")
            for after in sorted(self._host.values(), key=lambda one: (one.body.number, one.id))
            if (before := self._host.get(after.body.previous)) and after.body.issued < before.body.issued
        )
        return (*forks, *back)

    def _missing(self) -> tuple[bytes, ...]:
        named: set[bytes] = set()
        for host in self._host.values():
            named.add(host.body.previous)
            named.update(host.body.includes)
        named.update(one.body.seen for one in self._driver.values())
        return tuple(sorted(one for one in named if one not in self))
