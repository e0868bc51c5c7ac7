"""Frozen dataclasses as CBOR maps with integer keys, declared field by field.

    @shape
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Connector:
        type: str = key(0, Text(40))
        max_power_w: int = key(3, Uint())
        cable: bool | None = key(16, Bool(), optional=True)

`to_tree(value)` gives the map, `from_tree(cls, tree)` the value back, or Refused: an unknown critical
key (0..15) refuses the map, an unknown optional key (16..23) is left alone. The bytes that were
signed stay the record; a value is a reading of them and is never encoded again to stand for them.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Callable
from enum import Enum
from functools import lru_cache, partial
from typing import Any, Protocol, TypeAlias, TypeVar, cast

from .encoding import Tree, TreeMap
from .errors import Refused

FIRST_OPTIONAL_KEY = 16
_MAX_UINT = 2**63 - 1
T = TypeVar("T")


class Kind(Protocol):
    """How one field stands in a tree. `read` raises Refused, `write` ValueError, both with the reason."""

    def read(self, tree: Tree) -> Any: ...

    def write(self, value: Any) -> Tree: ...


@dataclasses.dataclass(frozen=True, slots=True)
class Int:
    """A signed integer within bounds."""

    low: int = -(2**63)
    high: int = _MAX_UINT

    def read(self, tree: Tree) -> int:
        if type(tree) is not int or not self.low <= tree <= self.high:
            raise Refused("schema", f"expected an integer from {self.low} to {self.high}")
        return tree

    write = read


def Uint(high: int = _MAX_UINT) -> Int:
    """An unsigned integer up to `high`."""
    return Int(0, high)


@dataclasses.dataclass(frozen=True, slots=True)
class Bool:
    """true or false, never an integer."""

    def read(self, tree: Tree) -> bool:
        if type(tree) is not bool:
            raise Refused("schema", "expected true or false")
        return tree

    write = read


@dataclasses.dataclass(frozen=True, slots=True)
class Bytes:
    """A byte string of `low` to `high` bytes; `Bytes(32)` is exactly 32."""

    low: int
    high: int = -1

    def read(self, tree: Tree) -> bytes:
        high = self.low if self.high < 0 else self.high
        if type(tree) is not bytes or not self.low <= len(tree) <= high:
            raise Refused("schema", f"expected {self.low} to {high} bytes")
        return tree

    write = read


ID = Bytes(32)


@dataclasses.dataclass(frozen=True, slots=True)
class Text:
    """Text of at most `high` code points. Written in Unicode's NFC, read as it stands: Unicode versions
    differ between readers, and a network whose readers refused over that would split."""

    high: int
    low: int = 0

    def read(self, tree: Tree) -> str:
        if type(tree) is not str or not self.low <= len(tree) <= self.high:
            raise Refused("schema", f"expected text of {self.low} to {self.high} characters")
        return tree

    def write(self, value: Any) -> Tree:
        return self.read(unicodedata.normalize("NFC", value) if isinstance(value, str) else value)


@dataclasses.dataclass(frozen=True, slots=True)
class Name:
    """One name out of an Enum whose values are text, as OCPI writes it."""

    enum: type[Enum]

    def read(self, tree: Tree) -> Enum:
        if type(tree) is not str:
            raise Refused("schema", f"expected a name of {self.enum.__name__}")
        try:
            return self.enum(tree)
        except ValueError:
            raise Refused("schema", f"no {self.enum.__name__}: {tree[:40]!r}") from None

    def write(self, value: Any) -> Tree:
        return cast(str, self.enum(value).value)


@dataclasses.dataclass(frozen=True, slots=True)
class Seq:
    """An array of at most `high` items; a tuple in Python."""

    item: Kind
    high: int
    low: int = 0

    def read(self, tree: Tree) -> tuple[Any, ...]:
        if type(tree) is not list or not self.low <= len(tree) <= self.high:
            raise Refused("schema", f"expected {self.low} to {self.high} items")
        read = self.item.read
        return tuple([read(item) for item in tree])

    def write(self, value: Any) -> Tree:
        if not self.low <= len(value) <= self.high:
            raise ValueError(f"expected {self.low} to {self.high} items")
        return [self.item.write(item) for item in value]


@dataclasses.dataclass(frozen=True, slots=True)
class Struct:
    """A nested shape."""

    cls: type[Any]

    def read(self, tree: Tree) -> Any:
        return from_tree(self.cls, tree)

    def write(self, value: Any) -> Tree:
        if type(value) is not self.cls:
            raise ValueError(f"expected {self.cls.__name__}")
        return to_tree(value)


def key(number: int, kind: Kind, *, optional: bool = False, default: Any = dataclasses.MISSING) -> Any:
    """A dataclass field that stands under `number`; `optional` means absent when None.

    A `default` is for our own constructors only: it is always written out.
    """
    metadata = {"key": number, "kind": kind, "optional": optional}
    if optional:
        return dataclasses.field(default=None, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True, slots=True)
class _Field:
    key: int
    name: str
    optional: bool
    read: Callable[[Any], Any]
    write: Callable[[Any], Tree]


_FIELDS: dict[type[Any], tuple[_Field, ...]] = {}
_KNOWN_KEYS: dict[type[Any], frozenset[int]] = {}


def shape(cls: type[T]) -> type[T]:
    """Registers a frozen dataclass whose every field is declared with `key`."""
    found: list[_Field] = []
    for field in dataclasses.fields(cast(Any, cls)):
        meta = field.metadata
        kind = meta["kind"]
        found.append(_Field(meta["key"], field.name, meta["optional"], kind.read, kind.write))
    found.sort(key=lambda one: one.key)
    keys = [one.key for one in found]
    if len(set(keys)) != len(keys) or any(not 0 <= number <= 23 for number in keys):
        raise TypeError(f"{cls.__name__}: keys must be distinct integers from 0 to 23")
    _FIELDS[cls] = tuple(found)
    _KNOWN_KEYS[cls] = frozenset(keys)
    return cls


def to_tree(value: Any) -> TreeMap:
    """The map of a shaped value; ValueError names the field that breaks its declaration."""
    tree: TreeMap = {}
    for field in _FIELDS[type(value)]:
        item = getattr(value, field.name)
        if item is None and field.optional:
            continue
        try:
            tree[field.key] = field.write(item)
        except (Refused, ValueError) as error:
            raise ValueError(f"{type(value).__name__}.{field.name}: {error}") from error
    return tree


def from_tree(cls: type[T], tree: Tree) -> T:
    """Reads a map as `cls`; Refused names the field. ValueErrors of its own validation become Refused too."""
    if type(tree) is not dict:
        raise Refused("schema", f"{cls.__name__}: expected a map")
    layout = _layout(cast(Any, cls), tuple(tree))
    value = object.__new__(cls)
    number = 0
    try:
        for number, read, put in layout.present:
            put(value, read(tree[number]))
    except Refused as error:
        name = next(field.name for field in _FIELDS[cls] if field.key == number)
        raise Refused(error.code, f"{cls.__name__}.{name}: {error.message}") from None
    if layout.missing:
        raise Refused("schema", f"{cls.__name__}.{layout.missing} is missing")
    if layout.unknown:
        raise Refused("unknown-critical-key", f"{cls.__name__}: key {layout.unknown[0]}")
    for put in layout.absent:
        put(value, None)
    if layout.validate is not None:
        try:
            layout.validate(value)
        except ValueError as error:
            raise Refused("schema", f"{cls.__name__}: {error}") from error
    return value


_Put: TypeAlias = Callable[[Any, Any], None]  # (value, item): sets one field of a value being made


@dataclasses.dataclass(frozen=True, slots=True)
class _Layout:
    """How the maps with one set of keys become values of one class.

    present: (key, how it is read, where it is put) of the fields to read, up to the first that is missing.
    absent: where a None is put. missing: the name of a field that is, or "". unknown: critical keys that are.
    """

    present: tuple[tuple[int, Callable[[Any], Any], _Put], ...]
    absent: tuple[_Put, ...]
    missing: str
    unknown: tuple[int, ...]
    validate: Callable[[Any], None] | None


# Which keys stand in a map is judged once for all maps that have the same: kinds have few sets of keys.
# Whoever sends ever new ones costs the time of working it out anew, and drives out no more than this table.
@lru_cache(maxsize=4096)
def _layout(cls: type[Any], keys: tuple[int, ...]) -> _Layout:
    present: list[tuple[int, Callable[[Any], Any], _Put]] = []
    absent: list[_Put] = []
    missing = ""
    for field in _FIELDS[cls]:
        # A constructor of twelve arguments takes as long as reading them, so the fields are put in place.
        slot: Any = getattr(cls, field.name, None)
        put: _Put = slot.__set__ if hasattr(slot, "__set__") else partial(_put, field.name)
        if field.key in keys:
            present.append((field.key, field.read, put))
        elif field.optional:
            absent.append(put)
        else:
            missing = field.name
            break
    known = _KNOWN_KEYS[cls]
    unknown = tuple(number for number in keys if number < FIRST_OPTIONAL_KEY and number not in known)
    validate = getattr(cls, "__post_init__", None)
    return _Layout(tuple(present), tuple(absent), missing, unknown, validate)


def _put(name: str, value: Any, item: Any) -> None:
    object.__setattr__(value, name, item)


def read_beginning(cls: type[T], tree: TreeMap) -> T:
    """Reads those fields of a map that `cls` knows, whatever else stands in it; otherwise as `from_tree`."""
    return from_tree(cls, {number: item for number, item in tree.items() if number in _KNOWN_KEYS[cls]})


def keys_of(cls: type[Any]) -> tuple[tuple[int, str, Kind, bool], ...]:
    """(key, name, kind, optional) of each field in key order: what specs and CDDL are checked against."""
    kinds = {f.name: f.metadata["kind"] for f in dataclasses.fields(cls)}
    return tuple((one.key, one.name, kinds[one.name], one.optional) for one in _FIELDS[cls])
