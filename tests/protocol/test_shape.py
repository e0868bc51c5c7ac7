"""Shapes: what a declared map takes, what it refuses and which field it names."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.encoding import Tree
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.shape import (
    ID,
    Bool,
    Bytes,
    Int,
    Kind,
    Name,
    Seq,
    Struct,
    Text,
    Uint,
    from_tree,
    key,
    keys_of,
    shape,
    to_tree,
)


class Colour(Enum):
    RED = "RED"
    BLUE = "BLUE"


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    number: int = key(0, Int(-5, 5))


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    colour: Colour = key(0, Name(Colour))
    inner: Inner = key(1, Struct(Inner))
    items: tuple[int, ...] = key(2, Seq(Uint(9), 3, 1))
    note: str | None = key(16, Text(4), optional=True)
    exact: bool | None = key(3, Bool(), optional=True)

    def __post_init__(self) -> None:
        if self.items[0] == 9:
            raise ValueError("nine does not come first")


GOOD: dict[int, Tree] = {0: "RED", 1: {0: 3}, 2: [1, 2]}
VALUE = Outer(colour=Colour.RED, inner=Inner(number=3), items=(1, 2))


def test_a_value_is_its_map_and_back() -> None:
    assert to_tree(VALUE) == GOOD
    assert from_tree(Outer, GOOD) == VALUE
    full = Outer(colour=Colour.BLUE, inner=Inner(number=-5), items=(0,), note="hi", exact=False)
    assert to_tree(full) == {0: "BLUE", 1: {0: -5}, 2: [0], 3: False, 16: "hi"}
    assert from_tree(Outer, to_tree(full)) == full


@pytest.mark.parametrize(
    ("change", "code", "names"),
    [
        ({0: "GREEN"}, "schema", "Outer.colour"),
        ({0: 1}, "schema", "Outer.colour"),
        ({1: {}}, "schema", "Inner.number is missing"),
        ({1: {0: 6}}, "schema", "Outer.inner: Inner.number"),
        ({1: {0: True}}, "schema", "Inner.number"),
        ({1: 5}, "schema", "Outer.inner"),
        ({1: {0: 1, 1: 0}}, "unknown-critical-key", "Inner: key 1"),
        ({2: []}, "schema", "Outer.items"),
        ({2: [1, 2, 3, 4]}, "schema", "Outer.items"),
        ({2: [1, True]}, "schema", "Outer.items"),
        ({2: "12"}, "schema", "Outer.items"),
        ({2: [9]}, "schema", "nine does not come first"),
        ({3: 1}, "schema", "Outer.exact"),
        ({3: "yes"}, "schema", "Outer.exact"),
        ({16: "too long"}, "schema", "Outer.note"),
        ({16: b"hi"}, "schema", "Outer.note"),
        ({15: 0}, "unknown-critical-key", "Outer: key 15"),
    ],
)
def test_a_wrong_map_is_refused_by_the_name_of_its_field(
    change: dict[int, Tree], code: str, names: str
) -> None:
    with pytest.raises(Refused) as refused:
        from_tree(Outer, GOOD | change)
    assert refused.value.code == code
    assert names in refused.value.message


def test_what_is_no_map_is_refused() -> None:
    for tree in ([], 5, b"", True):
        with pytest.raises(Refused):
            from_tree(Outer, tree)


def test_unknown_optional_keys_are_left_alone() -> None:
    assert from_tree(Outer, GOOD | {17: [1], 23: True}) == VALUE


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Int(-1, 1), [-1, 0, 1], [2, -2, True, "1", b"1", [1]]),
        (Uint(), [0, 2**63 - 1], [-1, 2**63, False]),
        (Bool(), [True, False], [0, 1, "true"]),
        (Bytes(2), [b"ab"], [b"a", b"abc", "ab"]),
        (Bytes(0, 2), [b"", b"ab"], [b"abc"]),
        (ID, [b"i" * 32], [b"i" * 31]),
        (Text(2, 1), ["a", "ab", "ü"], ["", "abc", b"a", 1]),
        (Seq(Bool(), 1), [[], [True]], [[True, True], [0], {}]),
    ],
)
def test_kinds(kind: Kind, good: list[Any], bad: list[Any]) -> None:
    for tree in good:
        assert kind.write(kind.read(tree)) == tree
    for tree in bad:
        with pytest.raises(Refused):
            kind.read(tree)


def test_a_wrong_value_is_not_written() -> None:
    for field, value in (("items", (1, 1, 1, 1)), ("items", (10,)), ("inner", 3), ("note", 5), ("exact", 1)):
        wrong = Outer(**{"colour": Colour.RED, "inner": Inner(number=0), "items": (1,), field: value})
        with pytest.raises(ValueError, match=field):
            to_tree(wrong)


@given(st.text(max_size=4))
def test_text_is_written_in_nfc_and_read_as_it_stands(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)
    assert Text(8).write(text) == composed
    assert Text(8).read(text) == text


def test_both_writings_of_an_umlaut_are_read() -> None:
    apart = "u\u0308"
    assert from_tree(Outer, GOOD | {16: apart}).note == apart
    written = Outer(colour=Colour.RED, inner=Inner(number=3), items=(1,), note=apart)
    assert to_tree(written)[16] == "ü"


def test_keys_in_order_for_the_specs() -> None:
    assert [(number, name, optional) for number, name, _, optional in keys_of(Outer)] == [
        (0, "colour", False),
        (1, "inner", False),
        (2, "items", False),
        (3, "exact", True),
        (16, "note", True),
    ]


def test_a_declaration_is_checked() -> None:
    @dataclass(frozen=True)
    class Twice:
        one: int = key(0, Uint())
        two: int = key(0, Uint())

    @dataclass(frozen=True)
    class TooHigh:
        one: int = key(24, Uint())

    for cls in (Twice, TooHigh):
        with pytest.raises(TypeError, match="distinct integers"):
            shape(cls)
