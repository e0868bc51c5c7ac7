"""What a host says beyond its listing: rules in words, members, walk-ins, blocked people, deadlines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.explain import explain
from chargemesh_protocol.booking.records import CancelReason, DeclineReason, Quote
from chargemesh_protocol.booking.rules import Take
from chargemesh_protocol.booking.state import Party
from chargemesh_protocol.booking.table import Reservation
from chargemesh_protocol.booking.walk_in import WalkInLink, read_link, walk_in_proof, write_link
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.events import (
    Block,
    Book,
    CancelBooking,
    Decide,
    DropMember,
    PutCharger,
    PutMember,
    Unblock,
    WriteMessage,
)
from chargemesh_protocol.place import region_of
from chargemesh_protocol.policy import (
    AnswerWithin,
    MembersOnly,
    Otherwise,
    Policy,
    WalkIn,
    WalkInAnswer,
)
from chargemesh_protocol.record import open_as

from ..neighbours import CHARGER, DAY, HOUR, MINUTE, NETWORK, ON_REQUEST, Person, Street, charger
from .strangers import refusal_of
from .test_rules import IDLE, KNOWN, QUOTE, STRANGER, code, judged, request

SECRET = b"secret of the QR code at alice's"


def in_words(words: str, **more: Any) -> Any:
    return charger(policy=Policy(words=words), **more)


def walk_in(answer: WalkInAnswer = WalkInAnswer.INSTANTLY, secret: bytes = SECRET) -> Policy:
    return Policy(walk_in=WalkIn(secret=secret, answer=answer))


def stands_there(driver: Person, host: Person, given: wire.QuoteGiven, secret: bytes = SECRET) -> bytes:
    """A booking by somebody who has read the code."""
    command = Book(
        quote=given.quote,
        host_bundle=given.bundle,
        to=host.contact,
        region=region_of(charger().cell),
        title="",
        zone="Europe/Berlin",
        wait_ms=10 * MINUTE,
        walk_in=secret,
    )
    return bytes.fromhex(driver.tells(command)["booking"])


# --- rules in words -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "standing", "expected"),
    [
        ("members instantly; others not at all", STRANGER, "rules"),
        ("members instantly; others not at all", replace(STRANGER, group="family"), "Take"),
        ("members of house instantly", replace(STRANGER, group="family"), "AskPerson"),
        ("vouched instantly", replace(STRANGER, vouched=True), "Take"),
        ("trust below 60 % not at all; others instantly", STRANGER, "trust"),
        ("trust below 60 % not at all; others instantly", KNOWN, "trust"),
        ("first-timers and trust below 60 % not at all; others instantly", KNOWN, "Take"),
        ("at least 2 sessions with me instantly", replace(KNOWN, with_me=2), "Take"),
        ("at least 2 sessions with me instantly", replace(KNOWN, with_me=1), "AskPerson"),
        ("fewer than 9 sessions in all not at all; others instantly", replace(KNOWN, in_all=8), "rules"),
        ("less than 2 h ahead on request; others instantly", KNOWN, "Take"),
        ("less than 121 min ahead on request; others instantly", KNOWN, "AskPerson"),
        ("vehicle named instantly", KNOWN, "AskPerson"),
    ],
)
def test_words_decide(words: str, standing: Any, expected: str) -> None:
    assert code(judged(in_words(words), standing=standing)) == expected


def test_the_vehicle_is_asked_for() -> None:
    named = replace(request(), vehicle="a red one", plug="CHADEMO")
    assert code(judged(in_words("vehicle named instantly"), request=named)) == "Take"
    assert code(judged(in_words("plug CHADEMO not at all; others instantly"), request=named)) == "rules"


def test_bounds_on_strangers_hold_whatever_the_words_say() -> None:
    generous = in_words("others instantly")
    assert code(judged(generous, load=replace(IDLE, access_records_this_week=3))) == "AskPerson"
    assert code(judged(generous, load=replace(IDLE, open_by_key=1))) == "stranger"
    assert code(judged(generous, load=replace(IDLE, open_by_block=1))) == "stranger"
    assert code(judged(generous, quote=replace(QUOTE, end=QUOTE.start + 5 * HOUR))) == "stranger"
    assert code(judged(in_words("others on request"), load=replace(IDLE, pending_strangers=32))) == "busy"
    # A member is no stranger: the host has met them.
    member = replace(STRANGER, group="")
    assert code(judged(generous, standing=member, load=replace(IDLE, access_records_this_week=3))) == "Take"


def test_a_listing_shows_what_the_words_come_to() -> None:
    words = "first-timers and trust below 40 % not at all; known drivers instantly; others on request"
    shown = in_words(words).shown_rules
    assert (shown.instant, shown.min_trust) == (True, 400)
    assert in_words("others on request").shown_rules.instant is False
    street = Street()
    alice, bob = street.host(policy=Policy(words="others on request")), street.driver()
    assert open_as(Quote, bob.asks(alice).quote, NETWORK).body.instant is False


# --- members --------------------------------------------------------------------------------------


def test_a_charger_for_members_says_so_or_seems_taken() -> None:
    for members_only, shown, said in (
        (MembersOnly.SHOWN, True, "members-only"),
        (MembersOnly.HIDDEN, None, "not-offerable"),
    ):
        street = Street()
        alice, bob = street.host(policy=Policy(members_only=members_only)), street.driver()
        listing = alice.engine.listings.listing(CHARGER)
        assert listing is not None and listing.body.members_only is shown
        assert bob.booking(bob.books(alice)).file.refused == said
        alice.handles(PutMember(bob.author, "Bob", "family"))
        alice.restarts()
        assert bob.state(bob.books(alice)).reservation is Reservation.RESERVED
        alice.handles(DropMember(bob.author))
        assert bob.booking(bob.books(alice, street.now + 2 * HOUR)).file.refused == said


def test_members_have_names_and_groups() -> None:
    alice = Street().host()
    with pytest.raises(PersonError, match="group"):
        alice.handles(PutMember(b"b" * 32, "Bob", "My Family"))
    with pytest.raises(PersonError, match="you"):
        alice.handles(PutMember(alice.author, "Me", ""))
    with pytest.raises(PersonError, match="no member"):
        alice.handles(DropMember(b"b" * 32))


# --- blocked --------------------------------------------------------------------------------------


def test_to_somebody_blocked_every_time_seems_taken() -> None:
    street = Street()
    alice, bob, carol = street.host(), street.driver(), street.driver("carol")
    given, start = bob.asks(alice), street.now
    late = carol.asks(alice)
    alice.handles(Block(bob.author, "rude"))
    alice.restarts()
    refused = bob.takes(alice, given)
    blocked_answer = alice.seen[-1]
    street.driver("dave").books(alice, start)
    taken = carol.takes(alice, late)
    assert blocked_answer == alice.seen[-1]
    assert bob.booking(refused).file.refused == carol.booking(taken).file.refused == "not-offerable"
    alice.handles(Unblock(bob.author))
    assert bob.state(bob.books(alice, start + 2 * HOUR)).reservation is Reservation.RESERVED


def test_what_somebody_blocked_writes_is_kept_and_not_told() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice, street.now + 5 * HOUR)
    alice.handles(Block(bob.author, ""))
    bob.tells(WriteMessage(booking, "why?"))
    assert [one.text for one in alice.booking(booking).messages] == ["why?"]
    assert not alice.told("booking.message")
    # For safety it costs neither side anything.
    alice.tells(CancelBooking(booking, CancelReason.SAFETY))
    assert (bob.state(booking).cost, bob.state(booking).compensation) == (0, 0)


def test_somebody_blocked_can_neither_move_nor_extend_a_booking() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice, street.now + 5 * HOUR)
    at = bob.state(booking).quote
    ask = wire.AskQuote(charger=CHARGER, start=at.start, end=at.end + HOUR, energy_wh=5000, booking=booking)
    assert isinstance(wire.read(alice.answers(wire.write(ask))), wire.QuoteGiven)
    alice.handles(Block(bob.author, ""))
    assert refusal_of(wire.read(alice.answers(wire.write(ask))))[0] == "not-offerable"


# --- walk-ins -------------------------------------------------------------------------------------


def test_the_proof_is_for_one_quote_and_one_driver() -> None:
    proof = walk_in_proof(SECRET, b"q" * 32, b"D" * 32)
    asking = replace(request(), walk_in=proof)
    now = {"quote": replace(QUOTE, start=QUOTE.issued, end=QUOTE.issued + HOUR), "now": QUOTE.issued + MINUTE}
    shy = charger(rules=ON_REQUEST, policy=walk_in())
    assert code(judged(shy, request=replace(asking, issued=QUOTE.issued), **now)) == "Take"
    for other in (
        replace(asking, quote=b"r" * 32),
        replace(asking, author=b"E" * 32),
        replace(asking, walk_in=walk_in_proof(b"another secret of another charge", b"q" * 32, b"D" * 32)),
    ):
        assert code(judged(shy, request=replace(other, issued=QUOTE.issued), **now)) == "walk-in"
    # It proves presence: a time that is still to come is none.
    assert code(judged(shy, request=asking)) == "walk-in"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (WalkInAnswer.INSTANTLY, Reservation.RESERVED),
        (WalkInAnswer.ON_REQUEST, Reservation.PENDING),
        (WalkInAnswer.NEVER, None),
    ],
)
def test_presence_is_a_standing_of_its_own(answer: WalkInAnswer, expected: Reservation | None) -> None:
    street = Street()
    words = replace(walk_in(answer), words="others not at all")
    alice, bob = street.host(policy=words), street.driver()
    given = bob.asks(alice, minutes=45)
    booking = stands_there(bob, alice, given)
    if expected is None:
        assert bob.booking(booking).file.refused == "walk-in"
    else:
        assert bob.state(booking).reservation is expected


def test_walk_ins_are_bounded_and_count_for_no_address() -> None:
    street = Street()
    strangers = replace(charger().strangers, access_records_a_week=0)
    alice, bob = street.host(policy=walk_in(), strangers=strangers), street.driver()
    assert bob.booking(stands_there(bob, alice, bob.asks(alice, minutes=241))).file.refused == "stranger"
    booking = stands_there(bob, alice, bob.asks(alice, minutes=45))
    assert bob.state(booking).reservation is Reservation.RESERVED
    street.wait(MINUTE)
    assert bob.state(booking).access_sent
    assert "stranger-access" not in alice.disk.documents or not alice.disk.documents["stranger-access"]
    # The next one stands there while it is taken.
    carol = street.driver("carol")
    assert refusal_of(carol.asks(alice, minutes=45))[0] == "not-offerable"


def test_a_new_code_ends_the_old_one() -> None:
    street = Street()
    alice, bob = street.host(policy=walk_in()), street.driver()
    given = bob.asks(alice)
    alice.handles(PutCharger(charger(policy=walk_in(secret=b"n" * 32))))
    assert bob.booking(stands_there(bob, alice, given)).file.refused == "walk-in"


def test_the_link_says_whom_to_ask_and_is_never_too_long() -> None:
    addresses = tuple(
        f"/dns4/host-{number}-of-a-long-name-in-a-long-domain.example/tcp/4001" for number in range(8)
    )
    link = WalkInLink(
        network=NETWORK,
        host=b"h" * 32,
        charger=CHARGER,
        contact=Contact("12D3Koo" + "x" * 45, addresses),
        secret=SECRET,
        region=1,
        title="Alice's",
        zone="Europe/Berlin",
    )
    text = write_link(link)
    assert len(text) <= 700
    found = read_link(text)
    kept = len(found.contact.addresses)
    assert found == replace(link, contact=Contact(link.contact.peer_id, addresses[:kept])) and kept > 1
    for wrong in ("chargemesh:join/AAAA", text[:-9], text + "!", "chargemesh:walk-in/oA"):
        with pytest.raises(PersonError) as caught:
            read_link(wrong)
        assert caught.value.code == "bad-walk-in"


# --- a deadline for the person --------------------------------------------------------------------


def unanswered(otherwise: Otherwise, **more: Any) -> tuple[Street, Person, Person]:
    policy = Policy(words="others on request", answer=AnswerWithin(minutes=120, otherwise=otherwise))
    street = Street()
    return street, street.host(policy=policy, **more), street.driver()


def asks_person(street: Street, alice: Person, bob: Person, wait_ms: int = 3 * HOUR) -> bytes:
    given = bob.asks(alice, street.now + 6 * HOUR)
    booking = bob.takes(alice, given, wait_ms)
    assert bob.state(booking).reservation is Reservation.PENDING
    return booking


def test_without_an_answer_the_node_does_what_the_quote_says() -> None:
    for otherwise, expected in (
        (Otherwise.ACCEPT, Reservation.RESERVED),
        (Otherwise.DECLINE, Reservation.REJECTED),
    ):
        street, alice, bob = unanswered(otherwise)
        booking = asks_person(street, alice, bob)
        quote = bob.booking(booking).quote.body
        assert quote.answer == AnswerWithin(minutes=120, otherwise=otherwise)
        street.wait(90 * MINUTE - 1)
        assert not alice.told("booking.answer_due")
        street.wait(2)
        alice.restarts()
        (reminder,) = alice.told("booking.answer_due")
        assert (reminder["by"], reminder["then"]) == (street.now - 1 + 30 * MINUTE, otherwise.name)
        street.wait(30 * MINUTE - 2)
        assert bob.state(booking).reservation is Reservation.PENDING
        street.wait(1)
        assert bob.state(booking).reservation is expected
        assert len(alice.told("booking.answer_due")) == 1


def test_both_sides_are_told_until_when_and_what_then() -> None:
    street, alice, bob = unanswered(Otherwise.ACCEPT)
    booking = asks_person(street, alice, bob)
    for person, words in (
        (alice, "Accept or decline by {}; without an answer your node accepts it then."),
        (bob, "The host answers by {}; without an answer its node accepts the request then."),
    ):
        party = Party.HOST if person is alice else Party.DRIVER
        told = explain(person.state(booking), party, street.now, str).next
        assert told[0] == words.format(street.now + 2 * HOUR)


def test_an_answer_in_time_ends_the_waiting() -> None:
    street, alice, bob = unanswered(Otherwise.ACCEPT)
    booking = asks_person(street, alice, bob)
    alice.tells(Decide(booking, False))
    street.wait(5 * HOUR)
    assert bob.state(booking).reservation is Reservation.REJECTED
    assert not alice.told("booking.answer_due") and not alice.told("booking.unanswered")


def test_a_node_that_was_away_answers_as_soon_as_it_is_back() -> None:
    street, alice, bob = unanswered(Otherwise.ACCEPT)
    booking = asks_person(street, alice, bob)
    street.now += 2 * HOUR + 30 * MINUTE
    alice.restarts()
    street.settle()
    assert bob.state(booking).reservation is Reservation.RESERVED


def test_nothing_is_promised_that_can_no_longer_be_had() -> None:
    street, alice, bob = unanswered(Otherwise.ACCEPT)
    booking = asks_person(street, alice, bob)
    carol = street.driver("carol")
    rival = asks_person(street, alice, carol)
    alice.tells(Decide(rival, True))
    street.wait(3 * HOUR)
    decline = bob.state(booking).decline
    assert decline is not None and decline.body.reason is DeclineReason.NOT_OFFERABLE


def test_no_address_goes_to_strangers_unasked_beyond_the_weekly_bound() -> None:
    strangers = replace(charger().strangers, access_records_a_week=0)
    street, alice, bob = unanswered(Otherwise.ACCEPT, strangers=strangers)
    booking = asks_person(street, alice, bob)
    alice.handles(Block(street.driver("carol").author, ""))
    street.wait(3 * HOUR)
    assert bob.state(booking).reservation is Reservation.REJECTED


def test_who_wants_an_answer_sooner_gets_none_by_itself() -> None:
    street, alice, bob = unanswered(Otherwise.ACCEPT)
    booking = asks_person(street, alice, bob, wait_ms=HOUR)
    street.wait(DAY)
    assert bob.state(booking).reservation is Reservation.FAILED


def test_known_drivers_are_not_affected() -> None:
    answer = AnswerWithin(minutes=5, otherwise=Otherwise.DECLINE)
    assert judged(charger(policy=Policy(answer=answer)), standing=KNOWN) == Take()
