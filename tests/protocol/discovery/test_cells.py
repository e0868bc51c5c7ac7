"""Which cells a search names: few enough, and none of those that touch the circle is overlooked."""

from __future__ import annotations

import math
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.discovery.cells import (
    by_root,
    cell_key,
    listing_topic,
    overlap,
    query_cells,
    topics_near,
)
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.limits import MAX_QUERY_CELLS
from chargemesh_protocol.place import (
    Point,
    centre,
    distance_m,
    parent,
    public_cell,
    region_of,
    resolution_of,
    text,
)

from .hosts import HERE, NETWORK

places = st.builds(Point, st.floats(-70, 70), st.floats(-179, 179))


def somewhere_within(point: Point, radius_m: float, north: float, east: float) -> Point:
    """A point at most `radius_m` away; `north` and `east` from -1 to 1 choose which."""
    latitude = point.latitude + north * 0.7 * radius_m / 111_200
    stretch = max(0.05, math.cos(math.radians(latitude)))
    longitude = point.longitude + east * 0.7 * radius_m / 111_200 / stretch
    return Point(latitude, (longitude + 180) % 360 - 180)


@given(
    point=places,
    radius_m=st.floats(50, 100_000),
    north=st.floats(-1, 1),
    east=st.floats(-1, 1),
    resolution=st.integers(4, 8),
)
def test_every_public_cell_in_the_circle_overlaps_a_cell_that_is_asked_for(
    point: Point, radius_m: float, north: float, east: float, resolution: int
) -> None:
    charger = somewhere_within(point, radius_m, north, east)
    if distance_m(point, charger) > radius_m:
        return
    public = public_cell(charger, resolution)
    cells = query_cells(point, radius_m)
    assert 1 <= len(cells) <= MAX_QUERY_CELLS
    assert any(overlap(public, cell) for cell in cells)
    # Its caretakers are those of its root, and the cell that finds it is asked for there.
    assert any(overlap(public, cell) for cell in by_root(cells)[region_of(public)])


def test_a_small_circle_is_covered_finely_and_a_wide_one_coarsely() -> None:
    assert {resolution_of(cell) for cell in query_cells(HERE, 2000)} == {8}
    assert {resolution_of(cell) for cell in query_cells(HERE, 100_000)} == {4}


@pytest.mark.parametrize("radius_m", [-1.0, 100_001.0, float("nan")])
def test_a_radius_that_makes_no_sense_is_the_persons_mistake(radius_m: float) -> None:
    with pytest.raises(PersonError):
        query_cells(HERE, radius_m)


def test_the_key_of_a_cell_depends_on_network_cell_and_shard() -> None:
    cell = public_cell(HERE, 4)
    keys = {cell_key(NETWORK, cell), cell_key("chargemesh-dev-1", cell), cell_key(NETWORK, cell, 1)}
    keys.add(cell_key(NETWORK, public_cell(Point(0, 0), 4)))
    assert len(keys) == 4 and all(len(key) == 32 for key in keys)
    # SHA-256 of 84 "chargemesh/cell" "n" 0 0, written out by hand.
    by_hand = b"\x84\x6fchargemesh/cell\x61n\x00\x00"
    assert cell_key("n", 0) == sha256(by_hand).digest()


def test_changes_are_told_in_resolution_5_and_coarse_cells_have_topics_of_their_own() -> None:
    five = parent(public_cell(HERE, 8), 5)
    for resolution in (5, 6, 7, 8):
        cell = parent(public_cell(HERE, 8), resolution)
        assert listing_topic(NETWORK, cell) == f"chargemesh/{NETWORK}/cell/{text(five)}"
    four = public_cell(HERE, 4)
    assert listing_topic(NETWORK, four) == f"chargemesh/{NETWORK}/cell/{text(four)}"
    near = topics_near(NETWORK, centre(five), 100)
    assert listing_topic(NETWORK, five) in near and listing_topic(NETWORK, four) in near
