"""A volunteer's mailbox: what it takes, whom it gives it to, and what its disk tells."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from chargemesh_node.clock import ManualClock, SeededEntropy
from chargemesh_node.mailbox import keeper as keepers
from chargemesh_node.mailbox.keeper import MailboxKeeper
from chargemesh_node.ports import Caller, ParcelStore
from chargemesh_node.sim.loop import run
from chargemesh_node.sim.network import SimulatedInternet
from chargemesh_node.sim.parcels import MemoryParcels
from chargemesh_node.store.parcel_db import SqliteParcels
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.limits import COLLECT_CHALLENGE_MS, MAX_PARCEL_LIFE_MS
from chargemesh_protocol.mailbox import wire
from chargemesh_protocol.mailbox.keys import mailbox_key, sign_collect
from chargemesh_protocol.mailbox.sealing import Letter, parcel_hash, seal_letter
from chargemesh_protocol.record import open_as

NETWORK, NOW = "chargemesh-test-mail", 1_800_000_000_000
SEED, OTHER = b"m" * 32, b"o" * 32
KEY = mailbox_key(SEED)
SECRETS = (b"the text of a message", b"12 Hidden Lane", bytes(range(32)))  # the last: a booking's id


def parcel(number: int = 0) -> bytes:
    letter = Letter(
        protocol="/chargemesh/booking/1",
        body=SECRETS[0] + SECRETS[1],
        sender=Contact("12D3KooWsender", ("/ip4/192.0.2.7/tcp/4001",)),
        sent=NOW,
        booking=SECRETS[2],
    )
    return seal_letter(letter, KEY, number.to_bytes(32, "big"))


class House:
    """A volunteer; `caller` is who asks."""

    def __init__(self, store: ParcelStore | None = None) -> None:
        self.clock = ManualClock(NOW)
        self.network = SimulatedInternet(1).node("volunteer")
        self.caller = Caller("12D3KooWdepositor", "198.51.100.0/24")
        self.keeper = MailboxKeeper(
            network=self.network,
            clock=self.clock,
            entropy=SeededEntropy(b"seed"),
            store=store or MemoryParcels(),
            secret=b"s" * 32,
            network_id=NETWORK,
            max_bytes=2**20,
        )

    async def says(self, message: wire.Message) -> Any:
        return wire.read(await self.keeper.answer(self.caller, wire.write(message)))

    async def holds(self, sealed: bytes, **more: Any) -> Any:
        asked = {"recipient": KEY, "expires": NOW + 3_600_000, **more}
        return await self.says(wire.Deposit(sealed=sealed, **asked))

    async def collects(
        self, *drop: bytes, seed: bytes = SEED, key: bytes = KEY, wait_ms: int = 0, peer: str = "volunteer"
    ) -> Any:
        challenge = (await self.says(wire.Knock(recipient=key))).challenge
        self.clock.set(self.clock.now() + wait_ms)
        signature = sign_collect(seed, NETWORK, peer, challenge, drop)
        return await self.says(
            wire.Collect(recipient=key, challenge=challenge, signature=signature, drop=drop)
        )


def at(story: Callable[[House], Awaitable[None]]) -> None:
    async def whole() -> None:
        house = House()
        await house.keeper.start()
        await story(house)
        await house.keeper.close()

    run(whole())


def test_a_deposit_is_proved_by_a_record_of_the_signer_and_is_idempotent() -> None:
    async def story(house: House) -> None:
        told = await house.holds(parcel())
        house.clock.set(NOW + 5_000)
        assert await house.holds(parcel()) == told, "the same record, and the same time"
        proof = open_as(wire.Deposited, told.proof, NETWORK)
        assert proof.kid == house.keeper.signer
        assert proof.body == wire.Deposited(issued=NOW, parcel=parcel_hash(parcel()), expires=NOW + 3_600_000)
        terms = await house.says(wire.AskTerms())
        assert (terms.signer, terms.full) == (house.keeper.signer, False)

    at(story)


def test_only_who_holds_the_key_collects_and_drops() -> None:
    async def story(house: House) -> None:
        await house.holds(parcel())
        for wrong in (
            await house.collects(seed=OTHER),
            await house.collects(parcel_hash(parcel()), seed=OTHER),
            await house.collects(peer="another volunteer"),
        ):
            assert wrong.code == "bad-signature"
        assert (await house.collects(wait_ms=COLLECT_CHALLENGE_MS + 1)).code == "challenge"
        found = await house.collects(seed=OTHER, key=mailbox_key(OTHER))
        assert found.parcels == (), "who has another key sees nothing"
        gone = await house.collects(parcel_hash(parcel()), seed=OTHER, key=mailbox_key(OTHER))
        assert gone.parcels == () and len(house.keeper.places) == 1, "nor drops what isn't theirs"
        found = await house.collects()
        assert [(one.sealed, one.at) for one in found.parcels] == [(parcel(), NOW)]
        assert (await house.collects(parcel_hash(parcel()))).parcels == ()
        assert len(house.keeper.places) == 0

    at(story)


def test_a_challenge_is_for_who_asked_and_for_that_key() -> None:
    async def story(house: House) -> None:
        challenge = (await house.says(wire.Knock(recipient=KEY))).challenge
        good = wire.Collect(
            recipient=KEY,
            challenge=challenge,
            signature=sign_collect(SEED, NETWORK, "volunteer", challenge, ()),
        )
        house.caller = Caller("12D3KooWlistener", "203.0.113.0/24")
        assert (await house.says(good)).code == "challenge", "overheard, it is worth nothing"
        other = mailbox_key(OTHER)
        signature = sign_collect(OTHER, NETWORK, "volunteer", challenge, ())
        house.caller = Caller("12D3KooWdepositor", "198.51.100.0/24")
        wrong = wire.Collect(recipient=other, challenge=challenge, signature=signature)
        assert (await house.says(wrong)).code == "challenge"
        assert isinstance(await house.says(good), wire.Collected)

    at(story)


def test_what_cannot_be_a_parcel_or_is_over_is_refused_by_its_code() -> None:
    async def story(house: House) -> None:
        assert (await house.holds(bytes(5000))).code == "parcel"
        assert (await house.holds(parcel(), expires=NOW)).code == "expired"
        await house.holds(parcel())
        assert (await house.holds(parcel(), recipient=mailbox_key(OTHER))).code == "mismatch"
        assert (await house.says(wire.Terms(signer=KEY, full=False, contact=Contact("x", ())))).code == (
            "unexpected"
        )
        assert wire.read(await house.keeper.answer(house.caller, b"\xa1\x00\x09")).code == (  # type: ignore[union-attr]
            "unknown-operation"
        )

    at(story)


def test_nothing_is_held_longer_than_a_week_whatever_is_asked() -> None:
    async def story(house: House) -> None:
        told = await house.holds(parcel(), expires=NOW + 10 * MAX_PARCEL_LIFE_MS)
        assert open_as(wire.Deposited, told.proof, NETWORK).body.expires == NOW + MAX_PARCEL_LIFE_MS
        house.clock.set(NOW + MAX_PARCEL_LIFE_MS)
        assert (await house.collects()).parcels == ()

    at(story)


def test_a_flood_is_slowed_and_then_refused() -> None:
    async def story(house: House) -> None:
        answers = [await house.holds(parcel(n)) for n in range(keepers.DEPOSITS_BURST + 20)]
        codes = [getattr(one, "code", "taken") for one in answers]
        assert codes.count("taken") == 16 and codes.count("unavailable") == 20
        house.caller = Caller("12D3KooWanother", "203.0.113.0/24")
        assert isinstance(await house.holds(parcel(999)), wire.Taken), "others are served"

    at(story)


def test_a_disk_that_is_full_promises_nothing() -> None:
    async def story() -> None:
        store = MemoryParcels()
        house = House(store)
        await house.keeper.start()
        store.full = True
        assert (await house.holds(parcel())).code == "unavailable"
        store.full = False
        assert isinstance(await house.holds(parcel()), wire.Taken)
        await house.keeper.close()
        assert (await house.holds(parcel(1))).code == "unavailable", "nor one that stops"

    run(story())


@pytest.mark.asyncio
async def test_parcels_survive_a_restart_and_the_quotas_with_them(tmp_path: Path) -> None:
    path = tmp_path / "mailbox.db"
    first = House(SqliteParcels(path, 2**24, min_free_bytes=0))
    await first.keeper.start()
    for number in range(20):
        await first.holds(parcel(number))
    await first.holds(parcel(100), replaces=parcel_hash(parcel(0)))
    await first.keeper.close()
    second = House(SqliteParcels(path, 2**24, min_free_bytes=0))
    await second.keeper.start()
    found = {one.sealed for one in (await second.collects()).parcels}
    assert found == {parcel(number) for number in (*range(1, 16), 100)}
    assert (await second.holds(parcel(200))).code == "block-full"
    await second.collects(*(parcel_hash(one) for one in found))
    await second.keeper.close()
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM parcel").fetchone() == (0,)
    db.close()


@pytest.mark.asyncio
async def test_the_volunteers_disk_shows_no_author_booking_text_or_depositor(tmp_path: Path) -> None:
    store = SqliteParcels(tmp_path / "mailbox.db", 2**24, min_free_bytes=0)
    house = House(store)
    await house.keeper.start()
    for number in range(5):
        await house.holds(parcel(number))
    await house.collects()
    on_disk = b"".join(path.read_bytes() for path in sorted(tmp_path.iterdir()))
    assert KEY in on_disk and parcel(3)[:64] in on_disk, "what there is, is found by looking like this"
    secrets = (*SECRETS, b"12D3KooWsender", b"192.0.2.7", b"12D3KooWdepositor", b"198.51.100")
    for secret in secrets:
        assert secret not in on_disk and secret.hex().encode() not in on_disk
    await house.keeper.close()


@pytest.mark.asyncio
async def test_the_file_has_a_size_that_it_never_passes_and_a_broken_one_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "mailbox.db"
    path.write_bytes(b"no database" * 1000)
    house = House(SqliteParcels(path, 2**20, min_free_bytes=0))
    await house.keeper.start()
    for number in range(400):
        house.caller = Caller("somebody", f"block {number}")
        key = mailbox_key(number.to_bytes(32, "big"))
        await house.holds(parcel(number), recipient=key)
    assert house.keeper.places.total_bytes <= 2**20
    assert house.keeper.places.full
    await house.keeper.close()
    assert path.stat().st_size < 2 * 2**20
