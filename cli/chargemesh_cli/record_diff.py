"""What differs between two files of records: what only one of them has, and what says another thing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chargemesh_protocol.units import format_energy, format_power

from .evidence import Verdict
from .record_text import instant_text

_INSTANTS = ("issued", "expires", "start", "end", "started", "ended", "at", "access_due")
_HEX_SHOWN = 16
_ABSENT = "absent"
_LEAST_MS, _MOST_MS = 10**12, 10**13  # an integer of these names in this range is an instant of our days


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
    """From the first file to the second. same: how many records both hold, byte for byte."""

    same: int
    missing: tuple[Verdict, ...]
    added: tuple[Verdict, ...]
    changed: tuple[Changed, ...]

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
    return Difference(same, tuple(missing), tuple(only_theirs), tuple(changed))


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
    return sum(10 if _is_hex(old.fields[name]) else 1 for name in shared)


def _changes(old: Verdict, new: Verdict) -> Iterator[Change]:
    if old.kind != new.kind:
        yield Change("kind", old.kind, new.kind)
    if old.kid != new.kid:
        yield Change("key that signed", _words("", old.kid), _words("", new.kid))
    before, after = dict(_flat("", old.fields)), dict(_flat("", new.fields))
    for path in dict.fromkeys((*before, *after)):
        was, is_ = before.get(path, _ABSENT), after.get(path, _ABSENT)
        if was != is_:
            yield Change(path, _words(path, was), _words(path, is_))
    if old.id != new.id:
        yield Change("id", _words("", old.id), _words("", new.id))
    if old.signature != new.signature:
        yield Change("signature", _words("", old.signature), _words("", new.signature))
    if old.fault != new.fault:
        yield Change("verdict", old.fault or "valid", new.fault or "valid")


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Every value in a field by its path, as tariff.elements[0].components[0].price."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _flat(f"{path}.{name}" if path else str(name), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _flat(f"{path}[{index}]", item)
    else:
        yield path, _ABSENT if value is None else value


def _words(path: str, value: Any) -> str:
    """A value as a person reads it; long ids shortened, the start of a hash tells it from another."""
    name = path.rpartition(".")[2]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        if name in _INSTANTS and _LEAST_MS <= value < _MOST_MS:
            return instant_text(value)
        if name.endswith("_wh"):
            return format_energy(value)
        return format_power(value) if name.endswith("_w") else str(value)
    text = str(value)
    return f"{text[:_HEX_SHOWN]}…" if _is_hex(text) and len(text) > _HEX_SHOWN else text or "empty"


def _is_hex(value: Any) -> bool:
    return isinstance(value, str) and len(value) >= 32 and not value.strip("0123456789abcdef")
