"""The trust log through the API: a vouch counts at once, entries from elsewhere are judged like a peer's."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from chargemesh_node.sim.loop import run
from chargemesh_node.sim.people import Person
from chargemesh_node.sim.world import World
from chargemesh_protocol.errors import ExitCode
from chargemesh_protocol.limits import MAX_ENTRY_BYTES
from chargemesh_protocol.place import Point, public_cell, region_of, text
from chargemesh_protocol.trust.entries import Vouch
from tests.protocol.trust.people import REGION
from tests.protocol.trust.people import Person as Writer

from .houses import CHARGER, Client, client_of
from .test_mistakes import mistaken

Scene = Callable[[World, Person, Person], Awaitable[None]]
HERE = text(REGION)


def play(scene: Scene) -> None:
    async def main() -> None:
        world = World(17)
        alice, bob = await world.add("alice"), await world.add("bob")
        try:
            await scene(world, alice, bob)
        finally:
            await world.end()

    run(main())


def base64_of(raw: bytes | None) -> str | None:
    return None if raw is None else base64.b64encode(raw).decode()


def phone_of(client: Client) -> Client:
    return Client(client.context, client.context.tokens.for_phone("pocket"))


def entries_of(person: Person) -> list[Any]:
    return [one.record.body for one in person.node.replica.logs.accepted()]


# --- POST /v1/trust/{id}/vouch ----------------------------------------------------------------------


def test_a_vouch_counts_at_once_is_public_later_and_is_taken_back_at_once(tmp_path: Path) -> None:
    async def scene(world: World, alice: Person, bob: Person) -> None:
        client = client_of(alice, tmp_path)
        path = f"/v1/trust/{bob.author.hex()}"
        assert (await client.get(path))["standing"] == 0
        told = await client.post(f"{path}/vouch", {"region": HERE})
        assert told["vouched"] and told["standing"] > 0 and told["author"] == bob.author.hex()
        assert entries_of(bob) == [], "not a word to others yet"
        await world.settles()
        (entry,) = entries_of(bob)
        assert isinstance(entry, Vouch)
        assert (entry.author, entry.subject, entry.region) == (alice.author, bob.author, REGION)
        told = await client.post(f"{path}/vouch", {"region": HERE, "stands": False})
        assert not told["vouched"] and told["standing"] == 0, "although the log still says otherwise"
        await world.settles()
        assert [one.stands for one in entries_of(bob)] == [True, False]
        assert (await client.get(path))["standing"] == 0

    play(scene)


def test_a_vouch_without_a_place_is_given_where_they_met_or_where_one_is_at_home(tmp_path: Path) -> None:
    async def scene(world: World, alice: Person, bob: Person) -> None:
        client = client_of(alice, tmp_path)
        path = f"/v1/trust/{'ee' * 32}/vouch"
        said = await mistaken(client, "POST", path, {})
        assert (said[0], said[3]) == ("no-region", ExitCode.USAGE) and "--near PLACE" in said[2]
        await client.post("/v1/chargers", CHARGER)
        assert (await client.post(path, {}))["vouched"]
        await world.settles()
        at_home = region_of(public_cell(Point(52.52, 13.405)))
        assert [one.region for one in entries_of(bob)] == [at_home]
        await bob.books(alice)
        driver = client_of(bob, tmp_path)
        assert (await driver.post(f"/v1/trust/{alice.author.hex()}/vouch", {}))["vouched"]
        await world.settles()
        assert [one.region for one in entries_of(alice) if one.author == bob.author] == [at_home]

    play(scene)


def test_vouches_that_can_not_be(tmp_path: Path) -> None:
    async def scene(_: World, alice: Person, bob: Person) -> None:
        client = client_of(alice, tmp_path)
        someone = f"/v1/trust/{bob.author.hex()}/vouch"
        for region in ("", "zz", "0", "87" + HERE[2:], "f" * 16):
            said = await mistaken(client, "POST", someone, {"region": region})
            assert (said[0], said[3]) == ("bad-value", ExitCode.USAGE), region
        said = await mistaken(client, "POST", someone, {"region": HERE, "stands": "no"})
        assert said[0] == "bad-value"
        itself = f"/v1/trust/{alice.author.hex()}/vouch"
        assert (await mistaken(client, "POST", itself, {"region": HERE}))[0] == "vouch-for-self"
        for nobody in ("abcdef", "zz" * 32):
            said = await mistaken(client, "POST", f"/v1/trust/{nobody}/vouch", {"region": HERE})
            assert (said[0], said[3]) == ("no-such-person", ExitCode.NOT_FOUND)
        said = await mistaken(phone_of(client), "POST", someone, {"region": HERE})
        assert (said[0], said[3]) == ("phone", ExitCode.NOT_ALLOWED)
        assert alice.node.runner.engine.keeper.waiting == 0, "none of them left a word behind"

    play(scene)


# --- POST /v1/log/entries ---------------------------------------------------------------------------


def offer(writer: Writer, *, bundle: bool = True) -> dict[str, Any]:
    """All that a writer's log says, as a program of the owner's would bring it."""
    entries = [{"raw": base64_of(one.raw), "content": base64_of(one.content)} for one in writer.log]
    return {"entries": entries, "bundles": [base64_of(writer.bundle.to_bytes())] if bundle else []}


def test_entries_from_elsewhere_are_kept_and_told_on(tmp_path: Path) -> None:
    async def scene(world: World, alice: Person, bob: Person) -> None:
        carol, dave = Writer("carol", world.network), Writer("dave", world.network)
        carol.vouches(dave)
        carol.reviews(dave, "monday", 5)
        client = client_of(alice, tmp_path)
        assert await client.post("/v1/log/entries", offer(carol)) == {"fresh": 2, "unknown": 0, "refused": {}}
        shown = (await client.get(f"/v1/trust/{dave.author.hex()}"))["shown"]
        assert [(one["author"], one["stars"], one["text"]) for one in shown] == [
            (carol.author.hex(), 5, "thanks")
        ]
        await world.until(lambda: len(entries_of(bob)) == 2, 60, "bob, who was never asked, has them as well")
        again = await client.post("/v1/log/entries", offer(carol))
        assert again == {"fresh": 0, "unknown": 0, "refused": {}}

    play(scene)


def test_entries_are_judged_like_a_peers(tmp_path: Path) -> None:
    async def scene(world: World, alice: Person, _: Person) -> None:
        carol, dave = Writer("carol", world.network), Writer("dave", world.network)
        (raw,) = [carol.vouches(dave).raw]
        client = client_of(alice, tmp_path)
        unknown = await client.post("/v1/log/entries", offer(carol, bundle=False))
        assert unknown == {"fresh": 0, "unknown": 1, "refused": {}}
        forged = raw[:-1] + bytes([raw[-1] ^ 1])
        foreign = Writer("carol", "chargemesh-test-elsewhere").vouches(dave).raw
        bundles = offer(carol)["bundles"]
        for bad in (forged, foreign):
            told = await client.post(
                "/v1/log/entries", {"entries": [{"raw": base64_of(bad)}], "bundles": bundles}
            )
            assert told == {"fresh": 0, "unknown": 0, "refused": {"bad-signature": 1}}
        assert entries_of(alice) == []
        assert (await client.post("/v1/log/entries", offer(carol)))["fresh"] == 1, "the good one still counts"

    play(scene)


def test_offers_that_can_not_be(tmp_path: Path) -> None:
    async def scene(world: World, alice: Person, _: Person) -> None:
        client = client_of(alice, tmp_path)
        good = base64_of(Writer("carol", world.network).vouches(Writer("dave")).raw)
        for body in (
            {"entries": [{"raw": "not base64!"}]},
            {"entries": [{"raw": good, "content": "="}]},
            {"entries": [{"raw": good}], "bundles": ["?"]},
            {"entries": [{"raw": base64_of(bytes(16 * MAX_ENTRY_BYTES))}]},
            {"entries": good},
            {"entries": [{}]},
        ):
            said = await mistaken(client, "POST", "/v1/log/entries", body)
            assert said[3] == ExitCode.USAGE, body
        said = await mistaken(phone_of(client), "POST", "/v1/log/entries", {"entries": [{"raw": good}]})
        assert (said[0], said[3]) == ("phone", ExitCode.NOT_ALLOWED)
        assert entries_of(alice) == []

    play(scene)
