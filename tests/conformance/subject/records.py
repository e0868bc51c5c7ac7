"""Operations on records (02-records.md)."""

from __future__ import annotations

from typing import Any

from chargemesh_protocol import identity, listing
from chargemesh_protocol.booking import records as booking
from chargemesh_protocol.booking import sealing
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.record import KINDS, Record, open_record, parts, sig_structure, sign
from chargemesh_protocol.trust import entries

from ..fields import from_json, to_json

# A kind is known once its module is imported.
MODULES = (identity, listing, booking, sealing, entries)


def opened(given: dict[str, Any]) -> dict[str, Any]:
    raw, network = bytes.fromhex(given["record"]), given["network"]
    record = open_record(raw, network)
    _, payload, signature = parts(raw)
    found = {
        "kind": record.kind,
        "kid": record.kid.hex(),
        "id": record.id.hex(),
        "payload": payload.hex(),
        "sig_structure": sig_structure(raw, network).hex(),
        "signature": signature.hex(),
        "fields": to_json(record.body),
    }
    author = author_of(record)
    return found if author is None else {**found, "author": author.hex()}


def author_of(record: Record[Any]) -> bytes | None:
    """Key 0 of the payload; a genesis is its own author, and a renewal doesn't say."""
    if type(record.body) is identity.Genesis:
        return record.id
    author: bytes | None = getattr(record.body, "author", None)
    return author


def made(given: dict[str, Any]) -> dict[str, Any]:
    try:
        body = from_json(KINDS[given["kind"]], given["fields"])
        record = sign(body, bytes.fromhex(given["seed"]), given["network"])
    except ValueError as error:
        raise Refused("schema", str(error)) from error
    return {"record": record.raw.hex(), "id": record.id.hex()}


def forwarded(given: dict[str, Any]) -> dict[str, Any]:
    return {"record": open_record(bytes.fromhex(given["record"]), given["network"]).raw.hex()}


OPERATIONS = {"record.open": opened, "record.make": made, "record.forward": forwarded}
