"""From places to keys and topics: which cells a search names, whom it asks, and where changes are told.

The caretakers of a cell are the nodes nearest to its key; the cells form a tree from resolution 4 to 8, of
which only the roots are used so far. H3 cells of one resolution hold those of the next by index, not exactly
by area: a descendant may stick out of its ancestor, and this page is where that is made up for.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256

import h3.api.basic_int as h3

from ..encoding import encode
from ..errors import ExitCode, PersonError
from ..limits import MAX_QUERY_CELLS, MAX_SEARCH_RADIUS_M
from ..place import (
    FINEST_RESOLUTION,
    ROOT_RESOLUTION,
    Point,
    centre,
    cover,
    distance_m,
    is_within,
    parent,
    region_of,
    resolution_of,
    text,
)

WHOLE = 0  # the shard of a cell that is not split into shards
TOPIC_RESOLUTION = 5
# Descendants reach at most 1 / 19 of a cell's radius beyond it: 7 children of 1 / sqrt(7) of its size stand
# within sqrt(3 / 7) of it, so that r = sqrt(3 / 7) + r / sqrt(7) bounds the flower of all their descendants.
_OVERHANG = 0.06


def cell_key(network: str, cell: int, shard: int = WHOLE) -> bytes:
    """The 32-byte key by whose neighbourhood a cell's caretakers are found (Kademlia hashes it again)."""
    return sha256(encode(["chargemesh/cell", network, cell, shard])).digest()


def listing_topic(network: str, cell: int) -> str:
    """The gossip topic of changes in `cell`: its resolution 5 ancestor's, or its own where it has none."""
    return f"chargemesh/{network}/cell/{text(parent(cell, min(TOPIC_RESOLUTION, resolution_of(cell))))}"


@lru_cache(maxsize=64)
def topics_near(network: str, point: Point, radius_m: float) -> tuple[str, ...]:
    """The topics on which a change within the circle may be told, nearest first."""
    cells = [*cover(point, radius_m, TOPIC_RESOLUTION), *cover(point, radius_m, ROOT_RESOLUTION)]
    return tuple(listing_topic(network, cell) for cell in cells)


def overlap(one: int, other: int) -> bool:
    """Whether one of the cells is, holds or lies within the other, by index."""
    return is_within(one, other) or is_within(other, one)


@lru_cache(maxsize=64)  # people search again in the same place, and covering it takes about 10 ms
def query_cells(point: Point, radius_m: float) -> tuple[int, ...]:
    """At most 64 cells, as fine as that allows, such that every public cell that touches the circle is, holds
    or lies within one of them. PersonError for a radius beyond 100 km."""
    if not 0 <= radius_m <= MAX_SEARCH_RADIUS_M:
        raise PersonError(
            "bad-radius",
            f"The radius of a search goes from 0 to {MAX_SEARCH_RADIUS_M // 1000} km.",
            "Search in parts of a wider area one after the other.",
            ExitCode.USAGE,
        )
    for resolution in range(FINEST_RESOLUTION, ROOT_RESOLUTION, -1):
        # A circle's area tells quickly that there would be far too many cells.
        if h3.average_hexagon_area(resolution, unit="m^2") * 2 * MAX_QUERY_CELLS > 3 * radius_m**2:
            cells = _cells_of(point, radius_m, resolution)
            if len(cells) <= MAX_QUERY_CELLS:
                return cells
    return _cells_of(point, radius_m, ROOT_RESOLUTION)[:MAX_QUERY_CELLS]


def by_root(cells: Iterable[int]) -> dict[int, tuple[int, ...]]:
    """`cells` by their root of the tree, whose caretakers keep what lies there; the order stays."""
    roots: dict[int, list[int]] = {}
    for cell in cells:
        roots.setdefault(region_of(cell), []).append(cell)
    return {root: tuple(of_root) for root, of_root in roots.items()}


def _cells_of(point: Point, radius_m: float, resolution: int) -> tuple[int, ...]:
    overhang_m = _OVERHANG * _radius_m(resolution)
    cells = dict.fromkeys(cover(point, radius_m + overhang_m, resolution))
    # A coarser public cell that touches the circle with an edge only may be the ancestor of none of them.
    held = {parent(cell, coarse) for cell in cells for coarse in range(ROOT_RESOLUTION, resolution)}
    for coarse in range(ROOT_RESOLUTION, resolution):
        for cell in cover(point, radius_m, coarse):
            if cell not in held:
                cells[_nearest_within(cell, point, resolution)] = None
    return tuple(cells)


def _radius_m(resolution: int) -> float:
    """Upper bound of a cell's radius: H3 cells vary by about 1.4 in length around the average."""
    return 1.5 * float(h3.average_hexagon_edge_length(resolution, unit="m"))


def _nearest_within(cell: int, point: Point, resolution: int) -> int:
    while resolution_of(cell) < resolution:
        children = [int(child) for child in h3.cell_to_children(cell)]
        cell = min(children, key=lambda child: (distance_m(point, centre(child)), child))
    return cell
