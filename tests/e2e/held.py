"""What a node holds of one booking, opened again from the signed bytes, and what may be in it once only."""

from __future__ import annotations

import base64
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from chargemesh_cli.client import Api
from chargemesh_node.home import Home
from chargemesh_protocol.booking.records import HOST_KINDS, Quote, Request
from chargemesh_protocol.booking.set import BookingSet
from chargemesh_protocol.record import Record, open_as, open_record
from chargemesh_protocol.trust.entries import Completion, CompletionStatement, Review, ReviewCommitment
from chargemesh_protocol.trust.sync import open_item

# Whoever repeats what was already said makes two of one of these.
ONCE = (
    *("quote", "request", "accept", "access", "authorisation", "stop"),
    *("receipt", "agreement", "claim", "paid"),
)
_STATEMENTS = (CompletionStatement, ReviewCommitment)


@dataclass(frozen=True)
class Held:
    """`ours`: ids of what this node has signed itself."""

    network: str
    records: tuple[Record[Any], ...]
    ours: frozenset[bytes]

    @property
    def ids(self) -> frozenset[bytes]:
        return frozenset(one.id for one in self.records)

    @property
    def theirs(self) -> frozenset[bytes]:
        return self.ids - self.ours

    def counts(self) -> Counter[str]:
        return Counter(one.kind for one in self.records)

    def wrote(self, kind: str) -> bool:
        return any(one.kind == kind and one.id in self.ours for one in self.records)

    @property
    def completion(self) -> bytes:
        """The hash by which the trust log names this booking."""
        (named,) = {one.body.booking for one in self.records if isinstance(one.body, CompletionStatement)}
        return bytes(named)

    def booking_set(self) -> BookingSet:
        """The booking as somebody makes it who has nothing but these bytes."""
        quote = next(one for one in self.records if isinstance(one.body, Quote))
        request = next(one for one in self.records if isinstance(one.body, Request))
        others = [one for one in self.records if not isinstance(one.body, (Quote, Request, *_STATEMENTS))]
        return BookingSet(
            open_as(Quote, quote.raw, self.network), open_as(Request, request.raw, self.network), others
        )

    def require_whole(self) -> None:
        """A host's chain without a gap or a fork, and nothing said twice."""
        made = self.booking_set()
        numbers = [one.body.number for one in self.records if isinstance(one.body, HOST_KINDS)]
        assert sorted(numbers) == list(range(1, len(numbers) + 1)), f"the host's numbers: {sorted(numbers)}"
        assert len(made.chain) == len(numbers) and made.pending == ()
        state = made.state(made.chain[-1].body.issued)
        assert state.faults == () and state.missing == () and state.not_included == (), state
        counts = self.counts()
        assert {kind: counts[kind] for kind in ONCE} == dict.fromkeys(ONCE, 1), counts
        assert counts["completion-statement"] == counts["review-commitment"] == 2, counts


def held_by(api: Api, booking: str) -> Held:
    answer = api.get(f"bookings/{booking}/records")
    raws = {one["id"]: base64.b64decode(one["raw"]) for one in answer["records"]}
    records = tuple(open_record(raw, answer["network"]) for raw in raws.values())
    assert [one.id.hex() for one in records] == list(raws), "an id that is not its record's"
    ours = frozenset(bytes.fromhex(one["id"]) for one in answer["records"] if one["mine"])
    return Held(answer["network"], records, ours)


def said_in_log(home: Home, network: str, completion: bytes) -> list[str]:
    """Kinds of the entries about one booking in the own log of the node of `home`, which may be running."""
    with closing(sqlite3.connect(f"file:{home.node_db}?mode=ro", uri=True)) as db:
        rows = db.execute("SELECT value FROM document WHERE collection = 'own-log' ORDER BY key").fetchall()
    said = []
    for (value,) in rows:
        entry = open_record(open_item(value).raw, network)
        body = entry.body
        if isinstance(body, Completion):
            body = open_as(CompletionStatement, body.statement, network).body
        if isinstance(body, CompletionStatement | Review) and body.booking == completion:
            said.append(entry.kind)
    return said
