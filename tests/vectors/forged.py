"""Records made by hand from a tree or bare bytes, which can say what our own code never would."""

from __future__ import annotations

from typing import Any

import cbor2

from chargemesh_protocol.encoding import TreeMap
from chargemesh_protocol.identity import public_key
from chargemesh_protocol.record import kind_of
from chargemesh_protocol.shape import to_tree

from ..protocol import forge
from .cast import ALICE, NETWORK
from .frame import Json

ABSENT = object()
Path = tuple[int, ...]


def edited(body: Any, path: Path, value: Any) -> TreeMap:
    """The tree of `body` with the node at `path` replaced, or left out where `value` is ABSENT."""
    tree: Any = to_tree(body)
    node = tree
    for step in path[:-1]:
        node = node[step]
    if value is ABSENT:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return dict(tree)


def signed(payload: Any, kind: str, *, seed: bytes = ALICE.device, **parts: Any) -> bytes:
    """A COSE_Sign1 over a tree (in order) or bytes as they are; `parts` are those of `forge.record`."""
    data = payload if isinstance(payload, bytes) else cbor2.dumps(payload, canonical=True)
    parts.setdefault("protected", forge.header(kind, public_key(seed)))
    parts.setdefault("network", NETWORK)
    return forge.record(data, seed=seed, **parts)


def of(body: Any, **parts: Any) -> bytes:
    """The record of a payload as it stands."""
    return signed(to_tree(body), kind_of(type(body)), **parts)


def asked(raw: bytes, network: str = NETWORK) -> Json:
    """The input of an operation on one record."""
    return {"network": network, "record": raw.hex()}
