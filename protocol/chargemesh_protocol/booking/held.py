"""What a wallbox said of a session while nothing of it could be signed: kept in memory until it can be.

That is so for a booking from a backup before it was compared with the other side's, and for every booking
while the clock can't be believed. After a restart a box's driver tells its newest sessions again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from ..charging.reports import Reading, SessionEnded, SessionStarted
from .kept import Booking

SessionReport: TypeAlias = SessionStarted | Reading | SessionEnded
_UNDATED = -1  # the time of a report that a wrong clock may have set


class HeldReports:
    """By booking: how its session began and ended, and what a person has read. A box's reading is not kept,
    since the next one says more."""

    def __init__(self) -> None:
        self._held: dict[bytes, list[SessionReport]] = {}

    def keep(self, booking: Booking, report: SessionReport, tag: str, *, dated: bool) -> bool:
        """Whether the report is this booking's, whose driver has that `tag`.

        Its time counts only if `dated` by a clock that is right.
        """
        held = self._held.get(booking.id, [])
        begins = isinstance(report, SessionStarted) and report.tag == tag
        if not begins and report.session not in {booking.file.session, *(one.session for one in held)}:
            return False
        if not isinstance(report, Reading) or report.by_hand:
            self._held[booking.id] = [*held, report if dated else replace(report, at=_UNDATED)]
        return True

    def holds(self, booking: Booking) -> bool:
        return booking.id in self._held

    def begun(self, booking: Booking) -> SessionStarted | None:
        """The session that is kept here as begun, and is in no ticket yet."""
        held = self._held.get(booking.id, [])
        return next((one for one in held if isinstance(one, SessionStarted)), None)

    def take(self, booking: Booking, now: int) -> list[SessionReport]:
        """All that was kept, to be signed at `now`.

        What came by a wrong clock is read in the driver's favour: the session began as late as it can have,
        and no time has passed since its last ticket. Its energy is what it is.
        """
        return [_dated(one, now) for one in self._held.pop(booking.id, [])]


def _dated(report: SessionReport, now: int) -> SessionReport:
    if report.at != _UNDATED:
        return report
    return replace(report, at=now if isinstance(report, SessionStarted) else 0)
