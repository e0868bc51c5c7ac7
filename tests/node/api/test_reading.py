"""`POST /v1/chargers/{id}/reading`: what a host reads on the meter of a charger that nothing else reads, and
the driver's word on it (`/v1/bookings/{id}/reading`, `/agree`)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from chargemesh_node.sim.loop import run
from chargemesh_node.sim.world import World
from chargemesh_node.wallbox.manual import ManualDriver
from chargemesh_protocol.errors import ExitCode

from .houses import CHARGER, HOUR_MS, Client, client_of
from .test_mistakes import mistaken

Scene = Callable[[Client, Client, str, str], Awaitable[None]]
BY_HAND = {**CHARGER, "wallbox": {"driver": "manual"}}
METER = 5_000_000  # Wh, when the car comes
POWER_W = 11_000


def play(root: Path, scene: Scene, *, body: dict[str, Any] = BY_HAND) -> None:
    """A host, a driver who has booked, the path of the charger's reading, and that of the booking."""

    async def main() -> None:
        world = World(23)
        alice, bob = await world.add("alice"), await world.add("bob")
        if body is BY_HAND:
            alice.make_driver = lambda settings: ManualDriver(
                settings.charger.hex(), alice.clock, max_power_w=POWER_W
            )
        host, driver = client_of(alice, root), client_of(bob, root)
        try:
            charger = (await host.post("/v1/chargers", body))["id"]
            await world.pass_time(seconds=5)
            booking = await books(driver, bob.clock.now())
            await scene(host, driver, f"/v1/chargers/{charger[:8]}/reading", booking)
        finally:
            await world.end()

    run(main())


async def books(driver: Client, now: int) -> str:
    """The path of a booking that begins now."""
    *found, _ = await driver.get("/v1/find", lat=52.52, lon=13.405)
    slot = {"listing": found[0]["id"], "start": now, "end": now + 3 * HOUR_MS, "energy_wh": 20_000}
    quote = await driver.post("/v1/quotes", slot)
    return f"/v1/bookings/{(await driver.post('/v1/bookings', {'quote': quote['quote']}))['id']}"


async def begins(host: Client, driver: Client, reading: str, booking: str) -> None:
    """The driver has checked in, and the first reading is typed."""
    await driver.get(booking, wait_until="access", timeout_s=30)
    await driver.post(f"{booking}/start")
    await asyncio.sleep(30)
    assert (await host.post(reading, {"register_wh": METER}))["state"] == "Charging"


def test_readings_begin_count_and_end_a_session(tmp_path: Path) -> None:
    async def scene(host: Client, driver: Client, reading: str, booking: str) -> None:
        await begins(host, driver, reading, booking)
        await asyncio.sleep(1800)
        told = await host.post(reading, {"register_wh": METER + 4_000})
        assert (told["state"], told["register_wh"]) == ("Charging", METER + 4_000)
        await asyncio.sleep(30)
        seen = await driver.get(booking)
        assert seen["session"] == "ACTIVE" and seen["energy_wh"] == 4_000
        await driver.post(f"{booking}/stop")
        await asyncio.sleep(600)
        assert (await host.post(reading, {"register_wh": METER + 4_500}))["state"] == "Available"
        await asyncio.sleep(30)
        assert (await driver.get(booking))["energy_wh"] == 4_500

    play(tmp_path, scene)


def test_the_host_is_told_when_a_reading_is_waited_for(tmp_path: Path) -> None:
    async def scene(host: Client, driver: Client, reading: str, booking: str) -> None:
        await driver.get(booking, wait_until="access", timeout_s=30)
        assert (await host.get(booking))["to_read"] is None
        charger = (await host.get("/v1/chargers"))["chargers"][0]["id"]
        for register, words in (
            (METER, "plugged in"),
            (METER + 500, "once more"),
            (METER + 900, "shows now"),
        ):
            if register == METER:
                await driver.post(f"{booking}/start")
            elif words == "shows now":
                await driver.post(f"{booking}/stop")
            await asyncio.sleep(300)
            seen, theirs = await host.get(booking), await driver.get(booking)
            assert seen["to_read"] == charger and theirs["to_read"] is None
            assert any(one.startswith("Type in") and words in one for one in seen["next_steps"]), words
            await host.post(reading, {"register_wh": register})
        await asyncio.sleep(5)
        assert (await host.get(booking))["to_read"] is None

    play(tmp_path, scene)


