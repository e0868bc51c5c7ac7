"""Messages of `/chargemesh/identity/1`: who is asked for the bundles of authors, and what they answer.

A bundle proves itself, so it doesn't matter whom one asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from .encoding import decode_map, encode
from .errors import Refused
from .identity import Directory
from .limits import MAX_ASKED_BUNDLES, MAX_BUNDLE_BYTES
from .shape import ID, Bytes, Int, Seq, from_tree, key, shape, to_tree

PROTOCOL = "/chargemesh/identity/1"
_MAX_BYTES = MAX_ASKED_BUNDLES * (MAX_BUNDLE_BYTES + 8) + 64


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Get:
    """Which bundles do you know of these authors?"""

    operation: int = key(0, Int(1, 1), default=1)
    authors: tuple[bytes, ...] = key(1, Seq(ID, MAX_ASKED_BUNDLES, 1))


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Those that are known here, in any order."""

    operation: int = key(0, Int(2, 2), default=2)
    bundles: tuple[bytes, ...] = key(1, Seq(Bytes(1, MAX_BUNDLE_BYTES), MAX_ASKED_BUNDLES))


M = TypeVar("M", Get, Given)
_BY_OPERATION: dict[int, type[Get] | type[Given]] = {1: Get, 2: Given}


def write(message: Get | Given) -> bytes:
    """The message's bytes."""
    return encode(to_tree(message))


def read(body: bytes) -> Get | Given:
    """The message in `body`; Refused if it is none of ours."""
    tree = decode_map(body, max_bytes=_MAX_BYTES)
    operation = tree.get(0)
    cls = _BY_OPERATION.get(operation) if type(operation) is int else None
    if cls is None:
        raise Refused("unknown-operation", "no such operation on this stream")
    return from_tree(cls, tree)


def read_as(cls: type[M], body: bytes) -> M:
    """The message of the expected kind in `body`; Refused otherwise."""
    message = read(body)
    if not isinstance(message, cls):
        raise Refused("unexpected", "the peer said something else")
    return message


def answer(directory: Directory, question: Get) -> Given:
    """What we know of whom was asked for."""
    known = [directory.get(author) for author in dict.fromkeys(question.authors)]
    return Given(bundles=tuple(bundle.to_bytes() for bundle in known if bundle is not None))


def take(directory: Directory, asked: Iterable[bytes], given: Given) -> list[bytes]:
    """Learns what was asked for; the authors that are known now. A bundle nobody asked for is Refused."""
    wanted, learned = set(asked), []
    for data in given.bundles:
        author = directory.learn(data).author
        if author not in wanted:
            raise Refused("bundle", "nobody asked for this author")
        learned.append(author)
    return learned
