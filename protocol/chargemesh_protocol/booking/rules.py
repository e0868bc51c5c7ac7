"""Who may book: the host's rules and the bounds against denial and address harvesting, as one function.

Quotes hold nothing. A request that a person must answer holds nothing either. Bounds on strangers are
per key, per address block and per host; only the last stops somebody with many keys.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..chargers import ChargerSettings
from ..limits import CLOCK_TOLERANCE_MS, MAX_OPEN_BOOKINGS_OF_DRIVER, SLOT_MS
from .records import Quote, Request

_MINUTE_MS = 60_000
FORWARDED = "mailbox:"  # begins the address block of requests that came through a mailbox of ours
FORWARDED_SHARE = 4  # whom a volunteer forwards are as many strangers as from so many blocks
WEEK_MS = 7 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Standing:
    """What this node thinks of a driver. trust: per mille of its own scale."""

    known: bool  # has a completed pair with us
    trust: int
    unpaid: bool  # owes us for an earlier receipt


@dataclass(frozen=True, slots=True)
class Load:
    """How much of this host strangers take already."""

    open_by_key: int
    open_by_block: int
    pending_strangers: int
    access_records_this_week: int  # sent to strangers, and promised to them by an acceptance


@dataclass(frozen=True, slots=True)
class Take:
    """The rules say yes."""


@dataclass(frozen=True, slots=True)
class AskPerson:
    """A person must answer; the slot is not held meanwhile."""

    why: str


@dataclass(frozen=True, slots=True)
class No:
    """Refused at once, unsigned: nothing of it is kept. `code` is a registered reason."""

    code: str
    message: str


def judge(
    settings: ChargerSettings,
    quote: Quote,
    request: Request,
    standing: Standing,
    load: Load,
    free: bool,
    now: int,
    handed_in: int | None = None,
) -> Take | AskPerson | No:
    """What to do with a request whose signatures and quote are good. `free`: the calendar has the slot.

    `handed_in`: when our mailbox took it, by its word; the quote had to be good then.
    """
    if request.issued > now + CLOCK_TOLERANCE_MS:
        return No("clock", "your clock is more than two minutes ahead of mine")
    asked = now if handed_in is None else min(now, handed_in)
    if asked > quote.expires + CLOCK_TOLERANCE_MS or now > request.expires:
        return No("quote-expired", "the quote has expired; ask for a new one")
    if settings.paused or not free or quote.start < now - SLOT_MS:
        return No("not-offerable", "this time can't be had any more")
    if standing.unpaid:
        return No("unpaid-receipt", "an earlier receipt is not paid yet")
    if standing.trust < settings.rules.min_trust and not standing.known:
        return No("trust", "this host asks for more trust than you have here")
    if not standing.known:
        refused = _stranger_bounds(settings, quote, load, now)
        if refused is not None:
            return refused
    if load.open_by_key >= MAX_OPEN_BOOKINGS_OF_DRIVER:
        return No("busy", "you have as many open bookings here as this host keeps of one driver")
    if not settings.rules.instant:
        return _to_person(settings, standing, load, "this host answers each request")
    if not standing.known:
        strangers = settings.strangers
        if strangers.on_request:
            return _to_person(settings, standing, load, "this host answers first-timers in person")
        if load.access_records_this_week >= strangers.access_records_a_week:
            return _to_person(
                settings, standing, load, "this host has shown its address to enough strangers this week"
            )
    return Take()


def quotable(settings: ChargerSettings, start: int, end: int, now: int) -> No | None:
    """Whether a slot may be asked about at all, whoever asks: nothing here depends on bookings."""
    minutes = (end - start) // _MINUTE_MS
    rules = settings.rules
    if start < now - SLOT_MS:
        return No("not-offerable", "this time has begun already")
    if not rules.min_minutes <= minutes <= rules.max_minutes:
        return No("duration", f"bookings here take {rules.min_minutes} to {rules.max_minutes} minutes")
    if start < now + rules.lead_minutes * _MINUTE_MS and rules.lead_minutes:
        return No("lead-time", f"bookings here are made {rules.lead_minutes} minutes ahead")
    return None


def _stranger_bounds(settings: ChargerSettings, quote: Quote, load: Load, now: int) -> No | None:
    strangers = settings.strangers
    if quote.end - quote.start > strangers.max_minutes * _MINUTE_MS:
        return No("stranger", f"a first booking here is at most {strangers.max_minutes} minutes")
    if quote.start > now + strangers.horizon_minutes * _MINUTE_MS:
        return No("stranger", f"a first booking here starts within {strangers.horizon_minutes} minutes")
    if load.open_by_key >= strangers.open_bookings:
        return No("stranger", "you have an open booking here already")
    if load.open_by_block >= strangers.open_bookings:
        return No("stranger", "there is an open booking from your network already")
    return None


def _to_person(settings: ChargerSettings, standing: Standing, load: Load, why: str) -> AskPerson | No:
    if not standing.known and load.pending_strangers >= settings.strangers.pending_requests:
        return No("busy", "too many requests wait for this host; try again later")
    return AskPerson(why)
