"""The list of bookings, a page at a time: what still asks for something, then the past, latest first."""

from __future__ import annotations

from dataclasses import dataclass

from ..node import Node
from .bookings import BookingLine, booking_line
from .past import Past


@dataclass(frozen=True, slots=True)
class Page:
    """lines: as they are shown. earlier: how many past ones come after them."""

    lines: list[BookingLine]
    earlier: int


class BookingList:
    """Makes pages of lines."""

    def __init__(self) -> None:
        self._lines = Past(booking_line)

    async def page(
        self,
        node: Node,
        *,
        limit: int,
        most_open: int,
        before: bytes | None = None,
        role: str | None = None,
        is_open: bool | None = None,
    ) -> Page:
        """Open bookings, the soonest first, and `limit` past ones; with `before`, only past ones after that
        booking in the list."""
        known = node.runner.engine.ledger.overview(node.clock.now())
        found = [
            (booking, one)
            for booking, one in known.items()
            if role is None or one.is_host == (role == "host")
        ]
        open_ones = sorted((one.start, booking) for booking, one in found if not one.finished)
        past = sorted((-one.start, booking) for booking, one in found if one.finished)
        if before is not None:
            past = [one for one in past if one > (-known[before].start, before)]
        shown = [] if before is not None or is_open is False else open_ones[:most_open]
        if is_open is not True:
            shown += past[:limit]
        lines = [line for _, booking in shown if (line := await self._lines.of(node, booking)) is not None]
        return Page(lines, max(0, len(past) - limit))
