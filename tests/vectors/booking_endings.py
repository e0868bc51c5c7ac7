"""Bookings that ended before anything was charged, and hosts who contradict themselves."""

from __future__ import annotations

from chargemesh_protocol.booking.records import CancelReason

from .cast import HOUR, MINUTE, hashed
from .story import END, NO_SHOW_FROM, START, Story

_TOLERANCE = 2 * MINUTE


def declined() -> Story:
    told = Story()
    told.says("decline")
    told.says("accept")
    return told


def unanswered() -> Story:
    return Story()


def unanswered_to_the_end_of_the_slot() -> Story:
    return Story(waits=12 * HOUR)


def accepted_at_the_last_instant() -> Story:
    told = Story()
    told.at(told.request.body.expires + _TOLERANCE - 1_000).says("accept")
    return told


def accepted_too_late() -> Story:
    told = Story()
    told.at(told.request.body.expires + _TOLERANCE - 999).says("accept")
    return told


def nobody_came() -> Story:
    return Story().until("arrived")


def never_told_the_address() -> Story:
    return Story().until("reserved")


def _cancelled(minutes: int, answered: int = 1, reason: CancelReason = CancelReason.DRIVER_CANCELED) -> Story:
    """Cancelled so many minutes from the start, and acknowledged so many seconds later, or never (0)."""
    told = Story().until("reserved" if minutes < -60 else "arrived")
    told.at(START + minutes * MINUTE).says("cancel", reason=reason)
    if answered:
        told.at(told.now + (answered - 1) * 1_000).says("acknowledge")
    return told


def cancelled_for_free() -> Story:
    return _cancelled(-121)


def cancelled_in_the_first_tier() -> Story:
    return _cancelled(-61)


def cancelled_in_the_second_tier() -> Story:
    return _cancelled(-30)


def cancelled_after_the_start() -> Story:
    return _cancelled(10)


def cancelled_and_heard_of_within_two_minutes() -> Story:
    return _cancelled(-121, answered=120)


def cancelled_and_heard_of_later() -> Story:
    return _cancelled(-121, answered=121)


def cancelled_and_never_heard_of() -> Story:
    return _cancelled(-121, answered=0)


def cancelled_for_safety() -> Story:
    return _cancelled(-10, reason=CancelReason.SAFETY)


def cancelled_before_the_acceptance_came() -> Story:
    told = Story()
    told.says("cancel", add=False)
    told.says("accept")
    told.booking.add(told.named["cancel"])
    told.says("acknowledge")
    return told


def cancelled_because_no_address_came() -> Story:
    told = Story().until("reserved")
    told.at(START - HOUR + _TOLERANCE).says("cancel")
    told.says("acknowledge")
    return told


def cancelled_before_the_overdue_address_came() -> Story:
    """The host had sent it, but not yet at the time of the cancellation, when it wrote what includes that."""
    told = Story().until("reserved")
    told.at(START - HOUR + _TOLERANCE).says("cancel", add=False)
    told.says("access")
    told.booking.add(told.named["cancel"])
    told.says("acknowledge")
    return told


def cancelled_after_the_overdue_address_came() -> Story:
    told = Story().until("reserved")
    told.at(START - HOUR + _TOLERANCE).says("access")
    told.says("cancel", head={"issued": told.now})
    told.says("acknowledge")
    return told


def address_due_after_the_start() -> Story:
    """As if: it is due at the start."""
    told = Story()
    told.says("accept", access_due=END)
    return told


def _cancelled_when_accepted(after: int) -> Story:
    """So many milliseconds after the acceptance, which its writer had not seen."""
    told = Story(requested=START - 30 * MINUTE)
    accepted = told.now + 1_000
    told.says("cancel", add=False, head={"issued": accepted + after})
    told.at(accepted - 1_000).says("accept")
    told.booking.add(told.named["cancel"])
    told.says("acknowledge")
    return told


def cancelled_at_the_instant_of_the_acceptance() -> Story:
    return _cancelled_when_accepted(0)


def cancelled_a_millisecond_before_the_acceptance() -> Story:
    return _cancelled_when_accepted(-1)


def cancelled_because_the_plug_is_blocked() -> Story:
    told = Story().until("arrived")
    told.at(START + MINUTE).says("problem")
    told.says("cancel")
    told.says("acknowledge")
    return told


def cancelled_as_if_a_problem_from_long_before_counted() -> Story:
    told = Story().until("arrived")
    told.at(START - 18 * MINUTE).says("problem")
    told.says("cancel")
    told.says("acknowledge")
    return told


def cancelled_when_the_slot_was_over() -> Story:
    told = Story().until("arrived")
    told.at(END + _TOLERANCE).says("cancel")
    told.says("acknowledge")
    return told


