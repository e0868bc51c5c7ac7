"""Bookings at the very millisecond at which a rule begins or ends to hold, and the one beside it."""

from __future__ import annotations

from .cast import HOUR, MINUTE, hashed
from .story import END, NO_SHOW_FROM, START, Story

_TOLERANCE = 2 * MINUTE
_EARLIEST = START - 15 * MINUTE - _TOLERANCE  # of a check-in, or a problem at the plug
_OVER = END + _TOLERANCE
_OVERDUE = START - HOUR + _TOLERANCE
_TICK = 1_000  # a story signs so long after the instant that it is told to be at


def backdated_by_who_had_seen_the_no_show() -> Story:
    told = Story().until("arrived")
    told.at(NO_SHOW_FROM).says("no-show")
    told.says("cancel", head={"issued": START - 3 * HOUR})
    told.says("acknowledge")
    return told


def check_ins_at_the_earliest_instant_and_before() -> Story:
    """The first would allow more, and comes a millisecond too soon."""
    told = Story().until("arrived")
    told.at(_EARLIEST - 1 - _TICK).says("authorisation", energy_wh=30_000)
    told.at(_EARLIEST - _TICK).says("authorisation", energy_wh=10_000)
    told.says("acknowledge")
    return told


def _left_with_a_problem(at: int) -> Story:
    told = Story().until("arrived")
    told.at(at - _TICK).says("problem")
    told.says("cancel")
    told.says("acknowledge")
    return told


def problem_at_the_earliest_instant() -> Story:
    return _left_with_a_problem(_EARLIEST)


def problem_a_millisecond_too_early() -> Story:
    return _left_with_a_problem(_EARLIEST - 1)


def _in_the_end(kind: str, at: int, stage: str = "arrived") -> Story:
    told = Story().until(stage)
    told.at(at - _TICK).says(kind)
    if kind in ("cancel", "authorisation"):
        told.says("acknowledge", "acknowledge-in-the-end")
    return told


def cancelled_by_the_host_at_the_last_instant() -> Story:
    return _in_the_end("host-cancel", _OVER - 1)


def cancelled_by_the_host_a_millisecond_too_late() -> Story:
    return _in_the_end("host-cancel", _OVER)


def cancelled_at_the_last_instant() -> Story:
    return _in_the_end("cancel", _OVER - 1)


def cancelled_a_millisecond_too_late() -> Story:
    return _in_the_end("cancel", _OVER)


def check_in_at_the_last_instant() -> Story:
    return _in_the_end("authorisation", _OVER - 1)


def check_in_a_millisecond_too_late() -> Story:
    return _in_the_end("authorisation", _OVER)


def no_show_at_the_last_instant() -> Story:
    return _in_the_end("no-show", _OVER - 1)


def no_show_a_millisecond_too_late() -> Story:
    return _in_the_end("no-show", _OVER)


def no_show_a_millisecond_too_early() -> Story:
    return _in_the_end("no-show", NO_SHOW_FROM - 1)


def fault_at_the_last_instant() -> Story:
    return _in_the_end("fault", _OVER - 1)


def fault_a_millisecond_too_late() -> Story:
    return _in_the_end("fault", _OVER)


def amended_at_the_last_instant() -> Story:
    return _in_the_end("amend", _OVER - 1, "changing")


def amended_a_millisecond_too_late() -> Story:
    return _in_the_end("amend", _OVER, "changing")


def _left_without_an_address(at: int) -> Story:
    told = Story().until("reserved")
    told.at(at - _TICK).says("cancel")
    told.says("acknowledge")
    return told


def left_as_soon_as_the_address_was_overdue() -> Story:
    return _left_without_an_address(_OVERDUE)


def left_a_millisecond_before_the_address_was_overdue() -> Story:
    return _left_without_an_address(_OVERDUE - 1)


def read_at_the_authorised_cost_and_beyond() -> Story:
    """The second reading costs just what was authorised, the third a coin more."""
    told = Story().until("arrived")
    told.at(START).says("authorisation", cost=2_500_000)
    told.meter(0, "Transaction.Begin")
    told.meter(5_000)
    told.meter(5_020)
    return told


def _read_after_a_stop(later: int) -> Story:
    told = Story().until("charging")
    stop = told.says("stop")
    told.says("acknowledge", "acknowledge-of-the-stop")
    at = stop.body.issued + later
    told.at(at).meter(7_000, at=at)
    return told


def read_two_minutes_after_a_stop() -> Story:
    return _read_after_a_stop(_TOLERANCE)


def read_a_millisecond_later_than_that() -> Story:
    return _read_after_a_stop(_TOLERANCE + 1)


def two_records_of_one_instant() -> Story:
    told = Story().until("reserved")
    told.says("access", head={"issued": told.named["accept"].body.issued})
    return told


def address_before_the_acceptance_and_after_the_end() -> Story:
    """Neither tells where to go: nothing is reserved then."""
    told = Story()
    told.says("access")
    told.says("accept")
    told.at(START - 30 * MINUTE).says("host-cancel")
    told.says("access")
    return told


def address_before_the_acceptance_alone() -> Story:
    told = Story()
    told.says("access")
    told.says("accept")
    told.at(NO_SHOW_FROM).says("no-show")
    return told


def problem_by_who_saw_what_is_not_in_the_chain() -> Story:
    """It disputes no receipt: nothing shows that its writer had seen one."""
    told = Story().until("billed")
    told.says("problem", head={"seen": hashed("no record")})
    told.says("acknowledge")
    return told
