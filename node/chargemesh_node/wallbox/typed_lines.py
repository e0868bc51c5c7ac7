"""Lines that a person types into stdin, without being stopped where the program runs in a shell's background.

A background process that reads from its terminal is stopped (SIGTTIN), so we read only in the foreground, and
look now and then whether `fg` has brought us there: nothing tells.
"""

from __future__ import annotations

import asyncio
import os
import stat
import sys

_AT_ONCE = 4096  # bytes
_LOOK_SECONDS = 0.2


class TypedLines:
    """`async for line in TypedLines()`; ends with the input, at once where nothing can be typed."""

    def __init__(self, fd: int | None = None) -> None:
        """`fd`: by default stdin's, if that is a terminal, a pipe or a socket: others can't be waited for."""
        self._fd = _stdin() if fd is None else fd
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._begun = b""
        self._next_look: asyncio.TimerHandle | None = None

    def __aiter__(self) -> TypedLines:
        return self

    async def __anext__(self) -> str:
        line = await self._lines.get()
        if line is None:
            raise StopAsyncIteration
        return line

    def start(self) -> None:
        if self._fd is None:
            self._lines.put_nowait(None)
            return
        self._look(self._fd)

    def close(self) -> None:
        if self._next_look is not None:
            self._next_look.cancel()
        if self._fd is not None:
            asyncio.get_running_loop().remove_reader(self._fd)

    def _look(self, fd: int) -> None:
        loop = asyncio.get_running_loop()
        if _in_foreground(fd):
            loop.add_reader(fd, self._read, fd)
        else:
            loop.remove_reader(fd)
            self._next_look = loop.call_later(_LOOK_SECONDS, self._look, fd)

    def _read(self, fd: int) -> None:
        if not _in_foreground(fd):
            self._look(fd)
            return
        try:
            data = os.read(fd, _AT_ONCE)
        except OSError:
            data = b""  # the terminal has gone
        *whole, self._begun = (self._begun + data).split(b"\n")
        for line in whole:
            self._lines.put_nowait(line.decode(errors="replace"))
        if not data:
            asyncio.get_running_loop().remove_reader(fd)
            self._lines.put_nowait(None)


def _in_foreground(fd: int) -> bool:
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return True  # no terminal, or not the one that controls us: nobody stops us for reading


def _stdin() -> int | None:
    try:
        fd = sys.stdin.fileno()
        mode = os.fstat(fd).st_mode
    except (AttributeError, OSError, ValueError):
        return None
    return fd if os.isatty(fd) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) else None
