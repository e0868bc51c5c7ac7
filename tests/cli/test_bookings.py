"""`bookings` and `booking`: both sides' look at what was booked, and what they can do."""

from __future__ import annotations

from typing import Any

import pytest

from chargemesh_cli.booking_text import state_word

from . import samples
from .contract import require_fits
from .person import Person
from .stub_node import Asked, StubNode

ID = samples.BOOKING[:8]
PATH = f"bookings/{ID}"
OVER = {**samples.BOOKING_LINE, "id": "0e" * 32, "finished": True, "settlement": "PAID"}


@pytest.fixture
def house(node: StubNode) -> StubNode:
    node.answers |= {
        "GET bookings": {"bookings": [samples.BOOKING_LINE, OVER], "earlier": 0},
        f"GET {PATH}": samples.BOOKING_VIEW,
        **{
            f"POST {PATH}/{what}": samples.BOOKING_VIEW
            for what in ("accept", "decline", "cancel", "message", "problem")
        },
    }
    return node


def test_the_list_begins_with_what_is_open(person: Person, house: StubNode) -> None:
    said = person.types("bookings")
    assert "b0b0b0b0  driver  2027-01-15 09:00 – 12:00  RESERVED  –" in said.out
    assert said.out.index("b0b0b0b0") < said.out.index("0e0e0e0e") and "earlier" not in said.out
    assert len(person.types("--json", "bookings").value["bookings"]) == 2


def test_earlier_bookings_come_page_by_page_or_all_at_once(person: Person, house: StubNode) -> None:
    pages = [f"{number:02x}" * 32 for number in range(1, 4)]
    listed: list[str | None] = []

    def page(request: Asked) -> Any:
        before = request.query.get("before")
        listed.append(before)
        place = pages.index(before) + 1 if before else 0
        return {"bookings": [{**OVER, "id": pages[place]}], "earlier": 2 - place}

    house.answers["GET bookings"] = page
    assert "2 earlier: `chargemesh bookings --before 01010101" in person.types("bookings").out
    said = person.types("--json", "bookings", "--before", pages[0]).value
    assert [one["id"] for one in said["bookings"]] == pages[1:2]
    listed.clear()
    everything = person.types("--json", "bookings", "--all").value
    assert [one["id"] for one in everything["bookings"]] == pages and everything["earlier"] == 0
    assert listed == [None, *pages[:2]]


def test_a_cancelled_booking_is_called_so_and_not_by_its_session(person: Person, house: StubNode) -> None:
    fee = {"micro": 2_500_000, "currency": "EUR", "text": "2.50 EUR"}
    off = {**samples.BOOKING_LINE, "reservation": "CANCELED", "session": "INVALID", "settlement": "OPEN"}
    house.answers["GET bookings"] = {"bookings": [{**off, "cost": fee}], "earlier": 0}
    assert "CANCELED, fee due  2.50 EUR" in person.types("bookings").out


def test_show_tells_the_story_and_the_address(person: Person, house: StubNode) -> None:
    access = {
        "address": "Teststr. 1",
        "place": {"latitude": 52.52, "longitude": 13.4, "map": "geo:52.520000,13.400000"},
        "way": "left",
        "code": "2580",
        "phone": "",
        "photos": [{**samples.PHOTO, "here": here} for here in (True, True, False)],
    }
    messages = [{"ours": False, "sent": samples.START, "text": "See you\x07", "delivery": None}]
    house.answers[f"GET {PATH}"] = {
        **samples.BOOKING_VIEW, "access": access, "meter": samples.METER, "messages": messages,
        "undelivered": True,
        "post": {**samples.POST, "state": "trying", "tries": 3, "next_try": samples.END},
        "faults": ["two records with one number"],
    }  # fmt: skip
    out = person.types("booking", "show", ID).out
    for part in (
        "you are the driver", "The host accepted.", "Next: Check in at the charger.", "address  Teststr. 1",
        "code     2580", "geo:52.520000,13.400000", "1.234 kWh · 10.9 kW", "2 of 3 signed by both",
        "they: See you", "two records with one number", "has not reached the other side", "586 of 1000",
        "photos   3, of which 1 still to come",
    ):  # fmt: skip
        assert part in out
    assert "\x07" not in out and "phone" not in out


@pytest.mark.parametrize("what", ["accept", "decline"])
def test_the_host_decides(person: Person, house: StubNode, what: str) -> None:
    said = person.types("--json", "booking", what, ID)
    assert said.code == 0 and said.value == samples.BOOKING_VIEW
    assert house.calls(f"POST {PATH}/{what}")[0].body == {}


