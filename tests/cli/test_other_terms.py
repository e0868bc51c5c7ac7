"""`booking counter`, `change` and `extend`: both prices are shown, and nothing is asked for without a yes."""

from __future__ import annotations

from typing import Any

import pytest

from . import samples
from .contract import require_fits
from .person import Person
from .stub_node import StubNode

ID = samples.BOOKING[:8]
PATH = f"bookings/{ID}"
CHANGED = {**samples.BOOKING_VIEW, "end": samples.LATER_END, "waited": {"until": "answered", "reached": True}}


@pytest.fixture
def house(node: StubNode) -> StubNode:
    node.answers |= {
        f"GET {PATH}": CHANGED,
        f"POST {PATH}/terms": samples.TERMS_VIEW,
        f"POST {PATH}/change": samples.BOOKING_VIEW,
        f"POST {PATH}/offer": {**samples.BOOKING_VIEW, "role": "host", "offer": samples.OFFER},
        f"POST {PATH}/fault": samples.BOOKING_VIEW,
    }
    return node


def sent(house: StubNode, what: str) -> Any:
    return house.calls(f"POST {PATH}/{what}")[-1].body


def test_a_longer_booking_shows_both_prices_and_asks(person: Person, house: StubNode) -> None:
    said = person.types("booking", "extend", ID, "--by", "1h", answers="n\n")
    assert said.code == 1 and not house.calls(f"POST {PATH}/change")
    for part in (
        "Now:  2027-01-15 09:00 to 12:00",
        "7.00 EUR",
        "Then: 2027-01-15 09:00 to 14:00",
        "19.25 EUR",
    ):
        assert part in said.err
    assert "14 min 59 s" in said.err and "Cancelling will cost" not in said.err
    require_fits("terms", sent(house, "terms"))
    assert sent(house, "terms") == {"end": samples.LATER_END["ms"] + 3_600_000}
    said = person.types("booking", "extend", ID, "--by", "1h", answers="y\n")
    assert said.code == 0 and "Agreed: 2027-01-15 09:00 to 2027-01-15 14:00" in said.out
    require_fits("change", sent(house, "change"))
    assert sent(house, "change") == {"quote": samples.QUOTE}


def test_until_is_meant_by_the_chargers_clocks_and_after_the_end_of_now(
    person: Person, house: StubNode
) -> None:
    house.answers[f"GET {PATH}"] = {**CHANGED, "end": samples.END}
    assert person.types("booking", "extend", ID, "--until", "11:00", "--yes").code == 0
    assert sent(house, "terms") == {"end": samples.END["ms"] + 23 * 3_600_000}, "the next day's"
    assert person.types("booking", "extend", ID, "--yes").code == 2
    assert person.types("booking", "extend", ID, "--until", "11:00", "--by", "1h", "--yes").code == 2


def test_the_latest_end_is_named_where_a_later_one_cannot_be_had(person: Person, house: StubNode) -> None:
    house.answers[f"POST {PATH}/terms"] = {
        **samples.TERMS_VIEW, "cut": True, "asked_end": samples.at(1, "2027-01-15 18:00"),
    }  # fmt: skip
    said = person.types("booking", "extend", ID, "--by", "6h", answers="n\n")
    assert "Not until 2027-01-15 18:00: this is the latest end that can be had." in said.err


def test_moving_says_what_leaving_will_cost_at_least(person: Person, house: StubNode) -> None:
    moved = {**samples.LONGER, "start": samples.LATER_END}
    house.answers[f"POST {PATH}/terms"] = {**samples.TERMS_VIEW, "terms": moved}
    said = person.types("booking", "change", ID, "--start", "2027-01-16T09:00", answers="n\n")
    assert "Cancelling will cost at least the 5.78 EUR" in said.err
    assert sent(house, "terms") == {"start": samples.START["ms"] + 24 * 3_600_000}
    assert person.types("booking", "change", ID, "--energy", "5kWh").code == 2, "nobody agrees to the price"
    assert person.types("booking", "change", ID, "--yes").code == 2, "nothing is to be different"


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ({"waited": {"until": "answered", "reached": False}}, "what the host answers"),
        ({"end": samples.END}, "The host accepted."),
    ],
)
def test_what_the_host_has_not_agreed_to_is_not_called_so(
    person: Person, house: StubNode, view: dict[str, Any], said: str
) -> None:
    house.answers[f"GET {PATH}"] = {**CHANGED, **view}
    told = person.types("booking", "change", ID, "--energy", "5kWh", "--yes")
    assert told.code == 0 and said in told.out and "Agreed" not in told.out


def test_a_host_offers_other_terms(person: Person, house: StubNode) -> None:
    told = person.types("booking", "counter", ID, "--start", "2027-01-16T09:00", "--note", "Sorry!")
    assert told.code == 0 and "You offer 2027-01-15 09:00 to 14:00" in told.out
    require_fits("offer", sent(house, "offer"))
    assert sent(house, "offer") == {"start": samples.START["ms"] + 24 * 3_600_000, "text": "Sorry!"}
    assert person.types("booking", "counter", ID).code == 2


def test_a_host_says_that_its_charger_fails(person: Person, house: StubNode) -> None:
    house.answers[f"GET {PATH}"] = {**samples.BOOKING_VIEW, "role": "host"}
    told = person.types("booking", "problem", ID, "no_power", "The street is dark.")
    assert told.code == 0 and "the driver may leave for nothing" in told.out
    assert sent(house, "fault") == {"problem": "NO_POWER", "text": "The street is dark."}
