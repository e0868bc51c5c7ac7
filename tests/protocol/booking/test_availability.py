"""What a stranger may ask of the calendar: the bitmap never promises what the calendar then refuses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargemesh_protocol.booking.availability import offerable, taken
from chargemesh_protocol.booking.calendar import Calendar
from chargemesh_protocol.booking.records import Quote
from chargemesh_protocol.chargers import ChargerSettings, make_listing
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.effects import HoldSlot
from chargemesh_protocol.events import PutCharger
from chargemesh_protocol.limits import SLOT_MS
from chargemesh_protocol.opening import CalendarRules, PowerSpan
from chargemesh_protocol.opening_text import parse_hours_on, parse_quiet
from chargemesh_protocol.record import open_as
from chargemesh_protocol.schedule import SlotMap, WeeklySpan, parse_hours

from ..neighbours import CHARGER, DAY, EURO, HOUR, MINUTE, MORNING, NETWORK, Street, charger
from .strangers import refusal_of

NOW = MORNING + 7 * MINUTE


def slots_of(settings: ChargerSettings, calendar: Calendar, now: int) -> SlotMap:
    return make_listing(
        settings,
        author=bytes(32),
        sequence=1,
        contact=Contact("peer", ()),
        busy=taken(settings, calendar, now),
        now=now,
    ).slots


@given(
    st.lists(st.tuples(st.integers(0, 600), st.integers(1, 40)), max_size=12),
    st.lists(st.tuples(st.integers(0, 600), st.integers(1, 40)), max_size=4),
    st.integers(0, 45),
    st.integers(1, 20),
    st.integers(0, 500),
    st.integers(1, 24),
)
@settings(max_examples=60, deadline=None)
def test_what_the_bitmap_offers_the_calendar_has(
    bookings: list[tuple[int, int]],
    imported: list[tuple[int, int]],
    buffer_minutes: int,
    horizon_days: int,
    first: int,
    count: int,
) -> None:
    """Slots are counted from the map's start; bookings and imports lie on odd minutes."""
    rules = CalendarRules(buffer_minutes=buffer_minutes, horizon_minutes=horizon_days * 1440)
    made = charger(hours=parse_hours("mon-sat 06:10-01:20", "Europe/Berlin"), calendar=rules)
    calendar = Calendar()
    for number, (at, length) in enumerate(bookings):
        start = MORNING + at * SLOT_MS + 3 * MINUTE
        slot = HoldSlot(CHARGER, bytes([number]), start, start + length * 11 * MINUTE)
        if calendar.free(CHARGER, slot.start, slot.end):
            calendar.hold(slot)
    calendar.put_imported(
        CHARGER, [(MORNING + at * SLOT_MS, MORNING + (at + n) * SLOT_MS + MINUTE) for at, n in imported]
    )
    slots = slots_of(made, calendar, NOW)
    start = slots.start + first * SLOT_MS
    end = start + count * SLOT_MS
    if slots.offerable(start, end):
        assert offerable(made, calendar, start, end, NOW)
    elif horizon_days > 14 and end <= slots.end:
        # Whole slots are refused for a reason that the calendar has too, if not always over all of them.
        assert not all(offerable(made, calendar, at, at + SLOT_MS, NOW) for at in range(start, end, SLOT_MS))


def asked(start_in: int, minutes: int = 60, **changes: Any) -> Any:
    """What a stranger is answered who asks for a time at a host with these settings."""
    street = Street()
    alice, bob = street.host(**changes), street.driver()
    return bob.asks(alice, street.now + start_in, minutes)


def test_beyond_the_bitmap_the_calendar_answers() -> None:
    far = CalendarRules(horizon_minutes=60 * 1440)
    street = Street()
    alice, bob, carol = street.host(calendar=far), street.driver(), street.driver("carol")
    for one in (bob, carol):
        alice.known.add(one.author)
    start = street.now + 40 * DAY
    bob.books(alice, start)
    assert refusal_of(carol.asks(alice, start + HOUR // 2)) == ("not-offerable", "this time can't be had")
    assert carol.asks(alice, start + HOUR).quote
    assert refusal_of(carol.asks(alice, street.now + 60 * DAY + SLOT_MS))[0] == "not-offerable"


@pytest.mark.parametrize(
    ("changes", "start_in"),
    [
        ({"calendar": CalendarRules(horizon_minutes=60)}, 2 * HOUR),
        ({"calendar": CalendarRules(quiet=parse_quiet(["00:00-24:00"]))}, 2 * HOUR),
        (
            {"calendar": CalendarRules(exceptions=(parse_hours_on("2027-03-07..2027-03-08 00:00-00:01"),))},
            HOUR,
        ),
    ],
)
def test_every_rule_says_the_same_no(changes: dict[str, Any], start_in: int) -> None:
    assert refusal_of(asked(start_in, **changes)) == ("not-offerable", "this time can't be had")


def test_a_pause_between_bookings_is_kept_and_shown() -> None:
    street = Street()
    alice = street.host(calendar=CalendarRules(buffer_minutes=15))
    bob, carol = street.driver(), street.driver("carol")
    start = street.now + 4 * HOUR
    bob.books(alice, start)
    assert refusal_of(carol.asks(alice, start + HOUR))[0] == "not-offerable"
    assert carol.asks(alice, start + HOUR + 15 * MINUTE).quote
    listing = alice.engine.listings.listing(CHARGER)
    assert listing is not None
    assert not listing.body.slots.offerable(start + HOUR, start + HOUR + SLOT_MS)
    assert listing.body.slots.offerable(start + HOUR + SLOT_MS, start + 2 * HOUR)


def test_changed_rules_show_at_once_and_leave_bookings_alone() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    start = street.now + 4 * HOUR
    booking = bob.books(alice, start)
    alice.handles(PutCharger(charger(calendar=CalendarRules(horizon_minutes=60))))
    listing = alice.engine.listings.listing(CHARGER)
    assert listing is not None and not listing.body.slots.offerable(start + HOUR, start + 2 * HOUR)
    assert bob.state(booking).reservation.name == "RESERVED" and alice.engine.calendar.holds(booking)


def test_power_by_period_bounds_energy_estimate_and_cap() -> None:
    """From 01:00 in Berlin 11 kW, from 02:00 on 4 kW: 15 kWh in two hours, at 0.40 EUR."""
    spans = tuple(PowerSpan(WeeklySpan(day, 2 * 60, 20 * 60), 4_000) for day in range(1, 8))
    street = Street()
    alice, bob = street.host(calendar=CalendarRules(power=spans)), street.driver()
    quote = open_as(Quote, bob.asks(alice, minutes=120, energy=0).quote, NETWORK).body
    plain = open_as(Quote, asked(0, 120).quote, NETWORK).body
    assert (quote.energy_wh, quote.estimate) == (15_000, 6 * EURO)
    assert (quote.cap, plain.cap) == (6_010_000, 8_810_000)
