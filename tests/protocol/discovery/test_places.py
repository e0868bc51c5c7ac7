"""A caretaker's places: the same is shown whatever arrived first, and a flood pushes nobody out."""

from __future__ import annotations

from itertools import permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.discovery.offers import ChargerKey, Offer
from chargemesh_protocol.discovery.places import OURSELVES, Hand, Places, Quotas, Source
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.limits import MAX_LISTING_LIFE_MS, RENEWAL_LIFE_MS
from chargemesh_protocol.listing import Listing, Renewal, Withdrawal
from chargemesh_protocol.place import Point
from chargemesh_protocol.record import Record

from .hosts import CHARGER, HOUR, MINUTE, NOW, Host, listing_of, seed

STREET = Source(Hand.DIRECT, "192.0.2.0/24")
DRAW = bytes(8)
ANNA = Host("anna")
News = Offer | Record[Withdrawal]


def arrive(places: Places, news: News, source: Source = STREET) -> None:
    """What a caretaker does with verified news; what it refuses is gone."""
    try:
        if isinstance(news, Offer):
            places.put(news, source, False, DRAW)
        else:
            places.withdraw(news, source, False, DRAW)
    except Refused as fault:
        assert fault.code == "superseded"


def shown(places: Places) -> dict[ChargerKey, tuple[int, bytes]]:
    found = {}
    for charger in places.shown():
        place = places.get(charger)
        assert place is not None
        found[charger] = (place.renewed, place.newest.version[1])
    return found


STORY: list[News] = [
    ANNA.offers(ANNA.lists(sequence=1), NOW),
    ANNA.offers(ANNA.lists(sequence=1), NOW + MINUTE),
    ANNA.offers(ANNA.lists(sequence=2, issued=NOW + MINUTE), NOW + 2 * MINUTE),
    ANNA.offers(ANNA.lists(sequence=2, issued=NOW + 2 * MINUTE), NOW + 2 * MINUTE),  # says two things
    ANNA.withdraws(ANNA.lists(sequence=3), NOW + 3 * MINUTE, 3),
    ANNA.offers(ANNA.lists(sequence=4, issued=NOW + 4 * MINUTE), NOW + 4 * MINUTE),
    ANNA.offers(ANNA.lists(charger=seed("other")[:16]), NOW),
]


@given(chosen=st.sets(st.sampled_from(range(len(STORY)))), seed_=st.integers(0, 2**16))
def test_what_is_shown_does_not_depend_on_the_order_of_arrival(chosen: set[int], seed_: int) -> None:
    news = [STORY[index] for index in sorted(chosen)]
    ordered, shuffled = Places(), Places()
    for one in news:
        arrive(ordered, one)
    again = [*news, *news]
    Random(seed_).shuffle(again)
    for one in again:
        arrive(shuffled, one)
    assert shown(shuffled) == shown(ordered)
    assert len(shuffled) == len(ordered)


def test_every_order_of_a_change_of_mind_ends_the_same() -> None:
    ends = set()
    for order in permutations(STORY[2:5]):
        places = Places()
        for one in order:
            arrive(places, one)
        ends.add(tuple(shown(places).items()))
    assert ends == {()}


def test_a_withdrawn_listing_stays_away_until_it_has_expired_by_itself() -> None:
    places = Places()
    listing = ANNA.lists()
    withdrawal = ANNA.withdraws(listing, NOW + MINUTE)
    arrive(places, withdrawal)
    with pytest.raises(Refused, match="superseded"):
        places.put(ANNA.offers(listing), STREET, False, DRAW)
    last = NOW + MINUTE + MAX_LISTING_LIFE_MS
    assert places.expire(last - 1) == [] and len(places) == 1
    assert places.expire(last) == [(ANNA.author, CHARGER)] and len(places) == 0


def test_an_old_sequence_does_not_return_when_the_newer_one_expires() -> None:
    places = Places()
    short = ANNA.lists(sequence=2, issued=NOW, expires=NOW + HOUR)
    arrive(places, ANNA.offers(short))
    assert places.expire(NOW + HOUR) == [(ANNA.author, CHARGER)]
    with pytest.raises(Refused, match="superseded"):
        places.put(ANNA.offers(ANNA.lists(sequence=1)), STREET, False, DRAW)


def test_a_renewal_keeps_a_listing_shown_and_its_lack_hides_it() -> None:
    places = Places()
    listing = ANNA.lists()
    key = (ANNA.author, CHARGER)
    arrive(places, ANNA.offers(listing))
    assert places.renew(listing, Renewal(issued=NOW + HOUR, listing=listing.id))
    assert not places.renew(listing, Renewal(issued=NOW, listing=listing.id))  # came late
    assert places.expire(NOW + RENEWAL_LIFE_MS) == []
    assert places.expire(NOW + HOUR + RENEWAL_LIFE_MS) == [key]
    assert places.shown() == []
    assert places.put(ANNA.offers(listing, NOW + 5 * HOUR), STREET, False, DRAW) == (True, [])
    assert places.shown() == [key]
    other = ANNA.lists(sequence=9)
    with pytest.raises(Refused, match="unknown-listing"):
        places.renew(other, Renewal(issued=NOW, listing=other.id))


# --- bounds: unsigned records are enough here, since signatures are read before -----------------------

