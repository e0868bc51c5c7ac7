"""Operations on cells, keys and topics (04-places-listings.md, 07-discovery.md)."""

from __future__ import annotations

from typing import Any

from chargemesh_protocol.discovery.cells import cell_key, listing_topic
from chargemesh_protocol.place import Point, cover, parent, public_cell, require_public_cell, text

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


def key(given: dict[str, Any]) -> dict[str, Any]:
    return {"key": cell_key(given["network"], _cell(given), given["shard"]).hex()}


def topic(given: dict[str, Any]) -> dict[str, Any]:
    return {"topic": listing_topic(given["network"], _cell(given))}


OPERATIONS = {
    "cell.of": public,
    "cell.parent": ancestor,
    "cell.cover": covered,
    "cell.key": key,
    "cell.topic": topic,
}
