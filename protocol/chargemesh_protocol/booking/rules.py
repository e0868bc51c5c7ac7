"""Who may book: the host's rules and the bounds against denial and address harvesting, as one function.

Quotes hold nothing. A request that a person must answer holds nothing either. Bounds on strangers are
per key, per address block and per host; only the last stops somebody with many keys.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..chargers import ChargerSettings
from ..host_rules import Answer, Facts, What, decide, write_clause
from ..limits import CLOCK_TOLERANCE_MS, MAX_OPEN_BOOKINGS_OF_DRIVER, SLOT_MS
from ..policy import MembersOnly, WalkInAnswer
from ..zones import MINUTE_MS
from .records import Quote, Request
from .walk_in import proves_presence

FORWARDED = "mailbox:"  # begins the address block of requests that came through a mailbox of ours
FORWARDED_SHARE = 4  # whom a volunteer forwards are as many strangers as from so many blocks
WEEK_MS = 7 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Standing:
    """What this node thinks of a driver. trust: per mille of its own scale. with_me, in_all: completed
    sessions that it knows of. vouched: by us, or by somebody we have completed one with. group: as in
    `host_rules.Facts`."""

    known: bool  # has a completed pair with us
    trust: int
    unpaid: bool  # owes us for an earlier receipt
    with_me: int = 0
    in_all: int = 0
    vouched: bool = False
    group: str | None = None
    blocked: bool = False

    @property
    def stranger(self) -> bool:
        """Nobody whom the host knows, by a session or as a member: the bounds on strangers hold."""
        return not self.known and self.group is None


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of a charger, whichever record says so. walk_in: they have proven to stand there.
    vehicle: it was named. plug: OCPI's name of its inlet, "" if untold. agreed: the host's person has agreed
    to it beforehand, with the series that it belongs to."""

    start: int
    end: int
    walk_in: bool = False
    vehicle: bool = False
    plug: str = ""
    agreed: bool = False


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


NOT_OFFERABLE = No("not-offerable", "this time can't be had any more")


def judge(
    settings: ChargerSettings,
    quote: Quote,
    request: Request,
    standing: Standing,
    load: Load,
    free: bool,
    now: int,
    handed_in: int | None = None,
    *,
    agreed: bool = False,
) -> Take | AskPerson | No:
    """What to do with a request whose signatures and quote are good. `free`: the calendar has the slot.

    `handed_in`: when our mailbox took it, by its word; the quote had to be good then. `agreed`: as in `Wish`.
    """
    if request.issued > now + CLOCK_TOLERANCE_MS:
        return No("clock", "your clock is more than two minutes ahead of mine")
    asked = now if handed_in is None else min(now, handed_in)
    if asked > quote.expires + CLOCK_TOLERANCE_MS or now > request.expires:
        return No("quote-expired", "the quote has expired; ask for a new one")
    present = proves_presence(settings.host_policy.walk_in, request)
    wish = replace(wish_of(quote, request, walk_in=present), agreed=agreed)
    verdict = weigh(settings, wish, standing, load, free, now, asked)
    if request.walk_in is not None and not present and verdict != NOT_OFFERABLE:
        return No("walk-in", "this charger has another code by now")
    return verdict


def wish_of(quote: Quote, request: Request, *, walk_in: bool = False) -> Wish:
    """What a request, or a change of it to another quote, asks for."""
    return Wish(quote.start, quote.end, walk_in, bool(request.vehicle), request.plug or "")


def weigh(
    settings: ChargerSettings,
    wish: Wish,
    standing: Standing,
    load: Load,
    free: bool,
    now: int,
    asked: int | None = None,
) -> Take | AskPerson | No:
    """What the host's rules, and the bounds that hold whatever they say, make of a wish. Pure and total.

    `asked`: when it was asked for, by default now. To whom the host does not want to tell that they are
    refused, it is as if the time were taken.
    """
    members_only = settings.host_policy.members_only
    outside = members_only is not None and standing.group is None
    hidden = standing.blocked or (outside and members_only is MembersOnly.HIDDEN)
    if settings.paused or not free or wish.start < now - SLOT_MS or hidden:
        return NOT_OFFERABLE
    if outside:
        return No("members-only", "this charger is for members only")
    if standing.unpaid:
        return No("unpaid-receipt", "an earlier receipt is not paid yet")
    answer, why = _answer(settings, wish, standing, now if asked is None else asked)
    if isinstance(answer, No):
        return answer
    if standing.stranger and not wish.agreed:
        refused = _stranger_bounds(settings, wish, load, now)
        if refused is not None:
            return refused
    if load.open_by_key >= MAX_OPEN_BOOKINGS_OF_DRIVER:
        return No("busy", "you have as many open bookings here as this host keeps of one driver")
    if wish.agreed:
        return Take()
    if answer is Answer.ON_REQUEST:
        return _to_person(settings, standing, load, why)
    if standing.stranger and not wish.walk_in and no_more_addresses(settings, load):
        return _to_person(settings, standing, load, "strangers have got the address often enough this week")
    return Take()


