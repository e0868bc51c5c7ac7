"""The quotas of a volunteer: nobody's flood takes more than its share, and what is held is counted right."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chargemesh_protocol.errors import Refused
from chargemesh_protocol.limits import (
    MAX_COLLECTED_BYTES,
    MAX_COLLECTED_PARCELS,
    MAX_PARCELS,
    MAX_PARCELS_OF_BLOCK,
    MAX_PARCELS_OF_BLOCK_FOR_RECIPIENT,
    MAX_PARCELS_OF_RECIPIENT,
)
from chargemesh_protocol.mailbox.places import HeldRow, ParcelPlaces

NOW, PLENTY = 1_800_000_000_000, 10**9


def row(number: int, *, to: int = 1, by: int = 1, size: int = 4096, at: int = NOW) -> HeldRow:
    return HeldRow(number.to_bytes(32, "big"), to.to_bytes(32, "big"), f"block {by}", size, at, NOW + 1000)


def filled(count: int, make: Callable[[int], HeldRow], places: ParcelPlaces) -> int:
    """How many of `count` parcels are taken."""
    taken = 0
    for number in range(count):
        try:
            places.judge(make(number), None, NOW)
        except Refused:
            continue
        places.add(make(number))
        taken += 1
    return taken


def code(places: ParcelPlaces, wanted: HeldRow, replaces: bytes | None = None, now: int = NOW) -> str:
    with pytest.raises(Refused) as refused:
        places.judge(wanted, replaces, now)
    return refused.value.code


def test_one_block_gets_a_quarter_of_a_recipients_places_and_all_blocks_all() -> None:
    places = ParcelPlaces(PLENTY)
    assert filled(100, row, places) == MAX_PARCELS_OF_BLOCK_FOR_RECIPIENT
    assert code(places, row(999)) == "block-full"
    others = filled(200, lambda n: row(1000 + n, by=n), places)
    assert MAX_PARCELS_OF_BLOCK_FOR_RECIPIENT + others == MAX_PARCELS_OF_RECIPIENT
    assert code(places, row(9999, by=999)) == "mailbox-full"
    places.judge(row(9999, to=2, by=999), None, NOW)  # another recipient has its own


def test_a_block_that_floods_many_recipients_has_an_end() -> None:
    places = ParcelPlaces(PLENTY)
    assert filled(600, lambda n: row(n, to=n), places) == MAX_PARCELS_OF_BLOCK
    places.judge(row(9999, to=9999, by=2), None, NOW)


def test_all_together_have_an_end_in_number_and_in_bytes() -> None:
    places = ParcelPlaces(PLENTY)
    assert filled(MAX_PARCELS + 10, lambda n: row(n, to=n, by=n), places) == MAX_PARCELS
    assert places.full and code(places, row(99_999, to=1, by=99_999)) == "mailbox-full"
    small = ParcelPlaces(10 * 4096)
    assert filled(20, lambda n: row(n, to=n, by=n), small) == 10
    assert small.total_bytes == 10 * 4096


def test_bytes_of_a_recipient_count_as_well() -> None:
    places = ParcelPlaces(PLENTY)
    assert filled(64, lambda n: row(n, by=n, size=65_536), places) == 32


def test_a_newer_parcel_takes_the_place_of_an_older_one_of_its_own() -> None:
    places = ParcelPlaces(PLENTY)
    filled(100, row, places)
    old = row(3)
    assert places.judge(row(500), old.hash, NOW) == old, "though the block is full"
    assert places.get(old.hash) == old, "nothing changes before it is written"
    assert code(places, row(501), row(77_777).hash) == "block-full", "what isn't held makes no room"


def test_a_parcel_for_somebody_else_is_nobodys_to_replace() -> None:
    places = ParcelPlaces(PLENTY)
    places.add(row(1, to=1))
    assert places.judge(row(2, to=2), row(1).hash, NOW) is None
    assert places.get(row(1).hash) is not None


def test_what_has_expired_is_not_taken_nor_given_out() -> None:
    places = ParcelPlaces(PLENTY, [row(1)])
    assert code(places, row(2), now=NOW + 1000) == "expired"
    assert places.of(row(1).recipient, NOW + 1000) == ([], False)
    assert places.expired(NOW + 1000) == [row(1)]


def test_an_answer_is_bounded_and_says_that_there_is_more() -> None:
    places = ParcelPlaces(PLENTY, [row(n, by=n, at=NOW - n) for n in range(64)])
    first, more = places.of(row(0).recipient, NOW)
    assert len(first) == MAX_COLLECTED_PARCELS and more
    assert [one.at for one in first] == sorted(one.at for one in first), "those held longest"
    large = ParcelPlaces(PLENTY, [row(n, by=n, size=65_536) for n in range(5)])
    chosen, more = large.of(row(0).recipient, NOW)
    assert sum(one.size for one in chosen) <= MAX_COLLECTED_BYTES and more


def test_dropping_gives_all_of_it_back() -> None:
    places = ParcelPlaces(PLENTY)
    for number in range(40):
        places.add(row(number, to=number % 3, by=number % 5))
        places.add(row(number, to=number % 3, by=number % 5))  # twice is once
    for number in range(40):
        assert places.drop(row(number).hash) is not None
    assert places.drop(row(1).hash) is None
    assert len(places) == 0 and places.total_bytes == 0
    assert filled(100, row, places) == MAX_PARCELS_OF_BLOCK_FOR_RECIPIENT
