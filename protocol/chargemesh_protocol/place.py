"""Places: H3 cells. A charger's public place is one cell, and nothing finer leaves the host early.

Source: H3 index layout and `cellToParent`/`gridDisk` of h3geo.org, by the `h3` package.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import h3.api.basic_int as h3
from h3 import H3BaseException

from .errors import Refused

ROOT_RESOLUTION = 4  # roots of the discovery tree; also the region of a trust log entry
FINEST_RESOLUTION = 8
DEFAULT_RESOLUTION = 7  # about 5 km2: a neighbourhood
_EARTH_RADIUS_M = 6_371_007.2  # authalic radius, as H3 uses


@dataclass(frozen=True, slots=True)
class Point:
    """Degrees, WGS 84. Exists on the host's and the driver's own machine, never in a public record."""

    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        if not (-90 <= self.latitude <= 90 and -180 <= self.longitude <= 180):
            raise ValueError("a latitude is -90 to 90 and a longitude -180 to 180 degrees")


def public_cell(point: Point, resolution: int = DEFAULT_RESOLUTION) -> int:
    """The cell that stands for `point` in public; resolution 4 to 8, the host's choice."""
    if not ROOT_RESOLUTION <= resolution <= FINEST_RESOLUTION:
        raise ValueError("the resolution of a public cell is 4 to 8")
    return int(h3.latlng_to_cell(point.latitude, point.longitude, resolution))


def require_public_cell(cell: int) -> int:
    """`cell` if it is an H3 cell of an allowed resolution; Refused otherwise."""
    if not h3.is_valid_cell(cell) or not ROOT_RESOLUTION <= resolution_of(cell) <= FINEST_RESOLUTION:
        raise Refused("cell", "not an H3 cell of resolution 4 to 8")
    return cell


def resolution_of(cell: int) -> int:
    return int(h3.get_resolution(cell))


def region_of(cell: int) -> int:
    """The resolution 4 parent: region of log entries and root of the discovery tree."""
    return parent(cell, ROOT_RESOLUTION)


def parent(cell: int, resolution: int) -> int:
    return int(h3.cell_to_parent(cell, resolution))


def is_within(cell: int, ancestor: int) -> bool:
    """Whether `cell` is `ancestor` or one of its index descendants."""
    coarse = resolution_of(ancestor)
    return resolution_of(cell) >= coarse and parent(cell, coarse) == ancestor


def centre(cell: int) -> Point:
    latitude, longitude = h3.cell_to_latlng(cell)
    return Point(latitude, longitude)


def boundary(cell: int) -> tuple[tuple[float, float], ...]:
    """(latitude, longitude) of the corners, for drawing."""
    return tuple(h3.cell_to_boundary(cell))


def grid_position(origin: int, cell: int) -> tuple[int, int]:
    """Where `cell` stands beside `origin`, of one resolution, on H3's local grid: (column, row) of a drawing
    in which neighbours of a row are 2 columns apart, rows shifted by 1. ValueError if it is too far."""
    try:
        i, j = h3.cell_to_local_ij(origin, cell)
        home_i, home_j = h3.cell_to_local_ij(origin, origin)
    except H3BaseException as error:
        raise ValueError("the cells are too far apart to be drawn on one grid") from error
    return 2 * (i - home_i) - (j - home_j), -(j - home_j)


def text(cell: int) -> str:
    """A cell as H3 writes it (hexadecimal)."""
    return str(h3.int_to_str(cell))


def distance_m(a: Point, b: Point) -> float:
    """Great-circle distance (haversine)."""
    lat_a, lat_b = math.radians(a.latitude), math.radians(b.latitude)
    half = (
        math.sin((lat_b - lat_a) / 2) ** 2
        + math.cos(lat_a) * math.cos(lat_b) * math.sin(math.radians(b.longitude - a.longitude) / 2) ** 2
    )
    return 2 * _EARTH_RADIUS_M * math.asin(math.sqrt(half))


def distance_interval_m(point: Point, cell: int) -> tuple[int, int]:
    """(nearest, farthest) metres from `point` to anywhere in `cell`: what is honest to show."""
    middle, radius = _extent(cell)
    to_centre = distance_m(point, middle)
    return max(0, math.floor(to_centre - radius)), math.ceil(to_centre + radius)


@lru_cache(maxsize=4096)  # a search measures the same few hundred cells, for 70 µs each
def _extent(cell: int) -> tuple[Point, float]:
    """The centre, and how far the farthest corner is from it (metres)."""
    middle = centre(cell)
    return middle, max(distance_m(middle, Point(*corner)) for corner in boundary(cell))


def cover(point: Point, radius_m: float, resolution: int) -> tuple[int, ...]:
    """Every cell of `resolution` that may hold a place within `radius_m`, nearest first.

    The disk of k rings is widened by one ring, since a circle about a point near a cell's edge reaches
    further than rings about its centre.
    """
    middle = int(h3.latlng_to_cell(point.latitude, point.longitude, resolution))
    edge_m = float(h3.average_hexagon_edge_length(resolution, unit="m"))
    rings = 1 + math.ceil(radius_m / (edge_m * 1.5))
    near = []
    for cell in h3.grid_disk(middle, rings):
        low, _ = distance_interval_m(point, int(cell))
        if low <= radius_m:
            near.append((low, int(cell)))
    return tuple(cell for _, cell in sorted(near))
