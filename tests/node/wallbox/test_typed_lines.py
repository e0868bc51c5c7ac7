"""Lines typed at a program: also where it runs in the background of the shell that it was started from."""

from __future__ import annotations

import asyncio
import fcntl
import os
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

from chargemesh_node.wallbox.typed_lines import TypedLines

LISTENER = """
import asyncio
from chargemesh_node.wallbox.typed_lines import TypedLines
async def main():
    typed = TypedLines()
    typed.start()
    print("listens", flush=True)
    async for line in typed:
        print("heard", line, flush=True)
asyncio.run(main())
"""
SECONDS = 20.0


def test_lines_come_whole_and_end_with_the_input() -> None:
    async def story() -> None:
        read_end, write_end = os.pipe()
        typed = TypedLines(read_end)
        typed.start()
        for data in (b"plug\nun", b"plug\n", b"no end"):
            os.write(write_end, data)
            await asyncio.sleep(0)
        os.close(write_end)
        assert [line async for line in typed] == ["plug", "unplug"]
        typed.close()
        os.close(read_end)

    asyncio.run(asyncio.wait_for(story(), SECONDS))


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"timed out waiting for {what}")
        time.sleep(0.02)


def test_in_the_background_it_runs_on_and_hears_again_in_the_foreground(tmp_path: Path) -> None:
    program, said, jobs = tmp_path / "listener.py", tmp_path / "said.txt", tmp_path / "jobs.txt"
    program.write_text(LISTENER)
    ours, theirs = os.openpty()
    with subprocess.Popen(
        ["bash", "--norc", "-i"],
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    ) as shell:
        os.close(theirs)

        def types(line: str) -> None:
            os.write(ours, line.encode() + b"\n")

        def hears() -> bool:
            types("unplug")  # until the shell has obeyed, it gets this itself, and knows no such command
            time.sleep(0.2)
            return "heard unplug" in said.read_text()

        try:
            types(f"{sys.executable} {program} > {said} &")
            until(lambda: said.exists() and "listens" in said.read_text(), "the program")
            types(f"sleep 0.3; jobs > {jobs}.new; mv {jobs}.new {jobs}")
            until(jobs.exists, "the shell's list of jobs")
            assert "Running" in jobs.read_text(), "it was not stopped for reading from the terminal"
            types("fg")
            until(hears, "the typed line")
        finally:
            os.close(ours)
            shell.kill()
