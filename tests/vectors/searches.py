"""The cases `cell.search` of cells.json: what a search must reach, whichever cells it chooses to name."""

from __future__ import annotations

import math

import h3.api.basic_int as h3
import h3.api.basic_str as h3_text

from chargemesh_protocol.discovery.cells import query_cells
from chargemesh_protocol.limits import MAX_QUERY_CELLS
from chargemesh_protocol.place import Point, centre, distance_m

from .frame import Case, Json, good

# Circles: place, radius in metres, and the finest resolution of which 64 cells are enough.
SEARCHES = {
    "at-the-point-itself": ("munich", 0, 8),
    "of-300-m": ("munich", 300, 8),
    "of-2-km": ("munich", 2_000, 8),
    "of-5-km": ("sydney", 5_000, 7),
    "of-15-km": ("quito", 15_000, 6),
    "of-50-km": ("munich", 50_000, 5),
    "of-100-km": ("munich", 100_000, 4),
    "across-the-date-line": ("fiji-at-the-date-line", 4_500, 7),
    "beyond-the-date-line": ("aleutians-beyond-the-date-line", 2_000, 8),
    "around-the-pole": ("north-pole", 40_000, 5),
    "around-a-pentagon": ("beside-a-pentagon", 15_000, 6),
}
_BEARINGS = range(0, 360, 10)  # degrees
_CLEAR_M = 3.0  # no cell of ours is nearer to the edge, so that no rounding decides
_SLACK = 8  # cells: another way of widening the circle may need a few more, or a few less
_EARTH_RADIUS_M = 6_371_007.2


def search(name: str, point: Point, microdegrees: Json) -> Case:
    """`point` is the circle's middle, `microdegrees` the same as operations are asked."""
    _, radius_m, resolution = SEARCHES[name]
    if len(query_cells(point, radius_m)) > MAX_QUERY_CELLS - _SLACK:
        raise AssertionError(f"{name}: 64 cells are barely enough; choose another radius")
    if resolution < 8 and len(_touching(point, radius_m, resolution + 1)) < MAX_QUERY_CELLS + _SLACK:
        raise AssertionError(f"{name}: finer cells may be enough; choose another radius")
    reached = [cell for one in range(4, 9) for cell in _reached(point, radius_m, one, resolution)]
    public = sorted([*reached, *_far(point, radius_m, resolution)])
    given = {**microdegrees, "radius_m": radius_m, "public": [_text(cell) for cell in public]}
    found = [_text(cell) for cell in public if cell in reached]
    out = {"resolution": resolution, "enough": True, "reached": found}
    return good(f"search-{name}", "cell.search", given, out)


def _reached(point: Point, radius_m: int, resolution: int, chosen: int) -> list[int]:
    """Cells that touch the circle: of coarse ones all, of finer ones those along its edge."""
    if resolution <= chosen:
        return _touching(point, radius_m, resolution)
    reach = _reach_m(h3.latlng_to_cell(point.latitude, point.longitude, resolution))
    found = {_at(point, way, radius_m + 0.8 * reach, resolution) for way in _BEARINGS}
    found |= {_at(point, way, radius_m, resolution) for way in _BEARINGS}
    return [cell for cell in sorted(found) if _gap_m(point, radius_m, cell) < -_CLEAR_M]


def _touching(point: Point, radius_m: int, resolution: int) -> list[int]:
    """By the definition alone: a wider disk of cells, each of them measured."""
    middle = h3.latlng_to_cell(point.latitude, point.longitude, resolution)
    rings = 3 + math.ceil(radius_m / _reach_m(middle))
    disk = h3.grid_disk(middle, rings)
    return [cell for cell in sorted(disk) if _gap_m(point, radius_m, cell) < -_CLEAR_M]


def _far(point: Point, radius_m: int, chosen: int) -> list[int]:
    """Cells beyond anything that a cover of this circle needs."""
    size = _reach_m(h3.latlng_to_cell(point.latitude, point.longitude, chosen))
    found = {
        _at(point, way, radius_m + 8 * size + 3 * _reach_m(_at(point, 0, 0, resolution)), resolution)
        for way in (0, 120, 240)
        for resolution in range(4, 9)
    }
    return [cell for cell in found if _gap_m(point, radius_m, cell) > 4 * size]


def _gap_m(point: Point, radius_m: int, cell: int) -> float:
    return distance_m(point, centre(cell)) - _reach_m(cell) - radius_m


def _reach_m(cell: int) -> float:
    """From the centre to the farthest corner."""
    return max(distance_m(centre(cell), Point(*corner)) for corner in h3.cell_to_boundary(cell))


def _at(point: Point, bearing: float, metres: float, resolution: int) -> int:
    """The cell at that distance in that direction."""
    way, arc, latitude = math.radians(bearing), metres / _EARTH_RADIUS_M, math.radians(point.latitude)
    there = math.asin(math.sin(latitude) * math.cos(arc) + math.cos(latitude) * math.sin(arc) * math.cos(way))
    east = math.atan2(
        math.sin(way) * math.sin(arc) * math.cos(latitude),
        math.cos(arc) - math.sin(latitude) * math.sin(there),
    )
    longitude = (point.longitude + math.degrees(east) + 180) % 360 - 180
    return int(h3.latlng_to_cell(math.degrees(there), longitude, resolution))


def _text(cell: int) -> str:
    return str(h3_text.int_to_str(cell))
