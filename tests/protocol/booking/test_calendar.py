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