def facts_of(wish: Wish, standing: Standing, asked: int) -> Facts:
    """What the host's rules look at."""
    return Facts(
        known=standing.known,
        trust=standing.trust,
        sessions_with_me=standing.with_me,
        sessions_in_all=standing.in_all,
        vouched=standing.vouched,
        group=standing.group,
        minutes=-(-(wish.end - wish.start) // MINUTE_MS),
        ahead=max(0, wish.start - asked) // MINUTE_MS,
        vehicle=wish.vehicle,
        plug=wish.plug,
    )


def no_more_addresses(settings: ChargerSettings, load: Load) -> bool:
    """Whether as many strangers were shown the address this week, or promised it, as may be without a word of
    the person."""
    return load.access_records_this_week >= settings.strangers.access_records_a_week


def quotable(settings: ChargerSettings, start: int, end: int, now: int) -> No | None:
    """Whether a slot may be asked about at all, whoever asks: nothing here depends on bookings."""
    minutes = (end - start) // MINUTE_MS
    rules = settings.rules
    if start < now - SLOT_MS:
        return No("not-offerable", "this time has begun already")
    if not rules.min_minutes <= minutes <= rules.max_minutes:
        return No("duration", f"bookings here take {rules.min_minutes} to {rules.max_minutes} minutes")
    if start < now + rules.lead_minutes * MINUTE_MS and rules.lead_minutes:
        return No("lead-time", f"bookings here are made {rules.lead_minutes} minutes ahead")
    return None


def _answer(settings: ChargerSettings, wish: Wish, standing: Standing, asked: int) -> tuple[Answer | No, str]:
    """What the rules say, and which of them says it. Presence is its own standing: no clause is asked."""
    if wish.walk_in:
        walk_in = settings.host_policy.walk_in
        if walk_in is None or walk_in.answer is WalkInAnswer.NEVER:
            return No("walk-in", "this charger takes nobody who has not booked before"), ""
        if wish.start > asked + SLOT_MS:
            return No("walk-in", "who stands at the charger books from now on"), ""
        instantly = walk_in.answer is WalkInAnswer.INSTANTLY
        return Answer.INSTANTLY if instantly else Answer.ON_REQUEST, "walk-ins on request"
    clause = decide(settings.who_may, facts_of(wish, standing, asked))
    if clause.answer is not Answer.NOT_AT_ALL:
        return clause.answer, write_clause(clause)
    if any(one.what is What.TRUST_BELOW for one in clause.conditions):
        return No("trust", "this host asks for more trust than you have here"), ""
    return No("rules", "this host's rules don't allow it"), ""


def _stranger_bounds(settings: ChargerSettings, wish: Wish, load: Load, now: int) -> No | None:
    strangers = settings.strangers
    if wish.end - wish.start > strangers.max_minutes * MINUTE_MS:
        return No("stranger", f"a first booking here is at most {strangers.max_minutes} minutes")
    if wish.start > now + strangers.horizon_minutes * MINUTE_MS:
        return No("stranger", f"a first booking here starts within {strangers.horizon_minutes} minutes")
    if load.open_by_key >= strangers.open_bookings:
        return No("stranger", "you have an open booking here already")
    # Who stands there needs no bound by network: a phone shares its address with half a town.
    if load.open_by_block >= strangers.open_bookings and not wish.walk_in:
        return No("stranger", "there is an open booking from your network already")
    return None


def _to_person(settings: ChargerSettings, standing: Standing, load: Load, why: str) -> AskPerson | No:
    if standing.stranger and load.pending_strangers >= settings.strangers.pending_requests:
        return No("busy", "too many requests wait for this host; try again later")
    return AskPerson(why)
