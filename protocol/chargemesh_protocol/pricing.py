"""What usage costs under a price plan: integer arithmetic that both sides do for themselves.

The rules, in order, all in integers:
1. Quantities of equal dimension and price are added up over the whole session: Wh, ms, or 1 for FLAT.
2. A dimension's total is raised to a multiple of the step of the last component used; that component
   bears the difference. Time is so counted in whole seconds at least. (OCPI would merge TIME and
   PARKING_TIME here; we count each by itself.)
3. A line's amount is quantity x price / unit (1000 Wh, 3,600,000 ms, 1), half up to whole micro-units.
4. The sum is raised to `min_price` and cut to `max_price`.
5. Unless included, tax is added, half up to whole micro-units.
6. That total is rounded half up to the currency's minor unit: the only rounding to coins.
The tax printed is the share of the total, rounded in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .money import divide_half_up, minor_unit, round_to_minor
from .tariff import PriceComponent, PricePlan, TariffDimension
from .zones import HOUR_MS

MAX_ENERGY_WH = 10**8
MAX_SESSION_MS = 100 * 24 * HOUR_MS
_BASIS_POINTS = 10_000
# How many of a line's quantity one price is for.
UNIT_OF = {
    TariffDimension.ENERGY: 1000,
    TariffDimension.TIME: HOUR_MS,
    TariffDimension.PARKING_TIME: HOUR_MS,
    TariffDimension.FLAT: 1,
}
# How many of a line's quantity one step is: steps of time are written in seconds.
_STEP_UNIT = {TariffDimension.ENERGY: 1, TariffDimension.TIME: 1000, TariffDimension.PARKING_TIME: 1000}


@dataclass(frozen=True, slots=True)
class PeriodUsage:
    """What was used in period number `period` of a plan: Wh, ms while charging, ms after charging ended."""

    period: int
    energy_wh: int
    charging_ms: int
    parking_ms: int

    def __post_init__(self) -> None:
        if min(self.period, self.energy_wh, self.charging_ms, self.parking_ms) < 0:
            raise ValueError("usage can't be negative")
        if self.energy_wh > MAX_ENERGY_WH or self.charging_ms + self.parking_ms > MAX_SESSION_MS:
            raise ValueError("no car uses that much in one session")

    def quantity(self, dimension: TariffDimension) -> int:
        if dimension is TariffDimension.ENERGY:
            return self.energy_wh
        return self.charging_ms if dimension is TariffDimension.TIME else self.parking_ms


@dataclass(frozen=True, slots=True)
class CostLine:
    """`quantity` (Wh, ms or 1) at `price` micro-units per kWh, hour or session is `amount` micro-units."""

    dimension: TariffDimension
    quantity: int
    price: int
    amount: int


@dataclass(frozen=True, slots=True)
class CostBreakdown:
    """A cost with its reasons, in micro-units. `total` is what is paid: whole coins, tax included.

    `adjustment` is what `min_price` (positive) or `max_price` (negative) changed; `tax` is the part of
    `total` that is tax at `tax_bp` basis points.
    """

    currency: str
    lines: tuple[CostLine, ...]
    adjustment: int
    tax_bp: int
    tax: int
    total: int


def cost(plan: PricePlan, usage: Sequence[PeriodUsage]) -> CostBreakdown:
    """What `usage`, in the order of the plan's periods, costs. No usage at all: no session, no cost.

    FLAT is charged once, by the period in which the session began (the first named, even with zeros).
    """
    numbers = [used.period for used in usage]
    if numbers != sorted(set(numbers)) or (numbers and numbers[-1] >= len(plan.periods)):
        raise ValueError("usage names each period of the plan at most once, in order")
    quantities: dict[tuple[TariffDimension, int], int] = {}
    for dimension in _STEP_UNIT:
        for component, quantity in _billed(plan, usage, dimension):
            line = (dimension, component.price)
            quantities[line] = quantities.get(line, 0) + quantity
    if usage and (flat := plan.periods[usage[0].period].component(TariffDimension.FLAT)):
        quantities[TariffDimension.FLAT, flat.price] = 1
    lines = tuple(
        CostLine(dimension, quantity, price, divide_half_up(quantity * price, UNIT_OF[dimension]))
        for (dimension, price), quantity in quantities.items()
    )
    subtotal = sum(line.amount for line in lines)
    limited = _limited(plan, subtotal) if usage else 0
    total = round_to_minor(_with_tax(plan, limited), plan.currency)
    tax = round_to_minor(divide_half_up(total * plan.tax_bp, _BASIS_POINTS + plan.tax_bp), plan.currency)
    return CostBreakdown(plan.currency, lines, limited - subtotal, plan.tax_bp, tax, total)


def worst_case(plan: PricePlan, start: int, end: int, energy_wh: int) -> int:
    """The cap, rounded up to coins: no session within [start, end) of at most `energy_wh` costs more."""
    if not start < end or not 0 <= energy_wh <= MAX_ENERGY_WH or end - start > MAX_SESSION_MS:
        raise ValueError("a cap is for a time and an amount of energy that one session can have")
    overlapping = range(plan.period_at(start), plan.period_at(end - 1) + 1)
    dearest = dict.fromkeys(TariffDimension, 0)
    step_of = dict.fromkeys(TariffDimension, 1)
    time_sum, lines = 0, 0
    for number in overlapping:
        for component in plan.periods[number].components:
            dearest[component.dimension] = max(dearest[component.dimension], component.price)
            step_of[component.dimension] = max(step_of[component.dimension], component.step)
            lines += 1
        first = start if number == overlapping[0] else plan.periods[number].start
        past = end if number == overlapping[-1] else plan.periods[number + 1].start
        time_sum += (past - first) * _dearest_time(plan, number)
    energy = energy_wh + step_of[TariffDimension.ENERGY] - 1
    most = dearest[TariffDimension.FLAT] + -(-energy * dearest[TariffDimension.ENERGY] // 1000)
    for dimension in (TariffDimension.TIME, TariffDimension.PARKING_TIME):
        time_sum += (step_of[dimension] * 1000 - 1) * dearest[dimension]
    # Each line may have been rounded up to a whole micro-unit.
    most += -(-time_sum // HOUR_MS) + lines
    coin = minor_unit(plan.currency)
    return -(-_with_tax(plan, _limited(plan, most)) // coin) * coin


def most_added(plan: PricePlan, energy_wh: int, duration_ms: int) -> int:
    """The most that so much more energy and time adds to a bill, in micro-units with tax.

    By the dearest prices of the plan; what a step adds that they begin is not counted.
    """
    prices = [part for period in plan.periods for part in period.components]
    a_kwh = max((part.price for part in prices if part.dimension is TariffDimension.ENERGY), default=0)
    an_hour = max((_dearest_time(plan, number) for number in range(len(plan.periods))), default=0)
    return _with_tax(plan, -(-energy_wh * a_kwh // 1000) + -(-duration_ms * an_hour // HOUR_MS))


def _billed(
    plan: PricePlan, usage: Sequence[PeriodUsage], dimension: TariffDimension
) -> list[tuple[PriceComponent, int]]:
    """Component and quantity of each period in which `dimension` was used and is charged, steps applied."""
    found = []
    for used in usage:
        component = plan.periods[used.period].component(dimension)
        if component and used.quantity(dimension):
            found.append((component, used.quantity(dimension)))
    if found:
        last, quantity = found[-1]
        total = sum(quantity for _, quantity in found)
        found[-1] = (last, quantity + -total % (last.step * _STEP_UNIT[dimension]))
    return found


def _dearest_time(plan: PricePlan, number: int) -> int:
    """The most that an hour of period `number` can cost for time: it is charging or parking, never both."""
    found = [
        plan.periods[number].component(one) for one in (TariffDimension.TIME, TariffDimension.PARKING_TIME)
    ]
    return max((component.price for component in found if component), default=0)


def _limited(plan: PricePlan, micro: int) -> int:
    raised = max(micro, plan.min_price)
    return min(raised, plan.max_price) if plan.max_price else raised


def _with_tax(plan: PricePlan, micro: int) -> int:
    if plan.tax_included:
        return micro
    return micro + divide_half_up(micro * plan.tax_bp, _BASIS_POINTS)
