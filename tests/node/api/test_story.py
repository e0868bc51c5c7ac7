"""The whole job through the API on both sides, every answer held against the type that OpenAPI names."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

from chargemesh_node.api.table import ROUTES
from chargemesh_node.sim.loop import run
from chargemesh_node.sim.world import World
from chargemesh_protocol.place import Point, public_cell, region_of, text
from chargemesh_protocol.record import open_record

from .houses import CHARGER, HOUR_MS, TOKEN, Client, client_of

# Not of this story: they need a manual wallbox or a second peer's address, or never end.
ELSEWHERE = {
    ("GET", "/v1/chargers/{id}/photos"),
    ("POST", "/v1/chargers/{id}/photos"),
    ("GET", "/v1/chargers/{id}/photos/{photo}"),
    ("DELETE", "/v1/chargers/{id}/photos/{photo}"),
    ("GET", "/v1/bookings/{id}/photos/{photo}"),
    ("GET", "/v1/events"),
    ("POST", "/v1/peers"),
    ("POST", "/v1/join"),
    ("POST", "/v1/chargers/{id}/busy"),
    ("POST", "/v1/chargers/{id}/reading"),
    ("POST", "/v1/bookings/{id}/reading"),
    ("POST", "/v1/bookings/{id}/agree"),
    ("GET", "/v1/trust/{id}/log"),
    ("POST", "/v1/log/say"),
    # In test_series.
    ("GET", "/v1/series"),
    ("POST", "/v1/series"),
    ("GET", "/v1/series/{id}"),
    ("POST", "/v1/series/{id}/skip"),
    ("POST", "/v1/series/{id}/move"),
    ("POST", "/v1/series/{id}/price"),
    ("POST", "/v1/series/{id}/end"),
    # In test_policy.
    ("POST", "/v1/chargers/{id}/rules"),
    ("POST", "/v1/chargers/{id}/code"),
    ("GET", "/v1/chargers/{id}/code.png"),
    ("GET", "/v1/chargers/{id}/code.svg"),
    ("POST", "/v1/walk-in"),
    ("GET", "/v1/members"),
    ("POST", "/v1/members"),
    ("DELETE", "/v1/members/{id}"),
    ("GET", "/v1/blocked"),
    ("POST", "/v1/blocked"),
    ("DELETE", "/v1/blocked/{id}"),
}


async def the_story(root: Path) -> tuple[Client, Client]:
    world = World(11)
    alice, bob = await world.add("alice"), await world.add("bob")
    host, driver = client_of(alice, root), client_of(bob, root)
    try:
        await happens(world, host, driver)
    finally:
        await world.end()
    return host, driver


async def happens(world: World, host: Client, driver: Client) -> None:
    alice, bob = world.people["alice"], world.people["bob"]
    await offers(host)
    await world.pass_time(seconds=5)
    booking = await books(driver, bob.clock.now())
    await charges(host, driver, booking)
    await pays(host, driver, booking)
    await both_review(host, driver, booking)
    await world.pass_time(seconds=30)
    trust = await driver.get(f"/v1/trust/{booking[:8]}")
    assert trust["number"] > 0 and trust["own_completions"] == 1
    assert trust["shown"][0]["stars"] == 5
    await declines_and_cancels(host, driver, alice.clock.now() + 26 * HOUR_MS)
    await looks_around(host, driver)


async def offers(host: Client) -> None:
    shown = await host.post("/v1/chargers/preview", CHARGER)
    assert shown["sentence"].startswith("Garage: 11 kW Type 2 (socket). 0.35 EUR per kWh. Always offered")
    assert "hexagon about" in shown["place"] and "Hidden Lane" not in str(shown)
    assert (await host.get("/v1/chargers"))["chargers"] == []
    charger = await host.post("/v1/chargers", CHARGER)
    id = charger["id"]
    assert charger["listed"] and "password" not in str(charger)
    box = await host.get(f"/v1/chargers/{id}/wallbox")
    assert box["url"].endswith(f"/ocpp/{id}") and len(box["password"]) == 16
    told = await host.ask("PATCH", f"/v1/chargers/{id[:6]}", {"title": "Drive", "tariff": {"flat": 500000}})
    assert told.value["settings"]["tariff"]["per_kwh"] == 350000
    assert (await host.get(f"/v1/chargers/{id}/wallbox"))["password"] == box["password"]
    other = await host.post(f"/v1/chargers/{id}/preview", {"resolution": 8})
    assert other["cell"]["resolution"] == 8
    assert not (await host.post(f"/v1/chargers/{id}/pause"))["listed"]
    assert (await host.post(f"/v1/chargers/{id}/resume"))["listed"]
    assert (await host.get(f"/v1/chargers/{id}"))["title"] == "Drive"


async def books(driver: Client, now: int, *, hours: float = 2) -> str:
    query: dict[str, Any] = {
        "lat": 52.52,
        "lon": 13.405,
        "radius_m": 3000,
        "start": now,
        "end": now + HOUR_MS,
    }
    *found, end = await driver.get("/v1/find", **query)
    assert end["done"] and end["believable"] and len(found) == end["listings"] == 1
    assert found[0]["price"]["text"] == "0.35 EUR"
    slot = {"start": now, "end": now + round(hours * HOUR_MS), "energy_wh": 8000}
    quote = await driver.post("/v1/quotes", {"listing": found[0]["id"], **slot})
    assert quote["estimate"]["text"] == "3.30 EUR" and quote["instant"]
    booking = await driver.post("/v1/bookings", {"quote": quote["quote"][:10], "vehicle": "a blue car"})
    decided = await driver.get(f"/v1/bookings/{booking['id']}", wait_until="decided", timeout_s=30)
    assert decided["waited"] == {"until": "decided", "reached": True}
    return str(booking["id"])


async def charges(host: Client, driver: Client, booking: str) -> None:
    path = f"/v1/bookings/{booking[:12]}"
    reserved = await driver.get(path, wait_until="access", timeout_s=30)
    assert reserved["access"]["address"] == "12 Hidden Lane, 10115 Berlin"
    assert reserved["access"]["place"]["map"] == "geo:52.520000,13.405000"
    assert reserved["cancelling_costs"]["text"] == "0.00 EUR"
    seen = await host.get(path)
    assert seen["access"] is None and seen["vehicle"] == "a blue car"
    await driver.post(f"{path}/message", {"text": "I am at the gate."})
    assert "start" in reserved["actions"]
    started = await driver.post(f"{path}/start")
    assert started["unconfirmed"] == 1 and "start" not in started["actions"]
    assert "stop" in started["actions"] and not started["undelivered"], "it is on its way, and not late"
    assert "stop" in (await driver.get(path, wait_until="charging", timeout_s=60))["actions"]
    await asyncio.sleep(1200)
    live = await driver.get(path)
    assert live["meter"]["energy_wh"] > 3000 and live["meter"]["power_w"] == 11000
    assert (await host.get(path))["messages"][0]["text"] == "I am at the gate."
    await driver.post(f"{path}/problem", {"problem": "OTHER", "text": "the light is red"})
    await driver.post(f"{path}/stop")
    assert (await driver.get(path, wait_until="agreed", timeout_s=60))["waited"]["reached"]


async def pays(host: Client, driver: Client, booking: str) -> None:
    path = f"/v1/bookings/{booking}"
    receipt = await driver.get(f"{path}/receipt")
    assert receipt["differences"] == [] and receipt["text"][-1].startswith("Total: ")
    assert (
        receipt["total"]["micro"] == sum(one["amount"]["micro"] for one in receipt["lines"]) // 10000 * 10000
    )
    payment = await driver.get(f"{path}/payment")
    assert payment["rail"] == "sepa-qr" and payment["qr"].startswith("BCD\n")
    by_hand = await driver.get(f"{path}/payment", rail="manual")
    assert by_hand["qr"] is None and "Alice" in by_hand["text"]
    assert (await driver.ask("GET", f"{path}/payment.png")).content.startswith(b"\x89PNG")
    assert b"<svg" in (await driver.ask("GET", f"{path}/payment.svg")).content
    assert "claim" not in (await driver.post(f"{path}/claim"))["actions"]
    assert (await driver.get(path, wait_until="claimed", timeout_s=30))["settlement"] == "CLAIMED"
    assert "confirm" in (await host.get(path))["actions"]
    await host.post(f"{path}/confirm")
    assert (await driver.get(path, wait_until="PAID", timeout_s=30))["finished"]
    records = await driver.get(f"{path}/records")
    kinds = [one["kind"] for one in records["records"]]
    assert kinds[:3] == ["quote", "request", "accept"] and {"receipt", "agreement", "paid"} <= set(kinds)
    for one in records["records"]:
        assert open_record(base64.b64decode(one["raw"]), records["network"]).id.hex() == one["id"]


async def both_review(host: Client, driver: Client, booking: str) -> None:
    path = f"/v1/bookings/{booking}/review"
    assert (await driver.post(path, {"stars": 5, "text": "a quiet place"}))["review"]["stars"] == 5
    await host.post(path, {"stars": 4})
    again = await driver.ask("POST", path, {"stars": 1})
    assert (again.status, again.code) == (409, "already-reviewed")


async def declines_and_cancels(host: Client, driver: Client, start: int) -> None:
    charger = (await host.get("/v1/chargers"))["chargers"][0]["id"]
    await host.ask("PATCH", f"/v1/chargers/{charger}", {"rules": {"instant": False}})
    await asyncio.sleep(5)
    for verb, reservation in (("accept", "RESERVED"), ("decline", "REJECTED")):
        booking = await asks(driver, start)
        start += 3 * HOUR_MS
        path = f"/v1/bookings/{booking}"
        await asyncio.sleep(5)
        assert (await host.get(path))["actions"][:2] == ["accept", "decline"]
        await host.post(f"{path}/{verb}")
        told = await driver.get(path, wait_until="decided", timeout_s=30)
        assert told["reservation"] == reservation
        if verb == "accept":
            await changes_terms(host, driver, path)
            assert (await driver.post(f"{path}/cancel"))["reservation"] == "CANCELED"
    lines = (await driver.get("/v1/bookings", role="driver"))["bookings"]
    assert [one["finished"] for one in lines] == sorted(one["finished"] for one in lines)
    assert (await driver.get("/v1/bookings", open="false", role="host"))["bookings"] == []


async def changes_terms(host: Client, driver: Client, path: str) -> None:
    """The host proposes a later end, which the driver takes; the driver asks for one more, which the host
    accepts; and then there is no power."""
    end = (await host.get(path))["end"]["ms"]
    offer = (await host.post(f"{path}/offer", {"end": end + HOUR_MS, "text": "Stay a while."}))["offer"]
    assert offer["terms"]["end"]["ms"] == end + HOUR_MS and offer["stands"]
    await asyncio.sleep(5)
    told = await driver.get(path)
    assert told["offer"]["text"] == "Stay a while." and told["actions"][:2] == ["accept", "decline"]
    await driver.post(f"{path}/accept", {"offer": told["offer"]["offer"]})
    told = await driver.get(path, wait_until="answered", timeout_s=30)
    assert told["end"]["ms"] == end + HOUR_MS and told["change"] is None
    terms = await driver.post(f"{path}/terms", {"end": end + 2 * HOUR_MS})
    assert terms["now"]["end"]["ms"] == end + HOUR_MS and not terms["cut"]
    asked = await driver.post(f"{path}/change", {"quote": terms["quote"]})
    assert "change" in asked["actions"]
    await asyncio.sleep(5)
    waiting = await host.get(path)
    assert waiting["change"]["terms"]["end"]["ms"] == end + 2 * HOUR_MS
    assert waiting["actions"][:2] == ["accept", "decline"]
    await host.post(f"{path}/accept")
    told = await driver.get(path, wait_until="answered", timeout_s=30)
    assert told["end"]["ms"] == end + 2 * HOUR_MS
    await host.post(f"{path}/fault", {"problem": "NO_POWER", "text": "The street is dark."})
    await asyncio.sleep(5)
    told = await driver.get(path)
    assert told["cancelling_costs"]["micro"] == 0 and any("no power" in one for one in told["so_far"])


async def asks(driver: Client, start: int) -> str:
    *found, _ = await driver.get("/v1/find", lat=52.52, lon=13.405)
    slot = {"listing": found[0]["id"], "start": start, "end": start + HOUR_MS}
    quote = await driver.post("/v1/quotes", slot)
    return str((await driver.post("/v1/bookings", {"quote": quote["quote"], "wait_ms": HOUR_MS}))["id"])


async def looks_around(host: Client, driver: Client) -> None:
    status = await host.get("/v1/status")
    assert status["counts"]["listed"] == 1 and status["limits"]["MAX_RECORD_BYTES"] == 16384
    assert (await host.get("/v1/id"))["author"] == status["identity"]["author"]
    assert len((await host.get("/v1/peers"))["peers"]) == 1
    checks = (await host.get("/v1/doctor"))["checks"]
    assert any("home's IP address" in one["text"] for one in checks)
    host.context.app.home.log_file.write_text("one\ntwo\nthree\n")
    assert (await host.get("/v1/logs", lines=2))["lines"] == ["two", "three"]
    phone = await host.post("/v1/phones", {"name": "Annas-Phone"})
    assert phone["link"].startswith("http://127.0.0.1:8080/#token=phone.annas-phone.")
    assert TOKEN not in phone["link"] and not phone["on_lan"]
    await vouches(host, driver)
    charger = (await host.get("/v1/chargers"))["chargers"][0]["id"]
    told = await host.ask("DELETE", f"/v1/chargers/{charger}")
    assert told.value == {"id": charger, "removed": True}
    assert (await driver.ask("GET", "/")).status == 200
    assert (await driver.ask("GET", "/static/app.js")).headers["content-type"].startswith("text/javascript")
    await subscribes(driver)
    assert (await driver.post("/v1/mailbox", {"links": []}))["uses"] == []
    assert (await driver.get("/v1/mailbox"))["keeps"] is None
    assert not driver.context.app.stopping.is_set()
    await driver.post("/v1/stop")
    assert driver.context.app.stopping.is_set()


async def subscribes(driver: Client) -> None:
    """A calendar follows the bookings, until that is over."""
    await driver.post("/v1/calendar")
    url = (await driver.post("/v1/calendar/renew"))["url"]
    path = url.removeprefix("http://127.0.0.1:8080")
    assert b"STATUS:CONFIRMED" in (await driver.ask("GET", path)).content
    await driver.ask("DELETE", "/v1/calendar")
    assert (await driver.ask("GET", path)).status == 404


async def vouches(host: Client, driver: Client) -> None:
    stranger = "ee" * 32
    assert (await driver.get(f"/v1/trust/{stranger}"))["number"] == 0
    region = text(region_of(public_cell(Point(52.52, 13.405))))
    assert (await driver.post(f"/v1/trust/{stranger}/vouch", {"region": region}))["author"] == stranger
    entry = base64.b64encode(b"no entry").decode()
    offered = await host.post("/v1/log/entries", {"entries": [{"raw": entry}]})
    assert offered["fresh"] == 0 and sum(offered["refused"].values()) == 1


def test_the_story_through_the_api(tmp_path: Path) -> None:
    host, driver = run(the_story(tmp_path))
    every = {(route.method, route.path) for route in ROUTES}
    # Simulated PeerIds are no real ones, so that no invitation or link can name them.
    assert every - ELSEWHERE - host.seen - driver.seen == {("GET", "/v1/invite"), ("GET", "/v1/mailbox/link")}
