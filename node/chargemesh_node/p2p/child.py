"""One run of the network process as the node sees it: started, spoken to, watched, ended."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Protocol

from . import frames

LOG_LINES = 100  # of the process, in each LOG_SECONDS: strangers must not fill the disk with its complaints
LOG_SECONDS = 10.0
STOP_SECONDS = 5.0
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
        tap: Callable[[bytes], None] | None,
        logger: logging.Logger,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._tap = tap
        self._logger = logger
        self._log_task = asyncio.create_task(self._pass_on_log())

    @classmethod
    async def start(
        cls, tap: Callable[[bytes], None] | None, logger: logging.Logger, launch: Launch = launch
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
        return cls(process, reader, writer, tap, logger)

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

    async def read(self, silence_seconds: float) -> frames.Report | None:
        """The next report; None once the process is gone, silent for too long, or talks nonsense."""
        try:
            async with asyncio.timeout(silence_seconds):
                header = await self._reader.readexactly(frames.LENGTH_BYTES)
                return frames.parse_report(await self._reader.readexactly(frames.frame_length(header)))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        except TimeoutError:
            self._logger.warning("the network process has been silent for %g s", silence_seconds)
            return None
        except frames.FrameError as error:
            self._logger.error("the network process sent what is no report: %s", error)
            return None

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
