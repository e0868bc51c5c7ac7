"""Places: the public cell says no more than it should, and a cover misses nothing."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol import place
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.place import Point

BERLIN = Point(52.52, 13.405)
points = st.builds(Point, st.floats(-89, 89), st.floats(-180, 180))
near_berlin = st.builds(Point, st.floats(52.3, 52.7), st.floats(13.0, 13.8))


@pytest.mark.parametrize(
    ("latitude", "longitude"), [(90.1, 0), (-91, 0), (0, 180.5), (0, -181), (math.nan, 0)]
)
def test_a_point_is_on_earth(latitude: float, longitude: float) -> None:
    with pytest.raises(ValueError, match="latitude"):
        Point(latitude, longitude)


@pytest.mark.parametrize("resolution", [3, 9])
def test_a_public_cell_is_neither_too_fine_nor_too_coarse(resolution: int) -> None:
    with pytest.raises(ValueError, match="4 to 8"):
        place.public_cell(BERLIN, resolution)


@given(points, st.integers(4, 8))
def test_a_public_cell_holds_its_point_and_is_all_that_is_said(point: Point, resolution: int) -> None:
    cell = place.public_cell(point, resolution)
    assert place.require_public_cell(cell) == cell
    assert place.resolution_of(cell) == resolution
    low, high = place.distance_interval_m(point, cell)
    assert low == 0 < high
    # The same cell for its own centre: nothing of the point is left.
    assert place.public_cell(place.centre(cell), resolution) == cell


def test_the_default_is_a_neighbourhood() -> None:
    cell = place.public_cell(BERLIN)
    assert place.text(cell) == "871f1d489ffffff" and place.resolution_of(cell) == 7
    assert place.text(place.region_of(cell)) == "841f1d5ffffffff"


@pytest.mark.parametrize("cell", [0, 1, 2**63 - 1])
def test_what_is_no_cell_is_refused(cell: int) -> None:
    with pytest.raises(Refused) as refused:
        place.require_public_cell(cell)
    assert refused.value.code == "cell"


@pytest.mark.parametrize("resolution", [0, 3, 9, 15])
def test_a_cell_of_another_resolution_is_refused(resolution: int) -> None:
    import h3.api.basic_int as h3

    with pytest.raises(Refused):
        place.require_public_cell(int(h3.latlng_to_cell(52.52, 13.405, resolution)))


@given(points)
def test_coarser_cells_are_index_parents(point: Point) -> None:
    fine = place.public_cell(point, 8)
    for resolution in range(4, 9):
        ancestor = place.parent(fine, resolution)
        assert place.is_within(fine, ancestor)
        assert place.is_within(ancestor, fine) == (resolution == 8)
    assert place.region_of(fine) == place.parent(fine, 4)


@given(near_berlin, st.floats(0, 5000), st.floats(0, 2 * math.pi), st.floats(0, 1), st.integers(6, 8))
def test_a_cover_holds_every_place_within_the_circle(
    point: Point, radius: float, bearing: float, part: float, resolution: int
) -> None:
    metres = radius * part * 0.999
    there = Point(
        point.latitude + metres * math.cos(bearing) / 111_195,
        point.longitude + metres * math.sin(bearing) / (111_195 * math.cos(math.radians(point.latitude))),
    )
    if place.distance_m(point, there) > radius:
        return
    cells = place.cover(point, radius, resolution)
    assert place.public_cell(there, resolution) in cells
    assert len(set(cells)) == len(cells)
    lows = [place.distance_interval_m(point, cell)[0] for cell in cells]
    assert lows == sorted(lows) and lows[-1] <= radius


@given(near_berlin, near_berlin)
def test_a_distance_is_an_interval_that_holds_the_truth(here: Point, there: Point) -> None:
    low, high = place.distance_interval_m(here, place.public_cell(there, 7))
    assert low <= place.distance_m(here, there) <= high
    # A neighbourhood across, not less: the interval tells nothing finer.
    assert high - low > 1000


def test_distances_are_those_of_the_globe() -> None:
    assert place.distance_m(BERLIN, BERLIN) == 0
    paris = Point(48.8566, 2.3522)
    assert place.distance_m(BERLIN, paris) == pytest.approx(877_500, rel=0.01)
    assert place.distance_m(Point(0, 179.9), Point(0, -179.9)) == pytest.approx(22_239, rel=0.01)
