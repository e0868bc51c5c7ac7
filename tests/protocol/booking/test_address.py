"""The address with its photos: when it is told, told anew, and deleted; and how photos get to the driver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.charger_photos import PHOTOS
from chargemesh_protocol.booking.driver_access import ACCESS
from chargemesh_protocol.booking.driver_access import PHOTOS as OF_DRIVER
from chargemesh_protocol.booking.host_access import TOLD
from chargemesh_protocol.booking.photos import photo_id
from chargemesh_protocol.booking.records import Access, CancelReason
from chargemesh_protocol.booking.sealing import seal_photo
from chargemesh_protocol.contact import Mailbox
from chargemesh_protocol.encoding import decode_map, encode
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.events import (
    AddPhoto,
    CancelBooking,
    MessageReceived,
    ParcelAnswered,
    PutCharger,
    RemoveCharger,
    RemovePhoto,
    TimerDue,
    WriteMessage,
)
from chargemesh_protocol.limits import MAX_PHOTO_BYTES, MAX_PHOTO_TRIES, MAX_PHOTOS, MAX_PHOTOS_GIVEN
from chargemesh_protocol.mailbox.keys import mailbox_key

from ..neighbours import CHARGER, DAY, HOUR, MINUTE, Person, Street, charger
from ..pictures import picture

FIRST, SECOND = picture(1), picture(2)


def with_code(code: str) -> Any:
    plain = charger()
    return replace(plain, home=replace(plain.home, code=code))


def told(street: Street, *photos: bytes) -> tuple[Person, Person, bytes]:
    """A host with these photos, and a driver who was told the address."""
    alice, bob = street.host(), street.driver()
    for one in photos:
        alice.tells(AddPhoto(CHARGER, one))
    return alice, bob, bob.books(alice)


def shown(person: Person, booking: bytes) -> list[bytes | None]:
    return [jpeg for _, jpeg in person.engine.driver.addresses.photos(person.booking(booking))]


def addresses(person: Person, booking: bytes) -> list[Any]:
    """Every access record of a booking that this node holds."""
    held = person.booking(booking)
    return [one for one in (*held.mine, *held.theirs) if type(one.body) is Access]


# --- photos ------------------------------------------------------------------------------------------


def test_photos_follow_the_address() -> None:
    alice, bob, booking = told(Street(), FIRST, SECOND)
    access = bob.engine.driver.access(bob.booking(booking))
    assert access is not None and access.photos == (photo_id(FIRST), photo_id(SECOND))
    assert shown(bob, booking) == [FIRST, SECOND]
    assert len(bob.told("booking.photo")) == 2 and not bob.owes() and not alice.owes()


def test_photos_do_not_leave_before_the_address_is_due() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    alice.tells(AddPhoto(CHARGER, FIRST))
    booking = bob.books(alice, street.now + 8 * HOUR)
    asking = wire.write(wire.Exchange(booking=booking, known=1, wants=photo_id(FIRST)))
    answer = wire.read(alice.answers(asking))
    assert isinstance(answer, wire.Exchange) and answer.photo is None and not addresses(alice, booking)
    alice.tells(PutCharger(with_code("0815")))
    assert not addresses(alice, booking), "a change tells nobody who was not told before"
    street.wait(7 * HOUR)
    assert shown(bob, booking) == [FIRST]
    assert alice.state(booking).access_sent_at >= alice.state(booking).access_due  # type: ignore[operator]


def test_photos_are_nowhere_in_the_listing_nor_in_what_is_told() -> None:
    street = Street()
    alice, bob, _ = told(street, FIRST)
    listing = alice.engine.listings.newest_raw(CHARGER)
    assert listing is not None and photo_id(FIRST) not in listing and FIRST not in listing
    for one in (alice, bob):
        said = "".join(str(tell) for tell in one.effects if type(tell).__name__ in ("Tell", "Result"))
        assert "JFIF" not in said and repr(FIRST) not in said
        assert not any(FIRST in body for body in one.seen), "in clear"


def test_adding_photos_announces_nothing() -> None:
    alice = Street().host()
    before = alice.engine.listings.newest_raw(CHARGER)
    alice.tells(AddPhoto(CHARGER, FIRST))
    assert alice.engine.listings.newest_raw(CHARGER) == before


def test_a_charger_has_few_photos_and_each_once() -> None:
    alice = Street().host()
    for number in range(MAX_PHOTOS):
        alice.tells(AddPhoto(CHARGER, picture(number)))
    again = alice.tells(AddPhoto(CHARGER, picture(0)))
    assert again == {"charger": CHARGER.hex(), "photo": photo_id(picture(0)).hex()}
    with pytest.raises(PersonError, match="at most"):
        alice.tells(AddPhoto(CHARGER, picture(MAX_PHOTOS)))
    with pytest.raises(PersonError, match="not a plain JPEG"):
        alice.tells(AddPhoto(CHARGER, b"no picture"))
    with pytest.raises(PersonError, match="no such photo"):
        alice.tells(RemovePhoto(CHARGER, photo_id(picture(MAX_PHOTOS))))
    alice.tells(PutCharger(with_code("0815")))
    home = alice.engine.listings.require(CHARGER).home
    assert len(home.photos or ()) == MAX_PHOTOS and home.code == "0815", "other changes keep them"


def test_photos_go_with_their_charger_and_not_before() -> None:
    street = Street()
    alice = street.host()
    other = replace(charger(), charger=b"another charger ")
    alice.tells(PutCharger(other))
    for one in (CHARGER, other.charger):
        alice.tells(AddPhoto(one, FIRST))
    alice.tells(AddPhoto(CHARGER, SECOND))
    alice.tells(RemoveCharger(CHARGER))
    assert set(alice.disk.documents[PHOTOS]) == {photo_id(FIRST)}
    alice.tells(RemovePhoto(other.charger, photo_id(FIRST)))
    assert not alice.disk.documents[PHOTOS]
    assert alice.engine.listings.require(other.charger).home.photos is None


def test_a_photo_survives_restarts_of_either_side_half_way() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    for one in (FIRST, SECOND):
        alice.tells(AddPhoto(CHARGER, one))
    booking = bob.books(alice, street.now + HOUR)
    lost = bob.engine.parcel(booking, street.moment())
    assert lost is None, "nothing is asked for that is there"
    alice.tells(AddPhoto(CHARGER, picture(3)))
    assert shown(bob, booking) == [FIRST, SECOND, picture(3)]
    alice.handles(AddPhoto(CHARGER, picture(4)))
    alice.restarts()
    street.deliver(alice, booking)
    bob.restarts()
    assert shown(bob, booking)[-1] is None
    alice.restarts()
    street.settle()
    assert shown(bob, booking) == [FIRST, SECOND, picture(3), picture(4)]
    bob.restarts()
    assert shown(bob, booking)[-1] == picture(4) and not bob.owes()


def test_photos_are_not_asked_for_through_a_mailbox() -> None:
    """Nobody could answer there; what is owed beside them goes there as ever."""
    street = Street()
    alice, bob = street.host(), street.driver()
    answers_to(alice, lambda answer: replace(answer, photo=None))
    alice.tells(AddPhoto(CHARGER, FIRST))
    booking = bob.books(alice)
    held = bob.booking(booking)
    mailbox = Mailbox("12D3KooWVolunteer", (), mailbox_key(bytes(32)), b"v" * 32)
    bob.engine.ledger.update(held, peer=replace(held.file.peer, mailboxes=(mailbox,)))
    assert held.lacks and bob.engine.mailing(booking, street.moment()) is None
    bob.handles(WriteMessage(booking, "I am on my way."))
    mail = bob.engine.mailing(booking, street.moment())
    assert mail is not None and photo_id(FIRST) not in mail.letter


def answers_to(alice: Person, change: Callable[[wire.Exchange], wire.Exchange]) -> None:
    """From now on the host's answers leave like this."""
    plain = alice.answers

    def answers(body: bytes, block: str = "peer:somebody") -> bytes:
        answer = wire.read(plain(body, block))
        return wire.write(change(answer)) if isinstance(answer, wire.Exchange) else wire.write(answer)

    alice.answers = answers  # type: ignore[method-assign]


