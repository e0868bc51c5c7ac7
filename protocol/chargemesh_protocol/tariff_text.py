"""Tariffs and costs in words, for a person who decides or pays."""

from __future__ import annotations

from .money import format_amount
from .pricing import CostLine
from .tariff import PriceComponent, PricePlan, Restrictions, Tariff, TariffDimension, TariffElement
from .units import (
    WEEKDAY_NAMES,
    format_clock,
    format_decimal,
    format_duration,
    format_energy,
    format_instant,
    format_power,
)

_PER = {
    TariffDimension.ENERGY: "per kWh",
    TariffDimension.TIME: "per hour of charging",
    TariffDimension.PARKING_TIME: "per hour after charging has ended",
    TariffDimension.FLAT: "per session",
}
_NAME = {
    TariffDimension.ENERGY: "Energy",
    TariffDimension.TIME: "Charging time",
    TariffDimension.PARKING_TIME: "Time after charging",
    TariffDimension.FLAT: "Flat fee",
}


def describe_tariff(tariff: Tariff) -> str:
    """One or more sentences: "0.40 EUR per kWh. At least 1.00 EUR. Prices include 19 % tax."."""
    if not any(component.price for element in tariff.elements for component in element.components):
        sentences = ["Charging is free."] if not tariff.min_price else []
    else:
        sentences = [
            _element(element, tariff.currency, number > 0) for number, element in enumerate(tariff.elements)
        ]
        if len(tariff.elements) > 2:
            sentences.append("For each price, the first of these that fits holds.")
    return " ".join([*sentences, *_around(tariff)])


def describe_plan(plan: PricePlan, zone: str) -> str:
    """What a quote says, which its listing may not say any more: "0.50 EUR per kWh. From … : …" by the clocks
    of `zone`, with the price of staying over where there is one."""
    if not any(component.price for period in plan.periods for component in period.components):
        sentences = ["Charging is free."] if not plan.min_price else []
    else:
        priced = [
            " plus ".join(_component(one, plan.currency) for one in period.components) or "free"
            for period in plan.periods
        ]
        later = [
            f"From {format_instant(period.start, zone)}: {text}."
            for period, text in zip(plan.periods[1:], priced[1:], strict=True)
        ]
        sentences = [f"{priced[0][:1].upper()}{priced[0][1:]}.", *later]
    return " ".join([*sentences, *_around(plan)])


def describe_line(line: CostLine, currency: str) -> str:
    """ "Energy: 12 kWh at 0.40 EUR per kWh = 4.80 EUR"."""
    amount, price = format_amount(line.amount, currency), format_amount(line.price, currency)
    if line.dimension is TariffDimension.FLAT:
        return f"{_NAME[line.dimension]}: {amount}"
    if line.dimension is TariffDimension.ENERGY:
        return f"{_NAME[line.dimension]}: {format_energy(line.quantity)} at {price} per kWh = {amount}"
    return f"{_NAME[line.dimension]}: {format_duration(line.quantity)} at {price} per hour = {amount}"


def describe_sum(
    currency: str,
    *,
    total: int,
    adjustment: int,
    tax: int,
    tax_bp: int,
    tax_included: bool,
    rounding: int,
) -> tuple[str, ...]:
    """What stands below the lines of a bill, its total last: with the lines' amounts, all that begins with a
    sign adds up to it. In micro-units; what is 0 is left out."""
    found = []
    if adjustment:
        name = "Up to the lowest price" if adjustment > 0 else "Down to the highest price"
        found.append(f"{name}: {_signed(adjustment, currency)}")
    rate = f"{format_decimal(tax_bp, 100)} %"
    if tax and not tax_included:
        found.append(f"Tax ({rate}): {_signed(tax, currency)}")
    if rounding:
        found.append(f"Rounding: {_signed(rounding, currency)}")
    within = f", of which {format_amount(tax, currency)} tax ({rate})" if tax and tax_included else ""
    return (*found, f"Total: {format_amount(total, currency)}{within}")


def _around(prices: Tariff | PricePlan) -> list[str]:
    """The sentences on the lowest and highest price and on tax."""
    sentences = []
    if prices.min_price:
        sentences.append(f"At least {format_amount(prices.min_price, prices.currency)} a session.")
    if prices.max_price:
        sentences.append(f"At most {format_amount(prices.max_price, prices.currency)} a session.")
    if prices.tax_bp:
        rate = f"{format_decimal(prices.tax_bp, 100)} % tax"
        sentences.append(f"Prices include {rate}." if prices.tax_included else f"{rate} is added.")
    return sentences


def _element(element: TariffElement, currency: str, after_another: bool) -> str:
    priced = " plus ".join(_component(component, currency) for component in element.components)
    when = _restrictions(element.restrictions) if element.restrictions else "otherwise" * after_another
    return f"{when[:1].upper()}{when[1:]}: {priced}." if when else f"{priced}."


def _component(component: PriceComponent, currency: str) -> str:
    text = f"{format_amount(component.price, currency)} {_PER[component.dimension]}"
    if component.step == 1:
        return text
    if component.dimension is TariffDimension.ENERGY:
        return f"{text} in steps of {format_energy(component.step)}"
    return f"{text} in steps of {format_duration(component.step * 1000)}"


def _restrictions(restrictions: Restrictions) -> str:
    parts = []
    if restrictions.weekdays is not None:
        parts.append("on " + ", ".join(WEEKDAY_NAMES[day - 1] for day in restrictions.weekdays))
    if restrictions.start_time is not None and restrictions.end_time is not None:
        times = (format_clock(restrictions.start_time), format_clock(restrictions.end_time))
        parts.append(f"from {times[0]} to {times[1]}")
    if restrictions.min_power_w is not None:
        parts.append(f"from {format_power(restrictions.min_power_w)}")
    if restrictions.max_power_w is not None:
        parts.append(f"below {format_power(restrictions.max_power_w)}")
    return " ".join(parts)


def _signed(micro: int, currency: str) -> str:
    return f"{'+' if micro > 0 else ''}{format_amount(micro, currency)}"
