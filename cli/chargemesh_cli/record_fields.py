"""The fields of a record in words: a line for each, and what tells two values apart.

The texts in a record are a stranger's: nothing here lets one through that moves the cursor, ends a line or
turns it around.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chargemesh_protocol.trust.month import MAX_MONTH, text_of
from chargemesh_protocol.units import format_energy, format_power

from .record_text import instant_text
from .render import clean

_INSTANTS = ("issued", "expires", "start", "end", "started", "ended", "at", "access_due", "sent", "until")
_LEAST_MS = 10**12  # below, an integer of these names is a minute of the day or some such: our days are above
_HEX_SHOWN = 16


def field_lines(fields: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """A line for each field, those of fields set in. What is absent has none."""
    for name, value in fields.items():
        yield from _lines(clean(name), name, value, indent)


def _lines(label: str, name: str, value: Any, indent: str) -> Iterator[str]:
    if value is None:
        return
    if isinstance(value, Mapping):
        yield f"{indent}{label}:"
        yield from field_lines(value, indent + "  ")
    elif isinstance(value, list) and any(isinstance(one, Mapping | list) for one in value):
        for index, item in enumerate(value):
            yield from _lines(f"{label}[{index}]", name, item, indent)
    elif isinstance(value, list):
        yield f"{indent}{label}: {', '.join(field_words(name, one) for one in value) or 'none'}"
    else:
        yield f"{indent}{label}: {field_words(name, value)}"


def field_words(name: str, value: Any) -> str:
    """One value, whole, by the field's name: yes and no, instants in UTC, months, energy and power."""
    if value is None:
        return "absent"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        if name in _INSTANTS and value >= _LEAST_MS:
            return instant_text(value)
        if name == "month" and 0 <= value <= MAX_MONTH:
            return text_of(value)
        if name.endswith("_wh"):
            return format_energy(value)
        return format_power(value) if name.endswith("_w") else str(value)
    return clean(str(value)) or "empty"


def told_apart(name: str, old: Any, new: Any) -> tuple[str, str]:
    """Two values that are not equal, in words that are not equal either: long ids by their beginnings where
    those differ, else from the byte on that does."""
    first, second = _brief(name, old), _brief(name, new)
    if first != second:
        return first, second
    if is_hex(old) and is_hex(new):
        same = next(
            (at for at, (one, other) in enumerate(zip(old, new, strict=False)) if one != other),
            min(len(old), len(new)),
        )
        return _from_byte(old, same // 2), _from_byte(new, same // 2)
    return f"{first} ({old!r})", f"{second} ({new!r})"


def is_hex(value: Any) -> bool:
    """Whether this is how bytes of an id's length or more are written down."""
    return isinstance(value, str) and len(value) >= 32 and not value.strip("0123456789abcdef")


def _brief(name: str, value: Any) -> str:
    if is_hex(value) and len(value) > _HEX_SHOWN:
        return f"{value[:_HEX_SHOWN]}…"
    return field_words(name, value)


def _from_byte(text: str, at: int) -> str:
    rest = text[2 * at :]
    shown = f"{rest[:_HEX_SHOWN]}{'…' if len(rest) > _HEX_SHOWN else ''}"
    return f"{text[:_HEX_SHOWN]}…, from byte {at + 1} on {shown or 'nothing'}"
