"""The vector files are what the generator writes, whole and well named, and ours passes all of them."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter

import pytest

from chargemesh_protocol.record import KINDS

from ..conformance.runner import Outcome, run
from ..conformance.subject import answer
from ..conformance.vector_files import VECTORS, load
from .__main__ import files
from .frame import VectorFile

AGAIN = "run: python -m tests.vectors"
SPECS = VECTORS.parent


@pytest.fixture(scope="module")
def made() -> tuple[VectorFile, ...]:
    return files()


def test_the_files_are_those_that_are_written(made: tuple[VectorFile, ...]) -> None:
    assert {path.stem for path in VECTORS.glob("*.json")} == {one.name for one in made}, AGAIN
    for one in made:
        assert (VECTORS / f"{one.name}.json").read_bytes() == one.text().encode(), f"{one.name}: {AGAIN}"


def test_names_are_unique_and_readable() -> None:
    names = Counter(case.id for case in load())
    assert [name for name, count in names.items() if count > 1] == []
    assert [name for name in names if not re.fullmatch(r"[a-z0-9-]+:[a-z0-9-]+", name)] == []


def test_every_operation_and_file_is_described() -> None:
    """Add a new operation and a new file to specs/vectors/README.md."""
    text = (VECTORS / "README.md").read_text()
    described = set(re.findall(r"^### `([a-z.-]+)`", text, re.MULTILINE))
    assert {case.op for case in load()} == described
    assert [path.name for path in VECTORS.glob("*.json") if f"`{path.name}`" not in text] == []


def test_the_examples_of_the_description_are_right() -> None:
    examples = re.findall(r"^```json\n(\{\"op\".*)\n```$", (VECTORS / "README.md").read_text(), re.MULTILINE)
    asked = [json.loads(example) for example in examples]
    assert {one["op"] for one in asked} == {case.op for case in load()}
    for one in asked:
        assert answer(one["op"], one["in"]) == {key: one[key] for key in ("out", "error") if key in one}


def test_every_kind_is_opened_and_made() -> None:
    cases = [case for case in load() if case.file == "records"]
    assert {case.out["kind"] for case in cases if case.op == "record.open" and case.out} == set(KINDS)
    assert {case.given["kind"] for case in cases if case.op == "record.make"} == set(KINDS)


def test_refusals_are_registered_and_say_why() -> None:
    codes = {one["code"] for one in json.loads((SPECS / "errors.json").read_text())}
    refused = [case for case in load() if case.error is not None]
    assert {case.error for case in refused} <= codes
    assert [case.id for case in refused if not case.why] == []
    assert len(refused) >= 150


def test_our_own_implementation_passes_all() -> None:
    command = [sys.executable, "-m", "tests.conformance", "subject"]
    verdicts = list(run(command, load(), timeout=60))
    assert len(verdicts) > 200
    assert [(case.id, said.got) for case, said in verdicts if said.outcome is not Outcome.PASSED] == []
