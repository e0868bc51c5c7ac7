"""What is reserved on each charger: the authority, equal to the store's, which refuses overlaps too."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable

from ..effects import HoldSlot


class Calendar:
    """Reserved times by charger; [start, end) in unix ms."""

    def __init__(self, held: Iterable[HoldSlot] = ()) -> None:
        self._by_charger: dict[bytes, list[tuple[int, int, bytes]]] = {}
        self._by_booking: dict[bytes, HoldSlot] = {}
        for one in held:
            self.hold(one)

    def free(self, charger: bytes, start: int, end: int) -> bool:
        """Whether nothing reserved overlaps [start, end)."""
        taken = self._by_charger.get(charger, [])
        at = bisect_left(taken, (start, 0, b""))
        if at < len(taken) and taken[at][0] < end:
            return False
        return at == 0 or taken[at - 1][1] <= start

    def hold(self, slot: HoldSlot) -> None:
        """Reserves; ValueError where it would overlap, which the caller has asked before."""
        if not self.free(slot.charger, slot.start, slot.end):
            raise ValueError("this time is reserved already")
        insort(self._by_charger.setdefault(slot.charger, []), (slot.start, slot.end, slot.booking))
        self._by_booking[slot.booking] = slot

    def release(self, booking: bytes) -> bool:
        """Frees what a booking held; False if it held nothing."""
        slot = self._by_booking.pop(booking, None)
        if slot is None:
            return False
        self._by_charger[slot.charger].remove((slot.start, slot.end, booking))
        return True

    def holds(self, booking: bytes) -> bool:
        return booking in self._by_booking

    def busy(self, charger: bytes, after: int) -> tuple[tuple[int, int], ...]:
        """Reserved times that end after `after`, in order."""
        return tuple((start, end) for start, end, _ in self._by_charger.get(charger, ()) if end > after)
