"""A weekly series in the simulated network: days pass at once, since nothing happens in most of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from chargemesh_node.sim.people import HOUR_MS, Person
from chargemesh_node.sim.world import World
from chargemesh_protocol.booking.kept import Booking
from chargemesh_protocol.booking.table import Reservation
from chargemesh_protocol.series.dates import instant_of
from chargemesh_protocol.series.desk import SeriesDesk
from chargemesh_protocol.series.kept import Series
from chargemesh_protocol.wall_clock import day_number

ZONE = "Europe/Berlin"
FIRST = date(2026, 9, 24)  # the first Thursday of simulated time
EVENING = 18 * 60
_STEP_H = 12
_SETTLING_S = 50  # in which every node looks at its clock, asks and is answered
_TAKEN = (Reservation.RESERVED, Reservation.FULFILLED, Reservation.NO_SHOW)


def evening(week: int, minute: int = EVENING) -> int:
    """That minute of the Thursday of week 1, 2, …; unix ms."""
    return instant_of(ZONE, day_of(week), minute)


def day_of(week: int) -> int:
    return day_number(FIRST) + 7 * (week - 1)


async def days_pass(world: World, days: float) -> None:
    """For everybody alike, half a day at a time; what must always hold is checked after each."""
    for _ in range(round(days * 24 / _STEP_H)):
        for person in world.people.values():
            person.clock.skew_ms += _STEP_H * HOUR_MS
            person.box_clock.skew_ms += _STEP_H * HOUR_MS
        await asyncio.sleep(_SETTLING_S)
        world.checkers.always()


@dataclass
class Weekly:
    """Thursdays from 18:00 to 21:00 at the host's charger."""

    world: World
    host: Person
    driver: Person
    id: bytes = field(default=b"", init=False)
    first: bytes = field(default=b"", init=False)

    @property
    def desk(self) -> SeriesDesk:
        return self.driver.node.runner.engine.series.own

    @property
    def kept(self) -> Series:
        return self.desk.require(self.id)

    async def begins(self, count: int | None = None) -> None:
        """The driver finds the charger and takes the first Thursday, to be repeated."""
        node, start = self.driver.node, evening(1)
        found = next(one for one in await self.driver.finds() if one.record.body.author == self.host.author)
        offer = await self.driver.asks(node.ask_quote(found, start, start + 3 * HOUR_MS, 10_000))
        wait_ms = 24 * HOUR_MS
        made = await self.driver.asks(node.book_weekly(offer.record.id, wait_ms=wait_ms, count=count))
        self.id, self.first = bytes.fromhex(made["series"]), bytes.fromhex(made["booking"])

    def is_kept(self) -> bool:
        """Whether the driver's disk has the series, also if it died before it could say so."""
        kept = [id_ for id_, _ in self.desk]
        self.id = kept[0] if kept else b""
        return bool(kept)

    def has(self, week: int) -> bool:
        """Whether that week's date is booked, as either side sees it."""
        return self.booked(week) is not None

    def bookings(self, person: Person, week: int) -> list[Booking]:
        """Of that week's date, moved or not, in the order in which they were made."""
        start = evening(week, 0)
        of_week = [
            one
            for one in person.node.runner.engine.ledger
            if one.request.body.series == self.id and start <= one.quote.body.start < start + 24 * HOUR_MS
        ]
        return sorted(of_week, key=lambda one: one.request.body.issued)

    def booked(self, week: int) -> Booking | None:
        """The one that both sides hold as accepted."""
        found = self.booked_by_driver(week)
        return found if found is not None and self.stands(self.host, found.id) else None

    def booked_by_driver(self, week: int) -> Booking | None:
        """The same, as the driver alone knows it: the host may be away."""
        return next(
            (one for one in self.bookings(self.driver, week) if self.stands(self.driver, one.id)), None
        )

    def stands(self, person: Person, booking: bytes) -> bool:
        return person.state(booking).reservation in _TAKEN

    async def require_none_twice(self) -> None:
        """No date has two requests that wait or were accepted, on either side; those at rest included."""
        for person in (self.host, self.driver):
            open_: Counter[int] = Counter()
            runner = person.node.runner
            for id_ in runner.engine.ledger.known():
                one = await person.asks(runner.booking(id_))
                reservation = one.state(person.clock.now()).reservation
                if not one.file.refused and reservation in (Reservation.PENDING, *_TAKEN):
                    open_[one.quote.body.start] += 1
            twice = {start: count for start, count in open_.items() if count > 1}
            assert not twice, f"seed {self.world.seed}: {person.name} has booked a date twice: {twice}"
