"""People's mistakes: each gets a sentence that says what to do, a code, an exit code, and no traceback."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from chargemesh_node.sim.loop import run
from chargemesh_node.sim.world import World
from chargemesh_protocol.errors import ExitCode

from .houses import CHARGER, HOUR_MS, TOKEN, Client, client_of

Scene = Callable[[Client, Client], Awaitable[None]]


def play(root: Path, scene: Scene) -> None:
    """A host and a driver, with clients."""

    async def main() -> None:
        world = World(5)
        alice, bob = await world.add("alice"), await world.add("bob")
        try:
            await scene(client_of(alice, root), client_of(bob, root))
        finally:
            await world.end()

    run(main())


async def mistaken(client: Client, method: str, path: str, body: Any = None) -> tuple[str, str, str, int]:
    """(code, message, hint, exit code) of a request that must be refused."""
    told = await client.ask(method, path, body)
    assert 400 <= told.status < 500, (told.status, told.value)
    error = told.value["error"]
    assert set(told.value) == {"error", "exit_code"} and set(error) == {"code", "message", "hint"}
    assert error["message"].endswith((".", "?")) and "Traceback" not in error["message"]
    return error["code"], error["message"], error["hint"], told.value["exit_code"]


def changed(path: str, value: Any) -> dict[str, Any]:
    """CHARGER with one field, named like `home.latitude`, set to something else."""
    charger = copy.deepcopy(CHARGER)
    *outer, last = path.split(".")
    inner = charger
    for name in outer:
        inner = inner[0] if name == "0" else inner.setdefault(name, {})
    inner[last] = value
    return charger


CHARGER_MISTAKES = {
    "home.latitude": (152.52, "bad-place", "latitude before longitude"),
    "home.longitude": (-190, "bad-place", "latitude before longitude"),
    "home.address": ("  ", "no-address", "Drivers need it"),
    "home.adress": ("x", "unknown-field", "Did you mean address?"),
    "tariff.currency": ("EURO", "bad-currency", "Did you mean EUR?"),
    "tariff.per_kwh": (-1, "bad-value", ""),
    "tariff.min_price": (9, "bad-charger", ""),
    "hours.text": ("mon-fri 18-8", "bad-time", "18:00"),
    "hours.zone": ("Europe/Berlim", "bad-zone", "Europe/Berlin"),
    "rules": ({"min_minutes": 90, "max_minutes": 60}, "bad-charger", ""),
    "resolution": (9, "bad-charger", ""),
    "connectors": ([], "bad-charger", ""),
    "wallbox": ({"driver": "magic"}, "bad-driver", "ocpp, manual"),
    "payee": ({"account": "DE88 3704 0044 0532 0130 00"}, "bad-iban", "Leave it empty"),
    "title": ("x" * 81, "bad-charger", ""),
    "wallbox.owner_tags": (["x" * 21], "bad-charger", ""),
}


@pytest.mark.parametrize("field", CHARGER_MISTAKES)
def test_a_charger_that_can_not_be(field: str, tmp_path: Path) -> None:
    value, code, hint = CHARGER_MISTAKES[field]

    async def scene(host: Client, _: Client) -> None:
        said = await mistaken(host, "POST", "/v1/chargers", changed(field, value))
        assert (said[0], said[3]) == (code, ExitCode.USAGE), said
        assert hint in said[2]
        assert (await host.get("/v1/chargers"))["chargers"] == []

    play(tmp_path, scene)


def test_connectors_are_named_as_ocpi_does(tmp_path: Path) -> None:
    async def scene(host: Client, _: Client) -> None:
        body = {**CHARGER, "connectors": [{"type": "iec_62196_t2", "max_power_w": 11000}]}
        said = await mistaken(host, "POST", "/v1/chargers", body)
        assert said[2] == "Did you mean IEC_62196_T2?"

    play(tmp_path, scene)


def test_times_and_places_of_a_search(tmp_path: Path) -> None:
    async def scene(_: Client, driver: Client) -> None:
        here = "/v1/find?lat=52.52&lon=13.405"
        refusals = {
            "/v1/find?lat=52.52": "missing-field",
            "/v1/find?lat=north&lon=13": "bad-value",
            "/v1/find?lat=100&lon=13": "bad-place",
            "/v1/find?lat=nan&lon=13": "bad-place",
            f"{here}&radius_m=900000": None,
            f"{here}&start=2000&end=1000": "end-before-start",
            f"{here}&start=2000": "half-a-time",
            f"{here}&max_price_micro=400000": "no-currency",
            f"{here}&max_price_micro=400000&currency=XYZ": "bad-currency",
            f"{here}&connector=plug": "bad-connector",
            f"{here}&radios_m=1": "unknown-field",
        }
        for path, code in refusals.items():
            said = await mistaken(driver, "GET", path)
            assert said[3] == ExitCode.USAGE and code in (said[0], None), (path, said)

    play(tmp_path, scene)


def test_quotes_and_bookings(tmp_path: Path) -> None:
    async def scene(host: Client, driver: Client) -> None:
        await host.post("/v1/chargers", CHARGER)
        now = driver.context.node.clock.now()
        found = await driver.get("/v1/find", lat=52.52, lon=13.405)
        slot = {"listing": found[0]["id"], "start": now, "end": now + HOUR_MS}
        backwards = {**slot, "end": now - 1}
        assert (await mistaken(driver, "POST", "/v1/quotes", backwards))[0] == "end-before-start"
        past = {**slot, "start": now - 2 * HOUR_MS, "end": now - HOUR_MS}
        assert (await mistaken(driver, "POST", "/v1/quotes", past))[0] == "past"
        said = await mistaken(driver, "POST", "/v1/quotes", {**slot, "listing": "feed" * 4})
        assert (said[0], said[3]) == ("no-such-listing", ExitCode.NOT_FOUND)
        assert (await mistaken(driver, "POST", "/v1/quotes", {**slot, "listing": found[0]["id"][:3]}))[
            0
        ] == "short-id"
        too_long = {**slot, "end": now + 30 * HOUR_MS}
        said = await mistaken(driver, "POST", "/v1/quotes", too_long)
        assert (said[0], said[3]) == ("duration", ExitCode.REJECTED_BY_PEER)
        assert (await mistaken(driver, "POST", "/v1/bookings", {"quote": "ab" * 32}))[0] == "no-such-quote"
        quote = await driver.post("/v1/quotes", slot)
        for wait in (0, 10**12, "soon"):
            refused = {"quote": quote["quote"], "wait_ms": wait}
            assert (await mistaken(driver, "POST", "/v1/bookings", refused))[0] == "bad-value"
        booking = (await driver.post("/v1/bookings", {"quote": quote["quote"]}))["id"]
        await the_wrong_thing_at_the_wrong_time(host, driver, f"/v1/bookings/{booking}")

    play(tmp_path, scene)


async def the_wrong_thing_at_the_wrong_time(host: Client, driver: Client, path: str) -> None:
    await driver.get(path, wait_until="access", timeout_s=30)
    for verb, body in (("confirm", {}), ("offer", {}), ("fault", {"problem": "OTHER"})):
        told = await mistaken(driver, "POST", f"{path}/{verb}", body)
        assert told[::3] == ("wrong-side", ExitCode.NOT_ALLOWED)
    assert (await mistaken(host, "POST", f"{path}/terms"))[::3] == ("wrong-side", ExitCode.NOT_ALLOWED)
    assert (await mistaken(host, "POST", f"{path}/change", {"quote": "0" * 64}))[0] == "no-such-quote"
    for verb in ("accept", "decline"):
        assert (await mistaken(driver, "POST", f"{path}/{verb}"))[0] == "no-offer"
    for verb in ("start", "stop", "claim", "problem"):
        body = {"problem": "OTHER"} if verb == "problem" else {}
        code, *_ = await mistaken(host, "POST", f"{path}/{verb}", body)
        assert code in ("wrong-side", "no-receipt")
    assert (await mistaken(driver, "GET", f"{path}/receipt"))[::3] == ("no-receipt", ExitCode.NOT_FOUND)
    assert (await mistaken(driver, "GET", f"{path}/payment.svg"))[0] == "no-receipt"
    assert (await mistaken(driver, "POST", f"{path}/review", {"stars": 6}))[0] == "bad-value"
    assert (await mistaken(driver, "POST", f"{path}/review", {"stars": 5}))[0] == "not-completed"
    assert (await mistaken(driver, "POST", f"{path}/message", {"text": " "}))[0] == "empty"
    assert (await mistaken(driver, "POST", f"{path}/stop"))[0] == "not-started"
    assert (await mistaken(driver, "POST", f"{path}/cancel", {"reason": "HOST_CANCELED"}))[0] == "bad-reason"
    said = await mistaken(driver, "GET", f"{path}?wait_until=acces")
    assert said[2] == "Did you mean access?"
    waited = await driver.get(path, wait_until="paid", timeout_s=1)
    assert waited["waited"] == {"until": "paid", "reached": False}


def test_things_that_are_not_there(tmp_path: Path) -> None:
    async def scene(host: Client, _: Client) -> None:
        for method, path in (
            ("GET", "/v1/bookings/abcdef"),
            ("POST", "/v1/bookings/abcdef/start"),
            ("GET", "/v1/bookings/zz"),
            ("GET", "/v1/chargers/abcdef/wallbox"),
            ("GET", "/v1/trust/abcdef"),
            ("GET", "/v1/nothing"),
            ("GET", "/static/../keys"),
            ("GET", "/static/keys.txt"),
        ):
            assert (await mistaken(host, method, path))[3] == ExitCode.NOT_FOUND, path
        assert (await host.ask("PUT", "/v1/status")).status == 405
        code, *_ = await mistaken(host, "POST", "/v1/peers", {"address": "/ip4/1.2.3.4/tcp/1"})
        assert code == "bad-address"
        assert (await mistaken(host, "POST", "/v1/join", {"link": "https://evil.example"}))[0] == "bad-invite"

    play(tmp_path, scene)


def test_bodies_that_are_no_json(tmp_path: Path) -> None:
    bodies = {
        b"{": "bad-json",
        b"\xff\xfe\x00": "bad-json",
        b'{"title": "\xff"}': "bad-json",
        b"[]": "bad-value",
        b"[" * 60_000: "bad-value",
        b" " * (64 * 1024 + 1): "too-large",
    }

    async def scene(host: Client, _: Client) -> None:
        for body, code in bodies.items():
            assert (await mistaken(host, "POST", "/v1/chargers", body))[0] == code, body[:20]
        id = (await host.post("/v1/chargers", CHARGER))["id"]
        assert (await mistaken(host, "PATCH", f"/v1/chargers/{id}", b'{"a":' * 10_000))[0] == "bad-json"

    play(tmp_path, scene)


def test_a_phone_may_only_look_after_bookings(tmp_path: Path) -> None:
    async def scene(host: Client, _: Client) -> None:
        token = host.context.tokens.for_phone("anna")
        phone = Client(host.context, token)
        assert (await phone.get("/v1/bookings"))["bookings"] == []
        for method, path in (
            ("POST", "/v1/stop"),
            ("GET", "/v1/status"),
            ("GET", "/v1/chargers"),
            ("GET", "/v1/logs"),
            ("POST", "/v1/phones"),
            ("GET", "/v1/invite"),
        ):
            assert (await mistaken(phone, method, path))[::3] == ("phone", ExitCode.NOT_ALLOWED), path
        assert not host.context.app.stopping.is_set()
        stranger = Client(host.context, TOKEN[:-1])
        assert (await stranger.ask("GET", "/v1/bookings")).status == 401

    play(tmp_path, scene)
