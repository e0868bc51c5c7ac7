"""What a driver's node signs by itself, and what it leaves to its person: readings, caps, bounds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.charging import tag_of
from chargemesh_protocol.booking.cost import OVERSHOOT_WH, tolerated
from chargemesh_protocol.booking.objections import objections, reading_to_confirm
from chargemesh_protocol.booking.records import Agreement, Countersign
from chargemesh_protocol.booking.table import Settlement
from chargemesh_protocol.charging.reports import Reading, SessionEnded, SessionStarted
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.events import (
    AgreeReceipt,
    ClaimPaid,
    ConfirmPaid,
    ConfirmReading,
    StartCharging,
    StopCharging,
    WallboxSaid,
)
from chargemesh_protocol.tariff import simple_tariff

from ..neighbours import CHARGER, EURO, HOUR, MINUTE, Person, Street

BEGIN_WH = 100_000


def begun(**changes: Any) -> tuple[Person, Person, bytes]:
    """A session whose first reading, 100 kWh, a person has typed in."""
    street = Street()
    alice, bob = street.host(**changes), street.driver()
    booking = bob.books(alice, energy=5000)
    bob.tells(StartCharging(booking))
    alice.box(SessionStarted("m1", tag_of(booking), BEGIN_WH, street.now, by_hand=True))
    return alice, bob, booking


def types(alice: Person, register: int, after: int = 10 * MINUTE) -> None:
    alice.street.wait(after)
    alice.box(Reading("m1", register, None, alice.street.now, "Sample.Periodic", by_hand=True))


def ends(alice: Person, register: int, after: int = MINUTE) -> None:
    alice.street.wait(after)
    alice.box(SessionEnded("m1", register, alice.street.now, "Remote", by_hand=True))


def newest(bob: Person, booking: bytes) -> bytes:
    return bob.state(booking).tickets[-1].id


def countersigned(person: Person, booking: bytes) -> int:
    """How many tickets the driver has signed for, as this side knows it."""
    return person.booking(booking).as_signed(person.state(booking)).countersigned


def refuses(bob: Person, command: Any) -> PersonError:
    with pytest.raises(PersonError) as refused:
        bob.tells(command)
    return refused.value


# --- readings that people make --------------------------------------------------------------------


def test_a_reading_waits_for_the_drivers_own() -> None:
    alice, bob, booking = begun()
    types(alice, 101_500)
    assert [one.body.by_hand for one in bob.state(booking).tickets] == [True, True]
    assert bob.state(booking).countersigned == 0 and not bob.booking(booking).own(Countersign)
    told = bob.told("charging.reading")
    assert [(one["register_wh"], one["energy_wh"]) for one in told] == [(100_000, 0), (101_500, 1500)]
    result = bob.tells(ConfirmReading(booking, newest(bob, booking), 101_500))
    assert (result["register_wh"], result["energy_wh"]) == (101_500, 1500)
    assert countersigned(alice, booking) == countersigned(bob, booking) == 2
    again = bob.tells(ConfirmReading(booking, newest(bob, booking)))
    assert again == result and len(bob.booking(booking).own(Countersign)) == 1


def test_the_receipt_is_agreed_to_once_the_final_reading_is_confirmed() -> None:
    alice, bob, booking = begun()
    types(alice, 101_500)
    bob.tells(ConfirmReading(booking, newest(bob, booking)))
    ends(alice, 102_000)
    state = bob.state(booking)
    assert state.receipt is not None and state.agreed is None and not bob.booking(booking).own(Agreement)
    assert not bob.told("receipt.wrong"), "nothing is wrong: it waits"
    bob.restarts()
    assert not bob.booking(booking).own(Agreement)
    bob.tells(ConfirmReading(booking, newest(bob, booking), 102_040))
    assert bob.state(booking).agreed is not None and alice.state(booking).agreed is not None


def test_what_a_driver_confirms_after_the_stop_is_signed_for() -> None:
    """The host comes by to read the meter a quarter of an hour after the driver has left."""
    alice, bob, booking = begun()
    bob.tells(StopCharging(booking))
    ends(alice, 102_000, after=15 * MINUTE)
    receipt = bob.state(booking).receipt
    assert receipt is not None and receipt.body.beyond_authorisation_wh == 2000
    assert not bob.told("receipt.wrong")
    bob.tells(ConfirmReading(booking, newest(bob, booking)))
    assert alice.state(booking).agreed is not None


def test_readings_that_differ_sign_nothing_and_say_how_to_tell_the_host() -> None:
    alice, bob, booking = begun()
    types(alice, 120_000)
    for mine, apart in ((102_000, "18 kWh"), (119_900, "100 Wh"), (120_100, "100 Wh")):
        error = refuses(bob, ConfirmReading(booking, newest(bob, booking), mine))
        assert error.code == "reading-differs" and f"{apart} apart. Nothing was signed" in error.message
        assert f"booking message {booking.hex()[:8]}" in error.hint
    assert not bob.booking(booking).own(Countersign)
    bob.tells(ConfirmReading(booking, newest(bob, booking), 119_901))
    assert countersigned(alice, booking) == 2


def test_only_the_reading_that_was_shown_is_confirmed() -> None:
    alice, bob, booking = begun()
    shown = newest(bob, booking)
    types(alice, 101_000)
    assert refuses(bob, ConfirmReading(booking, shown)).code == "newer-reading"
    assert refuses(bob, ConfirmReading(booking, b"?" * 32)).code == "no-such-reading"
    assert refuses(alice, ConfirmReading(booking, shown)).code == "wrong-side"


@pytest.mark.parametrize("lie", [{"energy_wh": 1600}, {"cost": 700_000}, {"register_wh": 101_600}])
def test_a_ticket_that_does_not_follow_from_its_readings_is_not_confirmed(lie: dict[str, int]) -> None:
    alice, bob, booking = begun()
    alice.street.wait(10 * MINUTE)
    reading = Reading("m1", 101_500, None, alice.street.now, "Sample.Periodic", by_hand=True)
    alice.handles(WallboxSaid(CHARGER, reading))
    mine = alice.booking(booking).mine
    forged = alice.me.sign(replace(mine[-1].body, **lie)).raw
    bob.answers(wire.write(wire.Exchange(booking=booking, records=(*(one.raw for one in mine[:-1]), forged))))
    error = refuses(bob, ConfirmReading(booking, newest(bob, booking)))
    assert error.code == "wrong-ticket" and not bob.booking(booking).own(Countersign)


def test_a_ticket_of_a_box_does_not_cover_a_reading_before_it() -> None:
    """A countersignature agrees with every earlier ticket: the node gives none over a person's reading."""
    alice, bob, booking = begun()
    alice.street.wait(MINUTE)
    alice.box(Reading("m1", 100_100, 9000, alice.street.now, "Sample.Periodic"))
    assert bob.state(booking).tickets[-1].body.by_hand is None
    assert not bob.booking(booking).own(Countersign)
    assert reading_to_confirm(bob.state(booking)) == bob.state(booking).tickets[-1]


