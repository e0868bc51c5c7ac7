"""The phone page in a real browser, against the real API of two simulated nodes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from chargemesh_node.api.server import ApiServer
from chargemesh_node.sim.box import CarAndBox
from chargemesh_node.sim.world import World
from chargemesh_node.wallbox.manual import ManualDriver
from tests.node.api.houses import CHARGER, HOUR_MS, TOKEN, Client, app_for, client_of

from .chromium import PROGRAM, Page, phone

pytestmark = pytest.mark.skipif(not PROGRAM, reason="chromium is not installed")

POWER_W = 11_000
TITLE = "<img src=x onerror=alert(1)> & co"  # a host may call a charger anything


@asynccontextmanager
async def booked(
    root: Path, *, by_hand: bool = False
) -> AsyncIterator[tuple[Client, CarAndBox, ApiServer, str]]:
    """(the host's client, its wallbox, the driver's API, the id of a booking that begins now)

    by_hand: people read the meter of that charger, no wallbox does.
    """
    world = World(6)
    alice, bob = await world.add("alice"), await world.add("bob")
    if by_hand:
        alice.make_driver = lambda settings: ManualDriver(
            settings.charger.hex(), alice.clock, max_power_w=POWER_W
        )
    host, driver = client_of(alice, root / "clients"), client_of(bob, root / "clients")
    server = ApiServer(app_for(bob.node, root / "bob", started_at=bob.clock.now()))
    await server.start()
    try:
        wallbox = {"wallbox": {"driver": "manual"}} if by_hand else {}
        await host.post("/v1/chargers", {**CHARGER, "title": TITLE, **wallbox})
        found = await finds(driver)
        now = bob.clock.now()
        slot = {"listing": found[0]["id"], "start": now, "end": now + HOUR_MS}
        quote = await driver.post("/v1/quotes", slot)
        booking = await driver.post("/v1/bookings", {"quote": quote["quote"]})
        yield host, alice.box, server, booking["id"]
    finally:
        await server.close()
        await world.end()


async def finds(driver: Client) -> Any:
    """What a search shows once the host's listing has reached its caretakers."""
    async with asyncio.timeout(20):
        while True:
            found = await driver.get("/v1/find", lat=52.52, lon=13.405, radius_m=3000)
            if found[-1]["listings"]:
                return found
            await asyncio.sleep(0.1)


def shows(text: str) -> str:
    return f"document.body.innerText.includes({text!r})"


@pytest.mark.asyncio
async def test_a_driver_charges_pays_and_reviews_on_a_phone(tmp_path: Path) -> None:
    async with booked(tmp_path) as (host, at_the_plug, server, booking), phone(tmp_path) as page:
        await page.open(f"http://127.0.0.1:{server.port}/#token={TOKEN}")
        await page.until(shows(TITLE))
        assert await page.evaluate("location.hash") == "#/"
        assert await page.evaluate("document.querySelector('main img')") is None
        await page.click(TITLE)
        await page.until(shows("12 Hidden Lane"))
        assert (
            await page.evaluate("document.querySelector('a[href^=\"geo:52.52\"]').textContent")
            == "Open in maps"
        )
        await fits_and_is_labelled(page)
        await page.click("Start charging")
        await page.until(shows("kW now"))
        at_the_plug.register_wh += 2000
        await page.click("Stop charging")
        await page.until("document.querySelector('img.qr')?.naturalWidth > 0")
        await fits_and_is_labelled(page)
        await page.click("I have paid")
        await page.until("document.getElementById('ask').open")
        await page.evaluate("document.getElementById('ask-yes').click()")
        await page.until(shows("Payment to be confirmed"))
        await page.evaluate("document.querySelectorAll('.stars input')[4].click()")
        await page.click("Send review")
        await page.until(f"!{shows('How was it?')}")
        await host.post(f"/v1/bookings/{booking}/confirm")
        await page.until(shows("It is paid."))
        assert page.complaints == []


async def fits_and_is_labelled(page: Page) -> None:
    """Nothing is wider than a phone of 360 pixels, and everything that can be used has a name."""
    assert await page.evaluate("document.documentElement.scrollWidth") == 360
    unnamed = """[...document.querySelectorAll('main button, main a, main input, main textarea, main select')]
        .filter((one) => !(one.textContent.trim() || one.ariaLabel || one.labels?.[0]?.textContent.trim()))
        .map((one) => one.outerHTML)"""
    assert await page.evaluate(unnamed) == []


@pytest.mark.asyncio
async def test_a_wrong_token_asks_for_another(tmp_path: Path) -> None:
    async with booked(tmp_path) as (_, _, server, _), phone(tmp_path) as page:
        await page.open(f"http://127.0.0.1:{server.port}/#token=phone.x.00")
        await page.until(shows("not valid any more"))
        assert await page.evaluate("sessionStorage.length") == 0


@pytest.mark.asyncio
async def test_a_reading_that_differs_is_told_where_it_was_typed_and_names_the_page(tmp_path: Path) -> None:
    async with booked(tmp_path, by_hand=True) as (host, _, server, _), phone(tmp_path) as page:
        await page.open(f"http://127.0.0.1:{server.port}/#token={TOKEN}")
        await page.click(TITLE)
        await page.click("Start charging")
        charger = (await host.get("/v1/chargers"))["chargers"][0]["id"]
        await typed(host, charger, 1_000_000)
        await page.until(shows("Read the meter"))
        await page.evaluate("document.querySelector('[name=kwh]').value = '1005'")
        await page.click("Compare and sign")
        await page.until("!!document.querySelector('form .wrong')")
        told = await page.evaluate("document.querySelector('form .wrong').innerText")
        assert "You read" in told and "Message to the other side" in told and "chargemesh" not in told
        assert await page.evaluate("document.getElementById('notice').hidden"), "nothing covers the field"
        assert await page.evaluate("document.querySelector('[name=kwh]').value") == "1005"
        assert await page.evaluate("document.querySelector('textarea[name=text]') !== null")
        await fits_and_is_labelled(page)


async def typed(host: Client, charger: str, register_wh: int) -> None:
    """The host types a reading, as soon as the check-in of the driver has arrived."""
    async with asyncio.timeout(20):
        while True:
            told = await host.ask("POST", f"/v1/chargers/{charger}/reading", {"register_wh": register_wh})
            if told.status < 400:
                return
            await asyncio.sleep(0.2)
