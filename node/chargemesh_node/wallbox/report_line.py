"""What one charger's box has said and the node has not yet taken in, in order and bounded.

Starts and ends are money, so none is ever dropped: a driver waits for `room` before it takes one from its
box. The box gets no answer until then, keeps the message, and its socket fills up (back-pressure). Whatever
else arrives at a full line makes way for what says more: a reading for the next one, a state for the newest.
"""

from __future__ import annotations

import asyncio
from collections import deque

from chargemesh_protocol.charging.reports import (
    Connected,
    Disconnected,
    Reading,
    StatusChanged,
    UnknownTag,
    WallboxReport,
)
from chargemesh_protocol.limits import MAX_WALLBOX_REPORTS


class ReportLine:
    """At most `limit` reports, and beyond them one state for each connector and for the connection, and the
    starts and ends of messages that were let in while there was room."""

    def __init__(self, limit: int = MAX_WALLBOX_REPORTS) -> None:
        self._limit = limit
        self._waiting: deque[WallboxReport] = deque()
        self._something = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, report: WallboxReport) -> bool:
        """Joins the line; False where the report, or an older state, was dropped because the line is full."""
        kept = True
        if len(self._waiting) >= self._limit:
            if isinstance(report, (Reading, UnknownTag)):
                return False
            kept = not self._drop_older(report)
        self._waiting.append(report)
        self._changed()
        return kept

    async def get(self) -> WallboxReport:
        """The report that has waited longest, as soon as there is one."""
        await self._something.wait()
        report = self._waiting.popleft()
        self._changed()
        return report

    async def room(self) -> None:
        """Returns when a start or an end may join."""
        await self._room.wait()

    def _drop_older(self, report: WallboxReport) -> bool:
        """Whether a state waits that this one makes old news, and is gone now."""
        kind = _state_of(report)
        older = None if kind is None else next((one for one in self._waiting if _state_of(one) == kind), None)
        if older is None:
            return False
        self._waiting.remove(older)
        return True

    def _changed(self) -> None:
        _set(self._something, bool(self._waiting))
        _set(self._room, len(self._waiting) < self._limit)


def _state_of(report: WallboxReport) -> str | int | None:
    """What a report is the state of: a connector by number, the connection; None for what is no state."""
    if isinstance(report, StatusChanged):
        return report.connector
    return "connection" if isinstance(report, (Connected, Disconnected)) else None


def _set(event: asyncio.Event, holds: bool) -> None:
    if holds:
        event.set()
    else:
        event.clear()
