"""A weekly series through the API, between two simulated nodes."""

from __future__ import annotations

from pathlib import Path

from chargemesh_node.sim.loop import run
from chargemesh_node.sim.world import World
from chargemesh_protocol.series.dates import instant_of, wall_day
from chargemesh_protocol.series.text import format_date

from .houses import CHARGER, HOUR_MS, client_of

BERLIN = "Europe/Berlin"
ON_REQUEST = {"instant": False}


def test_a_series_is_begun_looked_at_changed_and_ended(tmp_path: Path) -> None:
    async def main() -> None:
        world = World(21)
        alice, bob = await world.add("alice"), await world.add("bob")
        host, driver = client_of(alice, tmp_path), client_of(bob, tmp_path)
        await host.post("/v1/chargers", {**CHARGER, "rules": ON_REQUEST})
        await world.pass_time(seconds=5)

        day = wall_day(BERLIN, bob.clock.now()) + 1
        start = instant_of(BERLIN, day, 18 * 60)
        found = (await driver.get("/v1/find", lat=52.52, lon=13.405, radius_m=3000))[0]
        slot = {"listing": found["id"], "start": start, "end": start + 2 * HOUR_MS}
        quote = await driver.post("/v1/quotes", slot)
        body = {"quote": quote["quote"], "count": 3, "until": "2027-01-01"}
        assert (await driver.ask("POST", "/v1/series", body)).code == "bad-series"
        begun = await driver.post("/v1/series", {"quote": quote["quote"], "count": 4})
        assert begun["says"].startswith("Every Tuesday, 18:00 to 20:00 (Europe/Berlin), from ")
        assert begun["at_most"] == quote["cap"] and not begun["ended"]
        assert [one["state"] for one in begun["dates"]] == ["ASKED", "PLANNED", "PLANNED", "PLANNED"]
        path = f"/v1/series/{begun['id'][:8]}"

        await world.pass_time(seconds=10)
        request = (await host.get("/v1/bookings", role="host"))["bookings"][0]
        assert request["series"] == {"id": begun["id"], "agreed_until": None}
        taken = await host.post(f"/v1/bookings/{request['id']}/accept", {"series": True})
        assert taken["reservation"] == "RESERVED" and taken["series"]["agreed_until"]
        await world.pass_time(minutes=6)
        booked = await driver.get(path)
        assert [one["state"] for one in booked["dates"]] == ["BOOKED", "BOOKED", "PLANNED", "PLANNED"]
        lines = (await driver.get("/v1/bookings"))["bookings"]
        assert {one["series"]["id"] for one in lines} == {begun["id"]} and len(lines) == 2

        third, fourth = format_date(day + 14), format_date(day + 21)
        skipped = await driver.post(f"{path}/skip", {"date": third})
        assert skipped["dates"][2]["state"] == "SKIPPED"
        again = await driver.post(f"{path}/skip", {"date": third, "skipped": False})
        assert again["dates"][2]["state"] == "PLANNED"
        other = start + 21 * 24 * HOUR_MS + HOUR_MS
        moved = await driver.post(f"{path}/move", {"date": fourth, "start": other, "end": other + HOUR_MS})
        assert moved["dates"][3]["moved"] and moved["dates"][3]["start"]["ms"] == other
        assert (await driver.ask("POST", f"{path}/skip", {"date": format_date(day)})).code == "booked"
        assert (await driver.ask("POST", f"{path}/skip", {"date": "soon"})).code == "bad-date"
        dearer = await driver.post(f"{path}/price", {"at_most_micro": 50_000_000})
        assert dearer["at_most"]["text"] == "50.00 EUR"

        back = await host.post(f"/v1/bookings/{request['id']}/decline", {"series": True})
        assert back["reservation"] == "RESERVED" and back["series"]["agreed_until"] is None
        assert (await driver.post("/v1/series/last/end"))["ended"]
        assert [one["ended"] for one in (await driver.get("/v1/series"))["series"]] == [True]
        assert (await driver.ask("POST", f"{path}/end")).code == "series-ended"
        await world.end()

    run(main())
