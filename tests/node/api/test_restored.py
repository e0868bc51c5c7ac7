"""A restored node that may not sign yet: what it says of its chargers agrees, and it refuses at once."""

from __future__ import annotations

from pathlib import Path

from chargemesh_node.sim.loop import run
from chargemesh_node.sim.world import World

from .houses import CHARGER, client_of


def test_nothing_is_listed_and_a_new_charger_is_refused_at_its_preview(tmp_path: Path) -> None:
    async def main() -> None:
        world = World(29)
        alice = await world.add("alice")
        host = client_of(alice, tmp_path)
        id = (await host.post("/v1/chargers", CHARGER))["id"]
        assert (await host.get("/v1/status"))["counts"]["listed"] == 1
        alice.node.runner.engine.keeper.read_only = True
        assert (await host.get("/v1/status"))["counts"]["listed"] == 0
        assert (await host.get(f"/v1/chargers/{id}"))["listed"] is False
        told = await host.ask("POST", "/v1/chargers/preview", CHARGER)
        assert told.code == "read-only"
        await world.end()

    run(main())
