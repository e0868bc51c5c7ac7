"""A charger that people switch and read."""

from __future__ import annotations

import pytest

from chargemesh_node.clock import ManualClock
from chargemesh_node.wallbox.book import MemoryBook
from chargemesh_node.wallbox.errors import WallboxError
from chargemesh_node.wallbox.manual import ManualDriver
from chargemesh_protocol.charging.reports import (
    Connected,
    Reading,
    SessionEnded,
    SessionStarted,
    StatusChanged,
    WallboxReport,
)

T0 = 1_777_629_600_000
MINUTE = 60_000


class Porch:
    """A manual charger, its reports, and a clock."""

    def __init__(self) -> None:
        self.clock = ManualClock(T0)
        self.book = MemoryBook()
        self.reports: list[WallboxReport] = []
        self.driver = ManualDriver("porch", self.clock, max_power_w=11_000, book=self.book)

    async def reads(self, register_wh: int, after_minutes: int = 1) -> None:
        self.clock.advance(after_minutes * MINUTE)
        await self.driver.enter_reading(register_wh, self.clock.now())


@pytest.mark.asyncio
async def test_the_first_reading_starts_and_the_one_after_the_stop_ends() -> None:
    porch = Porch()
    await porch.driver.start(porch.reports.append)
    await porch.driver.authorise("DRIVER", T0 + 60 * MINUTE)
    await porch.driver.remote_start("DRIVER", 1)
    assert porch.driver.status.connector_state == "Preparing" and porch.driver.status.session is None
    await porch.reads(5000)
    session = porch.driver.status.session
    assert session is not None and porch.driver.status.tag == "DRIVER"
    await porch.reads(6000, after_minutes=10)
    await porch.driver.remote_stop(session)
    assert porch.driver.status.connector_state == "Finishing"
    await porch.reads(7000, after_minutes=10)
    assert porch.reports == [
        Connected(),
        StatusChanged(1, "Preparing"),
        SessionStarted(session, "DRIVER", 5000, T0 + MINUTE, by_hand=True),
        StatusChanged(1, "Charging"),
        Reading(session, 6000, None, T0 + 11 * MINUTE, "Sample.Periodic", by_hand=True),
        StatusChanged(1, "Finishing"),
        SessionEnded(session, 7000, T0 + 21 * MINUTE, "Remote", by_hand=True),
        StatusChanged(1, "Available"),
    ]
    assert porch.driver.status.session is None and porch.driver.status.register_wh == 7000


@pytest.mark.asyncio
async def test_readings_that_people_mistype_are_refused() -> None:
    porch = Porch()
    await porch.driver.start(porch.reports.append)
    with pytest.raises(WallboxError, match="No session"):
        await porch.reads(1)
    await porch.driver.remote_start("DRIVER", 1)
    await porch.reads(5000)
    for register, at in ((4999, T0 + MINUTE), (-1, T0 + MINUTE), (10**11, T0 + MINUTE), (6000, T0),
                         (6000, T0 + 99 * MINUTE)):  # fmt: skip
        with pytest.raises(WallboxError) as refusal:
            await porch.driver.enter_reading(register, at)
        assert refusal.value.code == "bad-reading"
    with pytest.raises(WallboxError, match="Another session"):
        await porch.driver.remote_start("OTHER", 1)
    with pytest.raises(WallboxError, match="limits the power"):
        await porch.driver.limit_power(3700)
    await porch.driver.limit_power(None)
    await porch.driver.unlock(1)


@pytest.mark.asyncio
async def test_a_reading_that_can_hardly_be_right_is_asked_for_twice() -> None:
    """11 kW make 1.1 kWh in six minutes: some more is believed, ten times as much is not."""
    porch = Porch()
    await porch.driver.start(porch.reports.append)
    await porch.driver.remote_start("DRIVER", 1)
    await porch.reads(100_000)
    await porch.reads(102_000, after_minutes=6)
    porch.clock.advance(6 * MINUTE)
    with pytest.raises(WallboxError, match=r"11 kWh in 6 min .* showed 102 kWh before") as refusal:
        await porch.driver.enter_reading(113_000, porch.clock.now())
    assert refusal.value.code == "unlikely-reading" and porch.driver.status.register_wh == 102_000
    await porch.driver.remote_stop("nothing of ours")
    await porch.driver.enter_reading(113_000, porch.clock.now(), sure=True)
    assert porch.driver.status.register_wh == 113_000


@pytest.mark.asyncio
async def test_a_session_that_begins_below_the_last_one_is_asked_for_twice() -> None:
    porch = Porch()
    await porch.driver.start(porch.reports.append)
    await porch.driver.remote_start("DRIVER", 1)
    await porch.reads(100_000)
    assert porch.driver.status.session is not None
    await porch.driver.remote_stop(porch.driver.status.session)
    await porch.reads(100_500)
    await porch.driver.remote_start("OTHER", 1)
    with pytest.raises(WallboxError, match=r"100\.5 kWh when the session before ended"):
        await porch.reads(10_060)
    await porch.reads(100_600)
    assert porch.driver.status.tag == "OTHER"


@pytest.mark.asyncio
async def test_a_session_survives_a_restart() -> None:
    porch = Porch()
    await porch.driver.start(porch.reports.append)
    await porch.driver.remote_start("DRIVER", 1)
    await porch.reads(5000)
    await porch.driver.close()
    begun = porch.reports[2]
    porch.reports.clear()
    porch.driver = ManualDriver("porch", porch.clock, max_power_w=11_000, book=porch.book)
    await porch.driver.start(porch.reports.append)
    assert porch.reports[1] == begun
    assert isinstance(begun, SessionStarted)
    await porch.driver.remote_stop(begun.session)
    await porch.reads(5600)
    assert porch.reports[-2] == SessionEnded(begun.session, 5600, porch.clock.now(), "Remote", by_hand=True)


@pytest.mark.asyncio
async def test_a_session_without_a_reading_ends_with_nothing() -> None:
    porch = Porch()
    await porch.driver.start(porch.reports.append)
    await porch.driver.remote_start("DRIVER", 1)
    await porch.driver.remote_start("DRIVER", 1)
    await porch.driver.authorise("DRIVER", None)
    assert porch.driver.status.connector_state == "Available"
    assert porch.reports == [Connected(), StatusChanged(1, "Preparing"), StatusChanged(1, "Available")]
