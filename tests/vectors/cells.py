"""cells.json: cells of places, their ancestors, covers of circles, keys in the DHT and gossip topics."""

from __future__ import annotations

from hashlib import sha256

import cbor2
import h3.api.basic_int as h3
import h3.api.basic_str as h3_text

from chargemesh_protocol.place import Point, centre, cover, distance_m

from ..conformance.values import number
from .cast import NETWORK
from .frame import Case, Json, VectorFile, bad, good
from .searches import SEARCHES, search

# Microdegrees: (latitude, longitude)
PLACES = {
    "munich": (48_137_154, 11_576_124),
    "sydney": (-33_856_784, 151_215_297),
    "quito": (0, -78_500_000),
    "null-island": (0, 0),
    "fiji-at-the-date-line": (-16_800_000, 180_000_000),
    "aleutians-beyond-the-date-line": (52_000_000, -179_999_999),
    "north-pole": (90_000_000, 0),
    "south-pole": (-90_000_000, 0),
    "beside-a-pentagon": (58_400_000, 10_536_000),
}
# Circles: (place, radius in metres, resolution)
CIRCLES = {
    "at-the-point-itself": ("munich", 0, 8),
    "of-300-m-at-8": ("munich", 300, 8),
    "of-2-km-at-8": ("munich", 2_000, 8),
    "of-2-km-at-7": ("munich", 2_000, 7),
    "of-5-km-at-6": ("sydney", 5_000, 6),
    "of-20-km-at-5": ("quito", 20_000, 5),
    "of-60-km-at-4": ("munich", 60_000, 4),
    "across-the-date-line": ("fiji-at-the-date-line", 3_000, 7),
    "around-the-pole": ("north-pole", 30_000, 5),
    "around-a-pentagon": ("beside-a-pentagon", 20_000, 5),
}
_CLEAR_M = 3.0  # no cell of ours is nearer to the edge, so that no rounding decides


def _where(place: str) -> Json:
    latitude, longitude = PLACES[place]
    return {"latitude": latitude, "longitude": longitude}


def _point(place: str) -> Point:
    latitude, longitude = PLACES[place]
    return Point(latitude / 1_000_000, longitude / 1_000_000)


def _reach_m(cell: int) -> float:
    """From the centre to the farthest corner."""
    corners = h3.cell_to_boundary(cell)
    return max(distance_m(centre(cell), Point(*corner)) for corner in corners)


def _covered(name: str) -> Case:
    """By the definition alone: a far wider disk of cells, each of them measured."""
    place, radius_m, resolution = CIRCLES[name]
    point = _point(place)
    rings = 6 + len(cover(point, radius_m, resolution))
    middle = h3.latlng_to_cell(point.latitude, point.longitude, resolution)
    found = []
    for cell in h3.grid_disk(middle, min(rings, 40)):
        gap = distance_m(point, centre(cell)) - _reach_m(cell) - radius_m
        if abs(gap) < _CLEAR_M:
            raise AssertionError(f"{name}: {cell:x} touches the circle by a hair; choose another radius")
        if gap < 0:
            found.append(cell)
    given = {**_where(place), "radius_m": radius_m, "resolution": resolution}
    return good(f"cover-{name}", "cell.cover", given, {"cells": [number(cell) for cell in sorted(found)]})


def _cells(place: str) -> list[Case]:
    point = _point(place)
    cases = []
    for resolution in range(4, 9):
        text = h3_text.latlng_to_cell(point.latitude, point.longitude, resolution)
        given = {**_where(place), "resolution": resolution}
        out = {"cell": number(int(text, 16)), "text": text}
        cases.append(good(f"{place}-at-{resolution}", "cell.of", given, out))
    return cases


def _of_a_cell(place: str) -> list[Case]:
    point = _point(place)
    finest = h3.latlng_to_cell(point.latitude, point.longitude, 8)
    cases = []
    for resolution in range(4, 9):
        cell = h3.cell_to_parent(finest, resolution)
        given = {"cell": number(finest), "resolution": resolution}
        cases.append(good(f"parent-of-{place}-at-{resolution}", "cell.parent", given, {"cell": number(cell)}))
        topic = f"chargemesh/{NETWORK}/cell/{h3.cell_to_parent(finest, min(5, resolution)):x}"
        about = {"network": NETWORK, "cell": number(cell)}
        cases.append(good(f"topic-of-{place}-at-{resolution}", "cell.topic", about, {"topic": topic}))
    return cases


def _key(name: str, network: str, cell: int, shard: int) -> Case:
    key = sha256(cbor2.dumps(["chargemesh/cell", network, cell, shard])).hexdigest()
    return good(
        f"key-{name}", "cell.key", {"network": network, "cell": number(cell), "shard": shard}, {"key": key}
    )


def made() -> VectorFile:
    cases = [case for place in PLACES for case in _cells(place)]
    cases += [case for place in ("munich", "sydney", "beside-a-pentagon") for case in _of_a_cell(place)]
    root = h3.latlng_to_cell(48.137154, 11.576124, 4)
    cases += [
        _key("of-a-root", NETWORK, root, 0),
        _key("of-a-root-on-another-network", "chargemesh-dev-1", root, 0),
        _key("of-a-shard", NETWORK, root, 255),
        _key("of-a-finer-leaf", NETWORK, h3.latlng_to_cell(48.137154, 11.576124, 8), 1),
    ]
    cases += [_covered(name) for name in CIRCLES]
    cases += [search(name, _point(place), _where(place)) for name, (place, _, _) in SEARCHES.items()]
    mended = {"cell": number(root)}
    finer = h3.latlng_to_cell(48.137154, 11.576124, 9)
    for name, cell, why in (
        ("finer-than-8", finer, "the resolution is 9"),
        ("coarser-than-4", h3.cell_to_parent(root, 3), "the resolution is 3"),
        ("no-cell", root ^ 1 << 63, "the highest bit of an index is 0"),
        ("an-edge", root | 1 << 60, "the mode is another than that of a cell"),
        ("zero", 0, "0 is no index"),
    ):
        given = {"network": NETWORK, "cell": number(cell), "shard": 0}
        cases.append(bad(f"key-of-{name}", "cell.key", given, "cell", why, mended))
    about = "Cells of places, ancestors, covers, DHT keys, topics (04-places-listings.md, 07-discovery.md)."
    return VectorFile("cells", about, tuple(cases))
