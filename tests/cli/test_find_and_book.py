"""`find`, `quote` and `book`: what is asked, what is shown, and how a refusal ends."""

from __future__ import annotations

from typing import Any

import pytest

from chargemesh_node import offline
from chargemesh_protocol.zones import HOUR_MS, MINUTE_MS

from . import samples
from .contract import require_fits
from .person import Person
from .stub_node import Lines, Refusal, StubNode

BOOKING = f"bookings/{samples.BOOKING}"
SPAN = ("--from", "2027-01-15T09:00", "--for", "3h", "--zone", "Europe/Berlin")
PENDING = {**samples.BOOKING_VIEW, "reservation": "PENDING", "so_far": ["You asked for 09:00 to 12:00."]}


def view(reservation: str, *so_far: str) -> dict[str, Any]:
    return {**samples.BOOKING_VIEW, "reservation": reservation, "so_far": ["You asked.", *so_far]}


@pytest.fixture
def street(node: StubNode) -> StubNode:
    node.answers |= {
        "GET find": Lines((samples.LISTING_VIEW, samples.SEARCH_END)),
        "POST quotes": samples.QUOTE_VIEW,
        "POST bookings": PENDING,
        f"GET {BOOKING}": [PENDING, view("RESERVED", "The host accepted.")],
    }
    return node


def test_find_shows_each_as_it_comes(person: Person, street: StubNode) -> None:
    said = person.types("find", "--near", "52.52,13.40")
    assert said.code == 0
    head, row = said.out.splitlines()
    assert head.split() == ["#", "id", "km", "power", "price", "a", "kWh", "answer", "trust", "title"]
    assert (
        row.startswith("1   1f1f1f1f  0.0–2.3") and "0.35 EUR" in row and row.endswith("586 of 1000  Garage")
    )
    assert "1 found; 3 other nodes answered" in said.err


def test_find_sends_every_condition(person: Person, street: StubNode) -> None:
    flags = ("--connector", "Type2", "--min-power", "7kW", "--max-price", "0.40CHF/kWh", "--radius", "1.5km")
    more = ("--min-trust", "30%", "--instant", "--limit", "7")
    assert person.types("find", "--near", "52.52,13.40", *flags, *SPAN, *more).code == 0
    query = street.calls("GET find")[-1].query
    require_fits("find", query, query=True)
    assert query == {
        "lat": "52.520000", "lon": "13.400000", "radius_m": "1500", "connector": "IEC_62196_T2",
        "min_power_w": "7000", "max_price_micro": "400000", "currency": "CHF", "start": "1800000000000",
        "end": "1800010800000", "min_trust": "300", "instant": "true", "limit": "7",
    }  # fmt: skip


def test_with_json_find_prints_an_object_a_line(person: Person, street: StubNode) -> None:
    said = person.types("--json", "find", "--near", "52.52,13.40")
    assert said.values == [samples.LISTING_VIEW, samples.SEARCH_END]


def test_nothing_found_is_no_proof_of_absence(person: Person, street: StubNode) -> None:
    end = {**samples.SEARCH_END, "listings": 0, "believable": False, "caretakers": 1}
    street.answers["GET find"] = Lines((end,))
    said = person.types("find", "--near", "52.52,13.40")
    assert said.code == 0 and said.out == "" and "Too few nodes answered" in said.err


def test_what_was_found_among_too_few_nodes_may_not_be_all(person: Person, street: StubNode) -> None:
    end = {**samples.SEARCH_END, "believable": False, "caretakers": 0}
    street.answers["GET find"] = Lines((samples.LISTING_VIEW, end))
    said = person.types("find", "--near", "52.52,13.40")
    assert "1 found; no other nodes answered" in said.err and "to be sure that this is all" in said.err


def test_what_the_clock_left_out_is_not_looked_for_farther_away(person: Person, street: StubNode) -> None:
    street.answers["GET find"] = Lines(({**samples.SEARCH_END, "listings": 0, "untimely": 2},))
    said = person.types("find", "--near", "52.52,13.40")
    assert "by this machine's clock" in said.err and "--radius" not in said.err


def test_a_quote_that_comes_expired_names_the_clocks(person: Person, street: StubNode) -> None:
    street.answers["POST quotes"] = {**samples.QUOTE_VIEW, "expires_in_s": 0}
    said = " ".join(person.types("quote", samples.LISTING[:8], *SPAN).out.split())
    assert "one of the two clocks may be wrong" in said and "0 min" not in said


def test_a_search_that_breaks_off_says_so(person: Person, street: StubNode) -> None:
    error = {"error": {"code": "stopping", "message": "The node stops.", "hint": ""}, "exit_code": 4}
    street.answers["GET find"] = Lines((samples.LISTING_VIEW, error))
    said = person.types("find", "--near", "52.52,13.40")
    assert said.code == 4 and said.err == "The node stops.\n"


