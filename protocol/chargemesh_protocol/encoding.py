"""Deterministic CBOR (RFC 8949, section 4.2.1), strict in both directions.

Values are integers from -2^63 to 2^63-1, byte strings, text strings, arrays, booleans and maps whose
keys are integers from 0 to 23, in ascending order. Decoding walks the generic tree once: each node must be
on that whitelist, and together they must be as long as the bytes that came. That is as strict as encoding
the tree again and comparing, which takes twice as long: what cbor2 reads as a tree of the whitelist, keys in
order, differs from the deterministic form only in heads wider than they need be and in bytes after the end,
and either makes it longer. (The tests hold it against comparing, and against a reader of their own.) Neither
check is enough alone: cbor2 reads null, undefined and half floats of the right length, and integers of any.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn, TypeAlias

import cbor2

from .errors import Refused, Severity
from .limits import MAX_DEPTH, MAX_MESSAGE_BYTES

Tree: TypeAlias = "int | bytes | str | bool | list[Tree] | dict[int, Tree]"
TreeMap: TypeAlias = "dict[int, Tree]"

_MAX_INT = 2**63 - 1


def encode(tree: Tree) -> bytes:
    """Deterministic bytes of `tree`, its maps in any order; ValueError if no peer would accept it."""
    ordered = _ordered(tree)
    _shortest((ordered,), MAX_DEPTH)
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
        shortest = _shortest((tree,), max_depth)
    except (cbor2.CBORError, ValueError, OverflowError, TypeError) as error:
        raise Refused("encoding", f"not CBOR as we write it: {error}", Severity.FORGED) from error
    if shortest != len(data):
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


def _shortest(items: Iterable[Any], depth: int) -> int:
    """How many bytes `items` have in deterministic form; ValueError says why one of them is no Tree.

    Types are compared exactly: a boolean is no integer. `depth`: how many containers may stand in each other.
    """
    total = 0
    for item in items:
        kind = type(item)
        if kind is int:
            number = item if item >= 0 else ~item
            if number > _MAX_INT:
                raise ValueError("integer beyond 63 bits")
        elif kind is bytes:
            number = len(item)
            total += number
        elif kind is str:
            number = len(item.encode())  # half a surrogate pair fails, as it does in cbor2
            total += number
        elif kind is bool:
            number = 0
        elif kind is dict or kind is list:
            if depth <= 0:
                raise ValueError("nested too deeply")
            number = len(item)
            if kind is dict:
                _check_keys(item)
                total += number + _shortest(item.values(), depth - 1)
            else:
                total += _shortest(item, depth - 1)
        else:
            raise ValueError(f"a {kind.__name__} is not allowed")
        # The head: the number stands in its own byte, or in the 1, 2, 4 or 8 after it.
        if number < 24:
            total += 1
        elif number < 65536:
            total += 2 if number < 256 else 3
        else:
            total += 5 if number < 2**32 else 9
    return total


def _check_keys(tree: dict[Any, Any]) -> None:
    """ValueError unless the keys are ascending integers that take one byte each."""
    before = -1
    for key in tree:
        if type(key) is not int or not 0 <= key <= 23:
            raise ValueError("a map key must be an integer from 0 to 23")
        if key <= before:
            raise ValueError("map keys out of order")
        before = key


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
