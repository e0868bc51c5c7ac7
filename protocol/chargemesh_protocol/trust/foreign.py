"""Entries of kinds that somebody else invented, as their author writes them (specs/06, "Kinds of others")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..encoding import encode
from ..errors import ExitCode, PersonError
from ..limits import MAX_ENTRY_BYTES
from ..me import Me
from ..record import KINDS, is_foreign
from ..shape import Kind, keys_of, to_tree
from .drafts import Draft
from .entries import LogEntry, OtherEntry

_OF_EVERY_ENTRY = frozenset(number for number, *_ in keys_of(OtherEntry))
_LONGEST_CHAIN = 6  # the lowest sequence with a skip link: no entry begins longer, but for the number


def entry_class(kind: str) -> type[LogEntry]:
    """The class of a foreign kind of log entry; PersonError for any other."""
    cls = KINDS.get(kind)
    if cls is None or not is_foreign(kind) or not issubclass(cls, LogEntry):
        raise PersonError(
            "unknown-kind",
            f"No extension here knows a log entry of kind {kind[:40]!r}.",
            "`chargemesh status` lists what is installed.",
            ExitCode.NOT_FOUND,
        )
    return cls


def own_fields(cls: type[LogEntry]) -> tuple[tuple[int, str, Kind, bool], ...]:
    """(key, name, kind, optional) of what this kind adds to every entry."""
    return tuple(one for one in keys_of(cls) if one[0] not in _OF_EVERY_ENTRY)


def fields_of(kind: str, values: Mapping[str, Any], author: bytes, month: int, region: int) -> bytes:
    """The kind's own keys, encoded. Checked as a whole by its class, with the beginning of a first entry;
    PersonError with the reason."""
    cls = entry_class(kind)
    try:
        entry = cls(author=author, sequence=1, previous=author, month=month, region=region, **values)
        tree = to_tree(entry)
    except (TypeError, ValueError) as error:
        raise PersonError(
            "bad-entry", f"This {kind} can't be: {error}.", "Correct that field.", ExitCode.USAGE
        ) from error
    return encode({number: item for number, item in tree.items() if number not in _OF_EVERY_ENTRY})


def require_fits(draft: Draft, me: Me) -> None:
    """PersonError if the entry would be longer than any node takes, wherever in the log it comes to stand."""
    longest = draft.signed(me, [bytes(32)] * (_LONGEST_CHAIN - 1))
    if len(longest.raw) + 4 > MAX_ENTRY_BYTES:  # a sequence has up to 4 bytes more
        raise PersonError(
            "too-large",
            f"A log entry has at most {MAX_ENTRY_BYTES} bytes.",
            "Say less in it.",
            ExitCode.USAGE,
        )
