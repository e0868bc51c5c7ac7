"""The specs say what the code does: generated parts are current, and the CDDL takes what we write."""

from __future__ import annotations

import json
import re
from pathlib import Path

import cbor2
import pytest
from cddl_verifier import Validator

from chargemesh_protocol import limits
from chargemesh_protocol.encoding import Tree, decode, encode
from chargemesh_protocol.record import KINDS, parts
from chargemesh_protocol.shape import keys_of

from . import spec_data, write_specs
from .neighbours import CHARGER, Street
from .spec_examples import renewal
from .test_engine import told

SPECS = write_specs.SPECS
AGAIN = "run: python -m tests.protocol.write_specs"


@pytest.mark.parametrize("path", write_specs.generated(), ids=lambda path: path.name)
def test_what_is_written_from_the_code_is_current(path: Path) -> None:
    assert path.read_text() == write_specs.generated()[path], AGAIN


def test_every_reason_between_nodes_is_registered() -> None:
    """Add a new code to specs/errors.json, with what it means."""
    registered = [one["code"] for one in json.loads((SPECS / "errors.json").read_text())]
    assert registered == sorted(set(registered))
    assert set(registered) == spec_data.codes_in_code()


def test_every_limit_is_listed() -> None:
    names = {name for name in vars(limits) if name.isupper() and not name.startswith("_")}
    listed = [name for _, name, _, _ in spec_data.limit_rows()]
    assert names <= set(listed)
    assert all(isinstance(value, int | float) for _, _, value, _ in spec_data.limit_rows())


def test_every_kind_and_message_stands_in_a_chapter() -> None:
    chapters = "".join(path.read_text() for path in SPECS.glob("*.md"))
    described = set(re.findall(r"<!-- fields ([a-z-]+) -->", chapters))
    assert described == set(write_specs.shapes())


@pytest.fixture(scope="module")
def schema() -> Validator:
    return Validator((SPECS / "cddl" / "chargemesh.cddl").read_text())


def everything_of_a_booking() -> tuple[list[bytes], list[bytes]]:
    """(raw records, message bodies) of a whole story."""
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = alice.booking(told(street, alice, bob))
    listing = alice.engine.listings.listing(CHARGER)
    bundle = alice.engine.directory.get(alice.author)
    assert listing is not None and bundle is not None
    log = [item.raw for item in alice.engine.keeper.entries]
    statements = [one.raw for one in booking.statements.values()]
    records = [*(one.raw for one in booking.set), *statements, *log, listing.raw]
    records += [bundle.genesis.raw, *(one.raw for one in bundle.delegations)]
    return records, [*alice.seen, *bob.seen]


def test_the_schema_takes_every_record_and_message_of_a_booking(schema: Validator) -> None:
    records, bodies = everything_of_a_booking()
    seen = set()
    for raw in records:
        kind = cbor2.loads(parts(raw)[0])[16]
        if kind not in seen:  # one of each: the checker is slow
            seen.add(kind)
            result = schema.validate(parts(raw)[1], kind)
            assert result.valid, (kind, result.errors)
            whole = schema.validate(raw, "cose-record")
            assert whole.valid, (kind, whole.errors)
    assert len(seen) >= 17
    names = {2: "booking-quote-given", 3: "booking-exchange"}
    for body in bodies[:6]:
        tree = cbor2.loads(body)
        result = schema.validate(body, names[tree[0]])
        assert result.valid, result.errors


def test_the_schema_refuses_what_we_refuse(schema: Validator) -> None:
    good: dict[int, Tree] = {1: 5, 2: b"l" * 32}
    assert schema.validate(encode(good), "renewal").valid
    assert schema.validate(encode(good | {16: [True]}), "renewal").valid
    wrong: list[dict[int, Tree]] = [
        {1: 5},
        good | {9: 0},
        good | {1: True},
        good | {1: -1},
        good | {2: b"l" * 31},
        good | {2: "l" * 32},
    ]
    for tree in wrong:
        assert not schema.validate(encode(tree), "renewal").valid, tree


def test_the_worked_example_is_a_record() -> None:
    text = renewal()
    raw = bytes.fromhex("".join(text.split("\nthe record:")[1].split("```")[0].split()))
    payload = bytes.fromhex("".join(text.split("payload:")[1].split("external_aad:")[0].split()))
    assert parts(raw)[1] == payload
    assert decode(payload) == {1: 1_800_000_000_000, 2: b"\x11" * 32}
    assert [number for number, _, _, _ in keys_of(KINDS["renewal"])] == [1, 2]
