"""A box that says more than is taken in: bounded, and no start and no end is lost over it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from chargemesh_node.wallbox.report_line import ReportLine
from chargemesh_node.wallbox.tasks import SideTasks
from chargemesh_protocol.charging.reports import (
    Connected,
    Disconnected,
    Reading,
    SessionEnded,
    SessionStarted,
    StatusChanged,
    UnknownTag,
)
from chargemesh_protocol.limits import MAX_OCPP_CONNECTORS, MAX_WALLBOX_TASKS

from .house import OWNER, House
from .test_port import raw_box

START, END = SessionStarted("s", "T", 0, 1), SessionEnded("s", 9, 2, "Local")


async def taken(line: ReportLine) -> list[Any]:
    return [await line.get() for _ in range(len(line))]


@pytest.mark.asyncio
async def test_reports_keep_their_order_and_a_reader_waits_for_the_next() -> None:
    line = ReportLine(8)
    reports = [Connected(), StatusChanged(1, "Preparing"), START, StatusChanged(1, "Charging"), END]
    assert all(line.put(one) for one in reports)
    assert await taken(line) == reports, "nothing is merged while there is room"
    waiting = asyncio.create_task(line.get())
    await asyncio.sleep(0)
    assert not waiting.done()
    line.put(END)
    assert await waiting == END


@pytest.mark.asyncio
async def test_a_full_line_drops_what_the_next_word_makes_good() -> None:
    line = ReportLine(3)
    for one in (START, StatusChanged(1, "Charging"), Connected()):
        line.put(one)
    assert not line.put(Reading("s", 5, None, 2, "Sample.Periodic"))
    assert not line.put(UnknownTag("T", 2))
    assert not line.put(StatusChanged(1, "Finishing")), "the older state is gone, which is said"
    assert not line.put(Disconnected())
    assert line.put(END), "what was let in while there was room joins"
    assert await taken(line) == [START, StatusChanged(1, "Finishing"), Disconnected(), END]


@pytest.mark.asyncio
async def test_a_flood_of_states_is_bounded_by_the_connectors() -> None:
    line = ReportLine(3)
    for number in range(10_000):
        line.put(StatusChanged(number % (MAX_OCPP_CONNECTORS + 1), f"State{number}"))
        line.put(Connected() if number % 2 else Disconnected())
        line.put(Reading("s", number, None, number, "Sample.Periodic"))
    assert len(line) <= 3 + MAX_OCPP_CONNECTORS + 2


@pytest.mark.asyncio
async def test_room_comes_when_a_report_is_taken() -> None:
    line = ReportLine(1)
    await line.room()
    line.put(START)
    waiting = asyncio.create_task(line.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    await line.get()
    await waiting


@pytest.mark.asyncio
async def test_work_that_a_box_causes_is_bounded() -> None:
    tasks, never = SideTasks("test"), asyncio.Event()

    async def wait() -> None:
        await never.wait()

    assert [tasks.spawn(wait()) for _ in range(MAX_WALLBOX_TASKS + 2)][-3:] == [True, False, False]
    await tasks.cancel()
    assert tasks.spawn(wait())
    await tasks.cancel()


async def charges(socket: ClientConnection, number: int) -> None:
    """Sends a start and an end without waiting for an answer."""
    start = {
        "connectorId": 1,
        "idTag": OWNER,
        "meterStart": number,
        "timestamp": f"2026-01-{number:02}T00:00:00Z",
    }
    await socket.send(json.dumps([2, f"start-{number}", "StartTransaction", start]))


async def answer(socket: ClientConnection) -> Any:
    """The next answer; the node's own calls are passed over."""
    async with asyncio.timeout(60):
        while (message := json.loads(await socket.recv()))[0] == 2:
            pass
    return message


@pytest.mark.asyncio
async def test_a_box_waits_with_its_start_until_there_is_room_and_loses_none() -> None:
    home = House()
    line = ReportLine(2)
    await home.central.start()
    await home.driver.start(line.put, line.room)
    try:
        async with raw_box(home) as socket:
            await charges(socket, 1)
            assert (await answer(socket))[1] == "start-1"
            await home.until(lambda: len(line) == 2)  # connected, started
            await charges(socket, 2)
            await socket.send('[2,"alive","Heartbeat",{}]')
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await answer(socket)
            assert len(line) == 2, "nothing was taken from the box"
        # It gave up, comes back, and says it again, as real boxes do.
        async with raw_box(home) as socket:
            await charges(socket, 2)
            first = await line.get()
            assert (await answer(socket))[1] == "start-2"
            later = [one for one in await taken(line) if isinstance(one, (SessionStarted, SessionEnded))]
        assert isinstance(first, SessionStarted) and [type(one) for one in later] == [
            SessionEnded,
            SessionStarted,
        ]
        assert later[0].session == first.session != later[1].session
    finally:
        await home.driver.close()
        await home.central.close()
