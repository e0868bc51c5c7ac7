"""The driver's desk of series: what is kept, what is told, and that no crash books a date twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.records import CancelReason, Quote
from chargemesh_protocol.booking.table import Reservation
from chargemesh_protocol.effects import SAVES
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.events import Book, CancelBooking, Decide, PutCharger
from chargemesh_protocol.place import region_of
from chargemesh_protocol.record import open_as
from chargemesh_protocol.series.commands import (
    AgreePrice,
    BookOccurrence,
    EndSeries,
    MoveDate,
    OccurrenceFailed,
    OccurrencePassed,
    SkipDate,
    StartSeries,
)
from chargemesh_protocol.series.desk import SERIES, SeriesDesk, objection
from chargemesh_protocol.series.planner import Occurrence
from chargemesh_protocol.tariff import simple_tariff

from ..neighbours import DAY, EURO, HOUR, MINUTE, NETWORK, ON_REQUEST, Person, Street, charger

WEEK = 7 * DAY


def taking(host: Person, given: wire.QuoteGiven) -> Book:
    return Book(
        quote=given.quote,
        host_bundle=given.bundle,
        to=host.contact,
        region=region_of(charger().cell),
        title="Alice's",
        zone="Europe/Berlin",
        wait_ms=DAY,
    )


class Weekly:
    """Alice's charger, known Bob, and his series of an hour, from tomorrow on."""

    def __init__(self, **changes: Any) -> None:
        self.street = Street()
        self.alice = self.street.host(**changes)
        self.bob = self.street.driver()
        self.alice.known.add(self.bob.author)
        self.bob.known.add(self.alice.author)
        self.start = self.street.now + DAY
        self.id = b""

    @property
    def desk(self) -> SeriesDesk:
        return self.bob.engine.series.own

    def begins(self, **more: Any) -> bytes:
        """Returns the booking of the first date."""
        given = self.bob.asks(self.alice, self.start)
        result = self.bob.tells(StartSeries(taking(self.alice, given), charger().cell, **more))
        self.id = bytes.fromhex(result["series"])
        return bytes.fromhex(result["booking"])

    def due(self) -> list[Occurrence]:
        return list(self.desk.plan(self.id, self.street.now).book)

    def books(self, one: Occurrence) -> bytes:
        """As the node's service does it."""
        given = self.bob.asks(self.alice, one.start)
        assert isinstance(given, wire.QuoteGiven), given
        return bytes.fromhex(
            self.bob.tells(BookOccurrence(self.id, one.day, taking(self.alice, given)))["booking"]
        )

    def fails(self, one: Occurrence, code: str = "not-offerable", **price: Any) -> None:
        self.bob.tells(OccurrenceFailed(self.id, one.day, code, "it can't be had", **price))

    def days(self) -> list[int]:
        return [one.day for one in self.due()]


def test_a_series_begins_with_a_booking_and_its_others_name_it_too() -> None:
    weekly = Weekly()
    first = weekly.begins(count=3)
    (second,) = weekly.due()
    assert second.start == weekly.start + WEEK
    other = weekly.books(second)
    for booking in (first, other):
        assert weekly.alice.booking(booking).request.body.series == weekly.id
        assert weekly.bob.state(booking).reservation is Reservation.RESERVED
    ours, theirs = weekly.bob.booking(first).request.body, weekly.bob.booking(other).request.body
    assert ours.one_time_key != theirs.one_time_key and ours.quote != theirs.quote
    weekly.bob.tells(CancelBooking(first, CancelReason.DRIVER_CANCELED))  # else nobody comes, and that costs
    weekly.street.wait(WEEK)
    (third,) = weekly.due()
    weekly.books(third)
    assert weekly.due() == [] and weekly.desk.plan(weekly.id, weekly.street.now).wake_at is None


def test_a_restart_knows_everything_and_a_date_is_never_booked_twice() -> None:
    weekly = Weekly()
    weekly.begins()
    (one,) = weekly.due()
    given = weekly.bob.asks(weekly.alice, one.start)
    step = BookOccurrence(weekly.id, one.day, taking(weekly.alice, given))
    # The process dies before the commit: nothing was done, and all is still to be done.
    effects = weekly.bob.engine.handle(step, weekly.street.moment())
    assert any(isinstance(effect, SAVES) for effect in effects)
    weekly.bob.restarts()
    assert weekly.due() == [one]
    # It dies after the commit, and before anything is sent.
    weekly.bob.handles(step)
    weekly.bob.restarts()
    assert weekly.due() == []
    with pytest.raises(PersonError, match="Nothing is to be booked"):
        weekly.bob.tells(step)
    weekly.street.settle()
    assert len([1 for booking in weekly.alice.engine.ledger if booking.request.body.series]) == 2