def tries(street: Street, bob: Person, booking: bytes) -> int:
    """How often the driver's outbox goes to the host in vain."""
    asked = 0
    while bob.owes():
        assert asked < 10 * MAX_PHOTO_TRIES, "for ever"
        street.deliver(bob, booking)
        asked += 1
    return asked


def test_a_host_that_knows_no_photos_is_asked_a_few_times_only() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    answers_to(alice, lambda answer: replace(answer, photo=None))
    alice.tells(AddPhoto(CHARGER, FIRST))
    booking = bob.books(alice)
    assert tries(street, bob, booking) <= MAX_PHOTO_TRIES and shown(bob, booking) == [None]
    del alice.answers  # type: ignore[attr-defined]
    bob.restarts()
    street.settle()
    assert shown(bob, booking) == [FIRST], "after a new start it tries again"


@pytest.mark.parametrize("inside", [SECOND, b"", b"no picture", FIRST + b"\x00"])
def test_what_is_not_that_photo_is_not_kept(inside: bytes) -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    alice.tells(AddPhoto(CHARGER, FIRST))

    def forged(answer: wire.Exchange) -> wire.Exchange:
        if answer.photo is None:
            return answer
        held = alice.booking(answer.booking)
        sealed = seal_photo(inside, b"n" * 24, held.their_key, held.file.secret)
        return replace(answer, photo=sealed)

    answers_to(alice, forged)
    booking = bob.books(alice)
    assert tries(street, bob, booking) <= MAX_PHOTO_TRIES and shown(bob, booking) == [None]
    assert [one["code"] for one in bob.told("booking.fault")] == ["photo"], "told once"
    assert not bob.disk.documents.get(OF_DRIVER)


