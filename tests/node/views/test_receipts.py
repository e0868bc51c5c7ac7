"""A receipt as people read it: what is printed adds up to what is paid."""

from __future__ import annotations

import re

import pytest

from chargemesh_node.views.receipts import receipt_view
from chargemesh_protocol.booking.charging import tag_of
from chargemesh_protocol.charging.reports import Reading, SessionEnded, SessionStarted
from chargemesh_protocol.events import StartCharging
from chargemesh_protocol.tariff import Tariff, simple_tariff
from tests.protocol.neighbours import EURO, MINUTE, Street

_AMOUNT = re.compile(r"(?:= |: )([+-]?\d+(?:\.\d+)?) EUR$")
LIMITED = {"per_kwh": 395_000, "flat": EURO // 2, "tax_bp": 1900}
TARIFFS = [
    simple_tariff("EUR", per_kwh=395_000),
    simple_tariff("EUR", **LIMITED, min_price=5 * EURO),
    simple_tariff("EUR", **LIMITED, max_price=EURO, tax_included=False),
    simple_tariff("EUR", per_kwh=395_000, per_hour=EURO, tax_bp=700, tax_included=False),
]


@pytest.mark.parametrize("tariff", TARIFFS)
def test_the_printed_lines_add_up_to_the_total(tariff: Tariff) -> None:
    street = Street()
    alice, bob = street.host(tariff=tariff), street.driver()
    id = bob.books(alice)
    bob.tells(StartCharging(id))
    alice.box(SessionStarted("s1", tag_of(id), 0, street.now))
    street.wait(11 * MINUTE)
    alice.box(Reading("s1", 1501, 9000, street.now, "Sample.Periodic"))
    alice.box(SessionEnded("s1", 1607, street.now, "Local"))
    state = bob.state(id)
    assert state.receipt is not None and state.agreed is not None
    view = receipt_view(bob.booking(id), state.receipt, state)
    *above, last = view["text"]
    found = [_AMOUNT.search(line) for line in above]
    printed = sum(round(float(one[1]) * EURO) for one in found if one)
    assert all(found) and printed == view["total"]["micro"], view["text"]
    assert last.startswith(f"Total: {view['total']['text']}")
    parts = [view["adjustment"], view["rounding"], *(one["amount"] for one in view["lines"])]
    if not view["tax_included"]:
        parts.append(view["tax"])
    assert sum(one["micro"] for one in parts) == view["total"]["micro"]
