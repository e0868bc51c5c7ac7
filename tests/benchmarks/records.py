"""Records: how much of raw libsodium's speed is left after strict decoding, schema, and the store."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import cbor2
import nacl.bindings as sodium

from chargemesh_node.clock import SystemClock
from chargemesh_node.store.node_db import SqliteStore
from chargemesh_protocol.booking.records import ReadingContext, Ticket
from chargemesh_protocol.effects import AddRecord
from chargemesh_protocol.encoding import decode_map
from chargemesh_protocol.record import Record, open_record, parts, sig_structure, sign
from chargemesh_protocol.shape import from_tree, to_tree

NETWORK = "chargemesh-test-bench"
SEED = bytes(range(32))
COUNT = 200  # records of one turn: 10 to 20 ms, so that what else the machine does meets raw and ours alike
TURNS = 40
STORED, STORE_TURNS, BATCH = 2000, 5, 100


class Rates(NamedTuple):
    """raw, ours: a second. ratio: ours to raw, of neighbouring turns. All are medians."""

    raw: float
    ours: float
    ratio: float


def measure() -> dict[str, object]:
    """Rates on one core, and ratios to raw libsodium (PyNaCl) over the same bytes, taking turns with it.

    Known authors are those whose keys were judged before. `unseen` has a new key in every record, whose point
    is judged once as well (02-records.md): what strangers cost, and what is allowed to peers is for.
    """
    records = [sign(_ticket(number), SEED, NETWORK) for number in range(COUNT)]
    signed = [_raw_signed(one) for one in records]
    public, secret = sodium.crypto_sign_seed_keypair(SEED)
    bodies = [one.body for one in records]

    def raw_verify() -> object:
        return [sodium.crypto_sign_open(one, public) for one in signed]

    known = _turns(raw_verify, lambda: [open_record(one.raw, NETWORK) for one in records], TURNS, COUNT)
    signing = _turns(
        lambda: [sodium.crypto_sign(one[64:], secret) for one in signed],
        lambda: [sign(body, SEED, NETWORK) for body in bodies],
        TURNS,
        COUNT,
    )
    strangers = iter([_of_strangers(turn) for turn in range(TURNS // 4)])
    unseen = _turns(
        raw_verify, lambda: [open_record(raw, NETWORK) for raw in next(strangers)], TURNS // 4, COUNT
    )
    many = [sign(_ticket(number), SEED, NETWORK) for number in range(STORED)]
    many_signed = [_raw_signed(one) for one in many]
    stored = _turns(
        lambda: [sodium.crypto_sign_open(one, public) for one in many_signed],
        lambda: asyncio.run(_ingest(many)),
        STORE_TURNS,
        STORED,
    )
    return {
        "bytes": len(records[0].raw),
        "raw_verify_per_s": known.raw,
        "verify_decode_per_s": known.ours,
        "verify_decode_of_raw": known.ratio,
        "unseen_verify_decode_per_s": unseen.ours,
        "unseen_verify_decode_of_raw": unseen.ratio,
        "raw_sign_per_s": signing.raw,
        "encode_sign_per_s": signing.ours,
        "encode_sign_of_raw": signing.ratio,
        "verified_stored_per_s": stored.ours,
        "verified_stored_of_raw": stored.ratio,
        "beyond_raw_us": _beyond_raw(records),
    }


def _turns(raw: Callable[[], object], ours: Callable[[], object], turns: int, size: int) -> Rates:
    found = [(size / _seconds(raw), size / _seconds(ours)) for _ in range(turns)]
    ratio = median(ours / raw for raw, ours in found)
    return Rates(median(raw for raw, _ in found), median(ours for _, ours in found), ratio)


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _beyond_raw(records: list[Record[Ticket]]) -> dict[str, float]:
    """Where the rest of the time goes: microseconds a record, the least of the turns."""
    payloads = [parts(one.raw)[1] for one in records]
    trees = [decode_map(one) for one in payloads]
    steps: dict[str, Callable[[], object]] = {
        "strict_decoding": lambda: [decode_map(one) for one in payloads],
        "of_that_cbor2": lambda: [cbor2.loads(one) for one in payloads],
        "reading_fields": lambda: [from_tree(Ticket, one) for one in trees],
        "sig_structure": lambda: [sig_structure(one.raw, NETWORK) for one in records],
        "id": lambda: [hashlib.sha256(one).digest() for one in payloads],
        "writing_fields": lambda: [to_tree(one.body) for one in records],
        "encoding": lambda: [cbor2.dumps(one) for one in trees],
    }
    return {
        name: 1e6 / COUNT * min(_seconds(step) for _ in range(TURNS // 2)) for name, step in steps.items()
    }


def _ticket(number: int) -> Ticket:
    return Ticket(
        author=bytes(32),
        issued=1_790_000_000_000 + number,
        booking=bytes(32),
        number=number + 1,
        previous=bytes(32),
        includes=(),
        at=1_790_000_000_000 + number,
        energy_wh=number,
        register_wh=1_000_000 + number,
        power_w=11_000,
        cost=350 * number,
        context=ReadingContext.SAMPLE_PERIODIC,
    )


def _of_strangers(turn: int) -> list[bytes]:
    """The records of one turn, each by a key of its own."""
    seeds = (hashlib.sha256(b"%d %d" % (turn, number)).digest() for number in range(COUNT))
    return [sign(_ticket(number), seed, NETWORK).raw for number, seed in enumerate(seeds)]


def _raw_signed(record: Record[Ticket]) -> bytes:
    """Signature and message as libsodium takes them: the same bytes that our own check covers."""
    return record.raw[-64:] + sig_structure(record.raw, NETWORK)


async def _ingest(records: list[Record[Ticket]]) -> None:
    """Verifies, decodes and stores in batches of a hundred, durably."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "node.db", SystemClock())
        await store.open()
        for start in range(0, len(records), BATCH):
            opened = [open_record(one.raw, NETWORK) for one in records[start : start + BATCH]]
            await store.commit([AddRecord(one.body.booking, one.id, one.raw) for one in opened])
        await store.close()
