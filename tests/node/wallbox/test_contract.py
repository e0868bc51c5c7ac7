"""`check_wallbox_driver`, which authors of drivers run on theirs: ours pass, and it names what is broken."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chargemesh_node.sim.box import CarAndBox, SimDriver
from chargemesh_node.sim.loop import LoopClock, run
from chargemesh_node.wallbox.check import DriverFault, check_wallbox_driver
from chargemesh_node.wallbox.errors import WallboxError
from chargemesh_node.wallbox.manual import ManualDriver
from chargemesh_protocol.charging.reports import Reading, SessionEnded, SessionStarted

from .house import house

NOW = 1_790_000_000_000


def test_the_simulated_driver_keeps_the_contract() -> None:
    run(_simulated(SimDriver))


def test_the_manual_driver_keeps_the_contract() -> None:
    async def main() -> None:
        driver = ManualDriver("garage", LoopClock(NOW), max_power_w=11_000)
        register = 5_000_000

        async def somebody_reads_the_meter() -> None:
            nonlocal register
            await asyncio.sleep(60)
            try:
                await driver.enter_reading(register, NOW + round(asyncio.get_running_loop().time() * 1000))
            except WallboxError:
                return  # nothing has been asked of them yet
            register += 100

        await check_wallbox_driver(driver, seconds=600, meanwhile=somebody_reads_the_meter)

    run(main())


@pytest.mark.asyncio
async def test_the_ocpp_driver_keeps_the_contract() -> None:
    async with house() as home:
        await home.driver.close()
        home.driver = home.new_driver()
        home.box.plug_in()
        reports = await check_wallbox_driver(home.driver, seconds=30)
    assert any(isinstance(one, Reading) for one in reports)


class Forgetful(SimDriver):
    """Starts a session for every wish."""

    async def remote_start(self, tag: str, connector: int) -> None:
        self._box.end(self._clock.now(), "Other")
        self._box.begin(tag, self._clock.now())


class Silent(SimDriver):
    async def remote_stop(self, session: str) -> None:
        return


class Falling(SimDriver):
    """Its register is below the last reading at the end."""

    async def remote_stop(self, session: str) -> None:
        if self._box.running is not None and self._box.running.name == session:
            self._box.register_wh -= 1000
        await super().remote_stop(session)


class Crude(SimDriver):
    async def limit_power(self, watts: int | None) -> None:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("driver", "promise"),
    [
        (Forgetful, "starts no second session"),
        (Silent, "tells the end of the session"),
        (Falling, "no register falls"),
    ],
)
def test_a_driver_that_breaks_a_promise_is_told_which(driver: type[SimDriver], promise: str) -> None:
    with pytest.raises(DriverFault, match=promise):
        run(_simulated(driver))


def test_another_exception_than_wallbox_error_ends_the_check() -> None:
    with pytest.raises(RuntimeError):
        run(_simulated(Crude))


async def _simulated(driver: type[SimDriver]) -> Any:
    made = driver(CarAndBox(), LoopClock(NOW))
    reports = await check_wallbox_driver(made, seconds=300)
    kinds = [type(one) for one in reports]
    assert kinds.count(SessionStarted) == kinds.count(SessionEnded) == 1
