"""`record` on damaged files: nothing in a record's place is passed over, and no file crashes it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from chargemesh_cli.record_file import MAX_JSON_DEPTH

from ..protocol.booking.story import NETWORK, Story
from .person import Person


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    """The records of one booking, as `receipt --records` writes them."""
    story = Story().until("billed")
    return [{"id": one.id.hex(), "raw": base64.b64encode(one.raw).decode()} for one in story.booking]


def written(path: Path, records: Any, **more: Any) -> str:
    path.write_text(json.dumps({"network": NETWORK, "records": records, **more}))
    return str(path)


@pytest.mark.parametrize("damage", ["!!!", "", "d2 84", "gICA", 7, None, [], {}, ["x"], "é"])
def test_a_raw_that_cannot_be_read_is_a_record_that_is_not_valid(
    person: Person, tmp_path: Path, rows: list[dict[str, Any]], damage: Any
) -> None:
    damaged = [*rows[:2], {**rows[2], "raw": damage}, *rows[3:]]
    file = written(tmp_path / "f", damaged)
    said = person.types("record", "verify", file)
    assert said.code == 1 and f"{len(rows) - 1} of {len(rows)} valid" in said.out
    assert "records[2].raw" in said.out and rows[2]["id"][:16] in said.out and "not-decoded" in said.out
    value = person.types("--json", "record", "verify", file).value
    assert value["valid"] is False and not value["records"][2]["valid"]


@pytest.mark.parametrize("row", [{"id": "00"}, {}, 5, None, "!!!", []])
def test_a_row_without_a_record_counts(
    person: Person, tmp_path: Path, rows: list[dict[str, Any]], row: Any
) -> None:
    said = person.types("record", "verify", written(tmp_path / "f", [*rows, row]))
    assert said.code == 1 and f"{len(rows)} of {len(rows) + 1} valid" in said.out


def test_a_file_whose_every_record_is_damaged_is_not_a_file_without_records(
    person: Person, tmp_path: Path
) -> None:
    said = person.types("record", "verify", written(tmp_path / "f", [{"id": "ab", "raw": "?"}]))
    assert said.code == 1 and "0 of 1 valid" in said.out
    assert person.types("record", "verify", written(tmp_path / "f", "gone")).code == 1


@pytest.mark.parametrize("between", [" ", ",\n"])
def test_a_word_among_records_must_be_one_too(
    person: Person, tmp_path: Path, rows: list[dict[str, Any]], between: str
) -> None:
    (tmp_path / "f").write_text(between.join((rows[0]["raw"], "!!!", rows[1]["raw"])))
    said = person.types("record", "verify", str(tmp_path / "f"), "--network", NETWORK)
    assert said.code == 1 and "2 of 3 valid" in said.out and "text 2" in said.out


def test_a_list_of_texts_counts_what_is_no_record(
    person: Person, tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    (tmp_path / "f").write_text(json.dumps([rows[0]["raw"], "!!!"]))
    said = person.types("record", "verify", str(tmp_path / "f"), "--network", NETWORK)
    assert said.code == 1 and "1 of 2 valid" in said.out and "[1]" in said.out


def test_other_texts_beside_records_are_none(
    person: Person, tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    file = written(tmp_path / "f", [{**rows[0], "note": "für Anna"}], why="a dispute", of=["x", {"y": "z"}])
    said = person.types("record", "verify", file)
    assert said.code == 0 and "1 of 1 valid" in said.out


def test_show_and_diff_tell_of_the_damage(person: Person, tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    whole = written(tmp_path / "whole", rows)
    damaged = written(tmp_path / "damaged", [*rows[:-1], {**rows[-1], "raw": "!!!"}])
    shown = person.types("record", "show", damaged)
    assert shown.code == 0 and f"{len(rows)}. " in shown.out and "not-decoded" in shown.out
    told = person.types("record", "diff", whole, damaged)
    assert told.code == 1 and "not-decoded" in told.out
    assert person.types("record", "diff", damaged, damaged).code == 0
    otherwise = written(tmp_path / "otherwise", [*rows[:-1], {**rows[-1], "raw": "!!!!"}])
    assert person.types("record", "diff", damaged, otherwise).code == 1


@pytest.mark.parametrize("words", [("verify",), ("show",), ("diff",)])
@pytest.mark.parametrize(
    "deep", ["[" * 100_000, "[" * 900 + "]" * 900, '{"records":' * 900 + "1" + "}" * 900, "[" * 34 + "]" * 34]
)
def test_deep_json_is_refused_in_a_sentence(
    person: Person, tmp_path: Path, words: tuple[str, ...], deep: str
) -> None:
    (tmp_path / "f").write_text(deep)
    files = [str(tmp_path / "f")] * (2 if words == ("diff",) else 1)
    said = person.types("record", *words, *files)
    assert said.code == 2 and f"more than {MAX_JSON_DEPTH} deep" in said.err
    assert "inside chargemesh" not in said.err
