"""What is taken on each charger: the authority. Bookings equal the store's, which refuses overlaps too;
beside them stand the busy times imported from a calendar that the host keeps elsewhere."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..effects import HoldSlot
from ..wall_clock import Interval, merged

_Slot = tuple[int, int, bytes]  # (start, end, booking)


class Calendar:
    """Taken times by charger; [start, end) in unix ms. An imported time keeps new bookings away and never
    undoes one that stands."""

    def __init__(
        self, held: Iterable[HoldSlot] = (), imported: Mapping[bytes, Sequence[Interval]] = {}
    ) -> None:
        self._by_charger: dict[bytes, list[_Slot]] = {}
        self._by_booking: dict[bytes, HoldSlot] = {}
        self._imported: dict[bytes, list[Interval]] = {}
        for one in held:
            self.hold(one)
        for charger, times in imported.items():
            self.put_imported(charger, times)

    def free(
        self, charger: bytes, start: int, end: int, *, but: bytes | None = None, buffer_ms: int = 0
    ) -> bool:
        """Whether no booking (other than `but`) comes nearer to [start, end) than `buffer_ms`, and nothing
        imported overlaps it."""
        booked = self._booked(charger, start - buffer_ms, end + buffer_ms)
        if any(booking != but for _, _, booking in booked):
            return False
        return next(_touching(self._imported.get(charger, ()), start, end), None) is None

    def hold(self, slot: HoldSlot) -> None:
        """Reserves; ValueError where it would overlap a booking, which the caller has asked before."""
        if next(self._booked(slot.charger, slot.start, slot.end), None) is not None:
            raise ValueError("this time is reserved already")
        insort(self._by_charger.setdefault(slot.charger, []), (slot.start, slot.end, slot.booking))
        self._by_booking[slot.booking] = slot

    def release(self, booking: bytes) -> bool:
        """Frees what a booking held; False if it held nothing."""
        slot = self._by_booking.pop(booking, None)
        if slot is None:
            return False
        held = self._by_charger[slot.charger]
        del held[bisect_left(held, (slot.start, slot.end, booking))]
        return True

    def holds(self, booking: bytes) -> bool:
        return booking in self._by_booking

    def busy(self, charger: bytes, after: int) -> tuple[Interval, ...]:
        """Reserved times that end after `after`, in order."""
        held = self._by_charger.get(charger, [])
        return tuple((start, end) for start, end, _ in held[_first_after(held, after) :])

    def taken(self, charger: bytes, start: int, end: int, *, buffer_ms: int = 0) -> list[Interval]:
        """What keeps a new booking away from [start, end): bookings with buffers, and imports."""
        booked = self._booked(charger, start - buffer_ms, end + buffer_ms)
        widened = [(begin - buffer_ms, past + buffer_ms) for begin, past, _ in booked]
        return widened + list(_touching(self._imported.get(charger, ()), start, end))

    def put_imported(self, charger: bytes, times: Iterable[Interval]) -> None:
        """Replaces what was imported for a charger; nothing, to forget it."""
        self._imported[charger] = merged(times)

    def imported(self, charger: bytes) -> Sequence[Interval]:
        return self._imported.get(charger, [])

    def _booked(self, charger: bytes, start: int, end: int) -> Iterator[_Slot]:
        """The bookings that overlap [start, end): they don't overlap each other, so they stand in a row."""
        held = self._by_charger.get(charger, [])
        for at in range(_first_after(held, start), len(held)):
            if held[at][0] >= end:
                return
            yield held[at]


def _first_after(held: Sequence[_Slot], instant: int) -> int:
    """Where the first ends after `instant`, of stretches that are in order and don't overlap."""
    at = bisect_left(held, instant, key=lambda one: one[0])
    return at - 1 if at and held[at - 1][1] > instant else at


def _touching(times: Sequence[Interval], start: int, end: int) -> Iterator[Interval]:
    """Those of `times` (merged) that overlap [start, end)."""
    for at in range(max(bisect_right(times, (start, end)) - 1, 0), len(times)):
        if times[at][0] >= end:
            return
        if times[at][1] > start:
            yield times[at]
