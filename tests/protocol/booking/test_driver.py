"""The driver's desk: it signs what follows from what its person agreed to, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.charging import tag_of
from chargemesh_protocol.booking.cost import OVERSHOOT_WH
from chargemesh_protocol.booking.records import (
    Access,
    Agreement,
    CancelReason,
    Countersign,
    ProblemKind,
    Quote,
    Receipt,
    ReceiptLine,
)
from chargemesh_protocol.booking.sealing import AccessRecord, one_time_keypair, seal
from chargemesh_protocol.booking.table import Reservation, Settlement
from chargemesh_protocol.charging.reports import Reading, SessionEnded, SessionStarted
from chargemesh_protocol.effects import Parcel
from chargemesh_protocol.errors import PersonError, Refused
from chargemesh_protocol.events import (
    Book,
    CancelBooking,
    ClaimPaid,
    ConfirmPaid,
    ParcelAnswered,
    ReportProblem,
    StartCharging,
    StopCharging,
    WallboxSaid,
)
from chargemesh_protocol.record import open_as
from chargemesh_protocol.tariff import simple_tariff

from ..neighbours import CHARGER, EURO, HOUR, MINUTE, NETWORK, Person, Street

# Tax on top, a session fee and a highest price, so that every part of a receipt is there.
TARIFF = simple_tariff(
    "EUR", per_kwh=EURO * 2 // 5, flat=EURO // 2, max_price=EURO, tax_bp=1900, tax_included=False
)


def taken(host: Person, driver: Person, given: wire.QuoteGiven, **changes: Any) -> Book:
    fields: dict[str, Any] = {
        "quote": given.quote,
        "host_bundle": given.bundle,
        "to": host.contact,
        "region": 1,
        "title": "",
        "zone": "Europe/Berlin",
        "wait_ms": MINUTE,
    }
    return Book(**(fields | changes))


def billed() -> tuple[Person, Person, bytes, Receipt]:
    """A session that is over at the host, whose last ticket and right receipt the driver has not got yet."""
    street = Street()
    alice, bob = street.host(tariff=TARIFF), street.driver()
    booking = bob.books(alice, energy=5000)
    bob.tells(StartCharging(booking))
    alice.box(SessionStarted("s1", tag_of(booking), 0, street.now))
    street.wait(10 * MINUTE)
    alice.box(Reading("s1", 1500, 9000, street.now, "Sample.Periodic"))
    street.wait(MINUTE)
    alice.handles(WallboxSaid(CHARGER, SessionEnded("s1", 1607, street.now, "Local")))
    receipt = alice.state(booking).receipt
    assert receipt is not None
    return alice, bob, booking, receipt.body


def hands_over(alice: Person, bob: Person, booking: bytes, receipt: Receipt) -> None:
    """The host's node lies: in place of its receipt it sends another one."""
    records = [one.raw for one in alice.booking(booking).mine[:-1]]
    news = wire.Exchange(booking=booking, records=(*records, alice.me.sign(receipt).raw))
    bob.answers(wire.write(news))


# --- the receipt ----------------------------------------------------------------------------------


def test_a_receipt_adds_up_for_a_person() -> None:
    alice, bob, booking, receipt = billed()
    assert [(one.dimension, one.quantity, one.amount) for one in receipt.lines] == [
        ("ENERGY", 1607, 642_800),
        ("FLAT", 1, 500_000),
    ]
    assert (receipt.adjustment, receipt.tax, receipt.rounding, receipt.total) == (
        -142_800,
        190_000,
        None,
        1_190_000,
    )
    parts = sum(one.amount for one in receipt.lines) + (receipt.adjustment or 0) + (receipt.tax or 0)
    assert parts + (receipt.rounding or 0) == receipt.total
    hands_over(alice, bob, booking, receipt)
    assert bob.state(booking).agreed is not None or bob.booking(booking).own(Agreement)


def _line(receipt: Receipt, **changes: Any) -> tuple[ReceiptLine, ...]:
    return (replace(receipt.lines[0], **changes), *receipt.lines[1:])


WRONG: dict[str, Any] = {
    "total": lambda one: {"total": one.total + 10_000},
    "energy_wh": lambda one: {"energy_wh": one.energy_wh + 1},
    "started": lambda one: {"started": one.started - 1},
    "ended": lambda one: {"ended": one.ended + 1},
    "adjustment": lambda one: {"adjustment": None},
    "tax": lambda one: {"tax": 180_000},
    "rounding": lambda one: {"rounding": 1},
    "lines": lambda one: {"lines": one.lines[:1]},
    "line 1 dimension": lambda one: {"lines": _line(one, dimension="TIME")},
    "line 1 quantity": lambda one: {"lines": _line(one, quantity=1601)},
    "line 1 price": lambda one: {"lines": _line(one, price=400_001)},
    "line 1 amount": lambda one: {"lines": _line(one, amount=642_801)},
    "line 2 amount": lambda one: {"lines": (one.lines[0], replace(one.lines[1], amount=500_001))},
}


