"""New log entries as gossip carries them: a few entries with the bundles of everybody who signed in them.

So complete, a node can judge and forward a message without asking anybody for an author it never met.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..encoding import decode_map, encode
from ..errors import Refused
from ..identity import Directory
from ..limits import MAX_BUNDLE_BYTES, MAX_NEWS_BYTES, MAX_NEWS_ITEMS
from ..record import kind_of, parts
from ..shape import Bytes, Seq, Struct, from_tree, key, shape, to_tree
from .entries import Completion
from .sync import Item

_AUTHOR, _STATEMENT = 0, 7  # keys in a payload: whoever signed, and what a completion embeds
_TYP = 16  # of the protected header


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Bundles first: they are learned before the entries are judged."""

    bundles: tuple[bytes, ...] = key(0, Seq(Bytes(1, MAX_BUNDLE_BYTES), 2 * MAX_NEWS_ITEMS))
    items: tuple[Item, ...] = key(1, Seq(Struct(Item), MAX_NEWS_ITEMS, 1))

    def to_bytes(self) -> bytes:
        return encode(to_tree(self))


def open_news(data: bytes) -> News:
    """Reads a gossip message; Refused where it is none."""
    return from_tree(News, decode_map(data, max_bytes=MAX_NEWS_BYTES))


def signers(item: Item) -> tuple[bytes, ...]:
    """The authors whose bundles it takes to judge an entry, unverified; Refused if it is no entry at all."""
    protected, payload, _ = parts(item.raw)
    tree = decode_map(payload)
    found = [tree.get(_AUTHOR)]
    statement = tree.get(_STATEMENT)
    if decode_map(protected).get(_TYP) == kind_of(Completion) and type(statement) is bytes:
        found.append(decode_map(parts(statement)[1]).get(_AUTHOR))
    if not all(type(author) is bytes and len(author) == 32 for author in found):
        raise Refused("schema", "an entry names its author")
    return tuple(author for author in found if type(author) is bytes)


def compose(items: Iterable[Item], directory: Directory) -> Iterator[News]:
    """The entries in as few messages as their bounds allow, in order."""
    batch: list[Item] = []
    bundles: dict[bytes, bytes] = {}
    size = 0
    for item in items:
        fresh = {author: data for author, data in _bundles(item, directory) if author not in bundles}
        cost = _size_of(item) + sum(len(data) + 4 for data in fresh.values())
        if batch and (size + cost > MAX_NEWS_BYTES - 64 or len(batch) == MAX_NEWS_ITEMS):
            yield News(bundles=tuple(bundles.values()), items=tuple(batch))
            batch, bundles, size = [], {}, 0
            fresh = dict(_bundles(item, directory))
            cost = _size_of(item) + sum(len(data) + 4 for data in fresh.values())
        batch.append(item)
        bundles.update(fresh)
        size += cost
    if batch:
        yield News(bundles=tuple(bundles.values()), items=tuple(batch))


def _bundles(item: Item, directory: Directory) -> Iterator[tuple[bytes, bytes]]:
    for author in signers(item):
        bundle = directory.get(author)
        if bundle is not None:
            yield author, bundle.to_bytes()


def _size_of(item: Item) -> int:
    return len(item.raw) + len(item.content or b"") + 16
