"""The desk of own chargers: what the world is told, by sequences that never go back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chargemesh_protocol.booking.calendar import Calendar
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.effects import Announce, HoldSlot
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.limits import MAX_LISTING_LIFE_MS
from chargemesh_protocol.listing import Listing, Withdrawal, require_fresh
from chargemesh_protocol.listing_desk import ListingDesk
from chargemesh_protocol.record import open_record
from chargemesh_protocol.tariff import PriceComponent, Restrictions, TariffDimension, TariffElement

from .neighbours import CHARGER, HOUR, MORNING, NETWORK, Disk, Street, charger

HERE, THERE = (
    Contact("12D3KooHere", ("/ip4/127.0.0.1/tcp/1",)),
    Contact("12D3KooHere", ("/ip4/127.0.0.2/tcp/1",)),
)


class Desk:
    """A desk with a disk."""

    def __init__(self) -> None:
        self.me = Street().person("alice").me
        self.disk, self.calendar = Disk(), Calendar()
        self.desk = self.restarted(HERE)

    def restarted(self, contact: Contact) -> ListingDesk:
        return ListingDesk(self.me, self.calendar, self.disk.documents, contact)

    def newest(self) -> Listing | Withdrawal:
        raw = self.desk.newest_raw(CHARGER)
        assert raw is not None
        body = open_record(raw, NETWORK).body
        assert isinstance(body, Listing | Withdrawal)
        return body

    def does(self, effects: list[object]) -> int:
        """Commits, and says how many announcements there were."""
        self.disk.commit(effects)  # type: ignore[arg-type]
        return sum(isinstance(one, Announce) for one in effects)


def test_every_change_is_a_new_sequence_that_survives_pausing_removal_and_restarts() -> None:
    one = Desk()
    sequences = []
    for change in (
        lambda: one.desk.put(charger(), MORNING),
        lambda: one.desk.put(charger(access_lead_minutes=5), MORNING + 1),
        lambda: one.desk.put(charger(paused=True), MORNING + 2),
        lambda: one.desk.put(charger(), MORNING + 3),
        lambda: one.desk.remove(CHARGER, MORNING + 4),
        lambda: one.desk.put(charger(), MORNING + 5),
    ):
        assert one.does(list(change())) == 1
        sequences.append((type(one.newest()).__name__, one.newest().sequence))
        one.desk = one.restarted(HERE)
        assert one.newest().sequence == sequences[-1][1]
    names = ["Listing", "Listing", "Withdrawal", "Listing", "Withdrawal", "Listing"]
    assert sequences == list(zip(names, range(1, 7), strict=True))


def test_pausing_twice_withdraws_once() -> None:
    one = Desk()
    one.does(list(one.desk.put(charger(paused=True), MORNING)))
    assert one.desk.newest_raw(CHARGER) is None and one.desk.listing(CHARGER) is None
    one.does(list(one.desk.put(charger(), MORNING)))
    assert one.does(list(one.desk.put(charger(paused=True), MORNING))) == 1
    assert one.does(list(one.desk.put(charger(paused=True), MORNING))) == 0
    assert one.desk.renewal(CHARGER, MORNING) is None
    assert one.desk.deadline() is None


def test_a_listing_is_issued_again_long_before_it_expires() -> None:
    one = Desk()
    one.does(list(one.desk.put(charger(), MORNING)))
    again = MORNING + MAX_LISTING_LIFE_MS // 2
    assert one.desk.deadline() == again
    assert one.desk.due(again - 1) == []
    assert one.does(list(one.desk.due(again))) == 1
    body = one.newest()
    assert isinstance(body, Listing)
    assert (body.sequence, body.issued, body.slots.start) == (2, again, again - again % 900_000)
    assert one.desk.due(again) == []


def test_a_node_that_starts_with_another_address_says_so() -> None:
    one = Desk()
    one.does(list(one.desk.put(charger(), MORNING)))
    assert one.desk.contact_changed(HERE, MORNING) == []
    one.desk = one.restarted(THERE)
    assert one.does(list(one.desk.due(MORNING + HOUR))) == 1
    body = one.newest()
    assert isinstance(body, Listing) and body.contact == THERE == one.desk.contact
    one.does(list(one.desk.put(charger(paused=True), MORNING)))
    assert one.desk.contact_changed(HERE, MORNING) == []


def test_a_renewal_makes_a_listing_fresh() -> None:
    one = Desk()
    one.does(list(one.desk.put(charger(), MORNING)))
    listing, renewal = one.desk.listing(CHARGER), one.desk.renewal(CHARGER, MORNING + 5 * HOUR)
    assert listing is not None and renewal is not None
    require_fresh(listing, renewal, MORNING + 6 * HOUR)
    assert one.desk.renewal(b"?" * 16, MORNING) is None


def test_what_is_held_is_not_offerable() -> None:
    one = Desk()
    one.calendar.hold(HoldSlot(CHARGER, b"b" * 32, MORNING + HOUR, MORNING + 2 * HOUR))
    one.does(list(one.desk.put(charger(), MORNING)))
    body = one.newest()
    assert isinstance(body, Listing)
    assert not body.slots.offerable(MORNING + HOUR, MORNING + 2 * HOUR)
    assert body.slots.offerable(MORNING, MORNING + HOUR)


def test_an_unknown_charger_is_told_how_to_be_found() -> None:
    with pytest.raises(PersonError) as error:
        Desk().desk.require(CHARGER)
    assert error.value.exit_code == 3 and "charger list" in error.value.hint


def test_after_a_restore_listings_go_on_beyond_what_the_backup_knows() -> None:
    """Caretakers keep the highest sequence: one that goes back would hide the charger for a day."""
    one = Desk()
    one.does(one.desk.put(charger(), MORNING))
    backup = {name: dict(values) for name, values in one.disk.documents.items()}
    for hour in range(1, 6):
        one.does(one.desk.publish(CHARGER, MORNING + hour))
    seen = one.newest().sequence
    one.disk.documents = backup
    one.desk = one.restarted(HERE)
    assert one.does(one.desk.restored(MORNING + HOUR)) == 1
    assert one.newest().sequence > seen
    assert one.restarted(HERE).newest_raw(CHARGER) == one.desk.newest_raw(CHARGER)


def test_a_backup_that_is_restored_twice_repeats_no_number() -> None:
    """What was published between the two restores is unknown to the backup as well."""
    one = Desk()
    one.does(one.desk.put(charger(), MORNING))
    backup = {name: dict(values) for name, values in one.disk.documents.items()}
    seen = 0
    for restore in range(1, 4):
        one.disk.documents = {name: dict(values) for name, values in backup.items()}
        one.desk = one.restarted(HERE)
        one.does(one.desk.restored(MORNING + restore * HOUR))
        assert one.newest().sequence > seen
        for minute in range(5):
            one.does(one.desk.publish(CHARGER, MORNING + restore * HOUR + minute))
        seen = one.newest().sequence


def test_a_charger_that_the_backup_never_listed_goes_on_beyond_what_was_published() -> None:
    one = Desk()
    one.does(one.desk.put(charger(paused=True), MORNING))
    backup = {name: dict(values) for name, values in one.disk.documents.items()}
    one.does(one.desk.put(charger(), MORNING + 1))
    seen = one.newest().sequence
    one.disk.documents = backup
    one.desk = one.restarted(HERE)
    one.does(one.desk.restored(MORNING + HOUR))
    one.does(one.desk.put(charger(), MORNING + HOUR))
    assert one.newest().sequence > seen


def test_a_withdrawal_of_a_restored_node_goes_on_too() -> None:
    one = Desk()
    one.does(one.desk.put(charger(), MORNING))
    one.does(one.desk.put(charger(paused=True), MORNING + 1))
    assert one.does(one.desk.restored(MORNING + 2)) == 0
    one.desk = one.restarted(HERE)
    one.does(one.desk.put(charger(), MORNING + 3))
    assert one.newest().sequence > 1000


def test_a_charger_whose_listing_nobody_would_take_is_refused_and_the_old_one_stays() -> None:
    one = Desk()
    one.does(one.desk.put(charger(), MORNING))
    before, settings = one.desk.newest_raw(CHARGER), one.desk.require(CHARGER)
    words = tuple(f"{number:02}" + "\U0001f50c" * 38 for number in range(32))
    long = replace(charger().about, title="\U0001f50c" * 80, amenities=words, languages=("de-Latn",) * 32)
    wide = replace(charger().connectors[0], type="\U0001f50c" * 40)
    elements = tuple(
        TariffElement(
            tuple(PriceComponent(dimension, 10**12 + number) for dimension in TariffDimension),
            Restrictions(start_time=number, end_time=number + 60, weekdays=(1, 2, 3, 4, 5)),
        )
        for number in range(16)
    )
    tariff = replace(charger().tariff, elements=elements)
    with pytest.raises(PersonError) as refused:
        one.desk.put(charger(about=long, connectors=(wide,) * 8, tariff=tariff), MORNING + 1)
    assert refused.value.code == "bad-charger"
    with pytest.raises(PersonError) as refused:
        one.desk.put(charger(payee_name="x" * 71), MORNING + 1)
    assert refused.value.code == "bad-charger"
    assert (one.desk.newest_raw(CHARGER), one.desk.require(CHARGER)) == (before, settings)
