"""Bookings that came to charging, or nearly."""

from __future__ import annotations

from chargemesh_protocol.booking.records import ProblemKind

from .cast import HOUR, MINUTE
from .story import EURO, START, Story


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


def countersigned_beyond_the_authorised_energy() -> Story:
    """What the driver signed for: the energy of the ticket, and the cost of the authorisation."""
    told = Story().until("arrived")
    told.at(START).says("authorisation", energy_wh=1_000)
    told.meter(0, "Transaction.Begin")
    told.meter(5_000)
    told.says("countersign")
    told.says("acknowledge")
    return told


def included_in_another_order() -> Story:
    """First the check-in, then the stop, by their times and not as the host names them."""
    told = Story().until("arrived")
    check_in = told.at(START).says("authorisation")
    stop = told.says("stop")
    told.says("acknowledge", head={"includes": (stop.id, check_in.id)})
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


def stopped_and_read_beyond_the_bounds() -> Story:
    """The last reading is both too late and too dear: a stop has ended the authorisation all the same."""
    told = Story().until("arrived")
    told.at(START).says("authorisation", cost=2_600_000)
    told.meter(0, "Transaction.Begin")
    told.at(told.now + 30 * MINUTE).meter(5_000)
    told.says("stop")
    told.says("acknowledge")
    told.at(told.now + 3 * MINUTE).meter(7_000, "Transaction.End")
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


def readings_that_no_meter_shows() -> Story:
    told = Story().until("charging")
    for at, energy_wh in (
        (told.now, 10**8 + 1), (7_258_118_400_001, 6_000), (told.now, 10**8), (7_258_118_400_000, 10**8),
    ):  # fmt: skip
        told.says("ticket", at=at, energy_wh=energy_wh, register_wh=energy_wh, cost=0)
    return told


def receipt_after_the_claim() -> Story:
    told = Story().until("billed")
    told.says("claim")
    told.says("acknowledge")
    told.says("receipt")
    return told


def disputed_after_the_claim_and_corrected() -> Story:
    told = Story().until("billed")
    told.says("claim")
    told.says("acknowledge")
    told.says("problem", problem=ProblemKind.OTHER)
    told.says("acknowledge")
    told.says("receipt")
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
