"""Tables for people: as wide as the terminal, and where that is too narrow a few lines for each row.

Where nobody's terminal is known (a pipe, a file) each row is one line, however long.
"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence

from .render import clean, display_width

_GAP = "  "
_WIDEST_COLUMN = 40
_LEAST_OF_LAST = 20  # columns that the last cell is worth wrapping into
_NOTHING = ("", "–")


def terminal_columns() -> int | None:
    """How wide the terminal is, None where what we print goes elsewhere. COLUMNS goes before it."""
    if os.environ.get("COLUMNS", "").isdigit() or sys.stdout.isatty():
        return max(shutil.get_terminal_size().columns, 20)
    return None


class Table:
    """Rows under headings, each printed as it comes. A width of 0, for the last, is as much as it needs;
    `least` is how much of that must be there for a table to make sense."""

    def __init__(self, columns: Sequence[tuple[str, int]], least: int = _LEAST_OF_LAST) -> None:
        self._columns = tuple(columns)
        self._before_last = sum(width + len(_GAP) for _, width in self._columns[:-1])
        self._least = least

    def head(self) -> str:
        """The headings; empty where the rows have to name their cells themselves."""
        if self._too_narrow(terminal_columns()):
            return ""
        return self._line([name for name, _ in self._columns])

    def row(self, cells: Iterable[str]) -> str:
        cleaned = [clean(cell) for cell in cells]
        columns = terminal_columns()
        if columns is None or self._before_last + display_width(cleaned[-1]) <= columns:
            return self._line(cleaned)
        if self._too_narrow(columns):
            return self._stacked(cleaned, columns)
        last, *more = textwrap.wrap(cleaned[-1], columns - self._before_last)
        return "\n".join(
            [self._line([*cleaned[:-1], last]), *(" " * self._before_last + part for part in more)]
        )

    def whole(self, rows: Iterable[Sequence[str]]) -> str:
        """The headings and all rows."""
        return "\n".join(filter(None, (self.head(), *map(self.row, rows))))

    def _too_narrow(self, columns: int | None) -> bool:
        return columns is not None and self._before_last + self._least > columns

    def _line(self, cells: Sequence[str]) -> str:
        filled = [fit(cell, width) for cell, (_, width) in zip(cells[:-1], self._columns, strict=False)]
        return _GAP.join([*filled, cells[-1]]).rstrip()

    def _stacked(self, cells: Sequence[str], columns: int) -> str:
        """First and last cell, then the others with their headings."""
        named = [
            f"{name} {cell}"
            for (name, _), cell in zip(self._columns[1:-1], cells[1:-1], strict=True)
            if cell not in _NOTHING
        ]
        lines = textwrap.wrap(f"{cells[0]}{_GAP}{cells[-1]}", columns, subsequent_indent=" " * 4)
        return "\n".join([*lines, *_joined(named, columns, " " * 4)])


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A whole table, each column as wide as its widest cell, within reason."""
    widest = [max(display_width(row[at]) for row in (headings, *rows)) for at in range(len(headings))]
    widths = [min(width, _WIDEST_COLUMN) for width in widest[:-1]] + [0]
    lined = Table(tuple(zip(headings, widths, strict=True)), min(widest[-1], _LEAST_OF_LAST))
    return lined.whole(rows)


def pairs(rows: Sequence[tuple[str, str]]) -> str:
    """A name and what it stands for on each line, without headings."""
    width = max((display_width(name) for name, _ in rows), default=0)
    lined = Table((("", width), ("", 0)))
    return "\n".join(lined.row(row) for row in rows)


def hanging(text: str, indent: str = " " * 4) -> str:
    """A line that goes on, set in, where the terminal ends."""
    columns = terminal_columns()
    return text if columns is None else textwrap.fill(text, columns, subsequent_indent=indent)


def fit(text: str, width: int) -> str:
    """`text` in exactly `width` columns: cut with an ellipsis, or filled."""
    if display_width(text) > width:
        cut = ""
        for sign in text:
            if display_width(cut + sign) >= width:
                break
            cut += sign
        text = cut + "…"
    return text + " " * (width - display_width(text))


def _joined(parts: Sequence[str], columns: int, indent: str) -> list[str]:
    """ "a · b · c" in lines that end between two parts."""
    lines: list[str] = []
    for part in parts:
        longer = f"{lines[-1]} · {part}" if lines else ""
        if lines and display_width(longer) <= columns:
            lines[-1] = longer
        else:
            lines.append(f"{indent}{part}")
    return lines
