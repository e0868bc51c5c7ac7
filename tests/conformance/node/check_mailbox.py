"""15, stream /chargemesh/mailbox/1, where the node keeps a mailbox."""

from __future__ import annotations

import os
from typing import Any

from chargemesh_protocol.errors import Refused
from chargemesh_protocol.mailbox import wire
from chargemesh_protocol.mailbox.keys import mailbox_key, sign_collect
from chargemesh_protocol.mailbox.sealing import parcel_hash
from chargemesh_protocol.record import open_as

from .dialogue import MAILBOX, Answer, mailbox, say
from .peer import Peer
from .scene import Chapter, NotHere, Probe, Scene, now

POST = Chapter("mailbox")
HOUR_MS = 3_600_000
SIZE = 4096


@POST.check("deposit", "M6", "M2")
async def deposit(scene: Scene, probe: Probe) -> None:
    """What is handed in is proved by a record of the signer, the same for the same bytes."""
    signer, sealed, key = await _signer(scene), os.urandom(SIZE), mailbox_key(os.urandom(32))
    before = now()
    asked = _deposit(sealed, key, expires=before + HOUR_MS)
    first = await mailbox(scene.honest, asked)
    probe.sees("deposit", "taken", first.word)
    proof = open_as(wire.Deposited, first.message.proof, scene.network)
    probe.sees("the key of its proof", signer.hex(), proof.kid.hex())
    probe.sees("the parcel that it names", parcel_hash(sealed).hex(), proof.body.parcel.hex())
    in_time = before - 120_000 <= proof.body.issued <= now() + 120_000
    probe.holds("when it was handed in", "now, within two minutes", in_time, str(proof.body.issued))
    probe.holds("expires", "as asked", proof.body.expires == before + HOUR_MS, str(proof.body.expires))
    again = await mailbox(scene.honest, asked)
    probe.holds("the same again", "the same record", again.message == first.message, again.word)


@POST.check("deposit-refused", "M4", "M6", "M10", "K8")
async def deposit_refused(scene: Scene, probe: Probe) -> None:
    """What is no parcel, is over, or is held for another, is refused by its code."""
    await _signer(scene)
    sealed, key = os.urandom(SIZE), mailbox_key(os.urandom(32))
    for sent, message, expected in (
        ("5,000 bytes", _deposit(os.urandom(5000), key), "failed: parcel"),
        ("expired", _deposit(sealed, key, expires=now() - HOUR_MS), "failed: expired"),
        ("a parcel", _deposit(sealed, key), "taken"),
        ("the same for another", _deposit(sealed, mailbox_key(os.urandom(32))), "failed: mismatch"),
        ("taken, as a request", wire.Taken(proof=b"x"), "failed: unexpected"),
    ):
        probe.sees(sent, expected, (await mailbox(scene.honest, message)).word)
    probe.sees(
        "operation 9", "failed: unknown-operation", (await say(scene.honest, MAILBOX, b"\xa1\x00\x09")).word
    )


@POST.check("collect", "M8", "M9")
async def collect(scene: Scene, probe: Probe) -> None:
    """Who holds the key gets what was handed in for it, those longest held first, until it is dropped."""
    await _signer(scene)
    seed, parcels = os.urandom(32), [os.urandom(SIZE) for _ in range(2)]
    for sealed in parcels:
        probe.sees(
            "deposit", "taken", (await mailbox(scene.honest, _deposit(sealed, mailbox_key(seed)))).word
        )
    for drop, left in (([], parcels), ([], parcels), (parcels[:1], parcels[1:]), (parcels, [])):
        answer = await _collect(scene, scene.honest, seed, [parcel_hash(one) for one in drop])
        probe.sees(f"collect, dropping {len(drop)}", "collected", answer.word)
        found = {one.sealed for one in answer.message.parcels}
        probe.holds("what is there", f"{len(left)} parcels", found == set(left), f"{len(found)} parcels")