def test_the_driver_takes_the_offer_that_was_shown(person: Person, house: StubNode) -> None:
    house.answers[f"GET {PATH}"] = {**samples.BOOKING_VIEW, "offer": samples.OFFER}
    said = person.types("booking", "accept", ID, answers="n\n")
    assert said.code == 1 and not house.calls(f"POST {PATH}/accept")
    for part in ("09:00 to 14:00", "about 9.00 EUR", "19.25 EUR", "My own car comes home."):
        assert part in " ".join(said.err.split())
    assert person.types("booking", "accept", ID).code == 2, "nobody to ask, and no --yes"
    assert person.types("booking", "accept", ID, "--yes").code == 0
    body = house.calls(f"POST {PATH}/accept")[-1].body
    require_fits("answer", body)
    assert body == {"offer": samples.OFFER["offer"]}
    assert person.types("booking", "decline", ID).code == 0


def test_cancelling_says_what_it_costs_and_asks(person: Person, house: StubNode) -> None:
    said = person.types("booking", "cancel", ID, answers="n\n")
    assert said.code == 1 and "costs you 5.78 EUR" in said.err and not house.calls(f"POST {PATH}/cancel")
    assert person.types("booking", "cancel", ID).code == 2  # nobody to ask, and no --yes
    assert person.types("booking", "cancel", ID, answers="y\n").code == 0
    body = house.calls(f"POST {PATH}/cancel")[-1].body
    require_fits("cancel", body)
    assert body == {"at_most_micro": 5_780_000}, "by the time it is signed it may cost more"
    assert "for safety costs you nothing" in person.types("booking", "cancel", ID, "--reason", "safety").err
    assert person.types("booking", "cancel", ID, "--yes", "--reason", "safety").code == 0
    body = house.calls(f"POST {PATH}/cancel")[-1].body
    require_fits("cancel", body)
    assert body == {"reason": "SAFETY"}


def test_messages_and_problems(person: Person, house: StubNode) -> None:
    assert person.types("booking", "message", ID, "I am late").code == 0
    body = house.calls(f"POST {PATH}/message")[-1].body
    require_fits("message", body)
    assert body == {"text": "I am late"}
    assert person.types("booking", "problem", ID, "blocked", "A van").code == 0
    body = house.calls(f"POST {PATH}/problem")[-1].body
    require_fits("problem", body)
    assert body == {"problem": "BLOCKED", "text": "A van"}


@pytest.mark.parametrize(
    ("kind", "view", "said"),
    [
        ("blocked", {"cancelling_costs": samples.money(0)}, "cancelling costs you nothing now"),
        ("other", {"cancelling_costs": samples.money(0)}, "the host is told"),
        ("blocked", {}, "the host is told"),
        ("other", {"cancelling_costs": None, "receipt": samples.RECEIPT}, "you dispute the receipt"),
        (
            "blocked",
            {"cancelling_costs": None, "receipt": samples.RECEIPT, "settlement": "PAID"},
            "the host is told",
        ),
    ],
)
def test_a_problem_says_what_follows_from_it(
    person: Person, house: StubNode, kind: str, view: dict[str, Any], said: str
) -> None:
    house.answers[f"POST {PATH}/problem"] = {**samples.BOOKING_VIEW, **view}
    assert f"Reported: {said}." in person.types("booking", "problem", ID, kind).out


def test_show_tells_a_host_without_a_wallbox_to_read_the_meter(person: Person, house: StubNode) -> None:
    house.answers[f"GET {PATH}"] = {**samples.BOOKING_VIEW, "role": "host", "to_read": "1d8c5ee8" * 4}
    assert "  chargemesh charger reading 1d8c5ee8 ENERGY" in person.types("booking", "show", ID).out


def test_show_names_the_commands_for_what_can_be_done(person: Person, node: StubNode) -> None:
    node.answers[f"GET bookings/{samples.BOOKING}"] = {
        **samples.BOOKING_VIEW, "actions": ["start", "cancel", "message", "some-new-action"],
    }  # fmt: skip
    lines = person.types("booking", "show", samples.BOOKING).out.splitlines()
    begin = lines.index("You can:")
    assert lines[begin + 1 : begin + 3] == [
        f"  chargemesh charge start b0b0b0b0 --home {person.home.root}",
        f"  chargemesh booking cancel b0b0b0b0 --home {person.home.root}",
    ]
    assert "some-new-action" not in lines[begin + 3]
    node.answers[f"GET bookings/{samples.BOOKING}"] = {**samples.BOOKING_VIEW, "actions": []}
    assert "You can" not in person.types("booking", "show", samples.BOOKING).out


@pytest.mark.parametrize("reservation", ["REJECTED", "FAILED"])
def test_what_never_came_about_is_not_called_after_its_session(reservation: str) -> None:
    one = {**samples.BOOKING_LINE, "reservation": reservation, "session": "INVALID", "settlement": "OPEN"}
    assert state_word(one) == reservation
