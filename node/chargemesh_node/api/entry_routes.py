"""Entries of a trust log one by one: what somebody's log holds, and saying something of a foreign kind."""

from __future__ import annotations

import base64
from typing import TypedDict

from chargemesh_protocol.events import SayEntry
from chargemesh_protocol.trust.foreign import entry_class, fields_of
from chargemesh_protocol.trust.log import Judged
from chargemesh_protocol.trust.month import month_of

from .context import Call
from .entry_fields import read_fields
from .log_routes import author_of, region_from, region_here

_MOST = 1000  # entries in one answer, the newest of a log


class Said(TypedDict):
    """entries_waiting: all that wait for their batch; when it is cut nobody learns (specs/06)."""

    kind: str
    entries_waiting: int


class LogRecord(TypedDict):
    """month: months since 1970, UTC. region: an H3 cell in hexadecimal. raw: the signed record, base64."""

    id: str
    kind: str
    sequence: int
    month: int
    region: str
    raw: str


class LogOf(TypedDict):
    """The newest entries that this node holds by somebody, log by log in order, and the bundle that proves
    who the keys speak for (base64). more: older ones are left out."""

    author: str
    network: str
    records: list[LogRecord]
    bundles: list[str]
    more: bool


async def say(call: Call) -> Said:
    """An entry of a kind that an extension knows; it waits for its batch like every other."""
    call.require_owner()
    node, body = call.node, call.body
    cls = entry_class(body.kind)
    region = region_here(node) if body.region is None else region_from(body.region)
    values = read_fields(cls, body.fields)
    month = month_of(node.clock.now())
    await node.command(
        SayEntry(body.kind, fields_of(body.kind, values, node.me.author, month, region), region)
    )
    return {"kind": body.kind, "entries_waiting": node.runner.engine.keeper.waiting}


async def get_log(call: Call) -> LogOf:
    """What this node holds of somebody's public log."""
    author = author_of(call.id)
    node = call.node
    found = [one for one in node.replica.logs.accepted() if one.record.body.author == author]
    bundle = node.directory.get(author)
    return {
        "author": author.hex(),
        "network": node.me.network,
        "records": [_record(one) for one in found[-_MOST:]],
        "bundles": [] if bundle is None else [base64.b64encode(bundle.to_bytes()).decode()],
        "more": len(found) > _MOST,
    }


def _record(one: Judged) -> LogRecord:
    body = one.record.body
    return {
        "id": one.id.hex(),
        "kind": one.record.kind,
        "sequence": body.sequence,
        "month": body.month,
        "region": f"{body.region:x}",
        "raw": base64.b64encode(one.record.raw).decode(),
    }
