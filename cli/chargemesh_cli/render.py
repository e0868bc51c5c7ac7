"""What people see: facts on labelled lines, paragraphs, and the values that the API sends in words.

The API's money is {"micro", "currency", "text"}, its instants are {"ms", "text"}: both show their text.
"""

from __future__ import annotations

import shutil
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from chargemesh_protocol.units import format_energy, format_power

from .hints import breakable, unbroken, with_home

SHORT_ID = 8
_INDENT = "  "
_UNITS = {"_wh": format_energy, "_w": format_power}


def words(value: Any, name: str = "") -> str:
    """One value in words: yes and no, the text of money and instants, units by the field's name."""
    if value is None or value == "":
        return "–"
    if value is True or value is False:
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        if "text" in value:
            return clean(str(value["text"]))
        return ", ".join(f"{label(key)} {words(item, key)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(words(item, name) for item in value) or "–"
    if isinstance(value, int):
        for ending, write in _UNITS.items():
            if name.endswith(ending):
                return write(value)
    return clean(str(value))


def facts(value: Mapping[str, Any], *, leave_out: Sequence[str] = ()) -> str:
    """A line for each field: its label, and its value in words; fields of fields are set in."""
    shown = {name: item for name, item in value.items() if name not in leave_out}
    width = max((len(label(name)) for name in shown), default=0) + 2
    lines: list[str] = []
    for name, item in shown.items():
        if isinstance(item, Mapping) and "text" not in item and item:
            lines += [f"{label(name)}:", textwrap.indent(facts(item), _INDENT)]
        elif isinstance(item, list) and item and isinstance(item[0], Mapping):
            lines += [f"{label(name)}:", *(f"{_INDENT}{words(one)}" for one in item)]
        elif isinstance(item, list) and len(item) > 1:
            lines += [f"{label(name)}:", *(f"{_INDENT}{words(one, name)}" for one in item)]
        else:
            lines.append(f"{label(name) + ':':<{width}}{words(item, name)}")
    return "\n".join(lines)


def label(name: str) -> str:
    """A field's name as a person reads it: `peer_id` is "peer id", units are left to the value."""
    for ending in ("_wh", "_w", "_ms"):
        name = name.removesuffix(ending)
    return name.replace("_", " ")


def display_width(text: str) -> int:
    """Columns on a terminal: East Asian wide signs take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        for sign in text
    )


def paragraph(text: str, indent: str = "", after: str | None = None) -> str:
    """Sentences wrapped to the terminal, at most 100 columns; a command in them stays on one line.

    `indent` begins the first line, and the others too unless `after` does.
    """
    width = min(shutil.get_terminal_size().columns, 100)
    told = unbroken(with_home(clean(text)))
    rest = indent if after is None else after
    filled = textwrap.fill(
        told,
        width,
        initial_indent=indent,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return breakable(filled)


def short(id_: Any) -> str:
    """The first signs of an id: enough to name it again."""
    return str(id_ or "")[:SHORT_ID]


def clean(text: str) -> str:
    """Text without control signs: a stranger's title must not move the cursor, nor turn the line around."""
    return "".join(sign if unicodedata.category(sign)[0] != "C" else " " for sign in text)
