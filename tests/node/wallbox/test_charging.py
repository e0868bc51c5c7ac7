"""The plain path, and the owner, over real WebSockets."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from chargemesh_node.wallbox.errors import WallboxError
from chargemesh_protocol.chargers import ChargerSettings, WallboxSettings
from chargemesh_protocol.charging.reports import (
    Connected,
    Disconnected,
    Reading,
    SessionEnded,
    SessionStarted,
    StatusChanged,
    UnknownTag,
)

from ...protocol.neighbours import charger
from .house import DRIVER, HOUR, OWNER, house


@pytest.mark.asyncio
async def test_a_booked_driver_charges_from_remote_start_to_remote_stop() -> None:
    async with house() as home:
        started = await home.driver_charges()
        status = home.driver.status
        assert status.connected and status.connector_state == "Charging"
        assert (status.session, status.tag, status.owner) == (started.session, DRIVER, False)
        assert status.power_w == 11_000 and status.register_wh == home.of(Reading)[-1].register_wh
        ended = await home.driver_stops(started.session)
        assert ended.reason == "Remote" and ended.register_wh > started.register_wh
        assert home.reports[0] == Connected()
        await home.until(lambda: StatusChanged(1, "Finishing") in home.reports)
        assert home.driver.status.session is None
        await home.driver.remote_stop(started.session)  # over already: nothing to complain about


@pytest.mark.asyncio
async def test_the_box_is_set_up_with_few_measurands_and_the_owners_tag() -> None:
    async with house() as home:
        await home.until(lambda: home.box.known_tags)
        assert home.box.known_tags == (OWNER,)
        assert home.box.settings["MeterValueSampleInterval"] == "1"
        asked = "Energy.Active.Import.Register,Power.Active.Import"
        assert home.box.settings["MeterValuesSampledData"] == asked


def _settings(**changes: Any) -> ChargerSettings:
    wallbox = WallboxSettings(
        driver="ocpp", password="secret-password-1", owner_tags=(OWNER,), plug_and_charge=False
    )
    return charger(wallbox=replace(wallbox, **changes))


@pytest.mark.asyncio
async def test_another_tag_of_the_owner_does_not_cost_the_box_its_connection() -> None:
    async with house() as home:
        await home.until(lambda: home.box.known_tags)
        assert await home.driver.adjust(_settings(owner_tags=("SPOUSE",)))
        await home.until(lambda: home.box.known_tags == ("SPOUSE",))
        assert await home.box.swipe("SPOUSE") == "Accepted"
        assert await home.box.swipe(OWNER) == "Invalid"
        assert await home.driver.adjust(_settings(owner_tags=()))
        await home.until(lambda: home.box.known_tags == ())
        assert Disconnected() not in home.reports


@pytest.mark.asyncio
@pytest.mark.parametrize("boots", [True, False])
async def test_a_tag_taken_away_while_the_box_is_gone_is_taken_from_it_when_it_is_back(boots: bool) -> None:
    async with house() as home:
        await home.until(lambda: home.box.known_tags)
        home.box.vanish(1.0)
        await home.until(lambda: Disconnected() in home.reports)
        assert await home.driver.adjust(_settings(owner_tags=()))
        assert not home.driver.status.connected and home.box.known_tags == (OWNER,)
        if boots:
            home.box.reset_asked()
        await home.until(lambda: home.box.known_tags == ())
        assert home.box.boots == 1 + boots


@pytest.mark.asyncio
async def test_once_plug_and_charge_is_off_it_is_off_with_the_node_down_too() -> None:
    async with house(plug_and_charge=True) as home:
        await home.until(lambda: home.box.known_tags)
        home.box.vanish(0.4)
        await home.until(lambda: not home.box.connected)
        assert await home.box.swipe("MAC-0123") == "Accepted"
        await home.until(lambda: home.box.connected)
        assert await home.driver.adjust(_settings())
        await home.until(lambda: home.box.settings["AllowOfflineTxForUnknownId"] == "false")
        home.box.vanish(0.4)
        await home.until(lambda: not home.box.connected)
        assert await home.box.swipe("MAC-0123") == "Invalid"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "settings, why",
    [
        (_settings(password="another-password-1"), "this charger has another password or driver now"),
        (None, "this charger was removed"),
    ],
)
async def test_a_box_that_has_to_leave_is_told_why(settings: ChargerSettings | None, why: str) -> None:
    heard: list[dict[str, Any]] = []
    async with house() as home:
        await home.box.close()
        home.box = home.new_box(tell=lambda event, facts: heard.append({"event": event, **facts}))
        await home.box.start()
        await home.box.online()
        assert not await home.driver.adjust(settings)
        await home.driver.close()
        await home.until(lambda: any(why in one.get("why", "") for one in heard))


@pytest.mark.asyncio
async def test_an_unknown_tag_is_refused_and_reported() -> None:
    async with house() as home:
        home.box.plug_in()
        assert await home.box.swipe("STRANGER") == "Invalid"
        await home.until(lambda: home.of(UnknownTag))
        assert home.of(UnknownTag)[0].tag == "STRANGER"
        assert home.of(SessionStarted) == []


@pytest.mark.asyncio
async def test_a_drivers_tag_works_only_until_its_time() -> None:
    async with house() as home:
        await home.driver.authorise(DRIVER, home.clock.now() + HOUR)
        assert await home.box.swipe(DRIVER) == "Accepted"
        await home.driver.authorise(DRIVER, home.clock.now() - 1)
        assert await home.box.swipe(DRIVER) == "Expired"
        await home.driver.authorise(DRIVER, None)
        assert await home.box.swipe(DRIVER) == "Invalid"


@pytest.mark.asyncio
async def test_the_owner_charges_outside_bookings_and_is_seen_when_still_plugged_in() -> None:
    async with house() as home:
        home.box.plug_in()
        assert await home.box.swipe(OWNER) == "Accepted"
        await home.until(lambda: home.of(Reading))
        assert home.of(SessionStarted)[0].owner
        with pytest.raises(WallboxError, match="owner's session"):
            await home.driver.remote_start(DRIVER, 1)
        await home.box.swipe(OWNER)
        await home.until(lambda: home.driver.status.connector_state == "Finishing")
        status = home.driver.status
        assert (status.session, status.tag, status.owner) == (None, OWNER, True), "the car still stands there"
        await home.driver.authorise(DRIVER, home.clock.now() + HOUR)
        with pytest.raises(WallboxError, match="owner's car is still plugged in"):
            await home.driver.remote_start(DRIVER, 1)
        home.box.unplug()
        await home.until(lambda: home.driver.status.connector_state == "Available")
        assert (home.driver.status.tag, home.driver.status.owner) == (None, False)
        home.box.plug_in()
        await home.until(lambda: home.driver.status.tag == DRIVER)


@pytest.mark.asyncio
async def test_plug_and_charge_works_outside_bookings_only() -> None:
    async with house(plug_and_charge=True) as home:
        home.box.plug_in()
        assert await home.box.swipe("MAC-0123") == "Accepted"
        await home.until(lambda: home.of(SessionStarted))
        assert home.of(SessionStarted)[0].owner
        home.box.unplug()
        await home.driver.authorise(DRIVER, home.clock.now() + HOUR)
        assert await home.box.swipe("MAC-0123") == "Invalid"
        assert await home.box.swipe(OWNER) == "Accepted"


@pytest.mark.asyncio
async def test_the_owner_charges_with_the_node_down() -> None:
    async with house() as home:
        await home.until(lambda: home.box.known_tags)
        home.box.plug_in()
        home.box.vanish(0.4)
        await home.until(lambda: not home.box.connected)
        assert await home.box.swipe(OWNER) == "Accepted"
        assert home.of(SessionStarted) == []
        await home.until(lambda: home.of(SessionStarted))
        assert home.of(SessionStarted)[0].owner


@pytest.mark.asyncio
async def test_a_power_limit_is_kept_by_the_box_and_set_again_when_it_comes_back() -> None:
    async with house() as home:
        await home.driver.limit_power(3700)
        await home.driver_charges()
        await home.until(lambda: home.driver.status.power_w == 3700)
        await home.driver.limit_power(None)
        await home.until(lambda: home.driver.status.power_w == 11_000)
        await home.driver.limit_power(4200)
        await home.driver.unlock(1)
        await home.until(lambda: home.of(SessionEnded))
        assert home.of(SessionEnded)[-1].reason == "UnlockCommand"
        home.box.unplug()
        await home.box.close()
        home.box = home.new_box()
        await home.box.start()
        await home.until(lambda: home.box.connected and home.driver.status.connected)
        await home.driver_charges(readings=len(home.of(Reading)) + 4)
        await home.until(lambda: home.driver.status.power_w == 4200)


@pytest.mark.asyncio
async def test_wishes_to_an_absent_box_say_so() -> None:
    async with house() as home:
        await home.box.close()
        await home.until(lambda: Disconnected() in home.reports)
        for wish in (
            home.driver.remote_start(DRIVER, 1),
            home.driver.limit_power(5000),
            home.driver.unlock(1),
        ):
            with pytest.raises(WallboxError, match="not connected"):
                await wish
        with pytest.raises(WallboxError, match="20 printable characters"):
            await home.driver.authorise("x" * 21, 1)


@pytest.mark.asyncio
async def test_the_charge_tapers_above_80_percent_and_ends_when_full() -> None:
    async with house() as home:
        assert home.box.connected
        home.car.battery_wh, home.car.soc_percent = 4_000, 70.0
        await home.driver_charges(readings=2)
        await home.until(lambda: home.car.soc_percent >= 100)
        powers = [reading.power_w or 0 for reading in home.of(Reading)]
        assert powers[0] == 11_000 and powers == sorted(powers, reverse=True) and min(powers) < 3_000
        await home.until(lambda: home.driver.status.connector_state == "SuspendedEV")
        await asyncio.sleep(0)
