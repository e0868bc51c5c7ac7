"""`book --weekly`, `series` and `booking accept --series`: what is asked first, and what is sent."""

from __future__ import annotations

from typing import Any

import pytest

from . import samples
from .contract import require_fits
from .person import Person
from .series_sample import SERIES
from .stub_node import StubNode

SHORT = SERIES["id"][:8]
PATH = f"series/{SHORT}"
BOOKING = f"bookings/{samples.BOOKING}"
ASKED = {
    **SERIES,
    "asked": {"date": "2027-01-22", "cap": samples.money(14_850_000), "conditions": "Free until 2 h before."},
}
WHEN = ("--from", "2027-01-15T09:00", "--for", "3h", "--zone", "Europe/Berlin")


@pytest.fixture
def house(node: StubNode) -> StubNode:
    reserved = {**samples.BOOKING_VIEW, "so_far": ["You asked.", "The host accepted."]}
    node.answers |= {
        "POST quotes": samples.QUOTE_VIEW,
        "POST series": {**SERIES, "booking": samples.BOOKING},
        f"GET {BOOKING}": reserved,
        f"POST {BOOKING}/cancel": reserved,
        "GET series": {"series": [SERIES]},
        f"GET {PATH}": SERIES,
        f"POST {PATH}/skip": SERIES,
        f"POST {PATH}/move": SERIES,
        f"POST {PATH}/price": SERIES,
        f"POST {PATH}/end": {**SERIES, "ended": True},
    }
    return node


def sent(house: StubNode, key: str) -> Any:
    return house.calls(f"POST {key}")[-1].body


def test_a_weekly_booking_says_what_is_agreed_to_and_begins_a_series(person: Person, house: StubNode) -> None:
    said = person.types("book", "1", *WHEN, "--weekly", "--count", "8", answers="n\n")
    assert said.code == 1 and "8 times" in said.err and not house.calls("POST series")
    more = ("--weekly", "--days", "mon,thu", "--until", "2027-06-30", "--at-most", "15.00")
    said = person.types("book", "1", *WHEN, *more, answers="y\n")
    assert said.code == 0 and "Booked" in said.out and SHORT in said.err and "15.00" in said.err
    require_fits("series", sent(house, "series"))
    assert {name: sent(house, "series")[name] for name in ("weekdays", "until", "at_most_micro")} == {
        "weekdays": [1, 4],
        "until": "2027-06-30",
        "at_most_micro": 15_000_000,
    }


@pytest.mark.parametrize("flags", [("--count", "3"), ("--weekly", "--count", "3", "--until", "2027-06-30")])
def test_flags_that_do_not_fit_are_told_before_anything_is_asked(
    person: Person, house: StubNode, flags: tuple[str, ...]
) -> None:
    assert person.types("book", "1", *WHEN, *flags, "--yes").code == 2
    assert not house.calls("POST quotes")


def test_a_series_is_shown_with_what_becomes_of_each_date(person: Person, house: StubNode) -> None:
    said = person.types("series", "show", SHORT)
    assert said.code == 0 and "Every Friday, 09:00 to 12:00" in said.out
    assert "2027-01-22: their node can't be reached; tried again 2027-01-15 09:10." in said.out
    assert "2027-01-15 09:00: booked" in person.types("series", "list").out
    house.answers[f"GET {PATH}"] = ASKED
    asking = person.types("series", "show", SHORT).out
    assert "14.85 EUR" in asking and f"series price {SHORT}" in asking


def test_skipping_a_booked_date_cancels_it_for_what_was_shown(person: Person, house: StubNode) -> None:
    said = person.types("series", "skip", SHORT, "2027-01-15", answers="n\n")
    assert said.code == 1 and not house.calls(f"POST {PATH}/skip")
    assert person.types("series", "skip", SHORT, "2027-01-15", "--yes").code == 0
    assert sent(house, f"{BOOKING}/cancel") == {
        "at_most_micro": samples.BOOKING_VIEW["cancelling_costs"]["micro"]
    }
    assert sent(house, f"{PATH}/skip") == {"date": "2027-01-15", "skipped": True}
    assert person.types("series", "skip", SHORT, "2027-01-22", "--undo").code == 0
    require_fits("skip", sent(house, f"{PATH}/skip"))
    assert len(house.calls(f"POST {BOOKING}/cancel")) == 1


def test_a_date_is_moved_by_the_chargers_clocks(person: Person, house: StubNode) -> None:
    flags = ("--start", "19:00", "--end", "01:00")
    assert person.types("series", "move", SHORT, "2027-01-22", *flags).code == 0
    require_fits("move", sent(house, f"{PATH}/move"))
    start = SERIES["dates"][1]["start"]["ms"] + 10 * 3_600_000
    moved = {"date": "2027-01-22", "start": start, "end": start + 6 * 3_600_000}
    assert sent(house, f"{PATH}/move") == moved


def test_a_new_price_is_shown_before_it_is_agreed_to(person: Person, house: StubNode) -> None:
    assert person.types("series", "price", SHORT, "--yes").code == 1, "the host asks nothing else"
    house.answers[f"GET {PATH}"] = ASKED
    said = person.types("series", "price", SHORT, answers="n\n")
    assert said.code == 1 and "14.85 EUR" in said.err and not house.calls(f"POST {PATH}/price")
    assert person.types("series", "price", SHORT, answers="y\n").code == 0
    require_fits("series price", sent(house, f"{PATH}/price"))
    assert sent(house, f"{PATH}/price") == {"at_most_micro": 14_850_000}
    assert person.types("series", "price", SHORT, "20.00").code == 0
    assert sent(house, f"{PATH}/price") == {"at_most_micro": 20_000_000}


def test_ending_says_what_stays(person: Person, house: StubNode) -> None:
    assert "1 of its dates is booked" in person.types("series", "end", SHORT).out


def test_a_host_answers_for_the_whole_series(person: Person, house: StubNode) -> None:
    path = f"bookings/{samples.BOOKING[:8]}"
    request = {
        **samples.BOOKING_VIEW,
        "role": "host",
        "actions": ["accept", "decline"],
        "series": {"id": SERIES["id"], "agreed_until": None},
    }
    house.answers |= {
        f"GET {path}": request,
        f"POST {path}/accept": request,
        f"POST {path}/decline": request,
        "GET bookings": {"bookings": [request, {**request, "series": None}, request], "earlier": 0},
    }
    shown = person.types("booking", "show", samples.BOOKING[:8]).out
    assert f"booking accept {samples.BOOKING[:8]} --series" in shown.replace("\n", " ")
    until = ("--until", "2027-06-30")
    assert person.types("booking", "accept", samples.BOOKING[:8], "--series", *until).code == 0
    require_fits("answer", sent(house, f"{path}/accept"))
    assert sent(house, f"{path}/accept") == {"series": True, "until": 1_814_392_740_000}
    assert person.types("booking", "decline", samples.BOOKING[:8], "--series").code == 0
    assert sent(house, f"{path}/decline") == {"series": True}
    rows = person.types("bookings").out.splitlines()[1:4]
    assert [f"weekly {SHORT}" in row for row in rows] == [True, True, False], "those of a series together"
