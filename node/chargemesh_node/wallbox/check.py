"""Checks that a wallbox driver keeps the contract of `ports.WallboxDriver`: run it on yours in your tests.

    await check_wallbox_driver(driver, seconds=5)

It starts the driver, charges once and closes it, so that the box behind it must be a simulated one, or one
that may be switched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar, get_args

from chargemesh_protocol.charging.reports import (
    Connected,
    Reading,
    SessionEnded,
    SessionStarted,
    WallboxReport,
    WallboxStatus,
)

from ..ports import WallboxDriver
from .errors import WallboxError

R = TypeVar("R")
_REPORTS = get_args(WallboxReport)
_LOOK_EVERY_S = 0.02
_FAR_AWAY = 2**52  # unix ms: longer than any booking
STATES = (
    "Available",
    "Preparing",
    "Charging",
    "SuspendedEV",
    "SuspendedEVSE",
    "Finishing",
    "Reserved",
    "Unavailable",
    "Faulted",
)


class DriverFault(AssertionError):
    """A driver that breaks its contract; the text says in what."""


async def _nothing() -> None:
    """A box that needs nobody beside it."""


async def check_wallbox_driver(
    driver: WallboxDriver, *, seconds: float = 5.0, meanwhile: Callable[[], Awaitable[None]] = _nothing
) -> list[WallboxReport]:
    """Every report that was heard; DriverFault with the first promise that was not kept.

    `seconds`: how long a report may take. `meanwhile`: called while one is waited for, say to type a reading.
    """
    check = _Check(seconds, meanwhile)
    await driver.start(check.heard)
    await check.waits_for(Connected, "tells that the box is connected")
    _require_status(driver, None)
    await driver.authorise("check-tag", _FAR_AWAY)
    await driver.remote_start("check-tag", 1)
    started = await check.waits_for(SessionStarted, "tells of the session that it was asked to start")
    _require(started.tag == "check-tag" and not started.owner, "a session names the tag that started it")
    _require_status(driver, started.session)
    await driver.remote_start("check-tag", 1)  # a repetition, as after a crash of the node
    await _refuses(driver.remote_start("another-tag", 1), "starts no second session beside one that runs")
    await _may_refuse(driver.limit_power(6_000))
    await driver.limit_power(None)
    reading = await check.waits_for(Reading, "tells readings while it charges")
    _require(reading.session == started.session, "a reading names its session")
    await driver.remote_stop("no-such-session")
    _require(check.last(SessionEnded) is None, "a stop of another session ends nothing")
    await driver.remote_stop(started.session)
    ended = await check.waits_for(SessionEnded, "tells the end of the session")
    _require(ended.session == started.session, "the end names its session")
    await driver.remote_stop(started.session)  # a repetition
    _require_status(driver, None)
    await driver.authorise("check-tag", None)
    await _may_refuse(driver.unlock(1))
    await driver.close()
    check.require_order(started)
    return check.reports


class _Check:
    def __init__(self, seconds: float, meanwhile: Callable[[], Awaitable[None]]) -> None:
        self.reports: list[WallboxReport] = []
        self._seconds = seconds
        self._meanwhile = meanwhile

    def heard(self, report: WallboxReport) -> None:
        _require(isinstance(report, _REPORTS), f"reports a WallboxReport, not {report!r}")
        self.reports.append(report)

    def last(self, kind: type[R]) -> R | None:
        return next((one for one in reversed(self.reports) if isinstance(one, kind)), None)

    async def waits_for(self, kind: type[R], promise: str) -> R:
        loop = asyncio.get_running_loop()
        end = loop.time() + self._seconds
        while (found := self.last(kind)) is None:
            _require(loop.time() < end, f"{promise} (nothing within {self._seconds:g} s)")
            await self._meanwhile()
            await asyncio.sleep(_LOOK_EVERY_S)
        return found

    def require_order(self, started: SessionStarted) -> None:
        """One start, one end, and registers and times between them that never fall."""
        names = [one.session for one in self.reports if isinstance(one, SessionStarted)]
        _require(set(names) == {started.session}, "starts one session for one wish")
        ends = [one for one in self.reports if isinstance(one, SessionEnded)]
        _require(len(ends) == 1, "a session ends once")
        wh, at = started.register_wh, started.at
        for one in self.reports:
            if isinstance(one, Reading | SessionEnded):
                _require(one.register_wh >= wh, f"no register falls: {one.register_wh} after {wh} Wh")
                _require(one.at >= at, f"no time runs backwards: {one.at} after {at}")
                wh, at = one.register_wh, one.at


async def _refuses(call: Awaitable[None], promise: str) -> None:
    try:
        await call
    except WallboxError:
        return
    raise DriverFault(f"the driver breaks this promise: it {promise}")


async def _may_refuse(call: Awaitable[None]) -> None:
    """What not every box can do is refused by a WallboxError."""
    try:
        await call
    except WallboxError as error:
        _require(bool(error.message), "a WallboxError holds a sentence for people")


def _require_status(driver: WallboxDriver, session: str | None) -> None:
    status = driver.status
    _require(isinstance(status, WallboxStatus), "status is a WallboxStatus")
    _require(status.connected, "status says that the box is connected while it is")
    _require(status.session == session, f"status names the running session ({session!r})")
    _require(status.connector_state in STATES, f"{status.connector_state!r} is no OCPP 1.6 ChargePointStatus")


def _require(kept: bool, promise: str) -> None:
    if not kept:
        raise DriverFault(f"the driver breaks this promise: it {promise}")
