"""A booking of Bob's at Alice's charger, and what both do about its terms: for tests of other terms."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.charging import tag_of
from chargemesh_protocol.booking.records import (
    Quote,
)
from chargemesh_protocol.booking.table import Reservation, Session
from chargemesh_protocol.charging.reports import Reading, SessionStarted
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.events import (
    ChangeBooking,
    StartCharging,
)
from chargemesh_protocol.record import Record, open_as

from ..neighbours import (
    CHARGER,
    DAY,
    MINUTE,
    MORNING,
    NETWORK,
    Person,
    Street,
)


def terms(
    driver: Person,
    host: Person,
    booking: bytes,
    start: int | None = None,
    end: int | None = None,
    energy: int = 0,
) -> Record[Quote] | str:
    """What the host asks for a change, or the code of its refusal."""
    now = driver.state(booking).quote
    ask = wire.AskQuote(
        charger=CHARGER,
        start=now.start if start is None else start,
        end=now.end if end is None else end,
        energy_wh=energy,
        booking=booking,
    )
    answer = wire.read(host.answers(wire.write(ask)))
    if isinstance(answer, wire.Failed):
        return answer.code
    assert isinstance(answer, wire.QuoteGiven)
    return open_as(Quote, answer.quote, NETWORK)


def changes(driver: Person, host: Person, booking: bytes, **wanted: Any) -> Record[Quote]:
    """The driver asks for other terms, whatever comes of it."""
    quote = terms(driver, host, booking, **wanted)
    assert isinstance(quote, Record), quote
    driver.tells(ChangeBooking(booking, quote.raw))
    return quote


@contextmanager
def said(code: str) -> Iterator[None]:
    """The person is told that it can't be done, with that code."""
    with pytest.raises(PersonError) as told:
        yield
    assert told.value.code == code


def reserved(start: int = MORNING + DAY, minutes: int = 60, **host: Any) -> tuple[Person, Person, bytes]:
    street = Street()
    alice, bob = street.host(**host), street.driver()
    booking = bob.books(alice, start, minutes)
    assert bob.state(booking).reservation is Reservation.RESERVED
    return alice, bob, booking


def charging(minutes: int = 60, **host: Any) -> tuple[Person, Person, bytes]:
    """A quarter of an hour into a charge that began at once."""
    alice, bob, booking = reserved(MORNING, minutes, **host)
    bob.tells(StartCharging(booking))
    alice.box(SessionStarted("s1", tag_of(booking), 100_000, alice.street.now))
    alice.street.wait(15 * MINUTE)
    alice.box(Reading("s1", 102_000, 9000, alice.street.now, "Sample.Periodic"))
    assert bob.state(booking).session is Session.ACTIVE
    return alice, bob, booking


def agree(one: Person, other: Person, booking: bytes) -> None:
    assert one.state(booking) == other.state(booking)
