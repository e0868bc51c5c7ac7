"""A second reader of our CBOR, from RFC 8949 and specs/01-encoding.md alone: what it takes, ours takes."""

from __future__ import annotations

from chargemesh_protocol.encoding import Tree


class NotOurs(Exception):
    """The bytes are not what a writer of ours would send."""


def read(data: bytes, max_depth: int) -> Tree:
    """The tree in `data`; NotOurs unless these are exactly its deterministic bytes."""
    value, at = _item(data, 0, max_depth)
    if at != len(data):
        raise NotOurs("trailing bytes")
    return value


def _item(data: bytes, at: int, depth: int) -> tuple[Tree, int]:
    if at >= len(data):
        raise NotOurs("cut short")
    major = data[at] >> 5
    if major == 7:
        if data[at] not in (0xF4, 0xF5):
            raise NotOurs("neither true nor false")
        return data[at] == 0xF5, at + 1
    argument, at = _argument(data, at)
    if major in (0, 1):
        if argument > 2**63 - 1:
            raise NotOurs("beyond 63 bits")
        return (argument, at) if major == 0 else (-1 - argument, at)
    if major in (2, 3):
        end = at + argument
        if end > len(data):
            raise NotOurs("cut short")
        return (data[at:end] if major == 2 else _text(data[at:end])), end
    if major == 6:
        raise NotOurs("a tag")
    if depth == 0:
        raise NotOurs("too deep")
    return _array(data, at, argument, depth) if major == 4 else _map(data, at, argument, depth)


def _argument(data: bytes, at: int) -> tuple[int, int]:
    low = data[at] & 0x1F
    if low < 24:
        return low, at + 1
    if low > 27:
        raise NotOurs("indefinite or reserved")
    width = 1 << (low - 24)
    end = at + 1 + width
    if end > len(data):
        raise NotOurs("cut short")
    value = int.from_bytes(data[at + 1 : end], "big")
    if value < (24, 1 << 8, 1 << 16, 1 << 32)[low - 24]:
        raise NotOurs("not minimal")
    return value, end


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise NotOurs("not UTF-8") from error


def _array(data: bytes, at: int, size: int, depth: int) -> tuple[Tree, int]:
    items: list[Tree] = []
    for _ in range(size):
        value, at = _item(data, at, depth - 1)
        items.append(value)
    return items, at


def _map(data: bytes, at: int, size: int, depth: int) -> tuple[Tree, int]:
    found: dict[int, Tree] = {}
    before = -1
    for _ in range(size):
        if at >= len(data) or data[at] > 23 or data[at] <= before:
            raise NotOurs("a key that is none, out of order or twice")
        before = data[at]
        found[before], at = _item(data, at + 1, depth - 1)
    return found, at
