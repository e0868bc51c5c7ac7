"""The price of a longer booking (specs/05, B31): what was drawn keeps its own, the rest has that of now."""

from __future__ import annotations

from dataclasses import replace

from ..limits import MAX_TARIFF_PERIODS
from ..tariff import PricePlan
from .cost import extends
from .records import Quote


def is_extension(now: Quote, start: int, end: int) -> bool:
    """Whether [start, end) begins as the booking does and ends later."""
    return start == now.start and end > now.end


def extended(plan: PricePlan, end: int, later: PricePlan) -> PricePlan:
    """`plan` up to `end` (unix ms), without its overstay, and the periods of `later`, which begin there.

    Limits, tax and currency are those of `plan`. ValueError with a sentence where the two don't go together.
    """
    if later.currency != plan.currency or (later.tax_bp, later.tax_included) != (
        plan.tax_bp,
        plan.tax_included,
    ):
        raise ValueError("currency or tax have changed since; book the time after it by itself")
    periods = [one for one in plan.periods if one.start < end]
    for one in later.periods:
        if one.components != periods[-1].components:
            periods.append(one)
    if len(periods) > MAX_TARIFF_PERIODS:
        raise ValueError("the price changes too often in that time for one booking; ask for a shorter one")
    return replace(plan, periods=tuple(periods))


def keeps_price(before: Quote, after: Quote) -> bool:
    """Whether a longer booking has the prices and terms of `before` up to its end."""
    if not extends(before, after):
        return False
    old, new = before.plan, after.plan
    limits = [
        (one.currency, one.min_price, one.max_price, one.tax_bp, one.tax_included) for one in (old, new)
    ]
    starts = {one.start for plan in (old, new) for one in plan.periods if one.start < before.end}
    same = all(
        old.periods[old.period_at(at)].components == new.periods[new.period_at(at)].components
        for at in starts
    )
    return same and limits[0] == limits[1] and before.terms == after.terms