def test_a_photo_that_nobody_asked_for_is_not_kept() -> None:
    street = Street()
    alice, bob, booking = told(street, FIRST)
    held = alice.booking(booking)
    sealed = seal_photo(SECOND, b"n" * 24, held.their_key, held.file.secret)
    pushed = wire.Exchange(booking=booking, known=len(held.theirs), photo=sealed)
    bob.answers(wire.write(pushed))
    bob.handles(ParcelAnswered(booking, wire.write(pushed)))
    assert shown(bob, booking) == [FIRST] and len(bob.disk.documents[OF_DRIVER]) == 1


def test_an_old_reader_passes_over_both_keys() -> None:
    exchange = wire.Exchange(booking=bytes(32), wants=photo_id(FIRST), photo=b"sealed")
    tree = decode_map(wire.write(exchange))
    assert {19, 20} <= tree.keys() and min(19, 20) >= 16
    without = {number: item for number, item in tree.items() if number not in (19, 20)}
    assert wire.read(encode(without)) == wire.Exchange(booking=bytes(32))


def asks(alice: Person, booking: bytes, photo: bytes, known: int = 99) -> bytes | None:
    """What the host gives somebody who knows the booking's id."""
    body = wire.write(wire.Exchange(booking=booking, known=known, wants=photo))
    answer = wire.read(alice.answers(body))
    assert isinstance(answer, wire.Exchange)
    return answer.photo


def test_the_host_gives_its_chargers_photos_only_and_only_while_the_booking_needs_them() -> None:
    street = Street()
    alice, bob, booking = told(street, FIRST)
    elsewhere = replace(charger(), charger=b"another charger ")
    alice.tells(PutCharger(elsewhere))
    alice.tells(AddPhoto(elsewhere.charger, SECOND))
    assert asks(alice, booking, photo_id(FIRST)) is not None
    assert asks(alice, booking, photo_id(SECOND)) is None
    assert asks(alice, booking, bytes(32)) is None
    bob.tells(CancelBooking(booking, CancelReason.DRIVER_CANCELED))
    assert asks(alice, booking, photo_id(FIRST)) is None


def test_the_host_gives_a_photo_so_often_and_no_more() -> None:
    alice, _, booking = told(Street(), FIRST)
    given = sum(asks(alice, booking, photo_id(FIRST)) is not None for _ in range(MAX_PHOTOS_GIVEN + 5))
    assert given < MAX_PHOTOS_GIVEN
    alice.tells(PutCharger(with_code("0815")))
    assert asks(alice, booking, photo_id(FIRST)) is not None, "another address is another count"


def test_the_news_go_before_a_photo_that_has_no_room_beside_them() -> None:
    street = Street()
    large = _large(FIRST)
    alice, bob, booking = told(street, large)
    held = alice.booking(booking)
    answer = wire.Exchange(booking=booking, records=tuple(bytes([number]) * 16_000 for number in range(14)))
    addresses_of = alice.engine.host.addresses
    assert addresses_of.with_photo(held, photo_id(large), answer, street.moment()).photo is None
    few = replace(answer, records=answer.records[:8])
    full = addresses_of.with_photo(held, photo_id(large), few, street.moment())
    assert full.photo is not None and wire.read(wire.write(full)) == full
    assert shown(bob, booking) == [large]


def _large(photo: bytes) -> bytes:
    return photo[:-2] + bytes(MAX_PHOTO_BYTES - len(photo)) + photo[-2:]


# --- another address ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"code": "0815"}, ["code"]),
        ({"way": "the gate on the right"}, ["way"]),
        ({"phone": ""}, ["phone"]),
        ({"address": "Secret Street 2", "latitude": 52_519_998}, ["address", "place"]),
    ],
)
def test_what_changes_at_the_plug_is_told_at_once(changes: dict[str, Any], named: list[str]) -> None:
    street = Street()
    alice, bob, booking = told(street)
    first_sent = alice.state(booking).access_sent_at
    street.wait(MINUTE)
    plain = charger()
    home = replace(plain.home, **changes)
    alice.tells(PutCharger(replace(plain, home=home)))
    access = bob.engine.driver.access(bob.booking(booking))
    assert access is not None
    assert {name: getattr(access, name) for name in changes} == changes
    (notice,) = bob.told("booking.access_changed")
    assert notice["changed"] == named and "0815" not in str(notice)
    assert len(bob.told("booking.access")) == 1
    assert bob.state(booking).access_sent_at == alice.state(booking).access_sent_at == first_sent
    bob.restarts()
    assert bob.engine.driver.access(bob.booking(booking)) == access


