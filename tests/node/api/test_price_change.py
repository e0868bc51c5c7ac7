"""A host changes the price between a driver's search and the quote: the driver is told the quote's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chargemesh_node.sim.loop import run
from chargemesh_node.sim.world import World

from .houses import CHARGER, HOUR_MS, client_of


def test_a_quote_names_its_own_prices_and_not_those_of_the_listing_that_was_found(tmp_path: Path) -> None:
    async def main() -> tuple[Any, Any]:
        world = World(17)
        alice, bob = await world.add("alice"), await world.add("bob")
        host, driver = client_of(alice, tmp_path), client_of(bob, tmp_path)
        id = (await host.post("/v1/chargers", CHARGER))["id"]
        await world.pass_time(seconds=5)
        found, _ = await driver.get("/v1/find", lat=52.52, lon=13.405, radius_m=3000)
        told = await host.ask("PATCH", f"/v1/chargers/{id}", {"tariff": {"per_kwh": 500000}})
        assert told.status == 200
        now = bob.clock.now()
        slot = {"start": now + HOUR_MS, "end": now + 3 * HOUR_MS, "energy_wh": 10000}
        quote = await driver.post("/v1/quotes", {"listing": found["id"], **slot})
        await world.end()
        return found, quote

    found, quote = run(main())
    assert found["prices"]["text"] == "0.35 EUR per kWh."
    assert quote["estimate"]["text"] == "5.00 EUR" and quote["prices"] == "0.50 EUR per kWh."
