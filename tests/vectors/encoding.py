"""encoding.json: trees and their one form in bytes, both ways."""

from __future__ import annotations

from chargemesh_protocol.encoding import Tree

from ..conformance.values import tagged
from ..protocol.strict_cbor import read
from .frame import Case, VectorFile, good

MAX_DEPTH = 8
_DEEP_ARRAY = "81" * (MAX_DEPTH - 1) + "80"
_DEEP_MAP = "a117" * (MAX_DEPTH - 1) + "a0"


def _nested(depth: int) -> Tree:
    return [] if depth == 1 else [_nested(depth - 1)]


def _nested_map(depth: int) -> Tree:
    return {} if depth == 1 else {23: _nested_map(depth - 1)}


INTEGERS: dict[str, tuple[int, str]] = {
    "zero": (0, "00"),
    "largest-in-one-byte": (23, "17"),
    "smallest-in-two-bytes": (24, "1818"),
    "largest-in-two-bytes": (255, "18ff"),
    "smallest-in-three-bytes": (256, "190100"),
    "largest-in-three-bytes": (65_535, "19ffff"),
    "smallest-in-five-bytes": (65_536, "1a00010000"),
    "largest-in-five-bytes": (2**32 - 1, "1affffffff"),
    "smallest-in-nine-bytes": (2**32, "1b0000000100000000"),
    "largest-exact-in-a-double": (2**53 - 1, "1b001fffffffffffff"),
    "first-not-exact-in-a-double": (2**53 + 1, "1b0020000000000001"),
    "largest": (2**63 - 1, "1b7fffffffffffffff"),
    "minus-one": (-1, "20"),
    "smallest-negative-in-one-byte": (-24, "37"),
    "negative-in-two-bytes": (-25, "3818"),
    "last-negative-in-two-bytes": (-256, "38ff"),
    "negative-in-three-bytes": (-257, "390100"),
    "negative-in-five-bytes": (-65_537, "3a00010000"),
    "negative-in-nine-bytes": (-(2**32) - 1, "3b0000000100000000"),
    "negative-not-exact-in-a-double": (-(2**53) - 1, "3b0020000000000000"),
    "smallest": (-(2**63), "3b7fffffffffffffff"),
}

TREES: dict[str, tuple[Tree, str]] = {
    "false": (False, "f4"),
    "true": (True, "f5"),
    "empty-bytes": (b"", "40"),
    "one-byte": (b"\xff", "41ff"),
    "longest-bytes-with-a-short-head": (bytes(range(23)), "57" + bytes(range(23)).hex()),
    "bytes-of-24": (bytes(24), "5818" + "00" * 24),
    "bytes-of-32-like-an-id": (bytes(range(32)), "5820" + bytes(range(32)).hex()),
    "bytes-of-255": (bytes(255), "58ff" + "00" * 255),
    "bytes-of-256": (bytes(256), "590100" + "00" * 256),
    "bytes-that-look-like-a-cid": (bytes.fromhex("01711220") + bytes(32), "582401711220" + "00" * 32),
    "empty-text": ("", "60"),
    "text": ("kWh", "636b5768"),
    "text-with-a-nul": ("a\0b", "63610062"),
    "text-beyond-ascii": ("Straße", "6753747261c39f65"),
    "text-beyond-16-bits": ("\U0001f50c", "64f09f948c"),
    "text-composed": ("\u00e9", "62c3a9"),
    "text-not-composed-is-kept": ("e\u0301", "6365cc81"),
    "text-of-24-bytes": ("a" * 24, "7818" + "61" * 24),
    "empty-array": ([], "80"),
    "array-of-mixed-values": ([1, b"\x02", "3", False, [4], {5: 6}], "8601410261" + "33f48104a10506"),
    "array-of-24": ([0] * 24, "9818" + "00" * 24),
    "empty-map": ({}, "a0"),
    "map-with-the-lowest-and-highest-key": ({0: 0, 23: 1}, "a200001701"),
    "map-with-every-key": (
        {key: key for key in range(24)},
        "b818" + "".join(f"{key:02x}{key:02x}" for key in range(24)),
    ),
    "map-of-maps": ({0: {}, 1: {0: {}}}, "a200a001a100a0"),
    "arrays-as-deep-as-allowed": (_nested(MAX_DEPTH), _DEEP_ARRAY),
    "maps-as-deep-as-allowed": (_nested_map(MAX_DEPTH), _DEEP_MAP),
    "a-value-inside-the-deepest-array": ([[[[[[[[5]]]]]]]], "81" * MAX_DEPTH + "05"),
}


def _decoded(name: str, tree: Tree, data: str, max_bytes: int = 262_144) -> Case:
    if read(bytes.fromhex(data), MAX_DEPTH) != tree:
        raise AssertionError(f"{name}: these bytes are another tree")
    given = {"bytes": data, "max_bytes": max_bytes}
    return good(f"decode-{name}", "encoding.decode", given, {"tree": tagged(tree)})


def _encoded(name: str, tree: Tree, data: str) -> Case:
    return good(f"encode-{name}", "encoding.encode", {"tree": tagged(tree)}, {"bytes": data})


def made() -> VectorFile:
    every: dict[str, tuple[Tree, str]] = {**INTEGERS, **TREES}
    cases = [_decoded(name, tree, data) for name, (tree, data) in every.items()]
    cases.append(_decoded("as-long-as-allowed", bytes(15), "4f" + "00" * 15, max_bytes=16))
    cases += [_encoded(name, tree, data) for name, (tree, data) in every.items()]
    # A writer puts the keys in order, however its own map has them.
    cases.append(_encoded("keys-out-of-order", {23: 1, 0: 2, 4: {9: 0, 1: 0}}, "a3000204a2010009001701"))
    return VectorFile("encoding", "Trees and the one form of each in bytes (01-encoding.md).", tuple(cases))
