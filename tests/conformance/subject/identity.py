"""Operations on bundles, and on who may sign for whom (03-identity.md)."""

from __future__ import annotations

from typing import Any

from chargemesh_protocol.errors import Refused
from chargemesh_protocol.identity import Bundle, Directory, Scope, open_bundle
from chargemesh_protocol.record import open_record
from chargemesh_protocol.trust.month import span_of

from ..fields import to_json
from .records import author_of

_LIST = ("listing", "renewal", "withdrawal", "quote")
_LOG = ("completion-statement", "review-commitment", "completion", "review", "vouch")


def opened(given: dict[str, Any]) -> dict[str, Any]:
    bundle = open_bundle(bytes.fromhex(given["bundle"]), given["network"])
    return {
        "author": bundle.author.hex(),
        "genesis": to_json(bundle.genesis.body),
        "delegations": [
            {"id": one.id.hex(), "kid": one.kid.hex(), "fields": to_json(one.body)}
            for one in bundle.delegations
        ],
    }


def united(given: dict[str, Any]) -> dict[str, Any]:
    directory = Directory(given["network"])
    bundles: list[Bundle] = [directory.learn(bytes.fromhex(data)) for data in given["bundles"]]
    return {
        "author": bundles[-1].author.hex(),
        "delegations": sorted(one.id.hex() for one in bundles[-1].delegations),
    }


def authorised(given: dict[str, Any]) -> dict[str, Any]:
    directory = Directory(given["network"])
    for data in given["bundles"]:
        directory.learn(bytes.fromhex(data))
    record = open_record(bytes.fromhex(given["record"]), given["network"])
    author = author_of(record)
    if author is None:
        raise Refused("unknown-author", "a renewal names no author")
    scope = Scope.LIST if record.kind in _LIST else Scope.LOG if record.kind in _LOG else Scope.BOOK
    if hasattr(record.body, "month"):
        directory.authorise_span(record, author, scope, *span_of(record.body.month))
    else:
        directory.authorise(record, author, scope)
    return {"authorised": True}


OPERATIONS = {"bundle.open": opened, "bundle.unite": united, "record.authorise": authorised}
