"""Bytes are taken by our codec and by the CDDL alike, or by neither, or a rule beside it says why not.

The rules stand in specs/cddl/README.md; `beside.py` is written from that page.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from random import Random
from typing import Any

import pytest

from chargemesh_protocol.encoding import decode_map
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.limits import MAX_RECORD_BYTES
from chargemesh_protocol.record import KINDS, aad, kind_of, open_record, sign
from chargemesh_protocol.shape import from_tree, keys_of
from tests.protocol.forge import KID, NETWORK, SEED, header, record
from tests.protocol.write_specs import SPECS, shapes

from .beside import broken
from .making import damage, dump, spoil, tree_of
from .schema import takes

ROUNDS = 60
NAMES = sorted(shapes())


def codec_takes(cls: type[Any], data: bytes) -> bool:
    try:
        from_tree(cls, decode_map(data))
    except Refused:
        return False
    return True


def check(name: str, cls: type[Any], data: bytes, met: Counter[int]) -> bool:
    """Whether both take it; AssertionError if they differ for no reason that is written down. `met` counts
    the rules that alone refused something."""
    codec, schema = codec_takes(cls, data), takes(name, data)
    rules = broken(name, cls, data) if schema else set()
    assert codec == (schema and not rules), f"{name}: codec {codec}, CDDL {schema}, {rules}: {data.hex()}"
    met.update(rules)
    return codec


@cache
def rounds(name: str) -> Counter[int]:
    """Trees of one map, as they are and spoiled, given to both; the rules beside that were met."""
    cls, random, met = shapes()[name], Random(f"both ways {name}"), Counter[int]()
    taken = refused = 0
    for _ in range(ROUNDS):
        tree = tree_of(cls, random)
        taken += check(name, cls, dump(tree), met)
        refused += not check(name, cls, spoil(tree, random), met)
    assert taken >= 3 and refused >= ROUNDS // 4, (taken, refused)
    return met


@pytest.mark.parametrize("name", NAMES)
def test_both_take_the_same(name: str) -> None:
    rounds(name)


def test_each_rule_beside_the_schema_refused_something() -> None:
    """All of the list but the ones about codes, whole records and bundles, which have tests of their own."""
    met = sum((rounds(name) for name in NAMES), Counter[int]())
    listed = {int(one) for one in re.findall(r"^(\d+)\. ", (SPECS / "cddl" / "README.md").read_text(), re.M)}
    assert set(met) == listed - {2, 12, 13}


def test_an_unknown_critical_key_is_refused_by_both() -> None:
    for name in NAMES:
        cls, random = shapes()[name], Random(name)
        free = next(iter(set(range(16)) - {key for key, _, _, _ in keys_of(cls)}), None)
        if free is None:
            continue
        tree = next(one for one in (tree_of(cls, random) for _ in range(400)) if takes(name, dump(one)))
        with pytest.raises(Refused) as refused:
            from_tree(cls, decode_map(dump(tree | {free: 1})))
        assert refused.value.code in ("unknown-critical-key", "schema")
        assert not takes(name, dump(tree | {free: 1})), name


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_whole_record_is_of_its_kind(name: str) -> None:
    """The schema ties kind and payload together, as the reader does; damaged records neither takes."""
    random = Random(f"whole {name}")
    payload = next(
        data
        for data in (dump(tree_of(KINDS[name], random)) for _ in range(400))
        if codec_takes(KINDS[name], data)
    )
    good = record(payload, protected=header(name))
    assert _opens(good) and takes("cose-record", good)
    others = [one for one in sorted(KINDS) if not codec_takes(KINDS[one], payload)]
    for other in random.sample(others, 3):
        changed = record(payload, protected=header(other))
        assert not _opens(changed) and not takes("cose-record", changed), other
    for wrong in (
        record(payload, protected=header(name), unprotected=b"\xa1\x04\x41a"),
        record(payload, protected=header(name), head=b"\xd3\x84"),
        record(payload, protected=header(name), signature=bytes(63)),
        record(payload, protected=header("nothing")),
        record(payload + b"\x00", protected=header(name)),
        record(b"\xbf" + payload[1:] + b"\xff", protected=header(name)),
    ):
        assert not _opens(wrong)
    for _ in range(10):
        changed = damage_whole(good, random)
        assert takes("cose-record", changed) or not _opens(changed), changed.hex()


def damage_whole(good: bytes, random: Random) -> bytes:
    at = random.randrange(2, len(good))
    return good[:at] + bytes([random.randrange(256)]) + good[at + 1 :]


def _opens(raw: bytes) -> bool:
    try:
        open_record(raw, NETWORK)
    except Refused:
        return False
    return True


def test_what_we_sign_is_within_the_schema() -> None:
    """`sign` writes any body that can be made; the keys of the forge are those of the record's tests."""
    random = Random("signed")
    for name, cls in sorted(KINDS.items()):
        for _ in range(200):
            data = dump(tree_of(cls, random))
            if codec_takes(cls, data):
                signed = sign(from_tree(cls, decode_map(data)), SEED, NETWORK)
                assert signed.kid == KID and kind_of(cls) == name and len(signed.raw) <= MAX_RECORD_BYTES
                assert takes("cose-record", signed.raw), name
                break
        else:
            raise AssertionError(f"nothing that is a {name} was made")
    assert aad(NETWORK).startswith(b"chargemesh/") and damage(b"\xa0", random) is not None