def test_photos_that_come_and_go_are_told_and_those_gone_are_deleted() -> None:
    alice, bob, booking = told(Street(), FIRST)
    alice.tells(AddPhoto(CHARGER, SECOND))
    assert shown(bob, booking) == [FIRST, SECOND]
    alice.tells(RemovePhoto(CHARGER, photo_id(FIRST)))
    assert shown(bob, booking) == [SECOND]
    assert set(bob.disk.documents[OF_DRIVER]) == {booking + photo_id(SECOND)}
    assert [one["changed"] for one in bob.told("booking.access_changed")] == [["photos"], ["photos"]]


def test_what_changes_nothing_at_the_plug_is_not_told() -> None:
    alice, bob, booking = told(Street(), FIRST)
    alice.tells(PutCharger(replace(charger(), ticket_seconds=30)))
    alice.tells(AddPhoto(CHARGER, FIRST))
    alice.restarts()
    alice.handles(TimerDue())
    assert len(addresses(alice, booking)) == 1 and not bob.told("booking.access_changed")


def test_a_change_just_before_a_crash_is_told_after_it() -> None:
    """The desk forgets what it was about to send; the home on disk says that something is to be told."""
    street = Street()
    alice, bob, booking = told(street)
    settings = with_code("0815")
    alice.disk.commit([alice.engine.listings.keep(settings)])
    alice.restarts()
    street.settle()
    access = bob.engine.driver.access(bob.booking(booking))
    assert access is not None and access.code == "0815"


def test_every_live_booking_is_told_and_no_other() -> None:
    street = Street()
    alice = street.host()
    bob, carl, dora = (street.driver(name) for name in ("bob", "carl", "dora"))
    now_there = bob.books(alice, minutes=60)
    soon = carl.books(alice, street.now + HOUR)
    later = dora.books(alice, street.now + 20 * HOUR)
    alice.tells(PutCharger(with_code("0815")))
    assert [len(addresses(alice, one)) for one in (now_there, soon, later)] == [2, 2, 0]
    bob.tells(CancelBooking(now_there, CancelReason.DRIVER_CANCELED))
    alice.tells(PutCharger(with_code("0816")))
    assert [len(addresses(alice, one)) for one in (now_there, soon, later)] == [2, 3, 0]
    assert set(alice.disk.documents[TOLD]) == {soon}


def test_a_booking_of_an_earlier_version_is_left_alone_until_something_changes() -> None:
    alice, bob, booking = told(Street())
    alice.disk.documents[TOLD].clear()
    alice.restarts()
    assert len(addresses(alice, booking)) == 1
    alice.tells(PutCharger(with_code("0815")))
    assert len(addresses(alice, booking)) == 2 and len(bob.told("booking.access_changed")) == 1


def test_a_second_address_is_no_second_stranger() -> None:
    """The bound on addresses told to strangers counts drivers."""
    alice, _, booking = told(Street())
    before = dict(alice.engine.host._stranger_access)
    alice.tells(PutCharger(with_code("0815")))
    assert alice.engine.host._stranger_access == before and booking in before


# --- deleted together --------------------------------------------------------------------------------


def test_a_week_after_the_end_address_and_photos_are_gone() -> None:
    street = Street()
    alice, bob, booking = told(street, FIRST, SECOND)
    street.wait(8 * DAY)
    assert bob.engine.driver.access(bob.booking(booking)) is None and shown(bob, booking) == []
    assert not bob.disk.documents[ACCESS] and not bob.disk.documents[OF_DRIVER]
    assert not alice.disk.documents[TOLD] and not bob.owes()
    assert set(alice.disk.documents[PHOTOS]) == {photo_id(FIRST), photo_id(SECOND)}, "the host's own stay"


def test_a_photo_lost_for_good_is_not_asked_for_after_the_end() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    answers_to(alice, lambda answer: replace(answer, photo=None))
    alice.tells(AddPhoto(CHARGER, FIRST))
    booking = bob.books(alice)
    street.wait(2 * HOUR)
    bob.restarts()
    assert not bob.booking(booking).lacks and not bob.owes()


def test_a_message_from_nowhere_brings_no_photo() -> None:
    alice, _, _ = told(Street(), FIRST)
    body = wire.write(wire.Exchange(booking=bytes(32), wants=photo_id(FIRST)))
    with pytest.raises(Exception, match="no such booking"):
        alice.handles(MessageReceived("somebody", "block", body))
