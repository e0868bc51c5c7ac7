"""The story in sentences, for both sides."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given

from chargemesh_protocol.booking.check_in import waiting_check_in
from chargemesh_protocol.booking.cost import cost_if_acknowledged
from chargemesh_protocol.booking.explain import Explanation, explain
from chargemesh_protocol.booking.records import Accept
from chargemesh_protocol.booking.state import Party
from tests.strategies import Step, bookings

from .story import CAP, HOUR, NO_SHOW_FROM, START, Story
from .test_set import INSTANTS, told


def clock(instant: int) -> str:
    return datetime.fromtimestamp(instant / 1000, UTC).strftime("%H:%M")


def as_told_to(view: Party, story: Story, at: int | None = None) -> Explanation:
    now = story.now if at is None else at
    return explain(story.state(now), view, now, clock)


def test_a_request_that_waits() -> None:
    story = Story()
    assert as_told_to(Party.DRIVER, story) == Explanation(
        ("You asked for 10:00 to 13:00, for about 10.00 EUR.",),
        (
            "The host answers by 09:55; without an answer the request fails.",
            "Taking the request back costs nothing until it is accepted.",
        ),
    )
    assert as_told_to(Party.HOST, story) == Explanation(
        ("The driver asked for 10:00 to 13:00, for about 10.00 EUR.",),
        ("Accept or decline by 09:55; without an answer the request fails.",),
    )


def test_what_a_reserved_slot_asks_of_the_driver() -> None:
    story = Story(requested=START - 24 * HOUR)
    story.host(Accept, access_due=START - 2 * HOUR)
    assert as_told_to(Party.DRIVER, story).next == (
        "The address is sent by 08:00.",
        "Check in at the charger between 10:00 and 13:00.",
        "Cancelling now is free, until 09:00.",
    )
    assert as_told_to(Party.DRIVER, story, START - HOUR // 2).next[-1] == "Cancelling now is free."
    story.of_host("access")
    assert as_told_to(Party.DRIVER, story, START - HOUR // 2).next == (
        "Check in at the charger between 10:00 and 13:00.",
        "Without a check-in by 10:17 it is a no-show, which costs you 10.00 EUR: the host waits 15 min from "
        "the start, and 2 min more for clocks that differ.",
        "Cancelling now costs you 5.00 EUR.",
    )


def test_a_cancellation_that_nobody_has_confirmed() -> None:
    story = Story(requested=START - 24 * HOUR).until("arrived")
    story.of_driver("cancel")
    told_driver = as_told_to(Party.DRIVER, story)
    assert told_driver.so_far[-3:] == (
        "You cancelled.",
        "The host has not confirmed to have heard of it.",
        "Confirmed in time it costs 0.00 EUR, and without that 10.00 EUR.",
    )
    assert told_driver.next == ("The host confirms it.",)
    assert cost_if_acknowledged(story.state()) == 0 and story.state().cost == CAP
    story.of_host("acknowledge")
    assert as_told_to(Party.HOST, story).so_far[-2:] == ("The driver cancelled.", "It costs nothing.")
    assert as_told_to(Party.HOST, story).next == ("Nothing more is to be done.",)


def test_charging_and_paying() -> None:
    story = Story().until("charging")
    assert as_told_to(Party.DRIVER, story).next == (
        "Stop whenever you like.",
        "Charging ends at 13:00 at the latest.",
        "The host writes the receipt.",
    )
    story = Story().until("billed")
    told = as_told_to(Party.DRIVER, story)
    assert "Your node has not agreed with it: lines: 0 on the receipt, 1 computed." in told.so_far
    assert told.next == ("Agree with the receipt all the same, or tell the host what is wrong with it.",)
    story.of_driver("agreement")
    assert (
        as_told_to(Party.DRIVER, story).so_far[-1] == "The host has not confirmed one message of yours yet."
    )
    story.of_host("acknowledge")
    assert as_told_to(Party.DRIVER, story).next == ("Pay 4.00 EUR to the host by hand.",)
    assert as_told_to(Party.DRIVER, story).so_far[-2:] == (
        "The receipt is over 4.00 EUR.",
        "You agreed with it.",
    )
    story.of_driver("claim")
    story.of_host("acknowledge")
    assert as_told_to(Party.HOST, story).so_far[-2:] == (
        "The driver agreed with it.",
        "The driver says that it is paid (manual).",
    )
    assert as_told_to(Party.HOST, story).next == ("Confirm the payment of 4.00 EUR once you have it.",)
    story.of_host("paid")
    assert as_told_to(Party.DRIVER, story).so_far[-1] == "It is paid."


def test_a_no_show_and_a_host_that_cancels() -> None:
    story = Story().until("arrived")
    story.now = NO_SHOW_FROM
    story.of_host("no-show")
    assert as_told_to(Party.DRIVER, story).so_far[-2:] == (
        "You did not come by 10:17: the host waited 15 min from the start, and 2 min more for clocks that "
        "differ.",
        "You owe 10.00 EUR.",
    )
    story = Story().until("arrived")
    story.of_host("host-cancel")
    assert as_told_to(Party.DRIVER, story).so_far[-2:] == (
        "The host cancelled.",
        "The host owes 2.50 EUR for it.",
    )
    assert as_told_to(Party.HOST, story).so_far[-2:] == ("You cancelled.", "You owe 2.50 EUR for it.")


def test_a_check_in_on_its_way_and_its_stop() -> None:
    story = Story().until("arrived")

    def told(view: Party = Party.DRIVER) -> Explanation:
        waiting = waiting_check_in(story.state(), story.booking.driver_records)
        return explain(story.state(), view, story.now, clock, waiting=waiting)

    story.now = START
    story.of_driver("authorisation")
    assert "You checked in at 10:00." in told().so_far
    assert told().next[0] == "Your check-in is on its way: charging can begin once the host's node has it."
    story.of_driver("stop")
    assert "You asked not to charge yet at 10:00." in told().so_far
    assert told().next[0] == "Check in again to charge after all, until 13:00."
    story.of_host("acknowledge")
    assert told().next[0] == "Check in again to charge after all, until 13:00."


def test_a_host_without_a_wallbox_is_told_when_to_read_the_meter() -> None:
    def told(story: Story, *, by_hand: bool = True) -> tuple[str, ...]:
        return explain(story.state(), Party.HOST, story.now, clock, by_hand=by_hand).next

    story = Story().until("checked-in")
    assert told(story)[0].startswith("Type in what the meter shows once the car is plugged in")
    assert "The wallbox starts" in told(story, by_hand=False)[0]
    story = Story().until("charging")
    assert "Type in what the meter shows once more when the driver has stopped." in told(story)
    story.of_driver("stop")
    assert "Type in what the meter shows now: with that charging ends." in told(story)
    assert not any("Type in" in one for one in told(story, by_hand=False))


def test_what_was_reported_stands_where_it_happened() -> None:
    def order(story: Story) -> list[str]:
        marks = {"checked in": "check-in", "reported": "problem", "receipt is": "receipt", "is paid": "paid"}
        said = as_told_to(Party.DRIVER, story).so_far
        return [name for one in said for words, name in marks.items() if words in one]

    story = Story().until("arrived")
    story.of_driver("problem")
    story.of_driver("authorisation")
    story.of_host("acknowledge")
    assert order(story) == ["problem", "check-in"]
    story = Story().until("billed")
    story.of_host("paid")
    story.of_driver("problem")
    story.of_host("acknowledge")
    assert order(story) == ["check-in", "receipt", "paid", "problem"]


@given(bookings)
def test_every_state_is_told_in_whole_sentences(steps: list[Step]) -> None:
    story = told(steps)
    for instant in INSTANTS:
        for view in Party:
            one = as_told_to(view, story, instant)
            assert one.so_far and one.next
            for sentence in one.so_far + one.next:
                assert sentence[0].isupper() and sentence.endswith(".") and "None" not in sentence