FEW = Quotas(cell=16, caretaker=24, author=2, block=4, forwarder=6)
ELSEWHERE = Point(48.137, 11.575)


def some(number: int, where: Point | None = None, charger: int = 0, sequence: int = 1) -> Offer:
    author = seed(f"author {number}")
    changes = {} if where is None else {"cell": cell_of(where)}
    body = listing_of(
        author, changes.get("cell", STORY_CELL), charger=seed(f"{charger}")[:16], sequence=sequence
    )
    listing: Record[Listing] = Record(seed(f"{number} {charger} {sequence}"), b"", "listing", body, b"")
    renewal = Record(seed("renewal"), b"", "renewal", Renewal(issued=NOW, listing=listing.id), b"")
    return Offer(listing, renewal, b"")


def cell_of(where: Point) -> int:
    return Host("anna").lists(where).body.cell


STORY_CELL = cell_of(Point(52.52, 13.405))


def block(number: int, hand: Hand = Hand.DIRECT) -> Source:
    return Source(hand, f"block {number}")


def test_an_author_and_a_block_get_only_so_many_places() -> None:
    places = Places(FEW)
    for charger in range(2):
        places.put(some(1, charger=charger), block(charger), True, DRAW)
    with pytest.raises(Refused, match="author-full"):
        places.put(some(1, charger=2), block(2), True, DRAW)
    places.put(some(1, charger=0, sequence=2), block(0), True, DRAW)  # a change needs no further place
    for number in range(2, 5):
        places.put(some(number), block(0), True, DRAW)
    with pytest.raises(Refused, match="block-full"):
        places.put(some(9), block(0), True, DRAW)
    assert len(places) == 5


def test_who_forwards_has_a_larger_quota_and_changes_nobody_elses() -> None:
    places = Places(FEW)
    for number in range(6):
        places.put(some(number), block(0, Hand.FORWARDED), True, DRAW)
    with pytest.raises(Refused, match="block-full"):
        places.put(some(6), block(0, Hand.FORWARDED), True, DRAW)
    # The author itself comes: the place is counted to them from now on.
    places.put(some(0, sequence=2), block(1), True, DRAW)
    places.put(some(6), block(0, Hand.FORWARDED), True, DRAW)
    # Passed on by somebody else, it still counts to its author's block.
    places.put(some(0, sequence=3), block(0, Hand.FORWARDED), True, DRAW)
    place = places.get(some(0).key)
    assert place is not None and place.source == block(1)


def test_unproven_ones_share_a_quarter_and_proven_ones_push_them_out() -> None:
    places, random = Places(FEW), Random(1)
    refused = 0
    for number in range(200):
        try:
            places.put(some(number), block(number), False, random.randbytes(8))
        except Refused as fault:
            assert fault.code == "cell-full"
            refused += 1
        assert len(places) <= 4
    assert 20 < refused < 100  # about one newcomer in five loses the draw
    for number in range(200, 216):
        places.put(some(number), block(number), True, random.randbytes(8))
    assert len(places) == 16
    assert all(place is not None and place.proven for place in map(places.get, places.shown()))
    for proven in (True, False):
        with pytest.raises(Refused, match="cell-full"):
            places.put(some(300), block(300), proven, DRAW)


def test_a_full_caretaker_makes_room_across_cells() -> None:
    places, random = Places(FEW), Random(2)
    for number in range(4):
        places.put(some(number), block(number), False, random.randbytes(8))
    for number in range(10, 22):
        places.put(some(number), block(number), True, random.randbytes(8))
    for number in range(30, 38):
        places.put(some(number, ELSEWHERE), block(number), True, random.randbytes(8))
    assert len(places) == 24
    changed, victims = places.put(some(40, ELSEWHERE), block(40), True, DRAW)
    assert changed and len(victims) == 1 and victims[0] in {some(number).key for number in range(4)}
    assert len(places) == 24


def test_our_own_listings_always_have_their_place() -> None:
    places, random = Places(FEW), Random(3)
    places.put(some(500), block(0, Hand.FORWARDED), False, DRAW)  # heard of by gossip first
    for charger in range(5):
        places.put(some(500, charger=charger), OURSELVES, False, DRAW)
    for number in range(200):
        try:
            places.put(some(number), block(number), False, random.randbytes(8))
        except Refused:
            continue
    assert all(places.get(some(500, charger=charger).key) is not None for charger in range(5))


@given(seed_=st.integers(0, 2**32))
def test_bounds_hold_and_counts_stay_right_whatever_comes(seed_: int) -> None:
    places, random = Places(FEW), Random(seed_)
    for step in range(60):
        offer = some(
            random.randrange(12),
            random.choice([None, ELSEWHERE]),
            random.randrange(3),
            random.randrange(1, 4),
        )
        hand = random.choice([Hand.DIRECT, Hand.FORWARDED])
        try:
            places.put(offer, block(random.randrange(3), hand), random.random() < 0.5, random.randbytes(8))
        except Refused:
            pass
        if step % 20 == 19:
            places.expire(NOW + random.choice([0, RENEWAL_LIFE_MS]))
        assert len(places) <= FEW.caretaker
    keys = places.shown()
    assert max((keys.count(key) for key in keys), default=1) == 1
    places.expire(NOW + MAX_LISTING_LIFE_MS)
    assert len(places) == 0
    for number in range(2):  # every counter is back at nothing
        places.put(some(number), block(0), True, DRAW)