@POST.check("collect-refused", "M8")
async def collect_refused(scene: Scene, probe: Probe) -> None:
    """Without the key, or with a challenge for somebody else, nothing is given or dropped."""
    await _signer(scene)
    seed, sealed = os.urandom(32), os.urandom(SIZE)
    await mailbox(scene.honest, _deposit(sealed, mailbox_key(seed)))
    drop = [parcel_hash(sealed)]
    wrong = await _collect(scene, scene.honest, seed, drop, signs=os.urandom(32))
    probe.sees("signed by another key", "failed: bad-signature", wrong.word)
    async with scene.peer() as listener:
        overheard = await _collect(scene, scene.honest, seed, drop, asks=listener)
        probe.sees("a challenge that another peer got", "failed: challenge", overheard.word)
    others = await _collect(scene, scene.honest, os.urandom(32), drop)
    probe.holds("dropped by who has another key", "nothing", not others.message.parcels, others.word)
    kept = await _collect(scene, scene.honest, seed, [])
    probe.holds("what is there afterwards", "1 parcel", len(kept.message.parcels) == 1, kept.word)


@POST.check("replaced", "M6", "M7")
async def replaced(scene: Scene, probe: Probe) -> None:
    """A parcel goes when a later one names it, for the same recipient alone; one peer has no endless room."""
    await _signer(scene)
    seed, first = os.urandom(32), os.urandom(SIZE)
    key, hash_ = mailbox_key(seed), parcel_hash(first)
    for sent, message in (
        ("deposit", _deposit(first, key)),
        (
            "for another, in place of it",
            _deposit(os.urandom(SIZE), mailbox_key(os.urandom(32)), replaces=hash_),
        ),
    ):
        probe.sees(sent, "taken", (await mailbox(scene.honest, message)).word)
    there = await _collect(scene, scene.honest, seed, [])
    probe.holds("what is there", "the first", len(there.message.parcels) == 1, there.word)
    second = os.urandom(SIZE)
    later = await mailbox(scene.honest, _deposit(second, key, replaces=hash_))
    probe.sees("in place of it", "taken", later.word)
    there = await _collect(scene, scene.honest, seed, [])
    found = [one.sealed for one in there.message.parcels]
    probe.holds("what is there now", "the second alone", found == [second], f"{len(found)} parcels")
    async with scene.peer() as flooder:
        most = int(scene.limits["MAX_PARCELS_OF_RECIPIENT"])
        words = [(await mailbox(flooder, _deposit(os.urandom(SIZE), key))).word for _ in range(most + 1)]
        probe.holds("a flood for one key", "refused in the end", words[-1].startswith("failed: "), words[-1])


async def _signer(scene: Scene) -> bytes:
    """By which key this mailbox signs; NotHere if the node keeps none."""
    answer = await mailbox(scene.honest, wire.AskTerms())
    if answer.word == "not supported":
        raise NotHere("the node keeps no mailbox")
    if answer.word != "terms":
        raise Refused("unexpected", f"ask-terms is answered by {answer.word}")
    return bytes(answer.message.signer)


def _deposit(sealed: bytes, key: bytes, **more: Any) -> wire.Deposit:
    fields = {"expires": now() + HOUR_MS} | more
    return wire.Deposit(recipient=key, sealed=sealed, **fields)


async def _collect(
    scene: Scene,
    peer: Peer,
    seed: bytes,
    drop: list[bytes],
    *,
    signs: bytes | None = None,
    asks: Peer | None = None,
) -> Answer:
    """A challenge got by `asks` and signed by `signs` (by default the right ones), sent by `peer`."""
    key = mailbox_key(seed)
    knocked = await mailbox(asks or peer, wire.Knock(recipient=key))
    challenge = knocked.message.challenge
    signature = sign_collect(signs or seed, scene.network, scene.target.peer_id, challenge, drop)
    return await mailbox(
        peer, wire.Collect(recipient=key, challenge=challenge, signature=signature, drop=tuple(drop))
    )
