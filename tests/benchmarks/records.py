"""Records: how much of raw libsodium's speed is left after strict decoding, schema, and the store."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nacl.bindings as sodium

from chargemesh_node.clock import SystemClock
from chargemesh_node.store.node_db import SqliteStore
from chargemesh_protocol.booking.records import ReadingContext, Ticket
from chargemesh_protocol.effects import AddRecord
from chargemesh_protocol.record import Record, open_record, sig_structure, sign

NETWORK = "chargemesh-test-bench"
SEED = bytes(range(32))
COUNT = 2000
BATCH = 100
ROUNDS = 5


def measure() -> dict[str, float]:
    """Rates a second on one core; ratios to raw libsodium over the same bytes, medians of rounds."""
    records = [sign(_ticket(number), SEED, NETWORK) for number in range(COUNT)]
    signed = [_raw_signed(one) for one in records]
    public, secret = sodium.crypto_sign_seed_keypair(SEED)
    bodies = [one.body for one in records]
    rounds = []
    for _ in range(ROUNDS):
        raw_verify = _rate(lambda: [sodium.crypto_sign_open(one, public) for one in signed])
        verify = _rate(lambda: [open_record(one.raw, NETWORK) for one in records])
        raw_sign = _rate(lambda: [sodium.crypto_sign(one[64:], secret) for one in signed])
        ours = _rate(lambda: [sign(body, SEED, NETWORK) for body in bodies])
        stored = _rate(lambda: asyncio.run(_ingest(records)))
        rounds.append((raw_verify, verify, raw_sign, ours, stored))
    rows = sorted(rounds, key=lambda row: row[1] / row[0])
    middle = rows[ROUNDS // 2]
    raw_verify, verify, raw_sign, ours, stored = middle
    return {
        "raw_verify_per_s": raw_verify,
        "verify_decode_per_s": verify,
        "verify_decode_of_raw": sorted(row[1] / row[0] for row in rounds)[ROUNDS // 2],
        "raw_sign_per_s": raw_sign,
        "encode_sign_per_s": ours,
        "encode_sign_of_raw": sorted(row[3] / row[2] for row in rounds)[ROUNDS // 2],
        "verified_stored_per_s": stored,
        "verified_stored_of_raw": sorted(row[4] / row[0] for row in rounds)[ROUNDS // 2],
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


def _raw_signed(record: Record[Ticket]) -> bytes:
    """Signature and message as libsodium takes them: the same bytes that our own check covers."""
    return record.raw[-64:] + sig_structure(record.raw, NETWORK)


def _rate(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return COUNT / (time.process_time() - start)


async def _ingest(records: list[Record[Ticket]]) -> None:
    """Verifies, decodes and stores in batches of a hundred, durably."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "node.db", SystemClock())
        await store.open()
        for start in range(0, COUNT, BATCH):
            opened = [open_record(one.raw, NETWORK) for one in records[start : start + BATCH]]
            await store.commit([AddRecord(one.body.booking, one.id, one.raw) for one in opened])
        await store.close()
