"""Entries to come: what they will say, and how long they wait before they are numbered and signed.

The delay belongs to the network: 2 to 14 days, and seconds on networks made by tests and by the demo.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from ..encoding import decode_map, encode
from ..errors import PersonError
from ..limits import MAX_ENTRY_BYTES, MAX_REVIEW_CONTENT_BYTES
from ..me import Me
from ..record import Record
from ..shape import ID, Bool, Bytes, Text, Uint, key, shape
from .entries import Completion, Entry, OtherEntry, Review, Vouch, content_hash, skip_target
from .month import MAX_MONTH

DAY_MS = 24 * 3600 * 1000
_NO_FIELDS = encode({})
QUICK_NETWORKS = ("chargemesh-test-", "chargemesh-demo-")


@dataclass(frozen=True, slots=True)
class BatchDelay:
    """How long an entry waits, in ms: at random between both."""

    shortest: int
    longest: int


SLOW = BatchDelay(2 * DAY_MS, 14 * DAY_MS)
QUICK = BatchDelay(500, 1500)


def delay_of(network: str) -> BatchDelay:
    """The delay that belongs to a network id."""
    return QUICK if network.startswith(QUICK_NETWORKS) else SLOW


def require_delay(network: str, delay: BatchDelay) -> BatchDelay:
    """`delay` if that network allows it; PersonError where it would give away when things happened."""
    if not 0 <= delay.shortest <= delay.longest:
        raise ValueError("a delay goes from its shortest to its longest time")
    if delay.shortest < delay_of(network).shortest and not network.startswith(QUICK_NETWORKS):
        raise PersonError(
            "delay-too-short",
            "On this network entries of the trust log wait at least 2 days.",
            "Only networks made by tests and by the demo may use seconds.",
        )
    return delay


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An entry to come. With `kind` it is one of somebody else's kind, with `statement` a completion, with
    `content` a review, else a vouch. It may be cut from `earliest` on, and brings about a batch at `due`
    (unix ms). `fields`: the keys that follow those of every entry, encoded; kept so, the entry can be signed
    also when the package that knows its kind is gone."""

    earliest: int = key(0, Uint(), default=0)
    due: int = key(1, Uint(), default=0)
    month: int = key(2, Uint(MAX_MONTH))
    region: int = key(3, Uint())
    subject: bytes = key(4, ID)
    booking: bytes | None = key(5, ID, optional=True)
    statement: bytes | None = key(6, Bytes(1, 512), optional=True)
    content: bytes | None = key(7, Bytes(1, MAX_REVIEW_CONTENT_BYTES), optional=True)
    stands: bool = key(8, Bool(), default=True)
    kind: str | None = key(16, Text(40, 1), optional=True)
    fields: bytes | None = key(17, Bytes(1, MAX_ENTRY_BYTES), optional=True)

    def signed(self, me: Me, ids: list[bytes]) -> Record[Entry]:
        """The entry that follows those with `ids` in our log."""
        entry = self.entry(me.author, ids)
        if self.kind is None:
            return me.sign(entry)
        return me.sign_foreign(self.kind, entry, decode_map(self.fields or _NO_FIELDS))

    def entry(self, author: bytes, ids: list[bytes]) -> Entry:
        """The entry that follows those with `ids` in the log."""
        sequence = len(ids) + 1
        target = skip_target(sequence)
        place: dict[str, Any] = {
            "author": author,
            "sequence": sequence,
            "previous": ids[-1] if ids else author,
            "skip": None if target is None else ids[target - 1],
            "month": self.month,
            "region": self.region,
        }
        if self.kind is not None:
            return OtherEntry(**place)
        if self.statement is not None:
            return Completion(**place, statement=self.statement)
        if self.content is not None and self.booking is not None:
            content = content_hash(self.content)
            return Review(**place, subject=self.subject, booking=self.booking, content=content)
        return Vouch(**place, subject=self.subject, stands=self.stands)


def name_of(kind: str, about: bytes) -> bytes:
    """The name of a draft: of a booking each thing is said once, a later vouch replaces an earlier draft."""
    return sha256(kind.encode() + about).digest()
