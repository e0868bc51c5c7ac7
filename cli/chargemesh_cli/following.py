"""A booking as it changes: looked at again with each of the node's server-sent events that names it.

What only time changes (a deadline that passes) is seen with the stream's signs of life, every 15 seconds.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from chargemesh_protocol.errors import ExitCode, PersonError

from .client import Api

# The node restarts, or the machine slept: longer than a start takes, and then the person is told.
RECONNECT_AFTER_S = (0.5, 1.0, 2.0, 4.0, 8.0)
_LOST = {ExitCode.NOT_RUNNING, ExitCode.TIMED_OUT}


def follow(api: Api, path: str) -> Iterator[Any]:
    """The booking at `path` now, and again whenever it may have changed, until the caller has seen enough.

    A lost stream is opened again after each of RECONNECT_AFTER_S, counted anew once it is back; then the
    PersonError of the last try is raised.
    """
    booking = api.get(path)["id"]  # `last` may come to mean another one
    tries = iter(RECONNECT_AFTER_S)
    while True:
        try:
            for _ in api.events(booking=booking):
                yield api.get(f"bookings/{booking}")
                tries = iter(RECONNECT_AFTER_S)
            lost = PersonError(
                "node-gone", "The node stopped.", "Start it with `chargemesh run`.", ExitCode.NOT_RUNNING
            )
        except PersonError as error:
            if error.exit_code not in _LOST:
                raise
            lost = error
        pause = next(tries, None)
        if pause is None:
            raise lost
        time.sleep(pause)
