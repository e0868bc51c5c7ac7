"""What a receipt must say: computed by the host to write it and by the driver to agree with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..metering import Reading, bill
from ..money import round_to_minor
from .records import Quote, Receipt, ReceiptLine, Ticket


@dataclass(frozen=True, slots=True)
class Reckoning:
    """The parts of a receipt that both sides compute. Energy in Wh, money in micro-units."""

    started: int
    ended: int
    energy_wh: int
    lines: tuple[ReceiptLine, ...]
    total: int


def reckon_session(quote: Quote, tickets: Sequence[Ticket]) -> Reckoning:
    """The bill of a session from its tickets, in order; ValueError if there is none or a meter runs back."""
    readings = tuple(Reading(one.at, one.energy_wh) for one in tickets)
    cost = bill(quote.plan, readings)
    lines = tuple(
        ReceiptLine(dimension=one.dimension.value, quantity=one.quantity, price=one.price, amount=one.amount)
        for one in cost.lines
    )
    energy = readings[-1].energy_wh - readings[0].energy_wh
    return Reckoning(readings[0].at, readings[-1].at, energy, lines, cost.total)


def reckon_charge(quote: Quote, dimension: str, amount: int) -> Reckoning:
    """A bill without a session: `dimension` is CANCELLATION or NO_SHOW, `amount` what the terms make of it."""
    total = round_to_minor(amount, quote.plan.currency)
    line = ReceiptLine(dimension=dimension, quantity=1, price=amount, amount=amount)
    return Reckoning(quote.start, quote.start, 0, (line,), total)


def differences(receipt: Receipt, own: Reckoning, currency: str) -> tuple[str, ...]:
    """Which fields of a receipt are not what the reader computes, with both values; empty if all agree."""
    pairs = (
        ("started", receipt.started, own.started),
        ("ended", receipt.ended, own.ended),
        ("energy_wh", receipt.energy_wh, own.energy_wh),
        ("total", receipt.total, own.total),
        ("lines", receipt.lines, own.lines),
        ("currency", receipt.currency, currency),
    )
    return tuple(
        f"{name}: {theirs} on the receipt, {ours} computed" for name, theirs, ours in pairs if theirs != ours
    )
