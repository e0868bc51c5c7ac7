"""What a receipt must say: computed by the host to write it and by the driver to agree with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from ..metering import Reading, bill
from ..money import format_amount, round_to_minor
from .records import Quote, Receipt, ReceiptLine, Ticket

_MONEY = ("total", "adjustment", "tax", "rounding", "price", "amount")


@dataclass(frozen=True, slots=True)
class Reckoning:
    """The parts of a receipt that both sides compute. Energy in Wh, money in micro-units (see `Receipt`)."""

    started: int
    ended: int
    energy_wh: int
    lines: tuple[ReceiptLine, ...]
    total: int
    adjustment: int = 0
    tax: int = 0
    rounding: int = 0


def reckon_session(quote: Quote, tickets: Sequence[Ticket]) -> Reckoning:
    """The bill of a session from its tickets, in order; ValueError if there is none or a meter runs back."""
    readings = tuple(Reading(one.at, one.energy_wh) for one in tickets)
    cost = bill(quote.plan, readings)
    lines = tuple(
        ReceiptLine(dimension=one.dimension.value, quantity=one.quantity, price=one.price, amount=one.amount)
        for one in cost.lines
    )
    energy = readings[-1].energy_wh - readings[0].energy_wh
    on_top = 0 if quote.plan.tax_included else cost.tax
    exact = sum(one.amount for one in lines) + cost.adjustment + on_top
    return Reckoning(
        started=readings[0].at,
        ended=readings[-1].at,
        energy_wh=energy,
        lines=lines,
        total=cost.total,
        adjustment=cost.adjustment,
        tax=cost.tax,
        rounding=cost.total - exact,
    )


def reckon_charge(quote: Quote, dimension: str, amount: int) -> Reckoning:
    """A bill without a session: `dimension` is CANCELLATION or NO_SHOW, `amount` by the terms."""
    total = round_to_minor(amount, quote.plan.currency)
    line = ReceiptLine(dimension=dimension, quantity=1, price=amount, amount=amount)
    return Reckoning(quote.start, quote.start, 0, (line,), total, rounding=total - amount)


def differences(receipt: Receipt, own: Reckoning, currency: str) -> tuple[str, ...]:
    """Which fields of a receipt are not what the reader computes, with both values; empty if all agree."""
    pairs = (
        ("started", receipt.started, own.started),
        ("ended", receipt.ended, own.ended),
        ("energy_wh", receipt.energy_wh, own.energy_wh),
        ("total", receipt.total, own.total),
        ("currency", receipt.currency, currency),
        ("adjustment", receipt.adjustment or 0, own.adjustment),
        ("tax", receipt.tax or 0, own.tax),
        ("rounding", receipt.rounding or 0, own.rounding),
        *_lines(receipt.lines, own.lines),
    )
    return tuple(
        f"{name}: {_shown(name, theirs, currency)} on the receipt, {_shown(name, ours, currency)} computed"
        for name, theirs, ours in pairs
        if theirs != ours
    )


def _shown(name: str, value: object, currency: str) -> str:
    """Money as people read it, the rest as it stands."""
    if name.split()[-1] in _MONEY and isinstance(value, int):
        return format_amount(value, currency)
    return str(value)


def _lines(
    theirs: tuple[ReceiptLine, ...], ours: tuple[ReceiptLine, ...]
) -> Iterator[tuple[str, object, object]]:
    """(name, theirs, ours) of how many lines there are and of every field of those that both have."""
    yield "lines", len(theirs), len(ours)
    for number, (one, own) in enumerate(zip(theirs, ours, strict=False), 1):
        for field in fields(ReceiptLine):
            yield f"line {number} {field.name}", getattr(one, field.name), getattr(own, field.name)
