"""Bookings whose terms were offered, asked for, changed and refused."""

from __future__ import annotations

from chargemesh_protocol.booking.records import CancelReason

from .cast import DAY, HOUR, MINUTE, hashed
from .story import CAP, END, START, Story


def counter_offer_taken() -> Story:
    told = Story()
    offer = told.offers(start=START + HOUR)
    change = told.takes(offer)
    told.says("accept", change=change.id, access_due=START)
    told.says("access")
    return told


def counter_offer_let_pass() -> Story:
    told = Story()
    told.offers(start=START + HOUR)
    return told


def older_counter_offer_taken() -> Story:
    told = Story()
    first = told.offers(start=START + HOUR)
    told.offers(start=START + 2 * HOUR)
    told.takes(first)
    told.says("acknowledge")
    return told


def counter_offer_taken_with_another_quote() -> Story:
    told = Story()
    offer = told.offers(start=START + HOUR)
    told.says("change", quote=told.requote(cap=CAP), offer=offer.id)
    told.says("acknowledge")
    return told


def accepted_as_asked_while_a_change_waits() -> Story:
    told = Story()
    told.asks()
    told.says("accept")
    told.says("access")
    told.says("amend", change=told.named["change"].id)
    return told


def accepted_with_a_change_that_nobody_asked_for() -> Story:
    told = Story()
    told.says("accept", change=hashed("no change"))
    return told


def quotes_that_do_not_fit() -> Story:
    told = Story().until("reserved")
    for name, changes in {
        "host": {"author": hashed("somebody else")},
        "charger": {"charger": b"x" * 16},
        "key": {"one_time_key": hashed("another key")},
    }.items():
        told.asks(f"change-of-another-{name}", **changes)
        told.says("acknowledge", f"acknowledge-of-another-{name}")
    return told


def refused_and_asked_again() -> Story:
    told = Story().until("arrived")
    told.asks()
    told.says("refuse", change=told.named["change"].id)
    told.asks("change-again", end=END + 30 * MINUTE)
    told.says("amend", change=told.named["change-again"].id)
    return told


def later_change_in_the_place_of_an_earlier() -> Story:
    told = Story().until("arrived")
    told.asks()
    told.asks("change-after-all", end=END + 30 * MINUTE)
    told.says("amend", "amend-of-the-first", change=told.named["change"].id)
    told.says("amend", change=told.named["change-after-all"].id)
    return told


def _moved_to_the_next_day(*, offered: bool) -> Story:
    """Half an hour before the start, when leaving costs half of the cap; then left from there."""
    told = Story().until("arrived")
    told.at(START - 30 * MINUTE)
    day_later = {"start": START + DAY, "end": END + DAY, "cap": CAP}
    if offered:
        told.takes(told.offers(**day_later))
    else:
        told.asks(**day_later)
    told.says("amend", change=told.named["change"].id, access_due=START + DAY - HOUR)
    return told


def moved_and_left() -> Story:
    told = _moved_to_the_next_day(offered=False)
    told.at(START).says("cancel")
    told.says("acknowledge")
    return told


def moved_by_the_host_and_left() -> Story:
    told = _moved_to_the_next_day(offered=True)
    told.at(START).says("cancel")
    told.says("acknowledge")
    return told


def moved_and_left_for_safety() -> Story:
    told = _moved_to_the_next_day(offered=False)
    told.at(START).says("cancel", reason=CancelReason.SAFETY)
    told.says("acknowledge")
    return told


def moved_twice_and_missed() -> Story:
    told = _moved_to_the_next_day(offered=False)
    told.asks("change-again", start=START + DAY + HOUR, end=END + DAY + HOUR, cap=CAP // 2)
    told.says("amend", "amend-again", change=told.named["change-again"].id)
    told.at(START + DAY + HOUR + 17 * MINUTE).says("no-show")
    return told


def left_before_the_amendment_came() -> Story:
    """The driver leaves when it is free, and moves to where it no longer is: the host had not heard of it."""
    told = Story().until("reserved")
    told.asks(start=told.now + 30 * MINUTE)
    told.says("acknowledge")
    told.says("cancel", add=False)
    told.says("amend", change=told.named["change"].id)
    told.booking.add(told.named["cancel"])
    told.says("acknowledge", "acknowledge-of-the-cancel")
    return told


def moved_after_the_check_in() -> Story:
    """The check-in was for today."""
    told = Story().until("checked-in")
    told.asks(start=START + DAY, end=END + DAY)
    told.says("amend", change=told.named["change"].id)
    return told


def longer_after_the_check_in() -> Story:
    told = Story().until("checked-in")
    told.asks(energy_wh=30_000)
    told.says("amend", change=told.named["change"].id)
    return told


def longer_while_charging() -> Story:
    told = Story().until("charging")
    told.asks(energy_wh=30_000)
    told.says("amend", change=told.named["change"].id)
    told.at(END + 30 * MINUTE).meter(12_000, "Transaction.End")
    told.says("receipt")
    told.says("agreement")
    told.says("paid")
    return told


def moved_while_charging() -> Story:
    told = Story().until("charging")
    told.asks(start=START + HOUR)
    told.says("amend", change=told.named["change"].id)
    return told


def asked_before_and_charging_since() -> Story:
    """To another time, which fits no more when the host answers."""
    told = Story().until("checked-in")
    told.asks(start=START + HOUR)
    told.meter(0, "Transaction.Begin")
    told.says("amend", change=told.named["change"].id)
    return told


def changed_after_the_bill() -> Story:
    told = Story().until("billed")
    told.asks()
    told.offers()
    return told


def amended_when_the_slot_was_over() -> Story:
    told = Story().until("arrived")
    told.asks(start=START + DAY, end=END + DAY)
    told.at(END + 2 * MINUTE).says("amend", change=told.named["change"].id)
    return told


def fault_and_left() -> Story:
    told = Story().until("checked-in")
    told.says("fault")
    told.says("cancel")
    told.says("acknowledge", "acknowledge-of-the-cancel")
    return told


def fault_and_nothing_more() -> Story:
    told = Story().until("checked-in")
    told.says("fault")
    return told


def fault_and_cancelled_by_the_host_for_safety() -> Story:
    told = Story().until("arrived")
    told.says("fault")
    told.says("host-cancel", reason=CancelReason.SAFETY)
    return told


def fault_and_charged_after_all() -> Story:
    told = Story().until("checked-in")
    told.says("fault")
    told.meter(0, "Transaction.Begin")
    told.says("fault", "fault-while-charging")
    return told


def fault_and_no_show() -> Story:
    told = Story().until("arrived")
    told.says("fault")
    told.at(START + 17 * MINUTE).says("no-show")
    return told


def fault_and_moved() -> Story:
    """What fails today may work tomorrow."""
    told = Story().until("arrived")
    told.says("fault")
    told.asks(start=START + DAY, end=END + DAY)
    told.says("amend", change=told.named["change"].id)
    return told
