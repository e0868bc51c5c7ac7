"""The calendar agrees with a list of minutes, whatever is held and released."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.booking.calendar import Calendar
from chargemesh_protocol.effects import HoldSlot

A, B = b"a" * 16, b"b" * 16
STEPS = st.lists(
    st.tuples(st.booleans(), st.sampled_from([A, B]), st.integers(0, 30), st.integers(1, 8)), max_size=30
)


@given(STEPS)
def test_nothing_is_ever_held_twice(steps: list[tuple[bool, bytes, int, int]]) -> None:
    calendar, taken = Calendar(), dict[tuple[bytes, int], bytes]()
    held: dict[bytes, HoldSlot] = {}
    for number, (hold, charger, start, length) in enumerate(steps):
        booking = number.to_bytes(32, "big")
        if hold:
            free = not any((charger, minute) in taken for minute in range(start, start + length))
            assert calendar.free(charger, start, start + length) is free
            slot = HoldSlot(charger, booking, start, start + length)
            if not free:
                with pytest.raises(ValueError, match="reserved"):
                    calendar.hold(slot)
                continue
            calendar.hold(slot)
            held[booking] = slot
            taken |= {(charger, minute): booking for minute in range(start, start + length)}
        elif held:
            booking = sorted(held)[start % len(held)]
            del held[booking]
            assert calendar.release(booking) is True
            assert calendar.release(booking) is False
            taken = {place: by for place, by in taken.items() if by != booking}
    for charger in (A, B):
        expected = sorted((one.start, one.end) for one in held.values() if one.charger == charger)
        assert list(calendar.busy(charger, -1)) == expected
        assert list(calendar.busy(charger, 10)) == [one for one in expected if one[1] > 10]
    assert all(calendar.holds(booking) for booking in held)
    again = Calendar(held.values())
    assert again.busy(A, -1) == calendar.busy(A, -1)


def test_slots_may_touch() -> None:
    calendar = Calendar([HoldSlot(A, b"1", 10, 20)])
    assert calendar.free(A, 0, 10) and calendar.free(A, 20, 30) and calendar.free(B, 10, 20)
    for start, end in ((9, 11), (19, 21), (10, 20), (12, 13), (0, 30)):
        assert not calendar.free(A, start, end)


def test_a_booking_does_not_stand_in_its_own_way() -> None:
    calendar = Calendar([HoldSlot(A, b"1", 10, 20), HoldSlot(A, b"2", 30, 40)])
    assert calendar.free(A, 12, 25, but=b"1") and not calendar.free(A, 12, 25)
    assert not calendar.free(A, 12, 31, but=b"1")


def test_a_buffer_keeps_bookings_apart() -> None:
    calendar = Calendar([HoldSlot(A, b"1", 100, 200)])
    for start, end, free in ((50, 90, True), (50, 91, False), (210, 220, True), (209, 220, False)):
        assert calendar.free(A, start, end, buffer_ms=10) is free
    assert (
        calendar.taken(A, 0, 95, buffer_ms=10) == [(90, 210)] and calendar.taken(A, 0, 90, buffer_ms=10) == []
    )


def test_imported_times_keep_new_bookings_away_and_undo_none() -> None:
    calendar = Calendar([HoldSlot(A, b"1", 10, 20)])
    calendar.put_imported(A, [(25, 30), (15, 18), (29, 40)])
    assert calendar.imported(A) == [(15, 18), (25, 40)]
    assert calendar.holds(b"1") and calendar.busy(A, 0) == ((10, 20),)
    for start, end, free in ((0, 10, True), (20, 25, True), (20, 26, False), (39, 50, False), (40, 50, True)):
        assert calendar.free(A, start, end) is free
        assert calendar.free(B, start, end)
    calendar.hold(HoldSlot(A, b"2", 26, 28))  # what was promised before the import is loaded all the same
    assert calendar.taken(A, 0, 30) == [(10, 20), (26, 28), (15, 18), (25, 40)]
    calendar.put_imported(A, [])
    assert calendar.free(A, 28, 50)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), max_size=12), st.integers(0, 60), st.data())
def test_imported_times_are_found_wherever_they_are(
    times: list[tuple[int, int]], start: int, data: st.DataObject
) -> None:
    end = start + data.draw(st.integers(1, 20))
    calendar = Calendar()
    calendar.put_imported(A, [(begin, begin + length) for begin, length in times])
    expected = not any(begin < end and start < begin + length for begin, length in times)
    assert calendar.free(A, start, end) is expected
