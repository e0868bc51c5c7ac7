"""Trees by the declared fields of a map, right and a little wrong: material for the two readers."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

import cbor2

from chargemesh_protocol.booking.records import Quote
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.record import sign
from chargemesh_protocol.shape import Bool, Bytes, Int, Kind, Name, Seq, Struct, Text, from_tree, keys_of
from tests.protocol.forge import NETWORK, SEED

CELL, REGION = 0x871F1D489FFFFFF, 0x841F1D5FFFFFFFF
_INSTANT = 1_800_000_000_000
# What a field of this name usually holds, so that the rules between fields hold now and then.
_USUAL: dict[str, tuple[int, ...]] = {
    "cell": (CELL, REGION),
    "cells": (CELL, REGION),
    "region": (REGION,),
    "issued": (_INSTANT,),
    "expires": (_INSTANT + 3_600_000,),
    "start": (_INSTANT,),
    "end": (_INSTANT + 900_000,),
    "min_price": (0,),
    "max_price": (0, 10_000_000),
    "min_minutes": (15,),
    "next": (1, 2, 5),
    "sequence": (1, 2, 3, 6),
    "step": (1,),
}
_CURRENCIES = ("EUR", "EUR", "EUR", "JPY", "XYZ", "eur", "éé€")
_ODD = (None, cbor2.undefined, cbor2.CBORSimpleValue(5), 1.5, cbor2.CBORTag(42, b""), 2**63, 2**64, -(2**64))
_FOREIGN: tuple[Any, ...] = (
    0,
    -1,
    23,
    24,
    2**63 - 1,
    -(2**63),
    b"",
    b"x" * 32,
    "",
    "é",
    True,
    False,
    [],
    [1],
    {},
    {1: 2},
)


def tree_of(cls: type[Any], random: Random) -> dict[int, Any]:
    """A tree whose every field is as declared; the rules between fields hold mostly."""
    tree: dict[int, Any] = {}
    for number, field, kind, optional in keys_of(cls):
        if not optional or random.random() < 0.4:
            tree[number] = _value(field, kind, random)
    if cls.__name__ in ("Completion", "Review", "Vouch"):
        if tree[2] == 1 and random.random() < 0.8:
            tree[3] = tree[0]
        if tree[2] != 6 and random.random() < 0.8:
            tree.pop(4, None)
    if cls.__name__ in ("Change", "Offer") and random.random() < 0.8:
        tree[4 if cls.__name__ == "Change" else 6] = _quote_record()
    if cls.__name__ == "Genesis" and tree[3] and random.random() < 0.2:
        tree[3] = [tree[2]]
    if random.random() < 0.2:
        tree[random.randint(20, 23)] = random.choice(_FOREIGN)
    return tree


@cache
def _quote_record() -> bytes:
    """A whole record of a quote, as others carry it."""
    random = Random("a quote that is carried")
    while True:
        tree = tree_of(Quote, random)
        try:
            return sign(from_tree(Quote, tree), SEED, NETWORK).raw
        except Refused:
            continue


def _value(field: str, kind: Kind, random: Random) -> Any:
    match kind:
        case Int(low, high):
            usual = [one for one in _USUAL.get(field, ()) if low <= one <= high]
            if usual and random.random() < 0.9:
                return random.choice(usual)
            return random.choice((low, high, random.randint(low, high)))
        case Bool():
            return random.random() < 0.5
        case Bytes(low, high):
            return random.randbytes(low if high < 0 else random.randint(low, min(high, low + 40)))
        case Text(high, low):
            if field == "currency":
                return random.choice(_CURRENCIES)
            length = random.randint(low, min(high, low + 6))
            return "".join(random.choice("aÉ€\U0001f415") for _ in range(length))
        case Name(enum):
            return random.choice([one.value for one in enum])
        case Seq(item, high, low):
            return [_value(field, item, random) for _ in range(random.randint(low, min(high, low + 1)))]
        case Struct(cls):
            return tree_of(cls, random)
    raise AssertionError(f"nothing makes {kind}")


def spoil(tree: dict[int, Any], random: Random) -> bytes:
    """Bytes of the tree with one thing changed, somewhere: mostly to what nobody takes."""
    tree = dict(tree) or {1: 1}
    number = random.choice(sorted(tree))
    inner = tree[number]
    if isinstance(inner, list) and inner and random.random() < 0.7:
        inner = inner[0]
    if isinstance(inner, dict) and inner and random.random() < 0.7:
        within = cbor2.loads(spoil(inner, random))
        tree[number] = [within, *tree[number][1:]] if isinstance(tree[number], list) else within
        return dump(tree)
    match random.randint(0, 8):
        case 0:
            del tree[number]
        case 1:
            tree[random.randint(0, 30)] = random.choice(_FOREIGN)
        case 2:
            tree[number] = random.choice(_FOREIGN)
        case 3:
            tree[number] = _beyond(tree[number], random.choice((1, 1, 33, 400, 20_000)))
        case 4:
            tree[number] = random.choice(_ODD)
        case 5:
            tree[16 + random.randint(0, 7)] = _nested(random.randint(1, 12))
        case 6:
            return cbor2.dumps(dict(sorted(tree.items(), reverse=True)))
        case 7:
            return b"\xbf" + dump(tree)[1:] + b"\xff"  # of indefinite length
        case _:
            return damage(dump(tree), random)
    return dump(tree)


def damage(data: bytes, random: Random) -> bytes:
    """One byte changed, put in or taken out, such that it still is CBOR of a map."""
    for _ in range(20):
        at, byte = random.randrange(len(data)), bytes([random.randrange(256)])
        before, after = data[:at], data[at + 1 :]
        changed = random.choice((before + byte + after, before + byte + data[at:], before + after))
        try:
            if isinstance(cbor2.loads(changed), dict):
                return changed
        except (cbor2.CBORError, ValueError, OverflowError, TypeError):
            continue
    return data


def _beyond(value: Any, by: int) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value + by
    if isinstance(value, bytes):
        return value + bytes(by)
    if isinstance(value, str):
        return value + "é" * by
    return [*value, *value[:1] * by] if isinstance(value, list) and by < 50 else value


def _nested(depth: int) -> Any:
    return [_nested(depth - 1)] if depth > 1 else []


def dump(tree: dict[int, Any]) -> bytes:
    """The bytes of a tree, its keys in order at the top."""
    return cbor2.dumps(dict(sorted(tree.items())))
