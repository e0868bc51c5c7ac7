"""One run of the network process as the node sees it: started, spoken to, watched, ended."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Protocol

from . import frames
from .limits import NetworkLimits

LOG_LINES = 100  # of the process, in each LOG_SECONDS: strangers must not fill the disk with its complaints
LOG_SECONDS = 10.0
STOP_SECONDS = 5.0
PATIENCE_STEPS = 20  # in which a silence is counted
MAX_WAITING_BYTES = 8 * 1024 * 1024  # written and not yet read by the process; beyond it we drop


class OsProcess(Protocol):
    """What we need of `asyncio.subprocess.Process`."""

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None: ...

    @property
    def stderr(self) -> asyncio.StreamReader | None: ...

    def kill(self) -> None: ...

    async def wait(self) -> int: ...


Launch = Callable[[socket.socket], Awaitable[OsProcess]]


async def launch(theirs: socket.socket) -> OsProcess:
    """A network process that speaks with us over `theirs`, whose other end we keep."""
    # -P: a file in the working folder must not stand in for a library.
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "chargemesh_node.p2p", str(theirs.fileno())),
        pass_fds=(theirs.fileno(),),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )


class Child:
    """The process and the socket to it. Use `Child.start`; `read` until it ends; `end` in any case."""

    def __init__(
        self,
        process: OsProcess,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        limits: NetworkLimits,
        tap: Callable[[bytes], None] | None,
        logger: logging.Logger,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._tap = tap
        self._logger = logger
        self._patience = limits.start_seconds  # until its first report
        self._silence_seconds = limits.silence_seconds
        self._silent_steps = 0
        self._log_task = asyncio.create_task(self._pass_on_log())
        self._watch_task = asyncio.create_task(self._watch())

    @classmethod
    async def start(
        cls,
        limits: NetworkLimits,
        tap: Callable[[bytes], None] | None,
        logger: logging.Logger,
        launch: Launch = launch,
    ) -> Child:
        ours, theirs = socket.socketpair()
        try:
            process = await launch(theirs)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        reader, writer = await asyncio.open_connection(sock=ours)
        return cls(process, reader, writer, limits, tap, logger)

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, frame: frames.Command) -> bool:
        """Writes a frame; False if the process is gone or reads too slowly."""
        waiting = self._writer.transport.get_write_buffer_size()
        if self._writer.is_closing() or waiting > MAX_WAITING_BYTES:
            return False
        data = frames.pack(frame)
        if self._tap is not None:
            self._tap(data)
        self._writer.write(data)
        return True

    async def read(self) -> frames.Report | None:
        """The next report; None once the process is gone (also killed for its silence), or talks nonsense."""
        try:
            header = await self._reader.readexactly(frames.LENGTH_BYTES)
            report = frames.parse_report(await self._reader.readexactly(frames.frame_length(header)))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        except frames.FrameError as error:
            self._logger.error("the network process sent what is no report: %s", error)
            return None
        self._silent_steps, self._patience = 0, self._silence_seconds
        return report

    async def _watch(self) -> None:
        """Kills the process once it has been silent for too long.

        The silence is counted in steps of ours: while we stand still ourselves (starved, paused, Ctrl-Z),
        one step passes at most, and what the process said meanwhile is read before the next.
        """
        while self._silent_steps < PATIENCE_STEPS:
            await asyncio.sleep(self._patience / PATIENCE_STEPS)
            self._silent_steps += 1
        self._logger.warning("the network process has been silent for %g s", self._patience)
        if self._process.returncode is None:
            self._process.kill()

    async def end(self, *, gently: bool) -> int | None:
        """Stops the process, by force if it must be; its exit code (negative: the signal)."""
        if gently and self.send(frames.Stop()):
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await self._process.wait()
            except TimeoutError:
                self._logger.warning("the network process does not stop by itself")
        if self._process.returncode is None:
            self._process.kill()
        code = await self._process.wait()
        self._watch_task.cancel()
        self._writer.close()
        await self._log_task
        return code

    async def _pass_on_log(self) -> None:
        """What the process writes to stderr goes to our log, so many lines at most."""
        assert self._process.stderr is not None
        loop = asyncio.get_running_loop()
        window, lines, dropped = loop.time(), 0, 0
        while True:
            try:
                line = await self._process.stderr.readline()
            except ValueError:  # a line longer than the reader's buffer
                continue
            if not line:
                return
            if loop.time() - window > LOG_SECONDS:
                if dropped:
                    self._logger.warning("%d further lines of the network process not shown", dropped)
                window, lines, dropped = loop.time(), 0, 0
            lines += 1
            if lines <= LOG_LINES:
                self._logger.warning("network process: %s", line.decode(errors="replace").rstrip()[:500])
            else:
                dropped += 1
