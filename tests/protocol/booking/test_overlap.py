"""Two bookings of one time: evidence against the host, unless it had signed before that the slot was free."""

from __future__ import annotations

from typing import Any

import pytest

from chargemesh_protocol.booking.overlap import Overlap, overlap

from .story import HOUR, MINUTE, NO_SHOW_FROM, SECOND, START, Story

LATER = START - 2 * MINUTE  # when the second driver asks


def accepted(requested: int = LATER, **quote: Any) -> Story:
    return Story(requested, **quote).until("reserved")


def judged(first: Story, second: Story) -> Overlap:
    found = overlap(first.booking, second.booking)
    assert overlap(second.booking, first.booking) is found, "the order of the two plays no part"
    return found


def first() -> Story:
    return Story().until("reserved")


def test_two_acceptances_of_one_time_are_evidence() -> None:
    assert judged(first(), accepted()) is Overlap.DOUBLE_BOOKED
    assert judged(first(), accepted(start=START + HOUR, end=START + 9 * HOUR)) is Overlap.DOUBLE_BOOKED


@pytest.mark.parametrize(
    ("second", "found"),
    [
        (accepted(start=START + 3 * HOUR, end=START + 4 * HOUR), Overlap.APART),
        (accepted(start=START - HOUR, end=START), Overlap.APART),
        (accepted(start=START - HOUR, end=START + 1), Overlap.DOUBLE_BOOKED),
        (accepted(charger=b"o" * 16), Overlap.OTHER_CHARGER),
        (accepted(author=b"A" * 32), Overlap.OTHER_HOST),
        (Story(LATER), Overlap.NOT_ACCEPTED),
    ],
)
def test_bookings_that_have_nothing_to_do_with_each_other(second: Story, found: Overlap) -> None:
    assert judged(first(), second) is found


def test_the_same_request_twice_is_one_booking() -> None:
    again = Story()
    again.of_host("accept")
    assert judged(first(), again) is Overlap.SAME_BOOKING


@pytest.mark.parametrize(
    ("acknowledged", "found"),
    [
        (LATER - MINUTE, Overlap.RELEASED),
        (LATER + 2 * SECOND, Overlap.RELEASED),  # in the very millisecond of the second acceptance
        (LATER + 2 * SECOND + 1, Overlap.DOUBLE_BOOKED),
        (None, Overlap.DOUBLE_BOOKED),
    ],
)
def test_a_cancellation_counts_from_when_the_host_signed_that_it_had_it(
    acknowledged: int | None, found: Overlap
) -> None:
    one = first()
    one.of_driver("cancel")
    if acknowledged is not None:
        one.now = acknowledged - SECOND
        one.of_host("acknowledge")
    assert judged(one, accepted()) is found


def test_the_host_may_give_away_what_it_took_back_itself_or_nobody_came_for() -> None:
    cancelled = first()
    cancelled.of_host("host-cancel")
    assert judged(cancelled, accepted()) is Overlap.RELEASED
    missed = Story().until("arrived")
    missed.now = NO_SHOW_FROM
    missed.of_host("no-show")
    rest = {"start": START + HOUR, "end": START + 2 * HOUR}
    assert judged(missed, accepted(NO_SHOW_FROM + MINUTE, **rest)) is Overlap.RELEASED
    assert judged(missed, accepted(NO_SHOW_FROM - MINUTE, **rest)) is Overlap.DOUBLE_BOOKED


def test_the_rest_of_a_slot_is_free_once_the_session_is_over() -> None:
    charging, over = Story().until("charging"), Story().until("billed")
    rest = accepted(START + HOUR, start=START + HOUR, end=START + 2 * HOUR)
    assert judged(charging, rest) is Overlap.DOUBLE_BOOKED
    assert judged(over, rest) is Overlap.RELEASED


def test_a_slot_that_nobody_used_is_free_again_by_time_alone() -> None:
    beyond = {"start": START + 3 * HOUR - MINUTE, "end": START + 5 * HOUR}
    assert judged(first(), accepted(START + 3 * HOUR + 3 * MINUTE, **beyond)) is Overlap.RELEASED
    assert judged(first(), accepted(START + 3 * HOUR - 3 * MINUTE, **beyond)) is Overlap.DOUBLE_BOOKED
