"""One key's append-only log: which of its entries are accepted is a function of the set that was seen.

Every kept entry is signed by the log's key. Accepted is the longest run from sequence 1 in which each entry's
links name the entries before it; two entries with one sequence are a fork, both are kept as the proof, and
nothing from the lowest such sequence on is accepted. specs/06, G4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from ..errors import Refused, Severity
from ..identity import Directory, Scope
from ..limits import MAX_ENTRY_BYTES, MAX_LOG_GAP
from ..record import Record, open_as, open_record
from .entries import (
    Completion,
    CompletionStatement,
    Entry,
    LogEntry,
    OtherEntry,
    Review,
    Vouch,
    skip_target,
)
from .month import span_of


class Standing(Enum):
    """What became of an entry that was offered."""

    ACCEPTED = "accepted"
    KNOWN = "known"
    WAITING = "waiting"  # for an earlier entry, or its links name entries that this log hasn't got
    FORK = "fork"  # another entry of this log has the same sequence
    EXCLUDED = "excluded"  # behind a fork, or a third one in its place
    TOO_FAR = "too-far"  # ahead of what may wait; not kept


@dataclass(frozen=True, slots=True)
class Judged:
    """An entry whose signatures, delegations and fields are good; its log may accept it or not.

    subject: whom it is about; the author where its kind is of an extension's. `booking` is the salted hash
    of the completed booking, None for what is not about one.
    """

    record: Record[Entry]
    subject: bytes
    booking: bytes | None

    @property
    def id(self) -> bytes:
        return self.record.id

    @property
    def sequence(self) -> int:
        return self.record.body.sequence


class Unauthorised(Refused):
    """No delegation known here lets the key sign for `author`; a bundle that we lack might."""

    def __init__(self, fault: Refused, author: bytes) -> None:
        super().__init__(fault.code, fault.message, fault.severity)
        self.author = author


def judge(raw: bytes, network: str, directory: Directory) -> Judged:
    """Verifies one entry on its own. Unauthorised where a bundle is missing or old: fetch it and retry."""
    if len(raw) > MAX_ENTRY_BYTES:
        raise Refused("too-large", f"a log entry is at most {MAX_ENTRY_BYTES} bytes")
    record = cast("Record[Entry]", open_record(raw, network, unknown=OtherEntry))
    body = record.body
    match body:
        case Completion():
            judged = _judge_completion(record, body, network, directory)
        case Review():
            judged = Judged(record, body.subject, body.booking)
        case Vouch():
            judged = Judged(record, body.subject, None)
        case LogEntry():
            judged = Judged(record, body.author, None)
        case _:
            raise Refused("wrong-kind", f"a {record.kind} is no log entry")
    _authorise(record, body.author, body.month, directory)
    return judged


def _judge_completion(record: Record[Entry], body: Completion, network: str, directory: Directory) -> Judged:
    statement = open_as(CompletionStatement, body.statement, network)
    said = statement.body
    if said.counterparty != body.author or said.author == body.author:
        raise Refused("completion", "the embedded statement is not about this author", Severity.FORGED)
    if (said.month, said.region) != (body.month, body.region):
        raise Refused("completion", "month or region differ from the embedded statement")
    _authorise(statement, said.author, said.month, directory)
    return Judged(record, said.author, said.booking)


def _authorise(record: Record[Any], author: bytes, month: int, directory: Directory) -> None:
    try:
        directory.authorise_span(record, author, Scope.LOG, *span_of(month))
    except Refused as fault:
        raise Unauthorised(fault, author) from fault


class Log:
    """The entries of one signing key."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        self._chain: list[Judged] = []
        self._loose: dict[int, dict[bytes, Judged]] = {}  # by sequence: waiting, or the two of the fork
        self._fork: int | None = None

    @property
    def accepted(self) -> tuple[Judged, ...]:
        return tuple(self._chain)

    @property
    def next(self) -> int:
        """The lowest sequence that is not accepted."""
        return len(self._chain) + 1

    @property
    def head(self) -> bytes | None:
        """Id of the last accepted entry."""
        return self._chain[-1].id if self._chain else None

    @property
    def fork(self) -> tuple[Judged, Judged] | None:
        """Two entries of the lowest forked sequence (those with the lowest ids), or None."""
        if self._fork is None:
            return None
        first, second = sorted(self._loose[self._fork].values(), key=lambda entry: entry.id)
        return first, second

    @property
    def kept(self) -> int:
        """Entries kept: accepted, waiting, and the proof of a fork."""
        return len(self._chain) + sum(map(len, self._loose.values()))

    @property
    def waiting(self) -> int:
        """Entries kept but not accepted, the proof of a fork not counted."""
        return sum(len(same) for sequence, same in self._loose.items() if sequence != self._fork)

    def at(self, sequence: int) -> Judged | None:
        """The accepted entry of that sequence."""
        return self._chain[sequence - 1] if 1 <= sequence <= len(self._chain) else None

    def entries(self) -> Iterator[Judged]:
        """All that is kept: accepted, waiting, and the proof of a fork."""
        yield from self._chain
        for same in self._loose.values():
            yield from same.values()

    def accepted_from(self, sequence: int) -> Iterator[Judged]:
        """Accepted entries from `sequence` on, in order."""
        for index in range(sequence - 1, len(self._chain)):
            yield self._chain[index]

    def holds(self, entry: Judged) -> bool:
        """Whether the entry is kept: accepted, waiting, or half of the proof of a fork."""
        chained = self.at(entry.sequence)
        return (chained is not None and chained.id == entry.id) or entry.id in self._loose.get(
            entry.sequence, {}
        )

    def passes_over(self, entry: Judged) -> Standing | None:
        """Why this entry would not be kept; None where it would."""
        if self.holds(entry):
            return Standing.KNOWN
        if self._fork is not None and entry.sequence > self._fork:
            return Standing.EXCLUDED
        if entry.sequence == self._fork and entry.id > max(self._loose[self._fork]):
            return Standing.EXCLUDED  # a third one for that place proves nothing new
        return Standing.TOO_FAR if entry.sequence >= self.next + MAX_LOG_GAP else None

    def offer(self, entry: Judged) -> Standing:
        """Takes one entry; what is accepted afterwards doesn't depend on the order of the offers."""
        sequence = entry.sequence
        passed_over = self.passes_over(entry)
        if passed_over is not None:
            return passed_over
        chained = self.at(sequence)
        same = self._loose.get(sequence, {})
        if chained is None and not same:
            self._loose[sequence] = {entry.id: entry}
            self._extend()
            return Standing.ACCEPTED if sequence < self.next else Standing.WAITING
        kept = sorted([entry, *same.values(), *((chained,) if chained else ())], key=lambda one: one.id)[:2]
        self._forked(sequence, kept)
        return Standing.FORK

    def _forked(self, sequence: int, proof: list[Judged]) -> None:
        self._fork = sequence
        del self._chain[sequence - 1 :]
        # Entries behind the fork can never count again; those before it still wait for a gap to close.
        self._loose = {at: same for at, same in self._loose.items() if at < sequence}
        self._loose[sequence] = {entry.id: entry for entry in proof}

    def _extend(self) -> None:
        while self.next != self._fork:
            following = self._loose.get(self.next)
            if following is None:
                return
            (entry,) = following.values()
            if not self._continues(entry):
                return
            self._chain.append(entry)
            del self._loose[entry.sequence]

    def _continues(self, entry: Judged) -> bool:
        body = entry.record.body
        if body.sequence == 1:
            return True  # the shape has checked that `previous` is the author
        before = self._chain[-1]
        target = skip_target(body.sequence)
        return (
            body.previous == before.id
            and body.author == before.record.body.author
            and (target is None or body.skip == self._chain[target - 1].id)
        )
