"""What `chargemesh record` tells of a stranger's records: a verdict for each, in lines safe to print."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

from chargemesh_cli.evidence import Verdict, judge
from chargemesh_cli.record_diff import difference
from chargemesh_cli.record_fields import field_lines
from chargemesh_cli.render import clean
from chargemesh_protocol.encoding import decode_map, encode
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.identity import public_key

from ..protocol import forge
from ..vectors.cast import ALICE, NETWORK
from .target import Target, vectors
from .wire_targets import KIND_NAMES, grown_record, payload_of, payloads


def check_told(data: bytes) -> None:
    """A payload of any kind behind a good signature; the first byte chooses the kind. Beside a good record
    each is told, and hides the other from nobody."""
    if not data:
        return
    kind = KIND_NAMES[data[0] % len(KIND_NAMES)]
    raw = forge.record(
        data[1:], protected=forge.header(kind, public_key(ALICE.device)), seed=ALICE.device, network=NETWORK
    )
    found, _ = judge(ALICE.genesis.raw + raw, NETWORK)
    good, strange = found
    assert good.valid and strange.bytes == len(raw) and (strange.valid or strange.fault)
    assert strange.says or not strange.valid
    _prints(found)


def check_file(data: bytes) -> None:
    """Any file at all: verdicts, or a sentence that there is no record in it."""
    try:
        found, _ = judge(data, NETWORK)
    except PersonError:
        return
    _prints(found)


def _prints(found: list[Verdict]) -> None:
    for one in found:
        assert all(clean(line) == line for line in field_lines(one.fields))
        json.dumps(one.as_json())
    assert difference(found, found).none
    for change in difference(found[:1], found[-1:]).changed:
        assert change.changes


def _told() -> Iterator[bytes]:
    """One of every kind, and every kind with each of its integers as large as any."""
    for data in payloads():
        yield data
        tree = decode_map(data[1:])
        for number, value in tree.items():
            if type(value) is int:
                yield data[:1] + encode(tree | {number: 2**63 - 1})


def _files() -> Iterator[bytes]:
    raws = [raw for raw in vectors("record.open", "record") if len(raw) < 700][:40]
    yield from raws
    yield b"".join(raws[:3])
    yield "\n".join(raw.hex() for raw in raws[:3]).encode()
    yield base64.encodebytes(raws[0]) + base64.encodebytes(raws[1])
    rows = [{"id": "00", "raw": base64.b64encode(raw).decode()} for raw in raws[:3]]
    yield json.dumps({"network": NETWORK, "records": rows}).encode()


def _grown_file(times: int) -> bytes:
    return base64.encodebytes(ALICE.genesis.raw + ALICE.delegation().raw * 8 * times)


TARGETS = (
    Target("record-told", check_told, _told, lambda times: payload_of(grown_record(times))),
    Target("record-file", check_file, _files, _grown_file, 8192),
)
