"""The bookings of bookings.json, each with how it must end."""

from __future__ import annotations

from typing import TypeAlias

from . import booking_changes, booking_endings, booking_sessions
from .cast import HOUR, NOW
from .story import CAP, Story

End: TypeAlias = tuple[str, str, str, int, int]  # reservation, session, settlement, cost, compensation
CANCELED, FAILED = ("CANCELED", "INVALID", "OPEN"), ("FAILED", "INVALID", "OPEN")
NO_SHOW = ("NO_SHOW", "INVALID", "OPEN")
CHARGING, BILLED = ("FULFILLED", "ACTIVE", "OPEN"), ("FULFILLED", "COMPLETED", "OPEN")
LONG_AFTER = NOW + 48 * HOUR

# How each stands a day after its slot.
STORIES: dict[str, End] = {
    "paid": ("FULFILLED", "COMPLETED", "PAID", 0, 0),
    "paid-in-cash-before-it-was-agreed": ("FULFILLED", "COMPLETED", "PAID", 0, 0),
    "claimed": ("FULFILLED", "COMPLETED", "CLAIMED", 0, 0),
    "disputed": ("FULFILLED", "COMPLETED", "DISPUTED", 0, 0),
    "disputed-and-corrected": (*BILLED, 0, 0),
    "nothing-due": ("FULFILLED", "COMPLETED", "PAID", 0, 0),
    "declined": ("REJECTED", "INVALID", "OPEN", 0, 0),
    "unanswered": (*FAILED, 0, 0),
    "unanswered-to-the-end-of-the-slot": (*FAILED, 0, 0),
    "accepted-at-the-last-instant": (*FAILED, 0, CAP // 10),
    "accepted-too-late": (*FAILED, 0, 0),
    "nobody-came": (*FAILED, 0, 0),
    "never-told-the-address": (*FAILED, 0, CAP // 10),
    "cancelled-for-free": (*CANCELED, 0, 0),
    "cancelled-in-the-first-tier": (*CANCELED, CAP // 4, 0),
    "cancelled-in-the-second-tier": (*CANCELED, CAP // 2, 0),
    "cancelled-after-the-start": (*CANCELED, CAP * 4 // 5, 0),
    "cancelled-and-heard-of-within-two-minutes": (*CANCELED, 0, 0),
    "cancelled-and-heard-of-later": (*CANCELED, CAP // 4, 0),
    "cancelled-and-never-heard-of": (*CANCELED, CAP * 4 // 5, 0),
    "cancelled-for-safety": (*CANCELED, 0, 0),
    "cancelled-before-the-acceptance-came": (*CANCELED, 0, 0),
    "cancelled-because-no-address-came": (*CANCELED, 0, CAP // 10),
    "cancelled-before-the-overdue-address-came": (*CANCELED, 0, CAP // 10),
    "cancelled-after-the-overdue-address-came": (*CANCELED, CAP // 2, 0),
    "address-due-after-the-start": (*FAILED, 0, CAP // 10),
    "cancelled-at-the-instant-of-the-acceptance": (*CANCELED, CAP // 2, 0),
    "cancelled-a-millisecond-before-the-acceptance": (*CANCELED, 0, 0),
    "cancelled-because-the-plug-is-blocked": (*CANCELED, 0, 0),
    "cancelled-as-if-a-problem-from-long-before-counted": (*CANCELED, CAP // 2, 0),
    "cancelled-when-the-slot-was-over": (*FAILED, 0, 0),
    "cancellation-billed-and-paid": ("CANCELED", "INVALID", "PAID", CAP // 2, 0),
    "cancelled-by-the-host": (*CANCELED, 0, CAP // 10),
    "cancelled-by-the-host-for-safety": (*CANCELED, 0, 0),
    "cancelled-by-the-host-without-an-acceptance": (*CANCELED, 0, 0),
    "no-show-billed": ("NO_SHOW", "INVALID", "PAID", CAP * 4 // 5, 0),
    "no-show-too-early": (*FAILED, 0, 0),
    "no-show-without-an-address": (*FAILED, 0, CAP // 10),
    "no-show-of-somebody-who-checked-in": (*FAILED, 0, 0),
    "no-show-of-somebody-who-had-cancelled": (*CANCELED, CAP * 4 // 5, 0),
    "cancelled-by-who-saw-what-is-not-in-the-chain": (*CANCELED, CAP * 4 // 5, 0),
    "accepted-just-before-the-end": (*NO_SHOW, CAP * 4 // 5, 0),
    "accepted-after-the-end": (*FAILED, 0, 0),
    "cancelled-in-the-millisecond-of-the-no-show": (*NO_SHOW, CAP * 4 // 5, 0),
    "no-show-that-includes-a-check-in": (*CHARGING, 0, 0),
    "accepted-during-the-slot": (*NO_SHOW, CAP * 4 // 5, 0),
    "two-records-of-one-number": (*CANCELED, 0, CAP // 10),
    "two-acceptances-and-what-follows-one": (*FAILED, 0, CAP // 10),
    "three-records-of-one-number": (*FAILED, 0, 0),
    "time-that-runs-back": (*FAILED, 0, 0),
    "time-that-runs-back-beside-the-chain": (*FAILED, 0, 0),
    "charged-without-a-check-in": (*CHARGING, 0, 0),
    "agreed-without-a-check-in": (*BILLED, 0, 0),
    "metered-but-never-signed-for": (*FAILED, 0, 0),
    "check-in-never-included": (*FAILED, 0, 0),
    "check-in-too-early": (*FAILED, 0, 0),
    "bounds-of-several-check-ins": (*CHARGING, 0, 0),
    "countersigned-beyond-the-authorised-energy": (*CHARGING, 0, 0),
    "included-in-another-order": (*CHARGING, 0, 0),
    "stop-alone": (*CHARGING, 0, 0),
    "stopped-and-read-later": (*BILLED, 0, 0),
    "stopped-and-read-beyond-the-bounds": (*BILLED, 0, 0),
    "stopped-and-checked-in-again": (*CHARGING, 0, 0),
    "cancelled-while-charging": (*CHARGING, 0, 0),
    "meter-that-runs-back": (*CHARGING, 0, 0),
    "readings-that-no-meter-shows": (*CHARGING, 0, 0),
    "receipt-after-the-claim": ("FULFILLED", "COMPLETED", "CLAIMED", 0, 0),
    "disputed-after-the-claim-and-corrected": (*BILLED, 0, 0),
    "final-values-after-the-end": (*BILLED, 0, 0),
    "receipts-that-do-not-count": ("FULFILLED", "COMPLETED", "PAID", 0, 0),
    "named-what-does-not-count": (*FAILED, 0, 0),
    "counter-offer-taken": (*FAILED, 0, 0),
    "counter-offer-let-pass": (*FAILED, 0, 0),
    "older-counter-offer-taken": (*FAILED, 0, 0),
    "counter-offer-taken-with-another-quote": (*FAILED, 0, 0),
    "accepted-as-asked-while-a-change-waits": (*FAILED, 0, 0),
    "accepted-with-a-change-that-nobody-asked-for": (*FAILED, 0, 0),
    "quotes-that-do-not-fit": (*FAILED, 0, CAP // 10),
    "refused-and-asked-again": (*FAILED, 0, 0),
    "later-change-in-the-place-of-an-earlier": (*FAILED, 0, 0),
    "moved-and-left": (*CANCELED, CAP // 2, 0),
    "moved-by-the-host-and-left": (*CANCELED, 0, 0),
    "moved-and-left-for-safety": (*CANCELED, 0, 0),
    "moved-twice-and-missed": (*NO_SHOW, CAP // 2, 0),
    "left-before-the-amendment-came": (*CANCELED, 0, 0),
    "moved-after-the-check-in": (*FAILED, 0, 0),
    "longer-after-the-check-in": (*FAILED, 0, 0),
    "longer-while-charging": ("FULFILLED", "COMPLETED", "PAID", 0, 0),
    "moved-while-charging": (*CHARGING, 0, 0),
    "asked-before-and-charging-since": (*CHARGING, 0, 0),
    "changed-after-the-bill": (*BILLED, 0, 0),
    "amended-when-the-slot-was-over": (*FAILED, 0, 0),
    "fault-and-left": (*CANCELED, 0, CAP // 10),
    "fault-and-nothing-more": (*FAILED, 0, CAP // 10),
    "fault-and-cancelled-by-the-host-for-safety": (*CANCELED, 0, CAP // 10),
    "fault-and-charged-after-all": (*CHARGING, 0, 0),
    "fault-and-no-show": (*FAILED, 0, CAP // 10),
    "fault-and-moved": (*FAILED, 0, 0),
}


def tell(name: str) -> Story:
    """The story of that name, told by the function of the same name."""
    function = name.replace("-", "_")
    modules = (booking_sessions, booking_endings, booking_changes)
    told: Story = getattr(next(one for one in modules if hasattr(one, function)), function)()
    return told
