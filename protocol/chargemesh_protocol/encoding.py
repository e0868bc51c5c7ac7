"""Deterministic CBOR (RFC 8949, section 4.2.1), strict in both directions.

Values are integers from -2^63 to 2^63-1, byte strings, text strings, arrays, booleans and maps whose
keys are integers from 0 to 23, in ascending order. Decoding first checks the generic tree against that
whitelist and then re-encodes *the tree*: equal bytes prove minimal integers, definite lengths and no
trailing bytes. Neither check is enough alone: cbor2 re-encodes null, undefined and half floats to
equal bytes, and it reads integers of any width.
"""

from __future__ import annotations

from typing import Any, NoReturn, TypeAlias

import cbor2

from .errors import Refused, Severity
from .limits import MAX_DEPTH, MAX_MESSAGE_BYTES

Tree: TypeAlias = "int | bytes | str | bool | list[Tree] | dict[int, Tree]"
TreeMap: TypeAlias = "dict[int, Tree]"

_MIN_INT = -(2**63)
_MAX_INT = 2**63 - 1


def encode(tree: Tree) -> bytes:
    """Deterministic bytes of `tree`, its maps in any order; ValueError if no peer would accept it."""
    ordered = _ordered(tree)
    why = _outside_whitelist(ordered, MAX_DEPTH)
    if why:
        raise ValueError(why)
    return cbor2.dumps(ordered)


def encode_ordered(tree: TreeMap) -> bytes:
    """As `encode`, for a tree in order whose values were checked one by one (`shape.to_tree`)."""
    return cbor2.dumps(tree)


def decode(data: bytes, *, max_bytes: int = MAX_MESSAGE_BYTES, max_depth: int = MAX_DEPTH) -> Tree:
    """The tree in `data`; raises Refused unless the bytes are exactly its deterministic form."""
    if len(data) > max_bytes:
        raise Refused("too-large", f"{len(data)} bytes, at most {max_bytes} allowed")
    try:
        tree: Tree = cbor2.loads(
            data,
            tag_hook=_refuse_tag,
            semantic_decoders=_REFUSE_BUILT_IN_TAGS,
            max_depth=max_depth,
            allow_indefinite=False,
            allow_duplicate_keys=False,
        )
    except (cbor2.CBORError, ValueError, OverflowError, TypeError) as error:
        raise Refused("encoding", f"not CBOR as we write it: {error}", Severity.FORGED) from error
    why = _outside_whitelist(tree, max_depth)
    if why:
        raise Refused("encoding", why, Severity.FORGED)
    if cbor2.dumps(tree) != data:
        raise Refused("encoding", "not in deterministic form", Severity.FORGED)
    return tree


def decode_map(data: bytes, *, max_bytes: int = MAX_MESSAGE_BYTES) -> TreeMap:
    """As `decode`, for bytes that must hold a map."""
    tree = decode(data, max_bytes=max_bytes)
    if type(tree) is not dict:
        raise Refused("encoding", "the outermost value must be a map")
    return tree


def _refuse_tag(*_: Any) -> NoReturn:
    raise ValueError("a tag is not allowed here")


# Every tag that cbor2 gives a meaning. Left alone, shared references (28, 29) would let a few bytes
# describe a tree with billions of leaves, and 35 compiles a peer's regular expression.
_REFUSE_BUILT_IN_TAGS: dict[int, Any] = dict.fromkeys(
    (0, 1, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 100, 256, 258, 260, 261, 1004, 43000, 55799), _refuse_tag
)


def _outside_whitelist(value: Any, depth: int) -> str:
    """Why `value` is no Tree, or an empty string. Types are compared exactly: a boolean is no integer."""
    kind = type(value)
    if kind is int:
        return "" if _MIN_INT <= value <= _MAX_INT else "integer beyond 63 bits"
    if kind is bytes or kind is bool or kind is str:
        return ""  # text that is not UTF-8 fails in cbor2, in both directions
    if depth <= 0:
        return "nested too deeply"
    if kind is list:
        for item in value:
            why = _outside_whitelist(item, depth - 1)
            if why:
                return why
        return ""
    if kind is dict:
        before = -1
        for key, item in value.items():
            if type(key) is not int or not 0 <= key <= 23:
                return "a map key must be an integer from 0 to 23"
            if key <= before:
                return "map keys out of order"
            before = key
            why = _outside_whitelist(item, depth - 1)
            if why:
                return why
        return ""
    return f"a {kind.__name__} is not allowed"


def _ordered(value: Any) -> Any:
    """`value` with the keys of every map ascending; what can't be ordered is left to the whitelist."""
    if type(value) is dict:
        keys = list(value)
        if all(type(key) is int for key in keys):
            keys.sort()
        return {key: _ordered(value[key]) for key in keys}
    if type(value) is list:
        return [_ordered(item) for item in value]
    return value