def test_skipping_moving_and_cancelling_concern_one_date_alone() -> None:
    weekly = Weekly()
    first = weekly.begins()
    (second,) = weekly.due()
    weekly.bob.tells(SkipDate(weekly.id, second.day))
    assert weekly.due() == []
    with pytest.raises(PersonError, match="already"):
        weekly.bob.tells(SkipDate(weekly.id, second.day - 7))
    weekly.bob.tells(CancelBooking(first, CancelReason.DRIVER_CANCELED))
    weekly.street.wait(WEEK)
    (third,) = weekly.due()
    assert third.day == second.day + 7, "a cancelled date stays cancelled, the next goes on"
    weekly.bob.tells(MoveDate(weekly.id, third.day, third.start + 2 * HOUR, third.end + 3 * HOUR))
    weekly.bob.restarts()
    (moved,) = weekly.due()
    assert (moved.start, moved.end) == (third.start + 2 * HOUR, third.end + 3 * HOUR)
    for bad in (SkipDate(weekly.id, third.day + 1), MoveDate(weekly.id, third.day, 1, 2)):
        with pytest.raises(PersonError):
            weekly.bob.tells(bad)


def test_ending_a_series_leaves_its_bookings() -> None:
    weekly = Weekly()
    first = weekly.begins()
    weekly.bob.tells(EndSeries(weekly.id))
    assert weekly.due() == [] and weekly.bob.state(first).reservation is Reservation.RESERVED
    with pytest.raises(PersonError, match="ended"):
        weekly.bob.tells(EndSeries(weekly.id))


def test_a_higher_price_is_put_to_the_person_once_and_binds_from_their_yes_on() -> None:
    weekly = Weekly()
    weekly.begins()
    dearer = replace(charger(), tariff=simple_tariff("EUR", per_kwh=EURO))
    weekly.alice.tells(PutCharger(dearer))
    (one,) = weekly.due()
    given = weekly.bob.asks(weekly.alice, one.start)
    quote = open_as(Quote, given.quote, NETWORK).body
    assert objection(weekly.desk.require(weekly.id), quote) == "price"
    with pytest.raises(PersonError, match="not what the series is for"):
        weekly.bob.tells(BookOccurrence(weekly.id, one.day, taking(weekly.alice, given)))
    for _ in range(2):
        weekly.fails(one, "price", cap=quote.cap, terms=quote.terms)
        weekly.street.wait(HOUR)
    (told,) = weekly.bob.told("series.price")
    assert told["cap"] == quote.cap > told["agreed"]
    weekly.bob.tells(AgreePrice(weekly.id, quote.cap))
    weekly.bob.restarts()
    assert weekly.due() == [one], "at once, not at the next try"
    weekly.books(one)
    kept = weekly.desk.require(weekly.id)
    assert (kept.at_most, kept.asked) == (quote.cap, None)


def test_other_conditions_are_asked_about_like_another_price() -> None:
    weekly = Weekly()
    weekly.begins()
    (one,) = weekly.due()
    harder = replace(charger().terms, no_show_after=0)
    weekly.alice.tells(PutCharger(replace(charger(), terms=harder)))
    quote = open_as(Quote, weekly.bob.asks(weekly.alice, one.start).quote, NETWORK).body
    assert objection(weekly.desk.require(weekly.id), quote) == "terms"
    weekly.fails(one, "terms", cap=quote.cap, terms=quote.terms)
    assert weekly.days() == [] and len(weekly.bob.told("series.price")) == 1
    weekly.bob.tells(AgreePrice(weekly.id, quote.cap))
    weekly.books(one)


def test_what_cannot_be_had_is_told_once_tried_again_and_left_out_in_the_end() -> None:
    weekly = Weekly()
    weekly.begins()
    (one,) = weekly.due()
    tries = 0
    while weekly.street.now < one.start:
        for due in weekly.due():
            if due.day == one.day:
                weekly.fails(due)
                tries += 1
            else:
                weekly.books(due)
        weekly.street.wait(10 * MINUTE)
    told = [name for name in ("series.not_booked", "series.left_out") if len(weekly.bob.told(name)) == 1]
    assert told == ["series.not_booked"] and 10 < tries < 40
    (left_out,) = weekly.desk.plan(weekly.id, weekly.street.now).left_out
    weekly.bob.tells(OccurrencePassed(weekly.id, left_out.day))
    assert [one["start"] for one in weekly.bob.told("series.left_out")] == [one.start]
    assert weekly.desk.plan(weekly.id, weekly.street.now).left_out == ()


def test_a_date_that_the_host_declines_is_not_asked_for_again_but_one_without_an_answer_is() -> None:
    weekly = Weekly(rules=ON_REQUEST)
    first = weekly.begins()
    assert weekly.due() == [], "one date after the other"
    weekly.alice.tells(Decide(first, accept=False))
    (one,) = weekly.due()
    second = weekly.books(one)
    weekly.street.wait(DAY + 3 * MINUTE)
    weekly.bob.restarts()
    assert weekly.days() == [one.day]
    again = weekly.books(one)
    assert again != second and weekly.bob.state(again).reservation is Reservation.PENDING


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"count": 0}, "can't be repeated"),
        ({"last": 1}, "end before it begins"),
        ({"at_most": 1}, "may cost more"),
    ],
)
def test_a_series_that_cannot_be_is_refused_before_anything_is_booked(
    more: dict[str, int], words: str
) -> None:
    weekly = Weekly()
    with pytest.raises(PersonError, match=words):
        weekly.begins(**more)
    assert list(weekly.bob.engine.ledger) == [] and weekly.bob.disk.documents.get(SERIES, {}) == {}
