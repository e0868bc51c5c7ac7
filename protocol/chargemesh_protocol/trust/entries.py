"""The records of trust: completion statements, review commitments, and the entries of a log.

A log belongs to one signing key: entries are numbered from 1, each names the one before and, where that saves
steps, one further back (`skip_target`). They carry a month (UTC) and a region (H3, resolution 4) and no exact
time, place, amount or name. What must be erasable, a review's stars and text, hangs beside the entry by a
salted hash. specs/06, "Entries".
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias

from ..encoding import decode_map, encode
from ..errors import Refused
from ..limits import MAX_NOTE_CHARS, MAX_REVIEW_CONTENT_BYTES
from ..place import ROOT_RESOLUTION, require_public_cell, resolution_of
from ..record import kind
from ..shape import ID, Bool, Bytes, Int, Struct, Text, Uint, from_tree, key, shape, to_tree
from .month import MAX_MONTH

MAX_SEQUENCE = 2**31 - 1
_MAX_STATEMENT_BYTES = 512  # ours have 274


@kind("completion-statement")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionStatement:
    """`author` says that a booking with `counterparty` was completed. Each side signs one at the receipt and
    sends it to the other, whose log then embeds it. `booking` is `booking_hash`, the same on both sides."""

    author: bytes = key(0, ID)
    counterparty: bytes = key(2, ID)
    booking: bytes = key(3, ID)
    month: int = key(4, Uint(MAX_MONTH))
    region: int = key(5, Uint())

    def __post_init__(self) -> None:
        if self.author == self.counterparty:
            raise ValueError("nobody completes a booking with themselves")
        _require_region(self.region)


@kind("review-commitment")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewCommitment:
    """`author` has written their review of `booking` (the plain id: only the two parties see this record)
    and can't change it any more: `commitment` is `commitment_of` its content."""

    author: bytes = key(0, ID)
    issued: int = key(1, Uint())
    booking: bytes = key(2, ID)
    commitment: bytes = key(3, ID)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """What every entry carries. `previous` is the id of the entry before (of entry 1: the author, who is a
    record id too); `skip` the id of entry `skip_target(sequence)`, absent where that is None."""

    author: bytes = key(0, ID)
    sequence: int = key(2, Int(1, MAX_SEQUENCE))
    previous: bytes = key(3, ID)
    skip: bytes | None = key(4, ID, optional=True)
    month: int = key(5, Uint(MAX_MONTH))
    region: int = key(6, Uint())

    def __post_init__(self) -> None:
        if (self.skip is None) != (skip_target(self.sequence) is None):
            raise ValueError(f"entry {self.sequence} must have a skip link exactly where the rule gives one")
        if self.sequence == 1 and self.previous != self.author:
            raise ValueError("the first entry names its author as the one before")
        _require_region(self.region)


@kind("completion")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Completion(LogEntry):
    """One half of a completed pair: `statement` is the other side's whole signed completion statement, so
    this half alone proves the pair. Month and region are the statement's."""

    statement: bytes = key(7, Bytes(1, _MAX_STATEMENT_BYTES))


@kind("review")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Review(LogEntry):
    """`author` reviewed `subject` after the completed `booking` (its salted hash); `content` is the SHA-256
    of the content that hangs beside the entry."""

    subject: bytes = key(7, ID)
    booking: bytes = key(8, ID)
    content: bytes = key(9, ID)

    def __post_init__(self) -> None:
        LogEntry.__post_init__(self)
        _require_another(self.author, self.subject)


@kind("vouch")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Vouch(LogEntry):
    """`author` stands up for `subject`, or with `stands` false takes it back; of several the last counts."""

    subject: bytes = key(7, ID)
    stands: bool = key(8, Bool())

    def __post_init__(self) -> None:
        LogEntry.__post_init__(self)
        _require_another(self.author, self.subject)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class OtherEntry(LogEntry):
    """An entry of a kind that is not known here. It holds its place in the log and is passed on as it came,
    so that a kind which somebody invents spreads through nodes that never heard of it; it says nothing."""


Entry: TypeAlias = "Completion | Review | Vouch | LogEntry"


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Stars:
    """1 to 5 on each aspect; only `overall` must be there and only it is reckoned with."""

    overall: int = key(0, Int(1, 5))
    as_described: int | None = key(16, Int(1, 5), optional=True)
    reliable: int | None = key(17, Int(1, 5), optional=True)
    easy_to_reach: int | None = key(18, Int(1, 5), optional=True)
    kept_clean: int | None = key(19, Int(1, 5), optional=True)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewContent:
    """The erasable part of a review. The salt (at least 16 random bytes) keeps the hash from being guesed."""

    stars: Stars = key(0, Struct(Stars))
    text: str = key(1, Text(MAX_NOTE_CHARS))
    salt: bytes = key(2, Bytes(16, 32))


def skip_target(sequence: int) -> int | None:
    """Where the skip link of entry `sequence` leads: its lowest set bit cleared. None where that is the entry
    before, which `previous` names already, or no entry at all. Any two entries of a log are so joined by a
    path that grows with the square of the logarithm of their distance from the start."""
    target = sequence & (sequence - 1)
    return None if target in (0, sequence - 1) else target


def booking_hash(booking: bytes, receipt: bytes) -> bytes:
    """The booking as the log names it. The salt is the id of the receipt, which only the two parties know and
    both have, so that both reach the same hash and nobody else can look for a booking in the log."""
    return sha256(encode(["chargemesh/completion", booking, receipt])).digest()


def content_bytes(content: ReviewContent) -> bytes:
    """The bytes that hang beside the entry, and that are hashed."""
    return encode(to_tree(content))


def content_hash(content: bytes) -> bytes:
    return sha256(content).digest()


def commitment_of(booking: bytes, content: bytes) -> bytes:
    """What a review commitment holds: binds the plain booking id and the content's bytes."""
    return sha256(encode(["chargemesh/review", booking, content_hash(content)])).digest()


def open_content(content: bytes) -> ReviewContent:
    """Reads what hangs beside a review; Refused where it isn't a review's content."""
    return from_tree(ReviewContent, decode_map(content, max_bytes=MAX_REVIEW_CONTENT_BYTES))


def _require_region(region: int) -> None:
    try:
        fits = resolution_of(require_public_cell(region)) == ROOT_RESOLUTION
    except Refused as error:
        raise ValueError(f"region: {error.message}") from error
    if not fits:
        raise ValueError("a region is an H3 cell of resolution 4")


def _require_another(author: bytes, subject: bytes) -> None:
    if author == subject:
        raise ValueError("an entry is about somebody else")