def test_a_saved_place_is_searched_and_asked_for(person: Person, street: StubNode) -> None:
    offline.change_setting(person.home, "find.places", '["work=1.5,2.5"]')
    person.types("find", "--near", "Work")
    assert street.calls("GET find")[-1].query["lat"] == "1.500000"
    person.types("find", answers="nowhere\nwork\n")
    assert street.calls("GET find")[-1].query["lon"] == "2.500000"


def test_strangers_titles_do_not_move_the_cursor(person: Person, street: StubNode) -> None:
    street.answers["GET find"] = Lines(({**samples.LISTING_VIEW, "title": "A\x1b[2J\nB"}, samples.SEARCH_END))
    said = person.types("find", "--near", "52.52,13.40")
    assert "\x1b" not in said.out and said.out.splitlines()[1].endswith("A [2J B")


def test_quote_tells_the_price_its_cap_and_the_terms(person: Person, street: StubNode) -> None:
    said = person.types("quote", samples.LISTING[:8], *SPAN, "--energy", "20kWh")
    text = " ".join(said.out.split())
    assert "about 7.00 EUR for 20 kWh" in text and "never more than 11.55 EUR" in text
    assert "free until 2 h before" in text and "2027-01-15 07:00" in text and "14 min 59 s" in text
    body = street.calls("POST quotes")[-1].body
    require_fits("quote", body)
    assert body == {
        "listing": "1f1f1f1f",
        "start": 1_800_000_000_000,
        "end": 1_800_010_800_000,
        "energy_wh": 20_000,
    }
    assert person.types("--json", "quote", samples.LISTING, *SPAN).value == samples.QUOTE_VIEW


def test_now_is_this_minute(person: Person, street: StubNode) -> None:
    person.types("quote", samples.LISTING, "--from", "now", "--for", "1h")
    body = street.calls("POST quotes")[-1].body
    assert body["start"] % MINUTE_MS == 0 and body["end"] - body["start"] == HOUR_MS
    assert 0 <= offline.now() - body["start"] < 2 * MINUTE_MS


def test_book_shows_the_quote_asks_and_waits(person: Person, street: StubNode) -> None:
    said = person.types("book", samples.LISTING, *SPAN, "--vehicle", "blue", answers="y\n")
    assert said.code == 0, said
    asked = " ".join(said.err.split())
    assert asked.index("never more than 11.55 EUR") < asked.index("Book it?")
    assert "Booked (b0b0b0b0). The host accepted." in " ".join(said.out.split())
    body = street.calls("POST bookings")[-1].body
    require_fits("book", body)
    assert body == {"quote": samples.QUOTE, "wait_ms": 15 * MINUTE_MS, "vehicle": "blue"}
    assert street.calls(f"GET {BOOKING}")[0].query["wait_until"] == "decided"


def test_saying_no_books_nothing(person: Person, street: StubNode) -> None:
    said = person.types("book", samples.LISTING, *SPAN, answers="n\n")
    assert said.code == 1 and not street.calls("POST bookings")


def test_without_waiting_the_booking_is_named(person: Person, street: StubNode) -> None:
    said = person.types("book", samples.LISTING, *SPAN, "--yes", "--no-wait")
    assert said.code == 0 and "booking show b0b0b0b0" in said.out
    assert not street.calls(f"GET {BOOKING}")
    assert person.types("--json", "book", samples.LISTING, *SPAN, "--yes", "--no-wait").value == PENDING


@pytest.mark.parametrize(
    ("answer", "code", "name"),
    [
        (view("REJECTED", "The host declined: the time can't be had."), 6, "rejected"),
        (view("FAILED", "Nobody answered in time."), 7, "no-answer"),
        (view("CANCELED", "The host cancelled."), 6, "rejected"),
    ],
)
def test_a_refusal_is_the_peers_and_silence_a_time_out(
    person: Person, street: StubNode, answer: Any, code: int, name: str
) -> None:
    street.answers[f"GET {BOOKING}"] = answer
    said = person.types("--json", "book", samples.LISTING, *SPAN, "--yes")
    assert said.code == code and said.value["error"]["code"] == name
    assert said.value["error"]["message"] == answer["so_far"][1]


def test_a_quote_refused_books_nothing(person: Person, street: StubNode) -> None:
    street.answers["POST quotes"] = Refusal(409, "not-offerable", "The host does not offer that.", "", 6)
    said = person.types("book", samples.LISTING, *SPAN, "--yes")
    assert said.code == 6 and not street.calls("POST bookings")


def test_find_names_the_days_of_a_time_that_goes_past_midnight(person: Person, street: StubNode) -> None:
    near = ("find", "--near", "52.52,13.40", "--zone", "Europe/Berlin")
    said = person.types(*near, "--from", "2027-03-01T12:00", "--to", "11:00")
    assert "Offered from Mon 2027-03-01 12:00 to 2027-03-02 11:00 (23 h):" in said.err
    said = person.types(*near, "--from", "2027-03-01T18:00", "--for", "3h")
    assert "Offered from Mon 2027-03-01 18:00 to 21:00 (3 h):" in said.err
    assert "Offered from" not in person.types("find", "--near", "52.52,13.40").err
