"""The pool: one driver for each charger; no report is lost to a full disk, a defect or two commands."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from chargemesh_node.sim.loop import LoopClock, run
from chargemesh_node.wallbox.errors import WallboxError
from chargemesh_node.wallbox.pool import AGAIN_S, WallboxPool
from chargemesh_protocol.chargers import ChargerSettings
from chargemesh_protocol.charging.reports import Connected, StatusChanged, UnknownTag
from chargemesh_protocol.effects import AuthoriseTag, StartWallbox, StopWallbox
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.events import StartFailed, WallboxSaid
from tests.protocol.neighbours import CHARGER, MORNING, charger

HERE, LATER = MORNING, MORNING + 3_600_000


class Driver:
    """Records what is asked of it; `refuses` raises."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.report: Callable[[Any], None] = lambda _: None
        self.open = False
        self.refuses = False

    async def start(self, report: Callable[[Any], None], room: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(0.1)
        self.open, self.report = True, report

    async def close(self) -> None:
        await asyncio.sleep(0.1)
        self.open = False

    async def authorise(self, tag: str, until: int | None) -> None:
        self.asked.append(("authorise", tag, until))

    async def remote_start(self, tag: str, connector: int) -> None:
        if self.refuses:
            raise WallboxError("plug-in-first", "Plug the car in.")
        self.asked.append(("start", tag))

    async def remote_stop(self, session: str) -> None:
        self.asked.append(("stop", session))


class House:
    """A pool with its drivers, and the runner's end of it: `heard`, or what `fail` says first."""

    def __init__(self) -> None:
        self.drivers: list[Driver] = []
        self.heard: list[Any] = []
        self.failures: list[Exception] = []
        self.pool = WallboxPool(self._make, self._submit, LoopClock(HERE))  # type: ignore[arg-type]

    def _make(self, settings: ChargerSettings) -> Driver:
        self.drivers.append(Driver())
        return self.drivers[-1]

    async def _submit(self, event: Any) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.heard.append(event)


def at_home(story: Callable[[House], Any], *wanted: ChargerSettings) -> House:
    async def whole() -> House:
        house = House()
        await house.pool.keep(wanted)
        await story(house)
        await house.pool.close()
        return house

    return run(whole())


def test_drivers_follow_the_settings() -> None:
    async def story(house: House) -> None:
        (first,) = house.drivers
        await house.pool.keep((replace(charger(), paused=True),))
        assert house.drivers == [first] and first.open, "what does not concern the box changes nothing"
        other = replace(charger().wallbox, owner_tags=("OWNER",))
        await house.pool.keep((charger(wallbox=other),))
        assert not first.open and len(house.drivers) == 2
        await house.pool.keep(())
        assert not house.drivers[1].open and house.pool.get(CHARGER) is None

    at_home(story, charger())


class AdjustableDriver(Driver):
    """Goes on with other owner's tags, not with another password."""

    async def adjust(self, settings: ChargerSettings | None) -> bool:
        self.asked.append(("adjust", settings))
        return settings is not None and settings.wallbox.password == charger().wallbox.password


def test_a_driver_that_can_adjust_itself_is_kept_while_it_can() -> None:
    async def story() -> None:
        house = House()
        first = AdjustableDriver()
        makers = iter((lambda settings: first, house._make))
        house.pool = WallboxPool(lambda settings: next(makers)(settings), house._submit, LoopClock(HERE))  # type: ignore[arg-type]
        await house.pool.keep((charger(),))
        tagged = charger(wallbox=replace(charger().wallbox, owner_tags=("OWNER",)))
        await house.pool.keep((tagged,))
        await house.pool.keep((tagged,))
        assert first.open and first.asked == [("adjust", tagged)], "told once"
        await house.pool.keep((charger(wallbox=replace(charger().wallbox, password="another-one-16")),))
        assert not first.open
        await house.pool.close()

    run(story())


def test_two_commands_at_once_start_one_driver_and_stop_it_once() -> None:
    async def story(house: House) -> None:
        await asyncio.gather(*(house.pool.keep((charger(),)) for _ in range(3)))
        assert len(house.drivers) == 1
        await asyncio.gather(house.pool.keep(()), house.pool.keep(()), house.pool.restart())
        assert not house.drivers[0].open

    at_home(story)


def test_reports_arrive_in_order_and_wait_for_a_store_that_is_full() -> None:
    async def story(house: House) -> None:
        house.failures = [PersonError("store", "No room."), PersonError("store", "No room.")]
        reports = [Connected(), StatusChanged(1, "Available"), UnknownTag("T", HERE)]
        for one in reports:
            house.drivers[0].report(one)
        await asyncio.sleep(AGAIN_S)
        assert not house.heard
        await asyncio.sleep(2 * AGAIN_S)
        assert house.heard == [WallboxSaid(CHARGER, one) for one in reports]

    at_home(story, charger())


def test_a_defect_in_one_report_does_not_make_the_node_deaf(caplog: pytest.LogCaptureFixture) -> None:
    async def story(house: House) -> None:
        house.failures = [ZeroDivisionError("a defect")]
        house.drivers[0].report(Connected())
        house.drivers[0].report(StatusChanged(1, "Available"))
        await asyncio.sleep(1)
        assert house.heard == [WallboxSaid(CHARGER, StatusChanged(1, "Available"))]
        assert house.pool.counters["defects"] == 1

    with caplog.at_level(logging.CRITICAL):
        at_home(story, charger())
    assert "a defect in this program" in caplog.text


def test_an_old_start_does_not_fire_and_a_refused_one_is_told() -> None:
    async def story(house: House) -> None:
        (driver,) = house.drivers
        house.pool.perform(StartWallbox(CHARGER, b"b", "OLD", HERE - 1))
        house.pool.perform(StartWallbox(CHARGER, b"b", "NOW", LATER))
        house.pool.perform(StopWallbox(CHARGER, "s1"))
        house.pool.perform(AuthoriseTag(CHARGER, "NOW", None))
        house.pool.perform(StopWallbox(b"no such charger", "s1"))
        await asyncio.sleep(1)
        assert driver.asked == [
            ("authorise", "NOW", LATER),
            ("start", "NOW"),
            ("stop", "s1"),
            ("authorise", "NOW", None),
        ]
        driver.refuses = True
        house.pool.perform(StartWallbox(CHARGER, b"b", "NOW", LATER))
        await asyncio.sleep(1)
        assert house.heard == [StartFailed(CHARGER, b"b", "plug-in-first", "Plug the car in.")]

    at_home(story, charger())
