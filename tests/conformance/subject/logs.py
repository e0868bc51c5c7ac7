"""Operations on the trust log: entries, logs, reviews, catch-up and gossip (06-trust-log.md)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chargemesh_protocol.errors import Refused, Severity
from chargemesh_protocol.identity import Directory
from chargemesh_protocol.trust.catch_up import Session, answer, take
from chargemesh_protocol.trust.entries import (
    ReviewContent,
    booking_hash,
    commitment_of,
    content_bytes,
    content_hash,
    open_content,
    skip_target,
)
from chargemesh_protocol.trust.log import Log, judge
from chargemesh_protocol.trust.logset import LogSet
from chargemesh_protocol.trust.news import open_news
from chargemesh_protocol.trust.sync import Item, open_catch_up

from ..fields import from_json, to_json


def _directory(given: dict[str, Any]) -> Directory:
    directory = Directory(given["network"])
    for data in given["bundles"]:
        directory.learn(bytes.fromhex(data))
    return directory


def _logs(given: dict[str, Any], network: str) -> LogSet:
    """The logs of a node that was offered these items, in their order."""
    logs = LogSet(network, _directory({"network": network, **given}))
    for item in given["items"]:
        entry = from_json(Item, item)
        logs.offer(entry.raw, entry.content)
    return logs


def skipped(given: dict[str, Any]) -> dict[str, Any]:
    target = skip_target(given["sequence"])
    return {} if target is None else {"target": target}


def judged(given: dict[str, Any]) -> dict[str, Any]:
    directory = _directory(given)
    item = from_json(Item, given["item"])
    found = judge(item.raw, given["network"], directory)
    if item.content is not None:  # whether it is the one that the entry names, a log set asks
        LogSet(given["network"], directory).offer(item.raw, item.content)
    body = found.record.body
    out = {"kind": found.record.kind, "id": found.id.hex(), "log": found.record.kid.hex()}
    return out | {"author": body.author.hex(), "sequence": body.sequence}


def offered(given: dict[str, Any]) -> dict[str, Any]:
    """The logs after one order; `same` says that all orders make these."""
    items = {name: from_json(Item, item) for name, item in given["items"].items()}
    found = []
    for order in given["orders"]:
        logs = LogSet(given["network"], _directory(given))
        names = {_id(item, logs): name for name, item in items.items()}
        for name in order:
            logs.offer(items[name].raw, items[name].content)
        found.append([_shown(log, names) for log in logs.between(bytes(32), b"\xff" * 32)])
    return {"same": all(one == found[0] for one in found), "logs": found[0]}


def _id(item: Item, logs: LogSet) -> bytes:
    return judge(item.raw, logs.network, logs.directory).id


def _shown(log: Log, names: dict[bytes, str]) -> dict[str, Any]:
    shown = {"log": log.key.hex(), "accepted": [names[one.id] for one in log.accepted], "next": log.next}
    return shown if log.fork is None else {**shown, "fork": sorted(names[one.id] for one in log.fork)}


def content_written(given: dict[str, Any]) -> dict[str, Any]:
    data = content_bytes(from_json(ReviewContent, given["fields"]))
    return {"content": data.hex(), "hash": content_hash(data).hex()}


def content_opened(given: dict[str, Any]) -> dict[str, Any]:
    return {"fields": to_json(open_content(bytes.fromhex(given["content"])))}


def committed(given: dict[str, Any]) -> dict[str, Any]:
    booking, content = bytes.fromhex(given["booking"]), bytes.fromhex(given["content"])
    return {"commitment": commitment_of(booking, content).hex()}


def named(given: dict[str, Any]) -> dict[str, Any]:
    return {"hash": booking_hash(bytes.fromhex(given["booking"]), bytes.fromhex(given["receipt"])).hex()}


def exchanged(given: dict[str, Any]) -> dict[str, Any]:
    """Every message of two nodes that catch up, until neither has news for the other."""
    asker, answerer = (_logs(given[side], given["network"]) for side in ("asker", "answerer"))
    session = Session(asker)
    messages: list[str] = []
    while (question := session.question()) is not None:
        said, _ = answer(answerer, open_catch_up(question.to_bytes()))
        session.receive(open_catch_up(said.to_bytes()))
        messages += [question.to_bytes().hex(), said.to_bytes().hex()]
    return {"messages": messages, "asker": _stands(asker), "answerer": _stands(answerer)}


def answered(given: dict[str, Any]) -> dict[str, Any]:
    logs = _logs(given["answerer"], given["network"])
    said, _ = answer(logs, open_catch_up(bytes.fromhex(given["question"])))
    return {"answer": said.to_bytes().hex(), "answerer": _stands(logs)}


def told(given: dict[str, Any]) -> dict[str, Any]:
    """Whether a gossip message is forwarded, and the logs after it."""
    logs = _logs({"bundles": given["bundles"], "items": []}, given["network"])
    news = open_news(bytes.fromhex(given["bytes"]))
    taken = take(logs, news.bundles, news.items)
    if taken.refused:
        fault, _ = taken.refused[0]
        raise Refused(fault.code, fault.message, Severity.FORGED)
    return {"forward": not taken.aside, "unknown": _hex(taken.wanting), "logs": _stands(logs)}


def _stands(logs: LogSet) -> list[dict[str, Any]]:
    """Where each log stands: the ids accepted in it, and of its fork."""
    found = []
    for log in logs.between(bytes(32), b"\xff" * 32):
        shown = {"log": log.key.hex(), "accepted": _hex(one.id for one in log.accepted)}
        found.append(shown if log.fork is None else {**shown, "fork": _hex(one.id for one in log.fork)})
    return found


def _hex(ids: Iterable[bytes]) -> list[str]:
    return [one.hex() for one in ids]


OPERATIONS = {
    "log.skip": skipped,
    "log.judge": judged,
    "log.offer": offered,
    "log.booking": named,
    "review.write": content_written,
    "review.open": content_opened,
    "review.commit": committed,
    "catch-up.exchange": exchanged,
    "catch-up.answer": answered,
    "gossip.take": told,
}