def test_a_box_that_reads_itself_asks_nobody() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice)
    bob.tells(StartCharging(booking, energy_wh=1000))
    alice.box(SessionStarted("s1", tag_of(booking), 0, street.now))
    street.wait(MINUTE)
    alice.box(Reading("s1", 1600, 9000, street.now, "Sample.Periodic"))
    assert bob.state(booking).countersigned == 1 and not bob.told("charging.reading")
    assert refuses(bob, ConfirmReading(booking, newest(bob, booking))).code == "not-by-hand"


def test_a_reading_that_the_restarted_box_tells_again_is_one_ticket() -> None:
    alice, bob, booking = begun()
    types(alice, 101_000)
    last = Reading("m1", 101_000, None, alice.street.now, "Sample.Periodic", by_hand=True)
    alice.street.wait(MINUTE)
    alice.restarts()
    alice.box(last)
    assert len(bob.state(booking).tickets) == 2
    types(alice, 101_000)  # a person who reads the same later has read anew
    assert len(bob.state(booking).tickets) == 3


# --- receipts beyond what was agreed to -----------------------------------------------------------


def beyond() -> tuple[Person, Person, bytes]:
    """A receipt over 1.9 kWh where 1 kWh was authorised."""
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice)
    bob.tells(StartCharging(booking, energy_wh=1000))
    alice.box(SessionStarted("s1", tag_of(booking), 0, street.now))
    street.wait(10 * MINUTE)
    alice.box(SessionEnded("s1", 1900, street.now, "Remote"))
    return alice, bob, booking


def test_the_person_agrees_with_what_goes_beyond_the_authorisation() -> None:
    alice, bob, booking = beyond()
    receipt = bob.state(booking).receipt
    assert receipt is not None and bob.state(booking).agreed is None
    (told,) = bob.told("receipt.wrong")
    assert told["differences"] == [
        "energy: 1.9 kWh billed, 1 kWh authorised or countersigned (500 Wh more is tolerated)"
    ]
    assert refuses(bob, AgreeReceipt(booking, b"?" * 32)).code == "newer-receipt"
    for _ in range(2):
        bob.tells(AgreeReceipt(booking, receipt.id))
    assert len(bob.booking(booking).own(Agreement)) == 1
    assert alice.state(booking).agreed is not None


def test_without_a_receipt_there_is_nothing_to_agree_with() -> None:
    _, bob, booking = begun()
    assert refuses(bob, AgreeReceipt(booking, b"?" * 32)).code == "no-receipt"


def test_an_unconfirmed_reading_can_be_agreed_to_with_the_receipt() -> None:
    alice, bob, booking = begun()
    ends(alice, 102_000)
    receipt = bob.state(booking).receipt
    assert receipt is not None
    bob.tells(AgreeReceipt(booking, receipt.id))
    assert alice.state(booking).agreed is not None and reading_to_confirm(bob.state(booking)) is None