@pytest.mark.parametrize("field", WRONG)
def test_a_wrong_receipt_is_not_agreed_to_and_the_field_is_named(field: str) -> None:
    alice, bob, booking, receipt = billed()
    hands_over(alice, bob, booking, replace(receipt, **WRONG[field](receipt)))
    assert not bob.booking(booking).own(Agreement)
    (told,) = bob.told("receipt.wrong")
    assert [one.split(":")[0] for one in told["differences"] if not one.startswith("cap:")] == [field]
    bob.restarts()
    assert not bob.booking(booking).own(Agreement)
    assert len(bob.told("receipt.wrong")) == 1, "once, however often the node starts"


def test_a_receipt_in_another_currency_does_not_count() -> None:
    alice, bob, booking, receipt = billed()
    hands_over(alice, bob, booking, replace(receipt, currency="CHF"))
    state = bob.state(booking)
    assert state.receipt is None and not bob.booking(booking).own(Agreement)
    assert "currency" in state.ignored[0].reason


def test_a_receipt_for_a_cancellation_that_was_free_is_not_agreed_to() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice, street.now + 6 * HOUR)
    bob.tells(CancelBooking(booking, CancelReason.TRAFFIC))
    line = ReceiptLine(dimension="CANCELLATION", quantity=1, price=EURO, amount=EURO)
    fields = alice.booking(booking).set.host_fields(street.now)
    fee = Receipt(
        **fields,
        started=0,
        ended=0,
        energy_wh=0,
        currency="EUR",
        lines=(line,),
        total=EURO,
        payee_name="",
        payee_account="",
    )
    bob.answers(wire.write(wire.Exchange(booking=booking, records=(alice.me.sign(fee).raw,))))
    assert not bob.booking(booking).own(Agreement)
    assert bob.told("receipt.wrong")[0]["differences"] == ["there is no meter ticket"]


def test_a_corrected_receipt_is_agreed_to_after_a_dispute() -> None:
    alice, bob, booking, receipt = billed()
    hands_over(alice, bob, booking, replace(receipt, total=receipt.total + 10_000))
    bob.handles(ReportProblem(booking, ProblemKind.OTHER, "a cent too much"))
    assert bob.state(booking).settlement is Settlement.OPEN  # until the host has heard of it
    problem = bob.booking(booking).mine[-1]
    wrong = bob.state(booking).head
    fields: dict[str, Any] = {"number": receipt.number + 1, "previous": wrong, "includes": (problem.id,)}
    records = (alice.me.sign(replace(receipt, **fields)).raw,)
    bob.answers(wire.write(wire.Exchange(booking=booking, records=records)))
    state = bob.state(booking)
    assert state.receipt is not None and state.receipt.body.total == receipt.total
    assert len(bob.booking(booking).own(Agreement)) == 1


def test_no_ticket_beyond_the_authorisation_is_countersigned() -> None:
    """A box stops only after the reading that showed enough: so much more is tolerated, once."""
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice)
    bob.tells(StartCharging(booking, energy_wh=1000))
    alice.box(SessionStarted("s1", tag_of(booking), 0, street.now))
    for register in (900, 1000 + OVERSHOOT_WH, 1001 + OVERSHOOT_WH):
        street.wait(MINUTE)
        alice.box(Reading("s1", register, 9000, street.now, "Sample.Periodic"))
    assert len(bob.state(booking).tickets) == 4
    assert [one.body.ticket for one in bob.booking(booking).own(Countersign)] == [
        one.id for one in bob.state(booking).tickets[:3]
    ]


# --- taking a quote -------------------------------------------------------------------------------


def test_a_quote_must_be_its_hosts() -> None:
    street = Street()
    alice, bob, carol = street.host(), street.driver(), street.driver("carol")
    given = bob.asks(alice)
    quote = open_as(Quote, given.quote, NETWORK).body
    for book, code in (
        (taken(alice, bob, given, host_bundle=carol.me.bundle), "mismatch"),
        (taken(alice, bob, given, quote=carol.me.sign(quote).raw), "not-delegated"),
        (taken(alice, bob, given, quote=given.quote[:-1] + b"\0"), "bad-signature"),
        (taken(alice, bob, given, quote=carol.me.sign(replace(quote, author=carol.author)).raw), "mismatch"),
    ):
        with pytest.raises(Refused) as refused:
            bob.handles(book)
        assert refused.value.code == code
    assert not list(bob.engine.ledger)


def test_nobody_books_at_home() -> None:
    street = Street()
    alice = street.host()
    with pytest.raises(PersonError) as error:
        alice.handles(taken(alice, alice, alice.asks(alice)))
    assert error.value.code == "own-charger"


