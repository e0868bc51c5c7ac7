"""The documented wallbox driver charges a booking; one that fails harms only its own charger."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chargemesh_node.clock import SystemClock
from chargemesh_node.extensions import Extension, Extensions
from chargemesh_node.sim.home import BERLIN, charger_settings
from chargemesh_node.sim.loop import run
from chargemesh_node.sim.world import World
from chargemesh_node.wallbox import installed as plugged
from chargemesh_node.wallbox.book import MemoryBook
from chargemesh_node.wallbox.check import check_wallbox_driver
from chargemesh_node.wallbox.errors import WallboxError
from chargemesh_node.wallbox.installed import GuardedDriver, make_installed
from chargemesh_protocol.chargers import ChargerSettings, DriverOption, WallboxSettings
from chargemesh_protocol.charging.reports import Connected, Disconnected, SessionEnded, SessionStarted
from tests.node.api.houses import CHARGER, client_of
from tests.node.api.test_reading import books

from .packages import code_with

REGISTER_WH = 5_000_000


class Drive:
    """What stands in the drive: pin and meter are files, and a car takes 11 kW while current flows."""

    def __init__(self, folder: Path) -> None:
        self.pin, self.meter = folder / "switch", folder / "meter"
        self.pin.write_text("0")
        self.meter.write_text(str(REGISTER_WH))

    @property
    def options(self) -> dict[str, str]:
        return {"switch": str(self.pin), "meter": str(self.meter)}

    def settings(self, driver: str = "gpio", **more: str) -> ChargerSettings:
        options = tuple(
            DriverOption(name=name, value=value) for name, value in {**self.options, **more}.items()
        )
        box = WallboxSettings(
            driver=driver, password="", owner_tags=(), plug_and_charge=True, options=options
        )
        return replace(charger_settings(b"c" * 16, BERLIN), wallbox=box)

    async def car(self) -> None:
        while True:
            await asyncio.sleep(1)
            if self.pin.read_text() == "1":
                self.meter.write_text(str(int(self.meter.read_text()) + 3))  # 11 kW are 3 Wh a second


@pytest.fixture
def drive(tmp_path: Path) -> Drive:
    return Drive(tmp_path)


def test_the_documented_driver_keeps_the_contract(extensions: Path, drive: Drive) -> None:
    async def main() -> None:
        car = asyncio.create_task(drive.car())
        driver = make_installed(drive.settings(), SystemClock(), MemoryBook())
        await check_wallbox_driver(driver, seconds=60)
        car.cancel()

    run(main())


def test_the_documented_check_can_be_copied(extensions: Path, tmp_path: Path) -> None:
    shown: dict[str, Any] = {}
    exec(code_with("check_wallbox_driver"), shown)
    shown["asyncio"] = SimpleNamespace(run=run)  # the same, with no waiting for the seconds between readings
    shown["test_it_keeps_the_contract"](tmp_path)
    assert (tmp_path / "switch").read_text() == "0"


def test_it_charges_a_booking_from_the_flags_to_the_receipt(
    extensions: Path, drive: Drive, tmp_path: Path
) -> None:
    async def main() -> None:
        world = World(31)
        alice, bob = await world.add("alice"), await world.add("bob")
        alice.make_driver = lambda settings: make_installed(settings, alice.clock, MemoryBook())
        host, driver = client_of(alice, tmp_path), client_of(bob, tmp_path)
        car = asyncio.create_task(drive.car())
        try:
            box = {"driver": "gpio", "options": drive.options}
            charger = (await host.post("/v1/chargers", {**CHARGER, "wallbox": box}))["id"]
            told = await host.get(f"/v1/chargers/{charger}/wallbox")
            assert told["options"] == drive.options and told["state"]["connected"]
            kept = await host.get(f"/v1/chargers/{charger}")
            assert "options" not in kept["settings"]["wallbox"], "they may hold a password"
            await world.pass_time(seconds=5)
            booking = await books(driver, bob.clock.now())
            await driver.get(booking, wait_until="access", timeout_s=30)
            await driver.post(f"{booking}/start")
            await asyncio.sleep(1800)
            assert drive.pin.read_text() == "1"
            assert (await driver.get(booking))["session"] == "ACTIVE"
            await driver.post(f"{booking}/stop")
            await asyncio.sleep(60)
            assert drive.pin.read_text() == "0"
            charged = int(drive.meter.read_text()) - REGISTER_WH
            receipt = await driver.get(f"{booking}/receipt")
            assert charged > 5_000 and receipt["energy_wh"] == charged and receipt["signed_by_driver"]
        finally:
            car.cancel()
            await world.end()

    run(main())


def test_a_session_goes_on_over_a_restart_and_while_the_meter_is_away(extensions: Path, drive: Drive) -> None:
    async def main() -> None:
        book, reports = MemoryBook(), list[Any]()
        driver = make_installed(drive.settings(), SystemClock(), book)
        await driver.start(reports.append)
        await driver.remote_start("tag", 1)
        (started,) = [one for one in reports if isinstance(one, SessionStarted)]
        drive.meter.unlink()
        await asyncio.sleep(30)
        assert isinstance(reports[-1], Disconnected) and not driver.status.connected
        await driver.close()
        assert drive.pin.read_text() == "1", "the car goes on charging"
        drive.meter.write_text(str(REGISTER_WH + 700))
        driver, reports = make_installed(drive.settings(), SystemClock(), book), []
        await driver.start(reports.append)
        assert reports[0] == started and Connected() in reports
        drive.meter.write_text(str(REGISTER_WH + 100))  # a counter that went back is not believed
        await driver.remote_stop(started.session)
        (ended,) = [one for one in reports if isinstance(one, SessionEnded)]
        assert ended.register_wh == REGISTER_WH + 700
        await driver.close()

    run(main())


class Awkward:
    """Made, but everything it is asked for goes wrong in its own way."""

    def __init__(self, _: object) -> None: ...

    async def start(self, report: Any, room: Any = None) -> None:
        report("not a report")
        raise KeyError("model")

    async def close(self) -> None:
        raise OSError("gone")

    async def remote_start(self, tag: str, connector: int) -> None:
        await asyncio.sleep(3600)

    async def remote_stop(self, session: str) -> None:
        raise ZeroDivisionError

    @property
    def status(self) -> Any:
        return "fine"


def refusing(_: object) -> None:
    raise ValueError("unknown model")


@pytest.fixture
def awkward(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    drivers = {
        name: Extension("wallbox driver", name, "chargemesh-odd", "1.0", value)
        for name, value in (("awkward", Awkward), ("refusing", refusing))
    }
    monkeypatch.setattr(plugged, "installed", lambda: Extensions((), {}, drivers, {}))
    yield


def test_a_driver_that_fails_harms_nobody_and_says_in_what(awkward: None, drive: Drive) -> None:
    async def main() -> None:
        driver = make_installed(drive.settings("awkward"), SystemClock(), MemoryBook())
        assert isinstance(driver, GuardedDriver)
        heard: list[Any] = []
        await driver.start(heard.append)
        assert heard == [] and "failed in start (KeyError: 'model')" in driver.fault
        for work, code in ((driver.remote_start("tag", 1), "timeout"), (driver.remote_stop("s"), "faulted")):
            with pytest.raises(WallboxError) as error:
                await work
            assert error.value.code == f"wallbox-{code}" and "'awkward'" in error.value.message
        assert not driver.status.connected
        await driver.close()

    run(main())


@pytest.mark.parametrize(
    ("name", "reason"), [("refusing", "unknown model"), ("gone", "'gone' is not installed")]
)
def test_a_driver_that_can_not_be_made_leaves_its_charger_unconnected(
    awkward: None, drive: Drive, name: str, reason: str
) -> None:
    async def main() -> None:
        driver = make_installed(drive.settings(name), SystemClock(), MemoryBook())
        await driver.start(lambda report: None)
        assert not driver.status.connected and isinstance(driver, GuardedDriver) and reason in driver.fault
        with pytest.raises(WallboxError, match="wallbox-offline"):
            await driver.remote_start("tag", 1)
        await driver.close()

    run(main())


def test_an_option_that_is_missing_is_named(extensions: Path, drive: Drive) -> None:
    box = WallboxSettings(driver="gpio", password="", owner_tags=(), plug_and_charge=True)
    settings = replace(drive.settings(), wallbox=box)
    driver = make_installed(settings, SystemClock(), MemoryBook())
    assert isinstance(driver, GuardedDriver) and "--wallbox-option switch=VALUE" in driver.fault
