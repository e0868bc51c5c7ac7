"""What it costs when a booking does not happen as agreed: cancellation tiers, no-show, failure, overstay."""

from __future__ import annotations

from dataclasses import dataclass

from .money import divide_half_up, format_amount
from .shape import Int, Seq, Struct, Uint, key, shape
from .tariff import MAX_PRICE_MICRO
from .units import format_duration
from .zones import MINUTE_MS

MAX_TIERS = 8
MAX_TERM_MINUTES = 14 * 24 * 60


@shape
@dataclass(frozen=True, slots=True)
class CancellationTier:
    """From `minutes_before` the start on, cancelling costs `percent` of the cap, and at least `fixed`."""

    minutes_before: int = key(0, Uint(MAX_TERM_MINUTES))
    percent: int = key(1, Int(0, 100), default=0)
    fixed: int = key(2, Uint(MAX_PRICE_MICRO), default=0)

    def __post_init__(self) -> None:
        if not 0 <= self.minutes_before <= MAX_TERM_MINUTES or not 0 <= self.percent <= 100:
            raise ValueError(
                f"a tier begins up to {MAX_TERM_MINUTES} minutes before and costs up to 100 percent"
            )
        if not 0 <= self.fixed <= MAX_PRICE_MICRO:
            raise ValueError(f"a fixed fee goes from 0 to {MAX_PRICE_MICRO} micro-units")


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A host's terms. Cancelling is free until the first tier begins; tiers are listed farthest first.

    Percentages are of the quote's worst-case cap, which also bounds every one of these costs but
    overstay. `host_failure_percent` is what the host owes when a booking fails by their fault.
    `no_show_after` is how long the host waits for a driver, in minutes; `overstay_per_hour` counts from
    `overstay_grace` minutes after the booked end. The default is free of all charges.
    """

    tiers: tuple[CancellationTier, ...] = key(0, Seq(Struct(CancellationTier), MAX_TIERS), default=())
    no_show_percent: int = key(1, Int(0, 100), default=0)
    no_show_after: int = key(2, Uint(MAX_TERM_MINUTES), default=30)
    host_failure_percent: int = key(3, Int(0, 100), default=0)
    overstay_per_hour: int = key(4, Uint(MAX_PRICE_MICRO), default=0)
    overstay_grace: int = key(5, Uint(MAX_TERM_MINUTES), default=15)

    def __post_init__(self) -> None:
        begins = [tier.minutes_before for tier in self.tiers]
        if len(begins) > MAX_TIERS or begins != sorted(set(begins), reverse=True):
            raise ValueError(
                f"terms have at most {MAX_TIERS} tiers, farthest from the start first, each once"
            )
        if not (0 <= self.no_show_percent <= 100 and 0 <= self.host_failure_percent <= 100):
            raise ValueError("a percentage goes from 0 to 100")
        if not (0 <= self.no_show_after <= MAX_TERM_MINUTES and 0 <= self.overstay_grace <= MAX_TERM_MINUTES):
            raise ValueError(f"a time in terms goes from 0 to {MAX_TERM_MINUTES} minutes")
        if not 0 <= self.overstay_per_hour <= MAX_PRICE_MICRO:
            raise ValueError(f"a price goes from 0 to {MAX_PRICE_MICRO} micro-units")

    @property
    def free_minutes(self) -> int:
        """How long before the start free cancellation ends; 0 if it is free until the start."""
        return self.tiers[0].minutes_before if self.tiers else 0

    def free_until(self, start: int) -> int:
        """The instant (unix ms) at which free cancellation of a booking from `start` ends."""
        return start - self.free_minutes * MINUTE_MS


def cancellation_cost(terms: Terms, cap: int, start: int, at: int) -> int:
    """What the driver owes for cancelling at `at`, in micro-units, for a booking from `start`.

    The dearest of the tiers that have begun, so that waiting never makes it cheaper; from the start on
    also the no-show percentage. Never above the cap. Not yet rounded to coins: a receipt's total is.
    """
    costs = [0]
    for tier in terms.tiers:
        if at > start - tier.minutes_before * MINUTE_MS:
            costs += [_percent(cap, tier.percent), tier.fixed]
    if at >= start:
        costs.append(_percent(cap, terms.no_show_percent))
    return min(max(costs), cap)


def no_show_cost(terms: Terms, cap: int, start: int) -> int:
    """What a driver owes who never came: never less than a cancellation at the start."""
    return cancellation_cost(terms, cap, start, start + 1)


def host_failure_compensation(terms: Terms, cap: int) -> int:
    """What the host owes when a confirmed booking fails by their fault, in micro-units."""
    return min(_percent(cap, terms.host_failure_percent), cap)


def describe_terms(terms: Terms, currency: str) -> str:
    """The terms in sentences, for a person about to agree to them."""
    if not terms.tiers:
        sentences = ["Cancelling is free until the start."]
    else:
        sentences = [f"Cancelling is free until {_minutes(terms.free_minutes)} before the start."]
        for tier in terms.tiers:
            price = " and ".join(
                [f"{tier.percent} % of the highest price"] * bool(tier.percent)
                + [f"at least {format_amount(tier.fixed, currency)}"] * bool(tier.fixed)
            )
            when = f"From {_minutes(tier.minutes_before)} before" if tier.minutes_before else "After"
            sentences.append(f"{when} the start it costs {price or 'nothing'}.")
    shown = (
        f"{terms.no_show_percent} % of the highest price"
        if terms.no_show_percent
        else "no more than cancelling"
    )
    sentences.append(f"Not coming within {_minutes(terms.no_show_after)} of the start costs {shown}.")
    if terms.overstay_per_hour:
        price = format_amount(terms.overstay_per_hour, currency)
        sentences.append(
            f"Staying over {_minutes(terms.overstay_grace)} beyond the end costs {price} more an hour."
        )
    if terms.host_failure_percent:
        sentences.append(
            f"If the host fails you, they owe you {terms.host_failure_percent} % of the highest price."
        )
    return " ".join(sentences)


def _minutes(minutes: int) -> str:
    return format_duration(minutes * MINUTE_MS)


def _percent(micro: int, percent: int) -> int:
    return divide_half_up(micro * percent, 100)
