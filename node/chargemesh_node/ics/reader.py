"""Reads a calendar in a process of its own, within MAX_ICS_SECONDS; one at a time."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from typing import Any

from chargemesh_protocol.booking.imported import BusyFound
from chargemesh_protocol.limits import MAX_ICS_SECONDS

from ..errors import CalendarError

_log = logging.getLogger(__name__)
_CHILD = (sys.executable, "-m", "chargemesh_node.ics.child")


class ProcessReader:
    """A BusyReader (see `ports`)."""

    def __init__(self, seconds: float = MAX_ICS_SECONDS) -> None:
        self._seconds = seconds
        self._one = asyncio.Lock()

    async def __call__(self, source: str, zone: str, start: int, end: int) -> BusyFound:
        question = json.dumps({"source": source, "zone": zone, "start": start, "end": end}).encode()
        async with self._one:
            answer = await self._ask(question)
        if "fault" in answer:
            raise CalendarError(answer["fault"])
        return BusyFound(tuple((one, other) for one, other in answer["times"]), answer["skipped"])

    async def _ask(self, question: bytes) -> dict[str, Any]:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *_CHILD, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )
        try:
            async with asyncio.timeout(self._seconds):
                said, errors = await process.communicate(question)
        except TimeoutError:
            raise CalendarError(f"it was not read within {self._seconds:g} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            # Its words may name events; the last line of a traceback names the kind of fault.
            kind = errors.decode("utf-8", "replace").strip().splitlines()[-1:] or [""]
            _log.warning("reading a calendar ended with %s %s", process.returncode, kind[0].partition(":")[0])
            raise CalendarError("reading it took more time or memory than a calendar should")
        answer: dict[str, Any] = json.loads(said)
        return answer
