"""Bytes of the protocol: encoding, records, bundles, messages of the streams, gossip and log entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import cbor2

from chargemesh_protocol import identity_wire
from chargemesh_protocol.booking import wire as booking
from chargemesh_protocol.discovery import wire as discovery
from chargemesh_protocol.encoding import Tree, decode, encode
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.identity import Directory, open_bundle, public_key
from chargemesh_protocol.limits import MAX_DEPTH
from chargemesh_protocol.record import KINDS, open_record, parts
from chargemesh_protocol.shape import to_tree
from chargemesh_protocol.trust import news, sync
from chargemesh_protocol.trust.catch_up import Session, answer, take
from chargemesh_protocol.trust.logset import LogSet

from ..protocol import forge, strict_cbor
from ..vectors.cast import ALICE, BOB, NETWORK
from .target import Target, cases, vectors

KIND_NAMES = sorted(KINDS)


def check_encoding(data: bytes) -> None:
    """What is read is written again as the same bytes, and a reader by other means reads the same."""
    try:
        tree = decode(data)
    except Refused:
        _refused_elsewhere(data)
        return
    assert encode(tree) == data
    assert strict_cbor.read(data, MAX_DEPTH) == tree


def _refused_elsewhere(data: bytes) -> None:
    try:
        strict_cbor.read(data, MAX_DEPTH)
    except strict_cbor.NotOurs:
        return
    raise AssertionError("ours refuses what the second reader takes")


def check_record(data: bytes) -> None:
    try:
        record = open_record(data, NETWORK)
    except Refused:
        return
    assert record.raw == data


def check_payload(data: bytes) -> None:
    """A payload of any kind, behind a good signature: the first byte chooses the kind."""
    if not data:
        return
    kind = KIND_NAMES[data[0] % len(KIND_NAMES)]
    raw = forge.record(
        data[1:], protected=forge.header(kind, public_key(ALICE.device)), seed=ALICE.device, network=NETWORK
    )
    try:
        record = open_record(raw, NETWORK)
    except Refused:
        return
    assert record.raw == raw and record.kind == kind
    fields = {name: getattr(record.body, name) for name in record.body.__dataclass_fields__}
    assert type(record.body)(**fields) == record.body  # its own constructor agrees with what was read


def check_bundle(data: bytes) -> None:
    try:
        bundle = open_bundle(data, NETWORK)
    except Refused:
        return
    assert bundle.to_bytes() == data
    Directory(NETWORK).learn(data)


def _stream(read: Callable[[bytes], Any]) -> Callable[[bytes], None]:
    def check(data: bytes) -> None:
        try:
            message = read(data)
        except Refused:
            return
        try:
            written = encode(to_tree(message))
        except ValueError:
            return  # a text that is too long in normal form, in which a writer puts it
        assert encode(to_tree(read(written))) == written

    return check


@cache
def _introduced() -> tuple[bytes, ...]:
    return ALICE.bundle(), BOB.bundle()


def _logs() -> LogSet:
    directory = Directory(NETWORK)
    for bundle in _introduced():
        directory.learn(bundle)
    return LogSet(NETWORK, directory)


def check_gossip(data: bytes) -> None:
    """A gossip message, read and offered to logs; faults of the peer are values there and stop nothing."""
    try:
        message = news.open_news(data)
    except Refused:
        return
    for item in message.items:
        try:
            news.signers(item)
        except Refused:
            continue
    take(_logs(), message.bundles, message.items)


def check_entry(data: bytes) -> None:
    """An entry of the log by a known key: kind, whether content comes along, and the payload."""
    if len(data) < 2:
        return
    kind = ("completion", "review", "vouch", "org.example.entry")[data[0] % 4]
    raw = forge.record(
        data[2:], protected=forge.header(kind, public_key(ALICE.device)), seed=ALICE.device, network=NETWORK
    )
    logs = _logs()
    try:
        logs.offer(raw, data[1:] if data[1] else None)
    except Refused:
        return
    assert not logs.offer(raw).fresh


def check_catch_up(data: bytes) -> None:
    """One side's message answered by a node that knows people and has nothing, and taken by an asker."""
    try:
        message = sync.open_catch_up(data)
    except Refused:
        return
    reply, _ = answer(_logs(), message)
    assert sync.open_catch_up(encode(to_tree(reply))) == reply
    session = Session(_logs())
    session.question()
    try:
        session.receive(message)
    except Refused:
        return  # what answers another question


