"""A restored copy runs beside the original: whom the others refuse is told so, and how to be listed again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from chargemesh_node.sim.loop import run
from chargemesh_node.sim.people import Person
from chargemesh_node.sim.world import World
from chargemesh_node.views.doctor import Check, doctor
from chargemesh_protocol.discovery import wire
from chargemesh_protocol.discovery.places import OURSELVES
from chargemesh_protocol.listing import Renewal
from chargemesh_protocol.place import region_of

from .houses import CHARGER, app_for, client_of


def published_by_a_copy(host: Person, charger: bytes) -> wire.Store:
    """What a copy of the host's node that was restored a minute ago tells the network."""
    listing = host.node.runner.engine.listings.listing(charger)
    assert listing is not None
    me, now = host.node.me, host.clock.now()
    copied = me.sign(replace(listing.body, sequence=now - 60_000, issued=now))
    renewal = me.sign(Renewal(issued=now, listing=copied.id))
    root = region_of(listing.body.cell)
    return wire.Store(listing=copied.raw, renewal=renewal.raw, bundle=me.bundle, cell=root)


def second_node(checks: list[Check]) -> list[str]:
    return [one["hint"] for one in checks if one["name"] == "second-node" and one["ok"] is False]


def test_the_original_says_that_another_node_signs_as_it_and_can_be_listed_again(tmp_path: Path) -> None:
    async def main() -> tuple[list[Any], ...]:
        world = World(23)
        alice, bob = await world.add("alice"), await world.add("bob")
        host, driver = client_of(alice, tmp_path), client_of(bob, tmp_path)
        app = app_for(alice.node, tmp_path / "home")
        id = (await host.post("/v1/chargers", CHARGER))["id"]
        await world.pass_time(seconds=10)
        views, hints = [await host.get(f"/v1/chargers/{id}")], [second_node(doctor(app)["checks"])]
        keeper = bob.node.caretaker
        await keeper.take(keeper.open(published_by_a_copy(alice, bytes.fromhex(id))), OURSELVES)
        await host.ask("PATCH", f"/v1/chargers/{id}", {"tariff": {"per_kwh": 500000}})
        await world.pass_time(seconds=10)
        views.append(await host.get(f"/v1/chargers/{id}"))
        hints.append(second_node(doctor(app)["checks"]))
        counts = [(await host.get("/v1/status"))["counts"]]
        await host.post(f"/v1/chargers/{id}/resume")
        await world.pass_time(seconds=10)
        views.append(await host.get(f"/v1/chargers/{id}"))
        hints.append(second_node(doctor(app)["checks"]))
        counts.append((await host.get("/v1/status"))["counts"])
        found = (await driver.get("/v1/find", lat=52.52, lon=13.405, radius_m=3000))[:-1]
        await world.end()
        return views, hints, counts, found

    views, hints, counts, found = run(main())
    assert [(one["listed"], one["superseded"]) for one in views] == [
        (True, False),
        (False, True),
        (True, False),
    ]
    assert [bool(one) for one in hints] == [False, True, False] and "charger resume" in hints[1][0]
    assert [(one["listed"], one["superseded"]) for one in counts] == [(0, 1), (1, 0)]
    assert [one["price"]["text"] for one in found] == ["0.50 EUR"]


def test_a_node_that_is_gone_says_nothing_of_what_was_listed_since(tmp_path: Path) -> None:
    async def main() -> list[bool]:
        world = World(24)
        alice, bob = await world.add("alice"), await world.add("bob")
        host = client_of(alice, tmp_path)
        id = (await host.post("/v1/chargers", CHARGER))["id"]
        await world.pass_time(seconds=10)
        keeper = bob.node.caretaker
        await keeper.take(keeper.open(published_by_a_copy(alice, bytes.fromhex(id))), OURSELVES)
        await host.ask("PATCH", f"/v1/chargers/{id}", {"tariff": {"per_kwh": 500000}})
        await world.pass_time(seconds=10)
        seen = [(await host.get(f"/v1/chargers/{id}"))["superseded"]]
        await bob.stop()
        await host.post(f"/v1/chargers/{id}/resume")
        await world.pass_time(seconds=10)
        seen.append((await host.get(f"/v1/chargers/{id}"))["superseded"])
        await world.end()
        return seen

    assert run(main()) == [True, False]
