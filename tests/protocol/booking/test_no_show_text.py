"""A no-show is told before it counts and after: by when, why then, and what it costs whom."""

from __future__ import annotations

from datetime import UTC, datetime

from chargemesh_protocol.booking.no_show_text import no_show_that_was, no_show_to_come
from chargemesh_protocol.booking.records import Accept

from .story import HOUR, NO_SHOW_FROM, START, Story

WAIT = "15 min from the start, and 2 min more for clocks that differ."


def clock(instant: int) -> str:
    return datetime.fromtimestamp(instant / 1000, UTC).strftime("%H:%M")


def test_before_both_sides_are_told_by_when_and_for_how_much() -> None:
    story = Story(requested=START - 24 * HOUR)
    story.host(Accept, access_due=START - 2 * HOUR)
    story.of_host("access")
    state = story.state(START - HOUR)
    assert no_show_to_come(state, is_driver=True, when=clock) == (
        f"Without a check-in by 10:17 it is a no-show, which costs you 10.00 EUR: the host waits {WAIT}"
    )
    assert no_show_to_come(state, is_driver=False, when=clock) == (
        "Without a check-in by 10:17 it is a no-show, for which the driver owes you 10.00 EUR: you wait "
        + WAIT
    )


def test_after_both_sides_are_told_how_long_was_waited() -> None:
    story = Story().until("arrived")
    story.now = NO_SHOW_FROM
    story.of_host("no-show")
    state = story.state(story.now)
    assert no_show_that_was(state, is_driver=True, when=clock) == (
        f"You did not come by 10:17: the host waited {WAIT}"
    )
    assert no_show_that_was(state, is_driver=False, when=clock) == (
        f"The driver did not come by 10:17: you waited {WAIT}"
    )
