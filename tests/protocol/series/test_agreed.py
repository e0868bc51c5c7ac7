"""A host's word for a whole series: what it covers, what ends it, and what it never overrides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chargemesh_protocol.booking.records import CancelReason
from chargemesh_protocol.booking.table import Reservation
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.events import Block, CancelBooking
from chargemesh_protocol.series.agreed import AGREED, DEFAULT_LIFE_MS
from chargemesh_protocol.series.commands import AgreeSeries, MoveDate, RevokeSeries

from ..neighbours import DAY, HOUR, ON_REQUEST, charger
from .test_desk import WEEK, Weekly, taking

UNKNOWN = replace(charger().strangers, on_request=True)  # one open booking, within two days, four hours


def asked(**changes: object) -> tuple[Weekly, bytes]:
    """A request of a series waits for the host's person."""
    weekly = Weekly(rules=ON_REQUEST, **changes)
    first = weekly.begins()
    assert weekly.bob.state(first).reservation is Reservation.PENDING
    return weekly, first


def second_waits(weekly: Weekly) -> bytes:
    """The request for the second date, made although nobody has answered the first."""
    given = weekly.bob.asks(weekly.alice, weekly.start + WEEK)
    book = replace(taking(weekly.alice, given), series=weekly.id)
    return bytes.fromhex(weekly.bob.tells(book)["booking"])


def reservation(weekly: Weekly, booking: bytes) -> Reservation:
    return weekly.bob.state(booking).reservation


def test_once_agreed_the_next_are_taken_at_once_and_the_host_is_not_asked() -> None:
    weekly, first = asked()
    weekly.alice.tells(AgreeSeries(first))
    assert reservation(weekly, first) is Reservation.RESERVED
    before = len(weekly.alice.told("booking.requested"))
    weekly.alice.restarts()
    (second,) = weekly.due()
    assert reservation(weekly, weekly.books(second)) is Reservation.RESERVED
    assert len(weekly.alice.told("booking.requested")) == before


def test_what_waits_of_the_series_is_accepted_with_it() -> None:
    weekly, first = asked()
    waiting = second_waits(weekly)
    weekly.alice.tells(AgreeSeries(first))
    assert [reservation(weekly, one) for one in (first, waiting)] == [Reservation.RESERVED] * 2


def test_another_time_a_longer_one_and_another_driver_are_asked_about_as_ever() -> None:
    weekly, first = asked()
    weekly.alice.tells(AgreeSeries(first))
    (second,) = weekly.due()
    weekly.bob.tells(MoveDate(weekly.id, second.day, second.start + HOUR, second.end + HOUR))
    (moved,) = weekly.due()
    assert reservation(weekly, weekly.books(moved)) is Reservation.PENDING
    longer = weekly.bob.asks(weekly.alice, second.start, minutes=75)
    carol = weekly.street.driver("carol")
    weekly.alice.known.add(carol.author)
    same = weekly.bob.asks(weekly.alice, second.start)
    for driver, given in ((weekly.bob, longer), (carol, same)):
        # Whoever names the series of another person gains nothing by it.
        book = replace(taking(weekly.alice, given), series=weekly.id)
        booking = bytes.fromhex(driver.tells(book)["booking"])
        assert driver.state(booking).reservation is Reservation.PENDING
    shorter = replace(
        taking(weekly.alice, weekly.bob.asks(weekly.alice, second.start, minutes=45)), series=weekly.id
    )
    booking = bytes.fromhex(weekly.bob.tells(shorter)["booking"])
    assert reservation(weekly, booking) is Reservation.RESERVED, "at most as long"


def test_bounds_on_strangers_give_way_to_it_and_nothing_else_does() -> None:
    weekly = Weekly(strangers=UNKNOWN)
    weekly.alice.known.clear()
    first = weekly.begins()
    assert weekly.bob.booking(second_waits(weekly)).file.refused == "stranger"
    weekly.alice.tells(AgreeSeries(first))
    (second,) = weekly.due()
    assert reservation(weekly, weekly.books(second)) is Reservation.RESERVED
    weekly.bob.tells(CancelBooking(first, CancelReason.DRIVER_CANCELED))
    weekly.street.wait(WEEK)
    (third,) = weekly.due()
    given = weekly.bob.asks(weekly.alice, third.start)
    weekly.alice.tells(Block(weekly.bob.author, "no more"))
    refused = bytes.fromhex(
        weekly.bob.tells(replace(taking(weekly.alice, given), series=weekly.id))["booking"]
    )
    assert weekly.bob.booking(refused).file.refused == "not-offerable"


@pytest.mark.parametrize("ends", ["revoked", "cancelled", "expired"])
def test_it_ends_when_the_host_takes_it_back_cancels_one_or_its_time_is_over(ends: str) -> None:
    weekly, first = asked()
    until = weekly.street.now + 3 * DAY if ends == "expired" else None
    weekly.alice.tells(AgreeSeries(first, until))
    (second,) = weekly.due()
    if ends == "revoked":
        weekly.alice.tells(RevokeSeries(first))
        assert reservation(weekly, first) is Reservation.RESERVED, "what was accepted stands"
    elif ends == "cancelled":
        weekly.alice.tells(CancelBooking(first, CancelReason.HOST_CANCELED))
    weekly.alice.restarts()
    assert reservation(weekly, weekly.books(second)) is Reservation.PENDING
    if ends == "expired":
        weekly.bob.tells(CancelBooking(first, CancelReason.DRIVER_CANCELED))
        weekly.street.wait(4 * DAY)
    assert weekly.alice.disk.documents.get(AGREED, {}) == {}


def test_taking_it_back_declines_what_waits() -> None:
    weekly, first = asked()
    waiting = second_waits(weekly)
    weekly.alice.tells(RevokeSeries(first))
    assert [reservation(weekly, one) for one in (first, waiting)] == [Reservation.REJECTED] * 2
    assert weekly.start not in [one.start for one in weekly.due()]


def test_what_cannot_be_agreed_to_is_refused_before_anything_is_accepted() -> None:
    weekly, first = asked()
    carol = weekly.street.driver("carol")
    alone = carol.books(weekly.alice, weekly.start + 3 * HOUR)
    for command in (AgreeSeries(alone), AgreeSeries(first, 1), RevokeSeries(alone)):
        with pytest.raises(PersonError):
            weekly.alice.tells(command)
    with pytest.raises(PersonError):
        weekly.bob.tells(AgreeSeries(first))
    assert weekly.alice.state(first).reservation is Reservation.PENDING
    assert weekly.alice.disk.documents.get(AGREED, {}) == {}


def test_it_lasts_half_a_year_unless_a_date_is_named() -> None:
    weekly, first = asked()
    result = weekly.alice.tells(AgreeSeries(first))
    assert result["until"] == weekly.street.now + DEFAULT_LIFE_MS == weekly.street.now + 26 * WEEK
