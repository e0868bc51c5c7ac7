"""The specs say what the code does: what is written from it is current, and nothing is left out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from chargemesh_protocol import limits
from chargemesh_protocol.encoding import decode
from chargemesh_protocol.record import KINDS, parts
from chargemesh_protocol.shape import keys_of

from . import spec_data, write_specs
from .spec_examples import renewal

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


def test_the_worked_example_is_a_record() -> None:
    text = renewal()
    raw = bytes.fromhex("".join(text.split("\nthe record:")[1].split("```")[0].split()))
    payload = bytes.fromhex("".join(text.split("payload:")[1].split("external_aad:")[0].split()))
    assert parts(raw)[1] == payload
    assert decode(payload) == {1: 1_800_000_000_000, 2: b"\x11" * 32}
    assert [number for number, _, _, _ in keys_of(KINDS["renewal"])] == [1, 2]