def test_a_driver_who_paid_first_may_confirm_the_reading_afterwards() -> None:
    alice, bob, booking = begun()
    ends(alice, 102_000)
    bob.tells(ClaimPaid(booking, "manual", ""))
    alice.tells(ConfirmPaid(booking))
    assert bob.state(booking).settlement is Settlement.PAID and bob.state(booking).agreed is None
    bob.tells(ConfirmReading(booking, newest(bob, booking)))
    assert alice.state(booking).agreed is not None


def test_a_cost_beyond_the_authorised_one_waits_for_the_person() -> None:
    """A car that only stands there draws nothing and costs more by the hour."""
    street = Street()
    alice = street.host(tariff=simple_tariff("EUR", per_kwh=EURO * 2 // 5, parking_per_hour=6 * EURO))
    bob = street.driver()
    booking = bob.books(alice)
    bob.tells(StartCharging(booking, cost=EURO))
    alice.box(SessionStarted("s1", tag_of(booking), 0, street.now))
    street.wait(MINUTE)
    alice.box(Reading("s1", 100, 9000, street.now, "Sample.Periodic"))
    assert countersigned(bob, booking) == 2
    street.wait(30 * MINUTE)
    alice.box(Reading("s1", 100, 0, street.now, "Sample.Periodic"))
    assert countersigned(bob, booking) == 2, "3 EUR were not agreed to"
    alice.box(SessionEnded("s1", 100, street.now, "Remote"))
    assert bob.state(booking).agreed is None
    (told,) = bob.told("receipt.wrong")
    assert told["differences"] == ["cost: 3.04 EUR billed, 1.00 EUR authorised or countersigned"]


def session_of_a_box() -> tuple[Person, Person, bytes]:
    """A minute of charging that the driver's node has heard nothing of yet."""
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice)
    bob.tells(StartCharging(booking))
    alice.handles(WallboxSaid(CHARGER, SessionStarted("s1", tag_of(booking), 0, street.now)))
    street.now += MINUTE
    alice.handles(WallboxSaid(CHARGER, Reading("s1", 100, 6000, street.now, "Sample.Periodic")))
    return alice, bob, booking


def test_a_ticket_is_countersigned_once_while_the_host_is_silent() -> None:
    """The host includes it with the next ticket: until then every answer finds it signed."""
    alice, bob, booking = session_of_a_box()
    mine = alice.booking(booking).mine
    for _ in range(3):
        bob.answers(wire.write(wire.Exchange(booking=booking, records=tuple(one.raw for one in mine))))
    assert bob.state(booking).countersigned == 0 and len(bob.booking(booking).own(Countersign)) == 1


def test_a_ticket_at_another_price_than_the_tariffs_is_not_countersigned() -> None:
    alice, bob, booking = session_of_a_box()
    mine = alice.booking(booking).mine
    forged = alice.me.sign(replace(mine[-1].body, cost=mine[-1].body.cost + 10_000)).raw
    bob.answers(wire.write(wire.Exchange(booking=booking, records=(*(one.raw for one in mine[:-1]), forged))))
    assert len(bob.state(booking).tickets) == 2 and not bob.booking(booking).own(Countersign)


def test_a_host_answers_countersigns_that_add_nothing_with_no_record() -> None:
    alice, bob, booking = session_of_a_box()
    alice.street.settle()
    alice.box(SessionEnded("s1", 100, alice.street.now, "Remote"))
    theirs, written = bob.booking(booking).mine, len(alice.booking(booking).mine)
    assert countersigned(alice, booking) == alice.state(booking).countersigned == 3
    signed = bob.booking(booking).own(Countersign)[-1].body
    again = [bob.me.sign(replace(signed, issued=signed.issued + number)).raw for number in (1, 2, 3)]
    records = (*(one.raw for one in theirs), *again)
    alice.answers(wire.write(wire.Exchange(booking=booking, records=records)))
    assert len(alice.booking(booking).theirs) == len(records)
    assert len(alice.booking(booking).mine) == written


def test_the_tolerance_in_money_is_what_its_energy_and_minutes_cost() -> None:
    street = Street()
    prices = {"per_kwh": EURO, "per_hour": 3 * EURO, "tax_bp": 1000, "tax_included": False}
    alice, bob = street.host(tariff=simple_tariff("EUR", **prices)), street.driver()
    booking = bob.books(alice)
    bob.tells(StartCharging(booking, energy_wh=1000, cost=2 * EURO))
    within = tolerated(bob.state(booking))
    assert within.energy_wh == OVERSHOOT_WH
    assert within.cost == 2 * EURO + (EURO // 2 + 3 * EURO * 2 // 60) * 11 // 10


def test_a_total_above_the_cap_of_the_quote_waits_for_the_person() -> None:
    """The car stays beyond the booked time: the receipt is right, and dearer than the quote's worst case."""
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice, minutes=15, energy=2000)
    bob.tells(StartCharging(booking, energy_wh=100_000, cost=100 * EURO))
    alice.box(SessionStarted("s1", tag_of(booking), 0, street.now))
    street.wait(HOUR)
    alice.box(SessionEnded("s1", 9_000, street.now, "Remote"))
    state = bob.state(booking)
    assert state.agreed is None
    assert objections(state) == ("cap: 3.60 EUR billed, at most 1.11 EUR by the quote",)
