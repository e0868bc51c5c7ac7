"""The driver's side of a search: nothing unverified is shown, and the newest word on a charger counts."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.discovery.offers import Newest
from chargemesh_protocol.discovery.search import Behind, FoundListing, Results, fits
from chargemesh_protocol.identity import Directory
from chargemesh_protocol.listing import Need
from chargemesh_protocol.place import Point
from chargemesh_protocol.schedule import SlotMap, quarter_hour
from chargemesh_protocol.tariff import (
    PriceComponent,
    Restrictions,
    Tariff,
    TariffDimension,
    TariffElement,
)

from .hosts import HERE, HOUR, MINUTE, NETWORK, NOW, Host

ANNA, BORIS = Host("anna"), Host("boris")
FAR = Point(52.60, 13.60)


def search(need: Need = Need(), limit: int = 10, radius_m: float = 3000) -> Results:  # noqa: B008
    return Results(HERE, radius_m, need, limit, Directory(NETWORK), lambda author: author == ANNA.author)


def test_a_found_listing_tells_how_far_and_whom_from() -> None:
    results = search()
    found = results.take(ANNA.item(ANNA.lists()), "peer", NOW)
    assert found is not None and found.fits and found.proven and found.source == "peer"
    assert found.record == ANNA.lists()
    assert found.distance[0] <= 1500 <= found.distance[1] <= 5000
    assert results.take(ANNA.item(ANNA.lists()), "another", NOW) is None
    other = results.take(BORIS.item(BORIS.lists()), "peer", NOW)
    assert other is not None and not other.proven
    assert list(results.found) == [found.key, other.key]


def test_what_only_our_clock_refuses_is_counted() -> None:
    results = search()
    for now in (NOW + 3 * HOUR, NOW - HOUR):
        assert results.take(ANNA.item(ANNA.lists()), "peer", now) is None
    assert results.untimely == 2
    assert results.take(ANNA.item(ANNA.lists()), "peer", NOW) is not None and results.untimely == 2


def test_what_is_too_far_or_unfit_is_not_shown() -> None:
    results = search(Need(min_power_w=22_000))
    assert results.take(ANNA.item(ANNA.lists()), "peer", NOW) is None
    assert search().take(ANNA.item(ANNA.lists(FAR)), "peer", NOW) is None
    assert search(radius_m=30_000).take(ANNA.item(ANNA.lists(FAR)), "peer", NOW) is not None


def test_a_newer_sequence_replaces_and_an_older_one_does_not_come_back() -> None:
    results = search()
    old, new = ANNA.lists(sequence=1), ANNA.lists(sequence=2, issued=NOW + MINUTE)
    assert results.take(ANNA.item(old), "one", NOW + MINUTE) is not None
    second = results.take(ANNA.item(new), "two", NOW + MINUTE)
    assert second is not None and second.record.body.sequence == 2
    assert results.take(ANNA.item(old), "three", NOW + MINUTE) is None
    closed = SlotMap(quarter_hour(NOW), bytes(168))
    window = search(Need(start=NOW + HOUR, end=NOW + 2 * HOUR))
    assert window.take(ANNA.item(old), "one", NOW) is not None
    gone = window.take(ANNA.item(ANNA.lists(sequence=3, slots=closed)), "two", NOW)
    assert gone is not None and not gone.fits and window.found == {}
    assert window.take(ANNA.item(old), "three", NOW) is None


def test_a_charger_that_our_caretaker_knows_to_be_withdrawn_is_not_shown() -> None:
    withdrawal = ANNA.withdraws(ANNA.lists())
    results = search()
    results.known = lambda charger: Newest((withdrawal.body.sequence, withdrawal.id), withdrawn=True)
    for ours in (False, True):
        assert results.take(ANNA.item(ANNA.lists()), "peer", NOW, ours=ours) is None
    assert results.found == {}


def test_an_offer_older_than_what_our_caretaker_knows_stands_only_where_that_is_not_at_hand() -> None:
    old, new = ANNA.lists(sequence=1), ANNA.lists(sequence=2, issued=NOW + MINUTE)
    weak = Need(min_power_w=22_000)
    for need, shown in ((Need(), [2]), (weak, [])):
        results = search(need)
        results.known = lambda charger: Newest((2, new.id), withdrawn=False)
        behind = results.take(ANNA.item(old), "peer", NOW + MINUTE)
        assert isinstance(behind, Behind) and results.found == {}
        results.take(ANNA.item(new), "us", NOW + MINUTE, ours=True)
        assert results.accept(behind.offer, behind.source) is None
        assert [one.record.body.sequence for one in results.found.values()] == shown
    results = search()
    results.known = lambda charger: Newest((2, new.id), withdrawn=False)
    behind = results.take(ANNA.item(old), "peer", NOW + MINUTE)
    assert isinstance(behind, Behind)
    stands = results.accept(behind.offer, behind.source)
    assert stands is not None and stands.record.body.sequence == 1 and stands.source == "peer"
    ours = search()
    ours.known = results.known
    assert isinstance(ours.take(ANNA.item(old), "us", NOW + MINUTE, ours=True), FoundListing)


def test_what_several_caretakers_answer_is_verified_once_and_a_bad_proof_hides_no_good_one() -> None:
    results = search()
    item = ANNA.item(ANNA.lists())
    bad = replace(item, bundle=BORIS.bundle.to_bytes())
    assert results.take(bad, "liar", NOW) is None and sum(results.refused.values()) == 1
    found = results.take(item, "one", NOW)
    assert isinstance(found, FoundListing)
    assert results.take(item, "two", NOW) is None and sum(results.refused.values()) == 1


def test_forged_and_stale_items_are_counted_and_not_shown() -> None:
    results = search()
    forged = ANNA.lists(seed=BORIS.device)
    assert results.take(ANNA.item(forged), "liar", NOW) is None
    assert results.take(ANNA.item(ANNA.lists()), "sleeper", NOW + 3 * HOUR) is None
    assert results.refused == {"not-delegated": 1, "not-renewed": 1}


def test_more_than_the_limit_is_left_off_and_said() -> None:
    results = search(limit=2)
    hosts = [Host(f"host {number}") for number in range(4)]
    shown = [results.take(one.item(one.lists()), "peer", NOW) for one in hosts]
    assert [one is not None for one in shown] == [True, True, False, False]
    assert results.left_off == 2
    again = results.take(hosts[0].item(hosts[0].lists(sequence=2)), "peer", NOW)
    assert again is not None and len(results.found) == 2


@given(seed=st.integers(0, 2**16))
def test_what_stands_in_the_end_does_not_depend_on_who_answered_first(seed: int) -> None:
    hosts = [ANNA, BORIS]
    items = [
        one.item(one.lists(sequence=sequence, issued=NOW + sequence * MINUTE), NOW + later * MINUTE)
        for one in hosts
        for sequence in (1, 2)
        for later in (5, 6)
    ]
    ordered, shuffled = search(), search()
    for item in items:
        ordered.take(item, "peer", NOW + HOUR)
    Random(seed).shuffle(items)
    for item in items:
        shuffled.take(item, "peer", NOW + HOUR)
    assert shuffled.found == ordered.found
    assert {one.record.body.sequence for one in ordered.found.values()} == {2}


def test_what_is_written_to_fail_or_to_take_long_just_does_not_fit() -> None:
    paid = Need(start=NOW + HOUR, end=NOW + 2 * HOUR, max_price=500_000, currency="EUR")
    assert fits(ANNA.lists().body, paid)
    assert not fits(ANNA.lists(zone="Europe/Nowhere").body, paid)
    price = PriceComponent(TariffDimension.ENERGY, 1)
    by_power = Tariff(
        currency="EUR",
        elements=(TariffElement((price,), Restrictions(min_power_w=7_000)),),
        min_price=0,
        max_price=0,
        tax_bp=0,
        tax_included=True,
    )
    assert not fits(ANNA.lists(tariff=by_power).body, paid)
    endless = Need(start=0, end=2**62, max_price=1, currency="EUR")
    assert not fits(ANNA.lists().body, endless)
