"""From meter tickets to a bill: readings in, billed usage, lines and total out, the same on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from .pricing import MAX_ENERGY_WH, CostBreakdown, PeriodUsage, cost
from .shape import Int, Uint, key, shape
from .tariff import PricePlan
from .zones import HOUR_MS, LAST_INSTANT


@dataclass(frozen=True, slots=True)
class Reading:
    """Energy since some fixed zero, Wh, at an instant, unix ms: what a ticket says."""

    at: int
    energy_wh: int

    def __post_init__(self) -> None:
        if not 0 <= self.at <= LAST_INSTANT:
            raise ValueError("a reading is of a time before the year 2200")
        if not 0 <= self.energy_wh <= MAX_ENERGY_WH:
            raise ValueError(f"a reading shows 0 to {MAX_ENERGY_WH} Wh")


@shape
@dataclass(frozen=True, slots=True)
class PowerStep:
    """At most `max_power_w` from `start` (unix ms) until the next step starts."""

    start: int = key(0, Uint(LAST_INSTANT))
    max_power_w: int = key(1, Int(1, 1_000_000))


def check_next(last: Reading, following: Reading) -> None:
    """ValueError, with the reason, unless time and meter stand still or go on from `last` to `following`."""
    if following.at < last.at:
        raise ValueError(f"the reading is {last.at - following.at} ms older than the one before it")
    if following.energy_wh < last.energy_wh:
        raise ValueError(f"the meter went back by {last.energy_wh - following.energy_wh} Wh")


def check_readings(readings: Sequence[Reading]) -> None:
    """ValueError unless there is at least one reading and each may come after the one before."""
    if not readings:
        raise ValueError("there is no reading")
    for last, following in pairwise(readings):
        check_next(last, following)


def charging_ended(readings: Sequence[Reading]) -> int:
    """When the meter first showed what it shows last: later time is parking, pauses before it are not.

    A car that took nothing has parked from the begin.
    """
    final = readings[-1].energy_wh
    return next(reading.at for reading in readings if reading.energy_wh == final)


def usage(plan: PricePlan, readings: Sequence[Reading]) -> tuple[PeriodUsage, ...]:
    """What was used in each period of `plan`, from the first reading (begin) to the last (end of session).

    Where a period changes between two readings, the energy is split in proportion to time; the earlier
    period's part is rounded down, so the parts always add up to what the meter shows.
    """
    check_readings(readings)
    start, end, full = readings[0].at, readings[-1].at, charging_ended(readings)
    begun, ended = plan.period_at(start), plan.period_at(max(start, end - 1))
    found = []
    at, meter = start, readings[0].energy_wh
    for number in range(begun, ended + 1):
        past = end if number == ended else plan.periods[number + 1].start
        meter_then = readings[-1].energy_wh if number == ended else _energy_at(readings, past)
        charging = max(0, min(full, past) - at)
        found.append(PeriodUsage(number, meter_then - meter, charging, past - at - charging))
        at, meter = past, meter_then
    return tuple(found)


def bill(plan: PricePlan, readings: Sequence[Reading]) -> CostBreakdown:
    """What a session with these readings costs if it ended with the last one.

    While it runs this is the cost so far; it can fall again if a paused car goes on and parking is dearer
    than charging time.
    """
    return cost(plan, usage(plan, readings))


def estimate(plan: PricePlan, start: int, end: int, energy_wh: int, max_w: int) -> CostBreakdown:
    """What charging `energy_wh` at a steady `max_w` from `start`, then standing until `end`, costs.

    No more energy than fits in the time.
    """
    return estimate_by(plan, start, end, energy_wh, (PowerStep(start, max_w),))


def estimate_by(
    plan: PricePlan, start: int, end: int, energy_wh: int, power: Sequence[PowerStep]
) -> CostBreakdown:
    """As `estimate`, always with as much as `power` allows (its first step is at `start`)."""
    energy = min(energy_wh, fitting(end, power))
    wanted, drawn = energy * HOUR_MS, 0  # W x ms: whole numbers throughout
    readings = [Reading(start, 0)]
    for begin, past, watts in _steps(end, power):
        if drawn + watts * (past - begin) >= wanted:
            readings.append(Reading(begin - (drawn - wanted) // watts, energy))
            break
        drawn += watts * (past - begin)
        readings.append(Reading(past, drawn // HOUR_MS))
    return bill(plan, (*readings, Reading(end, energy)))


def fitting(end: int, power: Sequence[PowerStep]) -> int:
    """The energy, Wh, that can be drawn from the first step to `end`."""
    return sum(watts * (past - begin) for begin, past, watts in _steps(end, power)) // HOUR_MS


def _steps(end: int, power: Sequence[PowerStep]) -> list[tuple[int, int, int]]:
    """(from, to, W) of each step."""
    if not power or power[0].start >= end or min(one.max_power_w for one in power) <= 0:
        raise ValueError("an estimate needs a time and a power")
    pasts = [*(one.start for one in power[1:]), end]
    return [(one.start, past, one.max_power_w) for one, past in zip(power, pasts, strict=True)]


def _energy_at(readings: Sequence[Reading], instant: int) -> int:
    """The meter at `instant`, in proportion to time between the readings around it, rounded down."""
    before = readings[0]
    for after in readings:
        if after.at >= instant:
            break
        before = after
    else:
        return readings[-1].energy_wh
    if after.at == before.at:
        return after.energy_wh
    rise = after.energy_wh - before.energy_wh
    return before.energy_wh + rise * (instant - before.at) // (after.at - before.at)
