"""Operations on the trust log: entries, logs, reviews, catch-up and gossip (06-trust-log.md)."""

from __future__ import annotations

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


def _node(given: dict[str, Any], side: str) -> LogSet:
    """The logs of a node that knows all the bundles or none, and was offered these of the items."""
    node, network = given[side], given["network"]
    logs = LogSet(network, _directory(given) if node["introduced"] else Directory(network))
    for name in node["holds"]:
        entry = from_json(Item, given["items"][name])
        logs.offer(entry.raw, entry.content)
    return logs


def _names(given: dict[str, Any]) -> dict[bytes, str]:
    """The names of the items, by id of their entries."""
    whole = LogSet(given["network"], _directory(given))
    return {_id(from_json(Item, item), whole): name for name, item in given["items"].items()}


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
    names, found = _names(given), []
    for order in given["orders"]:
        logs = LogSet(given["network"], _directory(given))
        for name in order:
            logs.offer(items[name].raw, items[name].content)
        found.append(_stands(logs, names))
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
    asker, answerer = _node(given, "asker"), _node(given, "answerer")
    session = Session(asker)
    messages: list[str] = []
    while (question := session.question()) is not None:
        said, _ = answer(answerer, open_catch_up(question.to_bytes()))
        session.receive(open_catch_up(said.to_bytes()))
        messages += [question.to_bytes().hex(), said.to_bytes().hex()]
    names = _names(given)
    return {"messages": messages, "asker": _stands(asker, names), "answerer": _stands(answerer, names)}


def answered(given: dict[str, Any]) -> dict[str, Any]:
    logs = _node(given, "answerer")
    said, _ = answer(logs, open_catch_up(bytes.fromhex(given["question"])))
    return {"answer": said.to_bytes().hex()}


def told(given: dict[str, Any]) -> dict[str, Any]:
    """Whether a gossip message is forwarded, and whom it leaves unknown."""
    logs = LogSet(given["network"], _directory(given))
    news = open_news(bytes.fromhex(given["bytes"]))
    taken = take(logs, news.bundles, news.items)
    if taken.refused:
        fault, _ = taken.refused[0]
        raise Refused(fault.code, fault.message, Severity.FORGED)
    return {"forward": not taken.aside, "unknown": [one.hex() for one in taken.wanting]}


def _stands(logs: LogSet, names: dict[bytes, str]) -> list[dict[str, Any]]:
    return [_shown(log, names) for log in logs.between(bytes(32), b"\xff" * 32)]


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
