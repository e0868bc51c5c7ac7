"""Values as the vector files write them: bytes in hex, integers beyond 2^53 as decimal text.

A tree (01-encoding.md) is tagged, since JSON has no byte strings and no integer keys:
{"int": 5}, {"bytes": "00ff"}, {"text": "a"}, {"bool": true}, {"array": [...]}, {"map": [[key, tree], ...]}.
"""

from __future__ import annotations

from typing import Any

from chargemesh_protocol.encoding import Tree

_EXACT_IN_A_DOUBLE = 2**53


def number(value: int) -> int | str:
    """An integer as JSON can carry it to every language: decimal text from 2^53 on, either sign."""
    return value if abs(value) < _EXACT_IN_A_DOUBLE else str(value)


def tagged(tree: Tree) -> dict[str, Any]:
    """A tree in its JSON form."""
    if type(tree) is bool:
        return {"bool": tree}
    if type(tree) is int:
        return {"int": number(tree)}
    if type(tree) is bytes:
        return {"bytes": tree.hex()}
    if type(tree) is str:
        return {"text": tree}
    if type(tree) is list:
        return {"array": [tagged(item) for item in tree]}
    if type(tree) is dict:
        return {"map": [[key, tagged(item)] for key, item in tree.items()]}
    raise TypeError(f"no tree: {tree!r}")


def untagged(form: dict[str, Any]) -> Tree:
    """The tree of a JSON form, whose maps may be in any order."""
    ((tag, value),) = form.items()
    if tag == "int":
        return int(value)
    if tag == "bytes":
        return bytes.fromhex(value)
    if tag == "array":
        return [untagged(item) for item in value]
    if tag == "map":
        return {key: untagged(item) for key, item in value}
    if tag == "text":
        return str(value)
    if tag == "bool":
        return bool(value)
    raise ValueError(f"no tag of a tree: {tag}")
