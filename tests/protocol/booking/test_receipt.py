"""What a receipt must say: it always adds up, and every difference is named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.booking.receipt import differences, reckon_charge, reckon_session
from chargemesh_protocol.booking.records import ReadingContext, Receipt, Ticket
from chargemesh_protocol.money import minor_unit
from chargemesh_protocol.tariff import PricePlan, TariffPeriod

from ..prices import BEGIN, EURO, MINUTE, components
from .story import quote_body

HEAD: dict[str, Any] = {
    "author": b"H" * 32,
    "issued": 1,
    "booking": b"b" * 32,
    "number": 1,
    "previous": b"p" * 32,
    "includes": (),
}


def ticket(at: int, energy_wh: int) -> Ticket:
    rest: dict[str, Any] = {
        "register_wh": 0,
        "power_w": 0,
        "cost": 0,
        "context": ReadingContext.SAMPLE_PERIODIC,
    }
    return Ticket(**HEAD, at=at, energy_wh=energy_wh, **rest)


PLANS = st.builds(
    lambda parts, low, high, tax, included: PricePlan(
        currency="EUR",
        periods=(TariffPeriod(BEGIN, parts),),
        min_price=low * 10_000,
        max_price=(low + high) * 10_000 if high else 0,
        tax_bp=tax,
        tax_included=included,
    ),
    components(),
    st.integers(0, 500),
    st.integers(0, 500),
    st.sampled_from([0, 700, 1900, 10_000]),
    st.booleans(),
)


@given(PLANS, st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9000)), min_size=1, max_size=5))
def test_every_receipt_adds_up(plan: PricePlan, steps: list[tuple[int, int]]) -> None:
    tickets, at, energy = [], BEGIN, 0
    for minutes, more in steps:
        at, energy = at + minutes * MINUTE, energy + more
        tickets.append(ticket(at, energy))
    one = reckon_session(quote_body(plan=plan), tickets)
    on_top = 0 if plan.tax_included else one.tax
    assert sum(line.amount for line in one.lines) + one.adjustment + on_top + one.rounding == one.total
    assert one.total % minor_unit("EUR") == 0
    assert abs(one.rounding) <= minor_unit("EUR")
    assert (one.energy_wh, one.started, one.ended) == (energy - tickets[0].energy_wh, tickets[0].at, at)


def test_without_a_reading_there_is_no_session() -> None:
    for tickets in ([], [ticket(BEGIN, 5), ticket(BEGIN + 1, 4)], [ticket(BEGIN, 5), ticket(BEGIN - 1, 5)]):
        with pytest.raises(ValueError):
            reckon_session(quote_body(), tickets)


def test_a_fee_is_one_line_rounded_to_coins() -> None:
    one = reckon_charge(quote_body(), "NO_SHOW", 2_204_999)
    assert (one.total, one.rounding, one.energy_wh, one.tax, one.adjustment) == (2_200_000, -4_999, 0, 0, 0)
    assert [(line.dimension, line.quantity, line.amount) for line in one.lines] == [("NO_SHOW", 1, 2_204_999)]


def test_every_difference_is_named_with_both_values() -> None:
    own = reckon_charge(quote_body(), "CANCELLATION", EURO)
    right = Receipt(
        **HEAD,
        started=own.started,
        ended=own.ended,
        energy_wh=0,
        currency="EUR",
        lines=own.lines,
        total=own.total,
        payee_name="whoever",
        payee_account="",
    )
    assert differences(right, own, "EUR") == ()
    wrong = replace(right, total=5, lines=(replace(own.lines[0], amount=6),), tax=7)
    assert differences(wrong, own, "EUR") == (
        "total: 0.000005 EUR on the receipt, 1.00 EUR computed",
        "tax: 0.000007 EUR on the receipt, 0.00 EUR computed",
        "line 1 amount: 0.000006 EUR on the receipt, 1.00 EUR computed",
    )
    assert differences(replace(right, lines=()), own, "EUR") == ("lines: 0 on the receipt, 1 computed",)