def test_a_driver_signs_for_the_reading_that_both_have_read_and_for_the_receipt(tmp_path: Path) -> None:
    async def scene(host: Client, driver: Client, reading: str, booking: str) -> None:
        await begins(host, driver, reading, booking)
        await asyncio.sleep(1800)
        await host.post(reading, {"register_wh": METER + 4_000})
        await asyncio.sleep(30)
        shown = (await driver.get(booking))["reading"]
        assert shown["register_wh"] == METER + 4_000
        mine = {"ticket": shown["ticket"]}
        said = await mistaken(driver, "POST", f"{booking}/reading", {"ticket": "ab" * 32})
        assert (said[0], said[3]) == ("no-such-reading", ExitCode.NOT_FOUND)
        other = {**mine, "register_wh": METER + 3_000}
        assert (await mistaken(driver, "POST", f"{booking}/reading", other))[0] == "reading-differs"
        assert (await mistaken(host, "POST", f"{booking}/reading", mine))[0] == "wrong-side"
        assert (await driver.get(booking))["reading"] == shown, "it waits all the same"
        assert (await mistaken(driver, "POST", f"{booking}/agree", {"receipt": "ab" * 32}))[0] == "no-receipt"
        signed = await driver.post(f"{booking}/reading", {**mine, "register_wh": METER + 4_050})
        assert signed["reading"] is None
        await driver.post(f"{booking}/stop")
        await asyncio.sleep(600)
        await host.post(reading, {"register_wh": METER + 4_500})
        await asyncio.sleep(30)
        meter = (await host.get(booking))["meter"]
        assert (meter["tickets"], meter["countersigned"]) == (3, 2), "the host's next record names it"
        receipt = (await driver.get(booking))["receipt"]["receipt"]
        said = await mistaken(driver, "POST", f"{booking}/agree", {"receipt": "ab" * 32})
        assert said[0] == "newer-receipt"
        await driver.post(f"{booking}/agree", {"receipt": receipt})
        assert (await driver.get(booking, wait_until="agreed", timeout_s=30))["waited"]["reached"]

    play(tmp_path, scene)


def test_a_reading_may_be_typed_later_with_the_time_at_which_it_was_read(tmp_path: Path) -> None:
    async def scene(host: Client, driver: Client, reading: str, booking: str) -> None:
        await begins(host, driver, reading, booking)
        await asyncio.sleep(1800)
        read_at = host.context.node.clock.now()
        await asyncio.sleep(600)
        await host.post(reading, {"register_wh": METER + 4_000, "at": read_at})
        # What was read before that can't be typed after it.
        said = await mistaken(host, "POST", reading, {"register_wh": METER + 4_100, "at": read_at - 1})
        assert said[0] == "bad-reading" and "before the last one or in the future" in said[1]
        later = host.context.node.clock.now() + 3_600_000
        said = await mistaken(host, "POST", reading, {"register_wh": METER + 4_100, "at": later})
        assert said[0] == "bad-reading"

    play(tmp_path, scene)


def test_readings_that_can_not_be_change_nothing(tmp_path: Path) -> None:
    async def scene(host: Client, driver: Client, reading: str, booking: str) -> None:
        said = await mistaken(host, "POST", reading, {"register_wh": METER})
        assert said[0] == "bad-reading" and "No session is running" in said[1]
        await begins(host, driver, reading, booking)
        await asyncio.sleep(1800)
        said = await mistaken(host, "POST", reading, {"register_wh": METER - 1})
        assert said[0] == "bad-reading" and "can't fall" in said[1]
        for value in (-1, 10**11, "5 kWh", None, 4.5):
            assert (await mistaken(host, "POST", reading, {"register_wh": value}))[3] == ExitCode.USAGE, value
        assert (await mistaken(host, "POST", reading, {}))[3] == ExitCode.USAGE
        said = await mistaken(driver, "POST", reading, {"register_wh": METER + 1})
        assert said[3] == ExitCode.NOT_FOUND, "a driver has no such charger"
        phone = Client(host.context, host.context.tokens.for_phone("pocket"))
        said = await mistaken(phone, "POST", reading, {"register_wh": METER + 1})
        assert (said[0], said[3]) == ("phone", ExitCode.NOT_ALLOWED)
        assert (await host.post(reading, {"register_wh": METER}))["register_wh"] == METER

    play(tmp_path, scene)


def test_what_the_charger_can_hardly_give_is_taken_on_the_second_word(tmp_path: Path) -> None:
    async def scene(host: Client, driver: Client, reading: str, booking: str) -> None:
        await begins(host, driver, reading, booking)
        await asyncio.sleep(60)
        much = {"register_wh": METER + 40_000}
        code, message, hint, exit_code = await mistaken(host, "POST", reading, much)
        assert (code, exit_code) == ("unlikely-reading", ExitCode.USAGE)
        assert "more than this charger can give" in message and "--sure" in hint
        assert (await host.post(reading, {**much, "sure": True}))["register_wh"] == METER + 40_000

    play(tmp_path, scene)


@pytest.mark.parametrize("session", [False, True])
def test_a_wallbox_that_reads_its_meter_needs_nobody_who_types(session: bool, tmp_path: Path) -> None:
    async def scene(host: Client, driver: Client, reading: str, booking: str) -> None:
        if session:
            await driver.get(booking, wait_until="access", timeout_s=30)
            await driver.post(f"{booking}/start")
        said = await mistaken(host, "POST", reading, {"register_wh": METER})
        assert (said[0], said[3]) == ("not-manual", ExitCode.USAGE)

    play(tmp_path, scene, body=CHARGER)
