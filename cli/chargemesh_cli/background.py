"""Reaching the node, and starting it in the background where a person waits for it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from chargemesh_node.home import Home, running_pid
from chargemesh_protocol.errors import ExitCode, PersonError

from .client import Api, NodeAway

START_SECONDS = 30.0
_POLL_SECONDS = 0.1
_MAX_TAIL_BYTES = 2000


def reach(home: Home, *, may_start: bool, say: Callable[[str], None], timeout: float = 60.0) -> Api:
    """The API of the node on `home`, which answers; started if it isn't running and `may_start`.

    PersonError: no such home (exit 3), not running (exit 4), or why the start failed.
    """
    home.require_initialised()
    home.check_private()
    api = Api(home, timeout)
    if answers(home):
        return api
    process = None
    if running_pid(home) is None:
        if not may_start:
            raise NodeAway(home)
        say("The node is not running; starting it in the background …")
        process = start(home)
    wait_until_it_answers(home, process)
    return api


def start(home: Home, flags: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    """Starts `run` as a process of its own that outlives this one; what it prints goes to logs/start.log."""
    home.create()
    log = _start_log(home)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    command = [sys.executable, "-m", "chargemesh_cli", "--home", str(home.root), "run", *flags]
    with os.fdopen(descriptor, "wb") as output:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )


def wait_until_it_answers(home: Home, process: subprocess.Popen[bytes] | None = None) -> None:
    """Returns once the API answers; PersonError if the process ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while not answers(home):
        ended = process is not None and process.poll() is not None
        if ended and running_pid(home) is None:
            raise PersonError("start-failed", "The node did not start.", _why(home), _exit_code(process))
        if time.monotonic() > deadline:
            raise PersonError(
                "start-slow",
                f"The node did not answer within {START_SECONDS:g} seconds.",
                f"See {home.log_file}.",
                ExitCode.TIMED_OUT,
            )
        time.sleep(_POLL_SECONDS)


def answers(home: Home) -> bool:
    """Whether a node's API is there; an error that it gives is an answer too."""
    try:
        Api(home, timeout=5.0).get("id")
    except NodeAway:
        return False
    except PersonError as error:
        return error.exit_code not in (ExitCode.NOT_RUNNING, ExitCode.TIMED_OUT)
    return True


def _start_log(home: Home) -> str:
    return str(home.logs / "start.log")


def _exit_code(process: subprocess.Popen[bytes] | None) -> ExitCode:
    """The start's own, where it is one that we give."""
    code = process.returncode if process is not None else None
    return ExitCode(code) if code in (2, 3, 5) else ExitCode.FAILURE


def _why(home: Home) -> str:
    """The last line that the start printed: its own sentence."""
    try:
        with open(_start_log(home), "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _MAX_TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return f"See {home.log_file}."
    return lines[-1] if lines else f"See {home.log_file}."
