"""Operations on cells, keys and topics (04-places-listings.md, 07-discovery.md)."""

from __future__ import annotations

from typing import Any

from chargemesh_protocol.discovery.cells import cell_key, listing_topic, overlap, query_cells
from chargemesh_protocol.limits import MAX_QUERY_CELLS
from chargemesh_protocol.place import (
    Point,
    cover,
    parent,
    public_cell,
    require_public_cell,
    resolution_of,
    text,
)

from ..values import number

_MICRODEGREES = 1_000_000


def _point(given: dict[str, Any]) -> Point:
    return Point(given["latitude"] / _MICRODEGREES, given["longitude"] / _MICRODEGREES)


def _cell(given: dict[str, Any]) -> int:
    return require_public_cell(int(given["cell"]))


def public(given: dict[str, Any]) -> dict[str, Any]:
    cell = public_cell(_point(given), given["resolution"])
    return {"cell": number(cell), "text": text(cell)}


def ancestor(given: dict[str, Any]) -> dict[str, Any]:
    return {"cell": number(parent(_cell(given), given["resolution"]))}


def covered(given: dict[str, Any]) -> dict[str, Any]:
    cells = cover(_point(given), given["radius_m"], given["resolution"])
    return {"cells": [number(cell) for cell in sorted(cells)]}


def searched(given: dict[str, Any]) -> dict[str, Any]:
    """Whether the cells that our search names lead to all public cells that may hold what it looks for."""
    named = query_cells(_point(given), given["radius_m"])
    public = {name: require_public_cell(int(name, 16)) for name in given["public"]}
    reached = [name for name, cell in public.items() if any(overlap(cell, one) for one in named)]
    resolutions = {resolution_of(cell) for cell in named}
    return {"resolution": min(resolutions), "enough": len(named) <= MAX_QUERY_CELLS, "reached": reached}


def key(given: dict[str, Any]) -> dict[str, Any]:
    return {"key": cell_key(given["network"], _cell(given), given["shard"]).hex()}


def topic(given: dict[str, Any]) -> dict[str, Any]:
    return {"topic": listing_topic(given["network"], _cell(given))}


OPERATIONS = {
    "cell.of": public,
    "cell.parent": ancestor,
    "cell.cover": covered,
    "cell.search": searched,
    "cell.key": key,
    "cell.topic": topic,
}
