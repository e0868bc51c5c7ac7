"""The bookings of bookings.json, each with how it must end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from chargemesh_protocol.booking.records import CancelReason, ProblemKind

from .cast import HOUR, MINUTE, NOW
from .story import CAP, END, EURO, NO_SHOW_FROM, START, Story

End: TypeAlias = tuple[str, str, str, int, int]  # reservation, session, settlement, cost, compensation
CANCELED, FAILED = ("CANCELED", "INVALID", "OPEN"), ("FAILED", "INVALID", "OPEN")
RESERVED, NO_SHOW = ("RESERVED", "PENDING", "OPEN"), ("NO_SHOW", "INVALID", "OPEN")
CHARGING, BILLED = ("FULFILLED", "ACTIVE", "OPEN"), ("FULFILLED", "COMPLETED", "OPEN")
_TOLERANCE = 2 * MINUTE


def paid() -> Story:
    told = Story().until("charging")
    told.says("countersign")
    told.at(told.now + 20 * MINUTE).meter(8_000)
    told.says("stop")
    told.meter(8_100, "Transaction.End")
    told.says("receipt")
    told.says("agreement")
    told.says("claim")
    told.says("paid")
    return told


def paid_in_cash_before_it_was_agreed() -> Story:
    told = Story().until("billed")
    told.says("paid")
    told.says("agreement")
    told.says("acknowledge")
    return told


def claimed() -> Story:
    told = Story().until("billed")
    told.says("agreement")
    told.says("claim")
    told.says("acknowledge")
    return told


def disputed_and_corrected() -> Story:
    told = Story().until("billed")
    told.says("problem", problem=ProblemKind.OTHER)
    told.says("acknowledge")
    told.says("receipt")
    told.says("agreement")
    told.says("acknowledge")
    return told


def disputed() -> Story:
    told = Story().until("billed")
    told.says("agreement")
    told.says("acknowledge")
    told.says("problem", problem=ProblemKind.OTHER)
    told.says("acknowledge")
    return told


def nothing_due() -> Story:
    told = Story().until("checked-in")
    told.meter(0, "Transaction.Begin")
    told.meter(0, "Transaction.End")
    told.says("receipt")
    told.says("agreement")
    told.says("acknowledge")
    return told


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


def charged_without_a_check_in() -> Story:
    told = Story().until("arrived")
    told.at(START).meter(0, "Transaction.Begin")
    told.meter(2_000)
    told.says("countersign")
    told.meter(3_000)
    return told


def agreed_without_a_check_in() -> Story:
    told = Story().until("arrived")
    told.at(START).meter(0, "Transaction.Begin")
    told.at(START + 9 * MINUTE).meter(1_500, "Transaction.End")
    told.says("receipt")
    told.says("agreement")
    told.says("acknowledge")
    return told


def metered_but_never_signed_for() -> Story:
    told = Story().until("arrived")
    told.at(START).meter(0, "Transaction.Begin")
    told.meter(2_000)
    return told


def check_in_never_included() -> Story:
    told = Story().until("arrived")
    told.at(START).says("authorisation", add=False)
    told.meter(0, "Transaction.Begin")
    told.booking.add(told.named["authorisation"])
    return told


def check_in_too_early() -> Story:
    told = Story().until("arrived")
    told.at(START - 17 * MINUTE - 2_000).says("authorisation")
    told.says("acknowledge")
    return told


def bounds_of_several_check_ins() -> Story:
    told = Story().until("checked-in")
    told.says("authorisation", energy_wh=30_000, cost=5 * EURO)
    told.says("authorisation", energy_wh=1_000, cost=EURO)
    told.says("acknowledge")
    told.meter(0, "Transaction.Begin")
    return told


def stop_alone() -> Story:
    told = Story().until("charging")
    told.says("stop")
    return told


def stopped_and_read_later() -> Story:
    told = Story().until("charging")
    told.says("stop")
    told.at(told.now + MINUTE).meter(5_100)
    told.at(told.now + 2 * MINUTE).meter(7_000, "Transaction.End")
    told.says("receipt")
    return told


def stopped_and_checked_in_again() -> Story:
    told = Story().until("charging")
    told.says("stop")
    told.says("authorisation")
    told.says("acknowledge")
    return told


def cancelled_while_charging() -> Story:
    told = Story().until("charging")
    told.says("cancel")
    told.says("host-cancel")
    return told


def meter_that_runs_back() -> Story:
    told = Story().until("charging")
    told.meter(4_999)
    told.meter(6_000, at=told.now - HOUR)
    told.meter(6_000)
    return told


def final_values_after_the_end() -> Story:
    told = Story().until("charging")
    told.meter(6_000, "Transaction.End")
    told.meter(6_010, "Transaction.End")
    told.meter(6_020)
    told.says("receipt")
    told.meter(6_030, "Transaction.End")
    return told


def receipts_that_do_not_count() -> Story:
    told = Story().until("arrived")
    told.says("receipt")
    told.at(START).says("authorisation")
    told.meter(0, "Transaction.Begin")
    told.meter(1_000, "Transaction.End")
    told.says("receipt", currency="CHF")
    told.says("receipt")
    told.says("agreement")
    told.says("receipt")
    told.says("paid")
    return told


def named_what_does_not_count() -> Story:
    told = Story().until("checked-in")
    told.says("countersign")
    told.says("agreement")
    told.says("claim")
    told.says("paid")
    return told


# name: how it is told, and how it stands a day after its slot
STORIES: dict[str, tuple[Callable[[], Story], End]] = {
    "paid": (paid, ("FULFILLED", "COMPLETED", "PAID", 0, 0)),
    "paid-in-cash-before-it-was-agreed": (
        paid_in_cash_before_it_was_agreed, ("FULFILLED", "COMPLETED", "PAID", 0, 0),
    ),
    "claimed": (claimed, ("FULFILLED", "COMPLETED", "CLAIMED", 0, 0)),
    "disputed": (disputed, ("FULFILLED", "COMPLETED", "DISPUTED", 0, 0)),
    "disputed-and-corrected": (disputed_and_corrected, (*BILLED, 0, 0)),
    "nothing-due": (nothing_due, ("FULFILLED", "COMPLETED", "PAID", 0, 0)),
    "declined": (declined, ("REJECTED", "INVALID", "OPEN", 0, 0)),
    "unanswered": (unanswered, (*FAILED, 0, 0)),
    "unanswered-to-the-end-of-the-slot": (unanswered_to_the_end_of_the_slot, (*FAILED, 0, 0)),
    "accepted-at-the-last-instant": (accepted_at_the_last_instant, (*FAILED, 0, CAP // 10)),
    "accepted-too-late": (accepted_too_late, (*FAILED, 0, 0)),
    "nobody-came": (nobody_came, (*FAILED, 0, 0)),
    "never-told-the-address": (never_told_the_address, (*FAILED, 0, CAP // 10)),
    "cancelled-for-free": (cancelled_for_free, (*CANCELED, 0, 0)),
    "cancelled-in-the-first-tier": (cancelled_in_the_first_tier, (*CANCELED, CAP // 4, 0)),
    "cancelled-in-the-second-tier": (cancelled_in_the_second_tier, (*CANCELED, CAP // 2, 0)),
    "cancelled-after-the-start": (cancelled_after_the_start, (*CANCELED, CAP * 4 // 5, 0)),
    "cancelled-and-heard-of-within-two-minutes": (
        cancelled_and_heard_of_within_two_minutes, (*CANCELED, 0, 0),
    ),
    "cancelled-and-heard-of-later": (cancelled_and_heard_of_later, (*CANCELED, CAP // 4, 0)),
    "cancelled-and-never-heard-of": (cancelled_and_never_heard_of, (*CANCELED, CAP * 4 // 5, 0)),
    "cancelled-for-safety": (cancelled_for_safety, (*CANCELED, 0, 0)),
    "cancelled-before-the-acceptance-came": (cancelled_before_the_acceptance_came, (*CANCELED, 0, 0)),
    "cancelled-because-no-address-came": (cancelled_because_no_address_came, (*CANCELED, 0, CAP // 10)),
    "cancelled-because-the-plug-is-blocked": (cancelled_because_the_plug_is_blocked, (*CANCELED, 0, 0)),
    "cancelled-as-if-a-problem-from-long-before-counted": (
        cancelled_as_if_a_problem_from_long_before_counted, (*CANCELED, CAP // 2, 0),
    ),
    "cancelled-when-the-slot-was-over": (cancelled_when_the_slot_was_over, (*FAILED, 0, 0)),
    "cancellation-billed-and-paid": (
        cancellation_billed_and_paid, ("CANCELED", "INVALID", "PAID", CAP // 2, 0),
    ),
    "cancelled-by-the-host": (cancelled_by_the_host, (*CANCELED, 0, CAP // 10)),
    "cancelled-by-the-host-for-safety": (cancelled_by_the_host_for_safety, (*CANCELED, 0, 0)),
    "cancelled-by-the-host-without-an-acceptance": (
        cancelled_by_the_host_without_an_acceptance, (*CANCELED, 0, 0),
    ),
    "no-show-billed": (no_show_billed, ("NO_SHOW", "INVALID", "PAID", CAP * 4 // 5, 0)),
    "no-show-too-early": (no_show_too_early, (*FAILED, 0, 0)),
    "no-show-without-an-address": (no_show_without_an_address, (*FAILED, 0, CAP // 10)),
    "no-show-of-somebody-who-checked-in": (no_show_of_somebody_who_checked_in, (*FAILED, 0, 0)),
    "no-show-of-somebody-who-had-cancelled": (
        no_show_of_somebody_who_had_cancelled, (*CANCELED, CAP * 4 // 5, 0),
    ),
    "accepted-during-the-slot": (accepted_during_the_slot, (*NO_SHOW, CAP * 4 // 5, 0)),
    "two-records-of-one-number": (two_records_of_one_number, (*CANCELED, 0, CAP // 10)),
    "two-acceptances-and-what-follows-one": (two_acceptances_and_what_follows_one, (*FAILED, 0, CAP // 10)),
    "time-that-runs-back": (time_that_runs_back, (*FAILED, 0, 0)),
    "charged-without-a-check-in": (charged_without_a_check_in, (*CHARGING, 0, 0)),
    "agreed-without-a-check-in": (agreed_without_a_check_in, (*BILLED, 0, 0)),
    "metered-but-never-signed-for": (metered_but_never_signed_for, (*FAILED, 0, 0)),
    "check-in-never-included": (check_in_never_included, (*FAILED, 0, 0)),
    "check-in-too-early": (check_in_too_early, (*FAILED, 0, 0)),
    "bounds-of-several-check-ins": (bounds_of_several_check_ins, (*CHARGING, 0, 0)),
    "stop-alone": (stop_alone, (*CHARGING, 0, 0)),
    "stopped-and-read-later": (stopped_and_read_later, (*BILLED, 0, 0)),
    "stopped-and-checked-in-again": (stopped_and_checked_in_again, (*CHARGING, 0, 0)),
    "cancelled-while-charging": (cancelled_while_charging, (*CHARGING, 0, 0)),
    "meter-that-runs-back": (meter_that_runs_back, (*CHARGING, 0, 0)),
    "final-values-after-the-end": (final_values_after_the_end, (*BILLED, 0, 0)),
    "receipts-that-do-not-count": (receipts_that_do_not_count, ("FULFILLED", "COMPLETED", "PAID", 0, 0)),
    "named-what-does-not-count": (named_what_does_not_count, (*FAILED, 0, 0)),
}  # fmt: skip
LONG_AFTER = NOW + 48 * HOUR
