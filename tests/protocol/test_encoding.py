"""The codec takes exactly what it would write, whatever else is thrown at it."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chargemesh_protocol.encoding import Tree, decode, decode_map, encode
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.limits import MAX_DEPTH, MAX_MESSAGE_BYTES

from . import strict_cbor
from .trees import damaged, trees

# What was refused, in hexadecimal, and why (RFC 8949; specs/01, E2).
NEVER = {
    "duplicate keys": "a200010002",
    "keys in the wrong order": "a201010002",
    "an integer in two bytes that fits in one": "1817",
    "an integer in three bytes that fits in one": "190001",
    "an integer in nine bytes that fits in five": "1b00000000ffffffff",
    "a negative integer that is not minimal": "3800",
    "a map key that is not minimal": "a1180000",
    "the length of a byte string not minimal": "580100",
    "the length of a text not minimal": "780161",
    "the length of an array not minimal": "980100",
    "the length of a map not minimal": "b8010000",
    "half float 0.0": "f90000",
    "half float 1.0": "f93c00",
    "half float NaN": "f97e00",
    "half float infinity": "f97c00",
    "single float": "fa3f800000",
    "double float": "fb3ff0000000000000",
    "a date as text (tag 0)": "c074323031332d30332d32315432303a30343a30305a",
    "a date as a number (tag 1)": "c11a514b67b0",
    "a positive bignum (tag 2)": "c249010000000000000000",
    "a bignum that would fit (tag 2)": "c24101",
    "a negative bignum (tag 3)": "c349010000000000000000",
    "a decimal fraction (tag 4)": "c48221196ab3",
    "a string reference (tag 25)": "d81900",
    "a shared value (tag 28)": "d81c80",
    "a reference to a shared value (tag 29)": "82d81c80d81d00",
    "a regular expression (tag 35)": "d823625b61",
    "a UUID (tag 37)": "d82550" + "00" * 16,
    "a CID (tag 42)": "d82a4100",
    "an IP address (tag 260)": "d9010444c00a0a01",
    "a set (tag 258)": "d9010280",
    "an unknown tag": "d9ffff00",
    "self-described CBOR (tag 55799)": "d9d9f700",
    "null": "f6",
    "null as a value": "a100f6",
    "undefined": "f7",
    "simple value 5": "e5",
    "simple value 32": "f820",
    "a simple value in two bytes that fits in one": "f814",
    "an integer beyond 63 bits": "1b8000000000000000",
    "the largest 64-bit integer": "1bffffffffffffffff",
    "a negative integer beyond 63 bits": "3b8000000000000000",
    "a byte string of indefinite length": "5f4100ff",
    "a text of indefinite length": "7f6161ff",
    "an array of indefinite length": "9f00ff",
    "a map of indefinite length": "bf0000ff",
    "a break alone": "ff",
    "a reserved head": "1c",
    "a trailing byte": "0000",
    "a trailing item": "a10000a10000",
    "nothing at all": "",
    "a byte string cut short": "4200",
    "a text cut short": "6261",
    "an array cut short": "8201",
    "a map cut short": "a1",
    "an integer cut short": "19ff",
    "an array said to be huge": "9b7fffffffffffffff",
    "a byte string said to be huge": "5b7fffffffffffffff",
    "text that is not UTF-8": "61ff",
    "half a surrogate pair": "63eda080",
    "overlong UTF-8": "62c080",
    "a text as a map key": "a1616100",
    "a byte string as a map key": "a1410000",
    "a boolean as a map key": "a1f500",
    "a negative map key": "a12000",
    "map key 24": "a1181800",
    "too deep an array": "81" * (MAX_DEPTH + 1) + "00",
    "too deep a map": "a100" * (MAX_DEPTH + 1) + "00",
    "very deep": "81" * 50_000,
}


@pytest.mark.parametrize("reason", NEVER)
def test_what_we_would_not_write_is_refused(reason: str) -> None:
    with pytest.raises(Refused) as refused:
        decode(bytes.fromhex(NEVER[reason]))
    assert refused.value.code == "encoding"
    with pytest.raises(strict_cbor.NotOurs):
        strict_cbor.read(bytes.fromhex(NEVER[reason]), MAX_DEPTH)


@pytest.mark.parametrize("number", [0, 23, 24, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**63 - 1])
def test_heads_are_as_wide_as_they_need_be(number: int) -> None:
    """At each width's edge, for every type whose head can be that wide."""
    sizes = {0: 1, 1: 1, 2: 2, 3: 4, 4: 8}
    trees: list[Tree] = [number, ~number]
    if number <= 65_536:
        trees += [bytes(number), "x" * number, [0] * number]
    for tree in trees:
        data = encode(tree)
        assert decode(data) == tree
        low = data[0] & 0x1F
        for width in range(max(low - 23, 0) + 1, 5):  # the same head, wider
            argument = number.to_bytes(sizes[width], "big")
            head = bytes([data[0] & 0xE0 | (23 + width)]) + argument
            rest = data[1 + (sizes[low - 23] if low > 23 else 0) :]
            with pytest.raises(Refused):
                decode(head + rest)


