"""Network processes forked from one that has libp2p loaded: 50 ms instead of 1.5 s of CPU each.

What runs in them is `p2p.process.main`, as in every other node; only `import libp2p` is not done 25 times.
`python -m tests.e2e.warm FD` is the parent: a byte with two descriptors on its socket asks for a process.
It answers with lines: `started PID`, and `ended PID STATUS` once a process is gone.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]


class ForkedProcess:
    """Looks like `asyncio.subprocess.Process` (see `p2p.child.OsProcess`)."""

    def __init__(self, pid: int, stderr: asyncio.StreamReader) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stderr = stderr
        self._over = asyncio.Event()

    def kill(self) -> None:
        with suppress(ProcessLookupError):  # it ended, and we have not been told yet
            os.kill(self.pid, signal.SIGKILL)

    async def wait(self) -> int:
        await self._over.wait()
        assert self.returncode is not None
        return self.returncode

    def ended(self, status: int) -> None:
        self.returncode = status
        self._over.set()


class Nursery:
    """The warm parent as the tests see it; `launch` is for `Libp2pNetwork`."""

    def __init__(self, control: socket.socket, reader: asyncio.StreamReader) -> None:
        self._control = control
        self._reader = reader
        self._processes: dict[int, ForkedProcess] = {}
        self._ended_early: dict[int, int] = {}
        self._started: asyncio.Queue[int] = asyncio.Queue()
        self._turn = asyncio.Lock()

    async def launch(self, theirs: socket.socket) -> ForkedProcess:
        read_end, write_end = os.pipe()
        async with self._turn:
            try:
                socket.send_fds(self._control, [b"+"], [theirs.fileno(), write_end])
            finally:
                os.close(write_end)
            pid = await self._started.get()
        stderr = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stderr), os.fdopen(read_end, "rb")
        )
        process = self._processes[pid] = ForkedProcess(pid, stderr)
        if pid in self._ended_early:
            process.ended(self._ended_early.pop(pid))
        return process

    async def listen(self) -> None:
        while line := await self._reader.readline():
            word, pid, *status = line.split()
            if word == b"started":
                self._started.put_nowait(int(pid))
            elif (process := self._processes.pop(int(pid), None)) is not None:
                process.ended(int(status[0]))
            else:
                self._ended_early[int(pid)] = int(status[0])


@asynccontextmanager
async def warm_processes() -> AsyncIterator[Nursery]:
    """A parent for as many network processes as the test wants; all of them end with it."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "tests.e2e.warm", str(theirs.fileno())]
    parent = await asyncio.create_subprocess_exec(*command, pass_fds=(theirs.fileno(),), cwd=ROOT)
    theirs.close()
    reader, writer = await asyncio.open_connection(sock=ours.dup())
    nursery = Nursery(ours, reader)
    listening = asyncio.create_task(nursery.listen())
    try:
        yield nursery
    finally:
        writer.close()
        ours.close()  # the parent sees the end, and so do its children
        await parent.wait()
        await listening


def _serve(control: socket.socket) -> None:
    """The parent's side: forks, and buries."""
    from chargemesh_node.p2p import process

    gc.collect()
    gc.freeze()  # the collector of a child need not touch, and so copy, what it shares with us
    signal.signal(signal.SIGCHLD, lambda number, frame: _bury(control))
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, 1, 2)
        if not data:
            return
        plain, stderr = descriptors
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(stderr, 2)
            os.close(stderr)
            control.close()
            process.main(plain)
            os._exit(0)
        control.sendall(b"started %d\n" % pid)
        for descriptor in descriptors:
            os.close(descriptor)


def _bury(control: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        control.sendall(b"ended %d %d\n" % (pid, os.waitstatus_to_exitcode(status)))


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
