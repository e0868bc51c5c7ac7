"""What a reader checks beside the CDDL, rule by rule as specs/cddl/README.md numbers them.

Written from that list and not from the code: the tests of both directions explain every difference by it.
"""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import h3.api.basic_int as h3

from chargemesh_protocol.shape import Kind, Seq, Struct, Text, keys_of
from tests.protocol import strict_cbor

SPECS = Path(__file__).parents[2] / "specs"
MAX_DEPTH = 8
DAY = 24 * 3600 * 1000
DIGITS = {
    one["code"]: one["digits"] for one in json.loads((SPECS / "tables" / "currencies.json").read_text())
}


def broken(name: str, cls: type[Any], data: bytes) -> set[int]:
    """Numbers of the rules that `data`, taken by the CDDL as `name`, breaks."""
    try:
        tree = strict_cbor.read(data, MAX_DEPTH)
    except strict_cbor.NotOurs as why:
        return {3} if "deep" in str(why) else {1}
    return _of_map(name, cls, tree)


def _of_map(name: str, cls: type[Any], tree: Any) -> set[int]:
    """Also of the maps inside; `tree` has the form that the CDDL asks for."""
    found = _RULES[name](tree) if name in _RULES else set()
    for number, field, kind, _ in keys_of(cls):
        if number not in tree:
            continue
        value = tree[number]
        found |= _of_field(field, kind, value)
    return found


def _of_field(field: str, kind: Kind, value: Any) -> set[int]:
    if isinstance(kind, Seq):
        return set().union(*(_of_field(field, kind.item, one) for one in value))
    if isinstance(kind, Struct):
        return _of_map(re.sub(r"(?<!^)(?=[A-Z])", "-", kind.cls.__name__).lower(), kind.cls, value)
    if isinstance(kind, Text) and not kind.low <= len(value) <= kind.high:
        return {4}
    if field in ("cell", "cells", "region") and not _cell(value, 4 if field == "region" else 8):
        return {5}
    return set()


def _cell(index: int, finest: int) -> bool:
    return bool(h3.is_valid_cell(index)) and 4 <= h3.get_resolution(index) <= finest


def _rule(number: int, holds: bool) -> set[int]:
    return set() if holds else {number}


def _ascends(values: list[int]) -> bool:
    return all(one < following for one, following in pairwise(values))


def _once(components: list[dict[int, Any]]) -> bool:
    return len({one[0] for one in components}) == len(components)


def _limits(tree: dict[int, Any]) -> bool:
    digits = DIGITS.get(tree[0])
    coin = 1 if digits is None else 10 ** (6 - digits)
    return bool((tree[3] == 0 or tree[3] >= tree[2]) and tree[2] % coin == tree[3] % coin == 0)


def _restrictions(tree: dict[int, Any]) -> set[int]:
    pair = (0 in tree) == (1 in tree) and (0 not in tree or tree[0] != tree[1])
    return _rule(9, pair and _ascends(tree.get(2, [])))


def _need(tree: dict[int, Any]) -> set[int]:
    return _rule(6, (4 in tree) == (5 in tree) and (4 not in tree or tree[4] < tree[5]))


def _plan(tree: dict[int, Any]) -> set[int]:
    starts = _ascends([one[0] for one in tree[1]])
    return _rule(8, tree[0] in DIGITS and starts and _limits(tree))


def _entry(tree: dict[int, Any]) -> set[int]:
    number = tree[2]
    target = number & (number - 1)
    linked = (4 in tree) == (target not in (0, number - 1))
    return _rule(11, linked and (number > 1 or tree[3] == tree[0]))


def _about_another(tree: dict[int, Any]) -> set[int]:
    return _entry(tree) | _rule(11, tree[7] != tree[0])


_RULES: dict[str, Any] = {
    "genesis": lambda t: _rule(7, len({t[2], *t[3]}) == 1 + len(t[3])),
    "delegation": lambda t: _rule(6, t[1] < t[4] <= t[1] + 366 * DAY),
    "listing": lambda t: _rule(6, t[1] < t[4] <= t[1] + DAY),
    "quote": lambda t: _rule(6, t[4] < t[5] and t[1] < t[10]),
    "need": _need,
    "slot-map": lambda t: _rule(6, t[0] % 900_000 == 0),
    "price-component": lambda t: _rule(8, t[0] != "FLAT" or t[2] == 1),
    "tariff-element": lambda t: _rule(8, _once(t[0])),
    "tariff-period": lambda t: _rule(8, _once(t[1])),
    "tariff": lambda t: _rule(8, bool(re.fullmatch("[A-Z]{3}", t[0])) and _limits(t)),
    "price-plan": _plan,
    "restrictions": _restrictions,
    "booking-rules": lambda t: _rule(10, t[1] <= t[2]),
    "terms": lambda t: _rule(10, _ascends([-one[0] for one in t[0]])),
    "completion": _entry,
    "review": _about_another,
    "vouch": _about_another,
    "completion-statement": lambda t: _rule(11, t[0] != t[2]),
    "cursor": lambda t: _rule(11, t[1] >= 1 and (2 in t) == (t[1] > 1)),
}