@pytest.mark.parametrize(
    ("tree", "data"),
    [
        (0, "00"),
        (23, "17"),
        (24, "1818"),
        (2**63 - 1, "1b7fffffffffffffff"),
        (-(2**63), "3b7fffffffffffffff"),
        (True, "f5"),
        (b"", "40"),
        ("ü", "62c3bc"),
        ([1, [2, b"3"]], "8201820241" + "33"),
        ({0: 1, 23: False}, "a2000117f4"),
        ({}, "a0"),
    ],
)
def test_bytes_of_trees(tree: Tree, data: str) -> None:
    assert encode(tree).hex() == data
    assert decode(bytes.fromhex(data)) == tree


def test_maps_are_written_in_the_order_of_their_keys() -> None:
    assert encode({5: 1, 0: {9: 2, 3: 4}}) == encode({0: {3: 4, 9: 2}, 5: 1})


def test_the_deepest_that_is_allowed() -> None:
    data = bytes.fromhex("81" * MAX_DEPTH + "00")
    assert encode(decode(data)) == data


@given(trees)
def test_what_is_written_is_read_back(tree: Tree) -> None:
    try:
        data = encode(tree)
    except ValueError as error:
        assert "deep" in str(error) or "surrogate" in str(error)
        return
    again = decode(data)
    assert again == tree and repr(again) == repr(_in_order(tree))
    assert strict_cbor.read(data, MAX_DEPTH) == tree


@given(trees.flatmap(lambda tree: damaged(encode(tree)) if _writable(tree) else st.just(b"\xff")))
def test_damaged_bytes_are_refused_or_are_something_else_of_ours(data: bytes) -> None:
    _read_alike(data)


@given(st.binary(max_size=60))
@example(b"\xa1\x00\xfb\x7f\xf8\x00\x00\x00\x00\x00\x00")
def test_any_bytes_are_refused_or_are_ours(data: bytes) -> None:
    _read_alike(data)


@pytest.mark.parametrize(
    "value",
    [2**63, -(2**63) - 1, 1.0, None, {24: 0}, {-1: 0}, {"a": 0}, {True: 0}, (1,), {1}, "\ud800", [[None]]],
)
def test_what_no_peer_would_accept_is_not_written(value: object) -> None:
    with pytest.raises(ValueError):
        encode(value)  # type: ignore[arg-type]


def test_size_is_bounded_before_anything_is_read() -> None:
    with pytest.raises(Refused) as refused:
        decode(bytes(MAX_MESSAGE_BYTES + 1))
    assert refused.value.code == "too-large"
    with pytest.raises(Refused) as refused:
        decode(b"\x43abc", max_bytes=3)
    assert refused.value.code == "too-large"


def test_a_map_is_asked_for() -> None:
    assert decode_map(b"\xa0") == {}
    with pytest.raises(Refused) as refused:
        decode_map(b"\x80")
    assert refused.value.code == "encoding"


def _read_alike(data: bytes) -> None:
    """Ours and the second reader take the same bytes for the same tree, and write them alike."""
    try:
        expected = strict_cbor.read(data, MAX_DEPTH)
    except strict_cbor.NotOurs:
        with pytest.raises(Refused):
            decode(data)
        return
    found = decode(data)
    assert found == expected
    assert encode(found) == data


def _writable(tree: Tree) -> bool:
    try:
        encode(tree)
    except ValueError:
        return False
    return True


def _in_order(tree: Tree) -> Tree:
    if isinstance(tree, dict):
        return {key: _in_order(tree[key]) for key in sorted(tree)}
    return [_in_order(one) for one in tree] if isinstance(tree, list) else tree