def cancellation_billed_and_paid() -> Story:
    told = _cancelled(-30)
    told.says("receipt")
    told.says("agreement")
    told.says("paid")
    return told


def cancelled_by_the_host() -> Story:
    told = Story().until("arrived")
    told.says("host-cancel", reason=CancelReason.BROKEN_CHARGER)
    return told


def cancelled_by_the_host_for_safety() -> Story:
    told = Story().until("arrived")
    told.says("host-cancel", reason=CancelReason.SAFETY)
    return told


def cancelled_by_the_host_without_an_acceptance() -> Story:
    told = Story()
    told.says("host-cancel")
    return told


def no_show_billed() -> Story:
    told = Story().until("arrived")
    told.at(NO_SHOW_FROM).says("no-show")
    told.says("receipt")
    told.says("agreement")
    told.says("claim")
    told.says("paid")
    return told


def no_show_too_early() -> Story:
    told = Story().until("arrived")
    told.at(NO_SHOW_FROM - 2_000).says("no-show")
    return told


def no_show_without_an_address() -> Story:
    told = Story().until("reserved")
    told.at(NO_SHOW_FROM).says("no-show")
    return told


def no_show_of_somebody_who_checked_in() -> Story:
    told = Story().until("checked-in")
    told.at(NO_SHOW_FROM).says("no-show")
    return told


def no_show_of_somebody_who_had_cancelled() -> Story:
    told = Story().until("arrived")
    told.at(NO_SHOW_FROM - MINUTE).says("cancel", add=False)
    told.at(NO_SHOW_FROM).says("no-show")
    told.booking.add(told.named["cancel"])
    told.says("acknowledge")
    return told


def cancelled_by_who_saw_what_is_not_in_the_chain() -> Story:
    told = Story().until("arrived")
    told.at(NO_SHOW_FROM - MINUTE).says("cancel", add=False, head={"seen": hashed("no record")})
    told.at(NO_SHOW_FROM).says("no-show")
    told.booking.add(told.named["cancel"])
    told.says("acknowledge")
    return told


def accepted_just_before_the_end() -> Story:
    """The driver has its time to come, also beyond the end."""
    told = Story(requested=END - 10 * MINUTE)
    told.says("accept")
    told.says("access")
    told.at(told.named["accept"].body.issued + 17 * MINUTE - 1_000).says("no-show")
    return told


def accepted_after_the_end() -> Story:
    told = Story(requested=END - MINUTE, waits=30 * MINUTE)
    told.at(END + _TOLERANCE - 1_000).says("accept")
    return told


def cancelled_in_the_millisecond_of_the_no_show() -> Story:
    told = Story().until("arrived")
    told.at(NO_SHOW_FROM).says("cancel", add=False)
    told.at(NO_SHOW_FROM).says("no-show")
    told.booking.add(told.named["cancel"])
    told.says("acknowledge")
    return told


def no_show_that_includes_a_check_in() -> Story:
    """It counts for nothing, so that the cancellation before it has its turn in the end only."""
    told = Story().until("arrived")
    told.at(START).says("authorisation")
    told.says("cancel", add=False)
    told.at(NO_SHOW_FROM).says("no-show")
    told.meter(0, "Transaction.Begin")
    told.booking.add(told.named["cancel"])
    return told


def accepted_during_the_slot() -> Story:
    told = Story(requested=START + 10 * MINUTE)
    told.says("accept")
    told.says("access")
    told.at(told.now + 17 * MINUTE).says("no-show")
    return told


def two_records_of_one_number() -> Story:
    told = Story().until("arrived")
    told.says("acknowledge", add=False)
    told.says("host-cancel", add=False)
    return told


def three_records_of_one_number() -> Story:
    told = Story().until("arrived")
    for _ in range(3):
        told.says("acknowledge", add=False)
    return told


def two_acceptances_and_what_follows_one() -> Story:
    told = Story()
    one, other = told.says("accept", add=False), told.says("accept", add=False)
    told.booking.add(max(one, other, key=lambda record: record.id))
    told.says("access")
    told.booking.add(min(one, other, key=lambda record: record.id))
    return told


def time_that_runs_back() -> Story:
    told = Story().until("arrived")
    told.says("acknowledge", head={"issued": told.now - MINUTE})
    return told


def time_that_runs_back_beside_the_chain() -> Story:
    """It runs back from the one of two that does not count."""
    told = Story().until("arrived")
    one, other = told.says("acknowledge", add=False), told.says("acknowledge", add=False)
    loser = max(one, other, key=lambda record: record.id)
    told.booking.add(loser)
    told.says("acknowledge", head={"issued": loser.body.issued - 1})
    told.booking.add(min(one, other, key=lambda record: record.id))
    return told
