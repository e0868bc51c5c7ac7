"""When a network process counts as hung: by its silence, never by our own standing still."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from chargemesh_node.p2p import frames
from chargemesh_node.p2p.child import Child
from chargemesh_node.p2p.limits import DEFAULT_LIMITS, NetworkLimits

pytestmark = pytest.mark.asyncio
LOGGER = logging.getLogger(__name__)
ALIVE = frames.pack(frames.Alive(rss_bytes=1, connections=0, streams=0, routing_table=0, counters={}))


class Process:
    """A network process whose words the test speaks: `says` are its bytes on the socket."""

    pid = 1
    returncode: int | None = None

    def __init__(self, theirs: socket.socket) -> None:
        self._socket = theirs.dup()
        self.stderr = asyncio.StreamReader()
        self.stderr.feed_eof()

    def says(self, data: bytes) -> None:
        self._socket.sendall(data)

    def kill(self) -> None:
        self.returncode = -9
        self._socket.close()

    async def wait(self) -> int:
        assert self.returncode is not None
        return self.returncode


@asynccontextmanager
async def started(limits: NetworkLimits) -> AsyncIterator[tuple[Child, Process]]:
    processes: list[Process] = []

    async def launch(theirs: socket.socket) -> Process:
        processes.append(Process(theirs))
        return processes[0]

    child = await Child.start(limits, None, LOGGER, launch)
    try:
        yield child, processes[0]
    finally:
        await child.end(gently=False)


async def test_one_that_falls_silent_is_killed() -> None:
    limits = replace(DEFAULT_LIMITS, start_seconds=2.0, silence_seconds=0.2)
    async with started(limits) as (child, process):
        process.says(ALIVE)
        assert isinstance(await child.read(), frames.Alive)
        assert await child.read() is None
        assert process.returncode == -9


async def test_one_that_never_says_a_word_is_given_the_time_to_start() -> None:
    limits = replace(DEFAULT_LIMITS, start_seconds=0.2, silence_seconds=60.0)
    async with started(limits) as (child, process):
        assert await child.read() is None
        assert process.returncode == -9


async def test_our_own_standstill_is_not_its_silence() -> None:
    limits = replace(DEFAULT_LIMITS, silence_seconds=0.5)
    async with started(limits) as (child, process):
        process.says(ALIVE)
        assert isinstance(await child.read(), frames.Alive)
        reading = asyncio.create_task(child.read())
        await asyncio.sleep(0)
        process.says(ALIVE[:1])
        process.says(ALIVE[1:])
        time.sleep(1.0)  # noqa: ASYNC251  # as if the node had been stopped (Ctrl-Z) meanwhile
        assert isinstance(await reading, frames.Alive)
        assert process.returncode is None


async def test_nonsense_ends_it() -> None:
    async with started(DEFAULT_LIMITS) as (child, process):
        process.says(b"\xff" * 8)
        assert await child.read() is None
        process.kill()
