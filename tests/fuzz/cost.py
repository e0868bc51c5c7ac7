"""What reading an input costs: counted for the tests, which look at no clock, and timed for `make fuzz`."""

from __future__ import annotations

import gc
import sys
import time
import tracemalloc
from types import FrameType

from .target import Target

# Generous: what is quadratic in earnest reaches it by the next doubling.
MAX_GROWTH = 4.0
MAX_BYTES_FOR_A_BYTE = 400  # a tree of small objects weighs much more than the byte that each came in
SPARE_BYTES = 512 * 1024  # what a target sets up before it reads: identities, logs, a booking
_ROUNDS = 5


def calls(target: Target, data: bytes) -> int:
    """Calls of Python and of C functions: the same on every machine."""
    count = 0

    def seen(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    target.check(data)  # what is set up once does not count
    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        target.check(data)
    finally:
        sys.setprofile(before)
    return count


def seconds(target: Target, data: bytes) -> float:
    """Processor time, the least of a few rounds."""
    least = float("inf")
    for _ in range(_ROUNDS):
        start = time.process_time()
        target.check(data)
        least = min(least, time.process_time() - start)
    return least


def peak_bytes(target: Target, data: bytes) -> int:
    """The most memory that was held at once while reading."""
    target.check(data)
    gc.collect()
    tracemalloc.start()
    try:
        target.check(data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
