"""What differs between two files of records: what only one of them has, and what says another thing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .evidence import Verdict
from .record_fields import is_hex, told_apart


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs: a field by its path, or "signature" or "verdict"; values in words."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Changed:
    """Two records that say the same sort of thing, one in each file."""

    old: Verdict
    new: Verdict
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """From the first file to the second. same: how many records both hold, byte for byte.

    repeated: how many records of each file stand in it more than once, which makes no difference."""

    same: int
    missing: tuple[Verdict, ...]
    added: tuple[Verdict, ...]
    changed: tuple[Changed, ...]
    repeated: tuple[int, int] = (0, 0)

    @property
    def none(self) -> bool:
        return not (self.missing or self.added or self.changed)


def difference(first: Sequence[Verdict], second: Sequence[Verdict]) -> Difference:
    """A record is the same if its bytes and its verdict are; which of the others belong together is a guess
    by kind, author and how many fields are equal."""
    ours, theirs = {_key(one): one for one in first}, {_key(one): one for one in second}
    only_ours = [one for key, one in ours.items() if key not in theirs]
    only_theirs = [one for key, one in theirs.items() if key not in ours]
    alone = len(ours) == len(theirs) == 1
    changed: list[Changed] = []
    missing: list[Verdict] = []
    for old in only_ours:
        new = _counterpart(old, only_theirs, alone)
        if new is None:
            missing.append(old)
            continue
        only_theirs.remove(new)
        changed.append(Changed(old, new, tuple(_changes(old, new))))
    same = len(ours) - len(changed) - len(missing)
    twice = repeated(first), repeated(second)
    return Difference(same, tuple(missing), tuple(only_theirs), tuple(changed), twice)


def repeated(found: Sequence[Verdict]) -> int:
    """How many records of a file stand in it more than once."""
    return sum(number > 1 for number in Counter(map(_key, found)).values())


def _key(one: Verdict) -> tuple[str, str]:
    return one.sha256, one.fault


def _counterpart(old: Verdict, candidates: Sequence[Verdict], alone: bool) -> Verdict | None:
    """The record of the other file that says the same sort of thing; None if nothing speaks for one."""
    alike = [one for one in candidates if one.kind == old.kind]
    same_id = [one for one in alike if one.id == old.id and old.id]
    if same_id:
        return same_id[0]
    if alone and candidates:
        return candidates[0]
    scored = [(_equal_fields(old, one), one) for one in alike if one.author == old.author]
    best = max(scored, key=lambda pair: pair[0], default=(0, None))
    return best[1] if best[0] > 0 else None


def _equal_fields(old: Verdict, new: Verdict) -> int:
    """Fields beside the author with equal values, those that name something (ids) above all."""
    shared = [name for name in old.fields if name != "author" and old.fields[name] == new.fields.get(name)]
    return sum(10 if is_hex(old.fields[name]) else 1 for name in shared)


def _changes(old: Verdict, new: Verdict) -> Iterator[Change]:
    before, after = dict(_flat("", old.fields)), dict(_flat("", new.fields))
    values: list[tuple[str, Any, Any]] = [
        ("kind", old.kind, new.kind),
        ("key that signed", old.kid, new.kid),
        *((path, before.get(path), after.get(path)) for path in dict.fromkeys((*before, *after))),
        ("id", old.id, new.id),
        ("signature", old.signature, new.signature),
        ("verdict", old.fault or "valid", new.fault or "valid"),
    ]
    told = [Change(path, *told_apart(_name_of(path), was, is_)) for path, was, is_ in values if was != is_]
    yield from told or [Change("bytes, by their SHA-256", *told_apart("", old.sha256, new.sha256))]


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Every value in a field by its path, as tariff.elements[0].components[0].price."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _flat(f"{path}.{name}" if path else str(name), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _flat(f"{path}[{index}]", item)
    else:
        yield path, value


def _name_of(path: str) -> str:
    """`issued` of `quote.issued`, `includes` of `includes[0]`: what the value is called, which has a unit."""
    return path.rpartition(".")[2].partition("[")[0]