def payloads() -> Iterator[bytes]:
    """As `check_payload` takes them: the kind's number, then a payload of that kind."""
    for case in cases():
        if case.op == "record.open" and case.out:
            kind = case.out["kind"]
            if kind in KIND_NAMES:
                yield bytes([KIND_NAMES.index(kind)]) + bytes.fromhex(case.out["payload"])


def _entries() -> Iterator[bytes]:
    for data in payloads():
        kind = KIND_NAMES[data[0]]
        if kind in ("completion", "review", "vouch"):
            yield bytes([("completion", "review", "vouch").index(kind), 0]) + data[1:]


def _streamed(stream: str) -> Callable[[], Iterator[bytes]]:
    def seeds() -> Iterator[bytes]:
        for case in cases():
            if case.op == "message.read" and case.given["stream"].endswith(stream):
                yield bytes.fromhex(case.given["bytes"])

    return seeds


def grown_record(times: int) -> bytes:
    """A renewal, with unknown optional keys that hold ever more."""
    payload = cbor2.dumps({1: 5, 2: b"l" * 32, 16: [{0: number} for number in range(times * 40)]})
    header = forge.header("renewal", public_key(ALICE.device))
    return forge.record(payload, protected=header, seed=ALICE.device, network=NETWORK)


def _grown_bundle(times: int) -> bytes:
    genesis = ALICE.genesis.raw
    return encode([genesis, *[ALICE.delegation(sequence=number).raw for number in range(1, times + 1)]])


def _grown_catch_up(times: int) -> bytes:
    items: list[Tree] = [{0: ALICE.genesis.raw}] * 16 * times
    return encode({0: bytes(32), 1: b"\xff" * 32, 2: [], 3: items, 4: [], 5: []})


def _grown_news(times: int) -> bytes:
    item = {0: ALICE.genesis.raw}
    return encode({0: [ALICE.bundle()], 1: [item] * times})


TARGETS = (
    Target(
        "encoding",
        check_encoding,
        lambda: vectors("encoding.decode", "bytes"),
        lambda times: encode([[number, {0: b"x"}] for number in range(200 * times)]),
    ),
    Target("record", check_record, lambda: vectors("record.open", "record"), grown_record),
    Target("payload", check_payload, payloads, lambda times: payload_of(grown_record(times))),
    Target("bundle", check_bundle, lambda: vectors("bundle.open", "bundle"), _grown_bundle),
    Target(
        "identity-stream",
        _stream(identity_wire.read),
        _streamed(identity_wire.PROTOCOL),
        lambda times: encode({0: 1, 1: [bytes(32)] * 8 * times}),
    ),
    Target(
        "booking-stream",
        _stream(booking.read),
        _streamed(booking.PROTOCOL),
        lambda times: encode({0: 3, 1: bytes(32), 2: [bytes(300)] * 8 * times}),
        16_384,
    ),
    Target(
        "listing-stream",
        _stream(discovery.read),
        _streamed(discovery.PROTOCOL),
        lambda times: encode({0: 5, 1: [{0: bytes(500), 1: bytes(200), 2: bytes(300)}] * 8 * times}),
        16_384,
    ),
    Target(
        "log-stream",
        check_catch_up,
        _streamed(sync.PROTOCOL),
        _grown_catch_up,
        16_384,
    ),
    Target("gossip", check_gossip, _streamed("/log"), _grown_news, 16_384),
    Target("log-entry", check_entry, _entries, lambda times: b"\2\0" + encode({16: [0] * 40 * times})),
)


def payload_of(raw: bytes) -> bytes:
    """As `check_payload` takes the payload of a renewal."""
    return bytes([KIND_NAMES.index("renewal")]) + parts(raw)[1]
