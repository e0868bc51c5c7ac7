"""Longer charges: with somebody next, beyond the hours, over a race, and what was drawn keeps its price."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chargemesh_protocol.booking.charging import tag_of
from chargemesh_protocol.booking.extension import extended, keeps_price
from chargemesh_protocol.booking.records import (
    DeclineReason,
)
from chargemesh_protocol.booking.table import Reservation, Session
from chargemesh_protocol.charging.reports import Reading, SessionEnded
from chargemesh_protocol.effects import AuthoriseTag
from chargemesh_protocol.events import (
    ChangeBooking,
    PutCharger,
    StopCharging,
)
from chargemesh_protocol.record import Record
from chargemesh_protocol.schedule import WeeklyHours, WeeklySpan
from chargemesh_protocol.tariff import PriceComponent, PricePlan, TariffDimension, TariffPeriod, simple_tariff

from ..neighbours import (
    CHARGER,
    EURO,
    HOUR,
    MINUTE,
    MORNING,
    charger,
)
from .other_terms import agree, changes, charging, said, terms


def test_a_longer_charge_while_it_runs() -> None:
    alice, bob, booking = charging()
    before = bob.state(booking)
    quote = changes(bob, alice, booking, end=MORNING + 2 * HOUR, energy=20_000)
    state = bob.state(booking)
    assert (state.quote.end, state.session) == (MORNING + 2 * HOUR, Session.ACTIVE)
    assert state.authorised is not None and before.authorised is not None
    assert state.authorised.energy_wh == 20_000 and state.authorised.cost == quote.body.cap
    assert keeps_price(before.quote, state.quote)
    assert alice.asked(AuthoriseTag)[-1] == AuthoriseTag(CHARGER, tag_of(booking), MORNING + 2 * HOUR)
    (slot,) = alice.disk.slots.values()
    assert slot.end == MORNING + 2 * HOUR
    alice.street.wait(50 * MINUTE)  # beyond the first end
    alice.box(Reading("s1", 111_000, 9000, alice.street.now, "Sample.Periodic"))
    bob.tells(StopCharging(booking))
    alice.box(SessionEnded("s1", 111_000, alice.street.now, "Remote"))
    state = bob.state(booking)
    assert state.agreed is not None and state.energy_wh == 11_000
    assert state.receipt is not None and state.receipt.body.total == 11 * EURO * 2 // 5
    agree(alice, bob, booking)


def test_with_somebody_next_the_latest_end_is_named_and_no_later_one_is_had() -> None:
    alice, bob, booking = charging()
    alice.street.driver("carol").books(alice, MORNING + 90 * MINUTE)
    quote = terms(bob, alice, booking, end=MORNING + 3 * HOUR)
    assert isinstance(quote, Record) and quote.body.end == MORNING + 90 * MINUTE
    bob.tells(ChangeBooking(booking, quote.raw))
    assert bob.state(booking).quote.end == MORNING + 90 * MINUTE
    assert terms(bob, alice, booking, end=MORNING + 3 * HOUR) == "not-offerable"


def test_somebody_books_between_the_price_and_the_change() -> None:
    alice, bob, booking = charging()
    quote = terms(bob, alice, booking, end=MORNING + 2 * HOUR)
    assert isinstance(quote, Record)
    carol = alice.street.driver("carol")
    theirs = carol.books(alice, MORNING + HOUR)
    bob.tells(ChangeBooking(booking, quote.raw))
    state = bob.state(booking)
    assert state.refusal is not None and state.refusal.body.reason is DeclineReason.NOT_OFFERABLE
    assert state.quote.end == MORNING + HOUR and state.session is Session.ACTIVE
    assert carol.state(theirs).reservation is Reservation.RESERVED
    assert len(alice.disk.slots) == 2
    agree(alice, bob, booking)


def test_an_end_beyond_the_hours_or_the_longest_booking_is_cut() -> None:
    # In Berlin it is 9 o'clock then, and on that Monday they close at 11:20.
    hours = WeeklyHours("Europe/Berlin", tuple(WeeklySpan(day, 0, 11 * 60 + 20) for day in range(1, 8)))
    alice, bob, booking = charging(hours=hours)
    closes = terms(bob, alice, booking, end=MORNING + 9 * HOUR)
    assert isinstance(closes, Record)
    assert closes.body.end - MORNING < 9 * HOUR and closes.body.end % (5 * MINUTE) == 0
    rules = replace(charger().rules, max_minutes=75)
    alice, bob, booking = charging(rules=rules)
    longest = terms(bob, alice, booking, end=MORNING + 9 * HOUR)
    assert isinstance(longest, Record) and longest.body.end == MORNING + 75 * MINUTE
    assert terms(bob, alice, booking, start=MORNING + HOUR, end=MORNING + 2 * HOUR) == "not-offerable"


def test_a_dearer_tariff_since_is_only_for_the_time_after() -> None:
    alice, bob, booking = charging()
    alice.tells(PutCharger(charger(tariff=simple_tariff("EUR", per_kwh=EURO))))
    changes(bob, alice, booking, end=MORNING + 2 * HOUR)
    alice.street.wait(45 * MINUTE)
    alice.box(Reading("s1", 109_000, 9000, alice.street.now, "Sample.Periodic"))
    alice.street.wait(10 * MINUTE)
    bob.tells(StopCharging(booking))
    alice.box(SessionEnded("s1", 110_000, alice.street.now, "Remote"))
    state = bob.state(booking)
    assert state.receipt is not None and state.agreed is not None
    assert state.receipt.body.total == 9 * EURO * 2 // 5 + EURO


def test_a_host_that_reprices_what_was_drawn_gets_no_signature() -> None:
    alice, bob, booking = charging()
    now, first = bob.state(booking).quote, bob.booking(booking).quote.body
    dear = replace(
        now.plan, periods=(TariffPeriod(now.start, (PriceComponent(TariffDimension.ENERGY, EURO),)),)
    )
    quote = alice.me.sign(
        replace(
            now, plan=dear, end=now.end + HOUR, issued=alice.street.now,
            expires=alice.street.now + HOUR, one_time_key=first.one_time_key,
        )
    )  # fmt: skip
    with said("other-price"):
        bob.tells(ChangeBooking(booking, quote.raw))


def test_plans_of_longer_bookings() -> None:
    def plan(*periods: tuple[int, int], **more: Any) -> PricePlan:
        made = tuple(
            TariffPeriod(at, (PriceComponent(TariffDimension.ENERGY, price),)) for at, price in periods
        )
        return PricePlan(currency="EUR", periods=made, **more)

    now = plan((100, 1), (200, 2), (350, 9))  # the last is the overstay
    assert extended(now, 300, plan((300, 2), (400, 3), (550, 9))) == plan(
        (100, 1), (200, 2), (400, 3), (550, 9)
    )
    assert extended(now, 300, plan((300, 5))) == plan((100, 1), (200, 2), (300, 5))
    with pytest.raises(ValueError, match="tax"):
        extended(now, 300, plan((300, 2), tax_bp=1900))
    with pytest.raises(ValueError, match="too often"):
        extended(now, 300, plan(*((300 + one, 3 + one % 2) for one in range(63))))
