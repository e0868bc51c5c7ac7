"""Whether the key that signed a record speaks for its author, by the delegations in the same file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chargemesh_protocol.encoding import encode
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.identity import Directory, Scope
from chargemesh_protocol.limits import MAX_BUNDLE_DELEGATIONS
from chargemesh_protocol.record import Record
from chargemesh_protocol.trust.entries import LogEntry
from chargemesh_protocol.trust.month import span_of

_LISTING = ("listing", "withdrawal", "quote")
_LOG = ("completion-statement", "review-commitment")


class Speakers:
    """Answers from the verified records of one file."""

    def __init__(self, records: Sequence[Record[Any]], network: str) -> None:
        self._directory = Directory(network)
        delegated: dict[bytes, list[Record[Any]]] = {}
        for one in records:
            if one.kind == "delegation":
                delegated.setdefault(one.body.author, []).append(one)
        for genesis in (one for one in records if one.kind == "genesis"):
            masters = (genesis.body.root, *genesis.body.recovery)
            delegations = [one.raw for one in delegated.get(genesis.id, ()) if one.kid in masters]
            if genesis.kid == genesis.body.root:
                self._directory.learn(encode([genesis.raw, *delegations[:MAX_BUNDLE_DELEGATIONS]]))

    def judge(self, record: Record[Any]) -> bool | None:
        """True or False; None where the file lacks the author's genesis, or the record names no author."""
        author = getattr(record.body, "author", None)
        if record.kind == "genesis" or author is None or not self._directory.knows(author):
            return None
        if record.kind == "delegation":
            bundle = self._directory.get(author)
            return bundle is not None and record.id in {one.id for one in bundle.delegations}
        in_log = record.kind in _LOG or isinstance(record.body, LogEntry)
        scope = Scope.LIST if record.kind in _LISTING else Scope.LOG if in_log else Scope.BOOK
        try:
            if hasattr(record.body, "month"):
                self._directory.authorise_span(record, author, scope, *span_of(record.body.month))
            else:
                self._directory.authorise(record, author, scope)
        except Refused:
            return False
        return True
