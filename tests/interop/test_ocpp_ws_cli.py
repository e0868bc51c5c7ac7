"""`ocpp-ws-cli`, an OCPP tool by others, against our central system: its simulator, and its 21 checks."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from chargemesh_node.clock import SystemClock
from chargemesh_node.wallbox.central import CentralSystem
from chargemesh_node.wallbox.ocpp import OcppDriver
from chargemesh_protocol.charging.reports import (
    Reading,
    SessionEnded,
    SessionStarted,
    StatusChanged,
    WallboxReport,
)

from .node_tools import NOT_INSTALLED, environment, tool

OCPP = tool("ocpp-ws-cli")
pytestmark = pytest.mark.skipif(OCPP is None, reason=NOT_INSTALLED)

PASSWORD = "secret-password-1"
SUITES = {"transport": 7, "rpc": 8, "security": 4, "chaos": 2}
# The design wants boxes that offer no subprotocol to work; the suite wants them refused. The only difference.
OURS_ON_PURPOSE = "Server requires subprotocol"


async def run_tool(
    command: str, central: CentralSystem, box: str, reports: Path, *options: str
) -> asyncio.subprocess.Process:
    endpoint = f"ws://{box}:{PASSWORD}@127.0.0.1:{central.port}/ocpp"
    assert OCPP is not None
    return await asyncio.create_subprocess_exec(
        *OCPP, command, "--endpoint", endpoint, "--identity", box, "--protocol", "ocpp1.6",
        "--report", "json", "--report-dir", str(reports), *options,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.STDOUT,
        cwd=reports, env=environment(),
    )  # fmt: skip


async def checks(suite: str, central: CentralSystem, folder: Path) -> list[dict[str, Any]]:
    """The results of one suite, run against a charge point of its own."""
    folder.mkdir()
    driver = OcppDriver(central, suite, PASSWORD, ["OWNER"], False, SystemClock())
    await driver.start(lambda report: None)
    try:
        process = await run_tool("test", central, suite, folder, "--suite", suite)
        async with asyncio.timeout(60):
            await process.communicate(b"")
    finally:
        await driver.close()
    (report,) = folder.glob("*.json")
    found = json.loads(report.read_text())
    results: list[dict[str, Any]] = found["testResults"]
    return results


@pytest.mark.asyncio
async def test_its_checks_pass_but_for_the_one_that_the_design_decides_otherwise(tmp_path: Path) -> None:
    central = CentralSystem(port=0)
    await central.start()
    try:
        found = await asyncio.gather(*(checks(suite, central, tmp_path / suite) for suite in SUITES))
    finally:
        await central.close()
    assert [len(results) for results in found] == list(SUITES.values())
    failed = [result["name"] for results in found for result in results if not result["passed"]]
    assert set(failed) <= {OURS_ON_PURPOSE}
    assert sum(SUITES.values()) - len(failed) >= 20


@pytest.mark.asyncio
async def test_its_simulator_charges_with_us(tmp_path: Path) -> None:
    """Its keys: t starts a session with the tag given, m sends a reading, e ends the session, q quits."""
    reports: list[WallboxReport] = []
    news = asyncio.Event()

    def heard(report: WallboxReport) -> None:
        reports.append(report)
        news.set()

    async def until_reported(kind: type[WallboxReport]) -> None:
        while not any(isinstance(report, kind) for report in reports):
            news.clear()
            await news.wait()

    central = CentralSystem(port=0)
    await central.start()
    driver = OcppDriver(central, "sim", PASSWORD, ["OWNER"], False, SystemClock())
    await driver.start(heard)
    process = await run_tool("simulate", central, "sim", tmp_path, "--id-tag", "OWNER")
    assert process.stdin is not None
    try:
        async with asyncio.timeout(30):
            await until_reported(StatusChanged)
            for key, kind in ((b"t", SessionStarted), (b"m", Reading), (b"e", SessionEnded)):
                process.stdin.write(key)
                await until_reported(kind)
            await process.communicate(b"q")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await driver.close()
        await central.close()
    started, reading, ended = (r for r in reports if isinstance(r, (SessionStarted, Reading, SessionEnded)))
    assert isinstance(started, SessionStarted) and started.tag == "OWNER" and started.owner
    assert isinstance(reading, Reading) and reading.register_wh == started.register_wh + 14
    assert isinstance(ended, SessionEnded) and ended.register_wh == reading.register_wh