def test_a_request_is_sent_until_it_expires_and_fails_then() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    bob.handles(taken(alice, bob, bob.asks(alice)))
    (booking,) = [one.id for one in bob.engine.ledger]
    row = bob.disk.outbox["peer", booking]
    assert row.expires == street.now + MINUTE
    parcel = bob.engine.parcel(booking, street.moment())
    assert isinstance(parcel, Parcel) and parcel.to == alice.contact
    sent = wire.read(parcel.body)
    assert isinstance(sent, wire.Exchange) and sent.opening and sent.bundle
    street.now += 4 * MINUTE
    assert bob.state(booking).reservation is Reservation.FAILED


def test_a_refusal_at_once_is_told_and_ends_it() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    street.driver("carol").books(alice, street.now + 3 * HOUR)
    given = bob.asks(alice)
    street.driver("dave").books(alice)
    booking = bob.takes(alice, given)
    assert bob.told("booking.refused")[0]["code"] == "not-offerable"
    assert bob.booking(booking).file.done and not bob.owes()
    assert bob.engine.parcel(booking, street.moment()) is None


# --- the address ----------------------------------------------------------------------------------


@pytest.mark.parametrize("spoil", ["booking", "recipient", "author", "signer", "kind", "key", "bytes"])
def test_a_sealed_address_that_is_not_for_this_booking_is_told_and_not_shown(spoil: str) -> None:
    street = Street()
    alice, bob, eve = street.host(), street.driver(), street.driver("eve")
    booking = bob.books(alice, street.now + 6 * HOUR)
    held = alice.booking(booking)
    record = AccessRecord(
        author=alice.author,
        issued=street.now,
        booking=booking,
        recipient=bob.author,
        address="Trap Street 7",
        latitude=0,
        longitude=0,
        way="",
        code="",
        phone="",
    )
    changes: dict[str, Any] = {
        "booking": {"booking": b"?" * 32},
        "recipient": {"recipient": eve.author},
        "author": {"author": eve.author},
    }
    signer = eve if spoil in ("signer", "author") else alice
    inner = signer.me.sign(replace(record, **changes.get(spoil, {}))).raw
    if spoil == "kind":
        inner = held.quote.raw
    secret = one_time_keypair(b"x" * 32)[1] if spoil == "key" else held.file.secret
    sealed = seal(inner, b"n" * 24, held.request.body.one_time_key, secret)
    if spoil == "bytes":
        sealed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    access = alice.me.sign(Access(**held.set.host_fields(street.now), sealed=sealed))
    bob.answers(wire.write(wire.Exchange(booking=booking, records=(access.raw,))))
    assert bob.engine.driver.access(bob.booking(booking)) is None
    assert bob.told("booking.bad_access")


# --- other commands -------------------------------------------------------------------------------


def test_problems_free_the_driver() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice, street.now + HOUR)
    with pytest.raises(PersonError) as error:
        street.driver("carol").tells(ReportProblem(booking, ProblemKind.BLOCKED, ""))
    assert error.value.code == "no-such-booking"
    street.wait(HOUR)
    bob.tells(ReportProblem(booking, ProblemKind.BLOCKED, "a van stands there"))
    assert bob.tells(CancelBooking(booking, CancelReason.DRIVER_CANCELED))["cost"] == 0
    assert alice.state(booking).cost == 0
    street.wait(3 * HOUR)
    assert alice.state(booking).reservation is Reservation.CANCELED


def test_a_stop_needs_a_check_in_at_least_on_its_way() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice)
    with pytest.raises(PersonError) as error:
        bob.tells(StopCharging(booking))
    assert error.value.code == "not-started"
    bob.handles(StartCharging(booking))
    assert not bob.state(booking).checked_in
    assert bob.tells(StopCharging(booking))["stopped"]


def test_cancelling_while_charging_is_stopping() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice)
    bob.tells(StartCharging(booking))
    alice.box(SessionStarted("s1", tag_of(booking), 0, street.now))
    with pytest.raises(PersonError) as error:
        bob.tells(CancelBooking(booking, CancelReason.TRAFFIC))
    assert error.value.code in ("charging", "not-cancellable")
    assert bob.tells(StopCharging(booking)) == {"booking": booking.hex(), "stopped": True}
    assert bob.tells(StopCharging(booking)) == {"booking": booking.hex(), "stopped": True}


def test_paying_twice_is_paying_once() -> None:
    alice, bob, booking, _ = billed()
    alice.street.settle()
    for _ in range(2):
        bob.tells(ClaimPaid(booking, "manual", "cash"))
    for _ in range(2):
        assert alice.tells(ConfirmPaid(booking))["settlement"] == "PAID"
    assert bob.tells(ClaimPaid(booking, "manual", "cash"))["settlement"] == "PAID"
    assert bob.state(booking).settlement is Settlement.PAID


def test_an_answer_that_is_garbage_changes_nothing() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice)
    for body in (b"", b"\xff", b"\xa1\x00\x18\x63"):
        with pytest.raises(Refused):
            bob.handles(ParcelAnswered(booking, body))
    assert bob.state(booking).reservation is Reservation.RESERVED
