"""`charge`, `pay`, `receipt`, `review`, `trust`: the charge, the money, the word about it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from . import samples
from .contract import require_fits
from .person import Person
from .stub_node import Events, Refusal, StubNode

ID = samples.BOOKING[:8]
PATH = f"bookings/{ID}"
WHOLE = f"bookings/{samples.BOOKING}"


def charging(energy_wh: int, session: str = "ACTIVE") -> dict[str, Any]:
    meter = {**samples.METER, "energy_wh": energy_wh}
    receipt = samples.RECEIPT if session == "COMPLETED" else None
    told = {"session": session, "energy_wh": energy_wh, "meter": meter, "receipt": receipt}
    return {**samples.BOOKING_VIEW, **told}


@pytest.fixture
def plug(node: StubNode, monkeypatch: pytest.MonkeyPatch) -> StubNode:
    monkeypatch.setattr("chargemesh_cli.following.RECONNECT_AFTER_S", (0.01, 0.01))
    changed = {"event": "booking.changed", "booking": samples.BOOKING}
    node.answers |= {
        "GET events": Events((changed, None, changed, changed)),
        f"GET {PATH}": samples.BOOKING_VIEW,
        f"GET {WHOLE}": [
            samples.BOOKING_VIEW,
            charging(1000),
            charging(1000),
            charging(2000),
            charging(2500, "COMPLETED"),
        ],
        **{
            f"POST {PATH}/{what}": samples.BOOKING_VIEW
            for what in ("start", "stop", "claim", "confirm", "review", "reading", "agree")
        },
        f"GET {PATH}/receipt": samples.RECEIPT,
        f"GET {PATH}/payment": samples.PAYMENT,
        f"GET {PATH}/payment.png": b"\x89PNG",
        f"GET {PATH}/payment.svg": b"<svg/>",
        f"GET {PATH}/records": {"records": []},
        f"GET trust/{ID}": samples.TRUST,
    }
    return node


def test_start_signs_for_what_was_said(person: Person, plug: StubNode) -> None:
    assert "Checked in" in person.types("charge", "start", ID).out
    assert plug.calls(f"POST {PATH}/start")[-1].body == {}
    assert person.types("charge", "start", ID, "--energy", "10kWh", "--max-cost", "5 EUR").code == 0
    body = plug.calls(f"POST {PATH}/start")[-1].body
    require_fits("start", body)
    assert body == {"energy_wh": 10_000, "cost_micro": 5_000_000}
    assert "before it began" in person.types("charge", "stop", ID).out
    plug.answers[f"POST {PATH}/stop"] = charging(1000)
    assert person.types("charge", "stop", ID).out.startswith("Stopping.")


def test_watch_ends_with_the_receipt(person: Person, plug: StubNode) -> None:
    said = person.types("charge", "watch", ID)
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == "RESERVED: no reading yet"
    assert lines[1].startswith("CHARGING: 1 kWh · 10.9 kW · 0.43 EUR") and "2 of 3 signed by both" in lines[1]
    assert [line.split(":")[0] for line in lines[1:4]] == ["CHARGING", "CHARGING", "COMPLETED"]
    assert lines[-1].endswith("5.78 EUR.")


def test_with_json_watch_prints_an_object_a_change(person: Person, plug: StubNode) -> None:
    values = person.types("--json", "charge", "watch", ID).values
    assert [one["energy_wh"] for one in values] == [0, 1000, 2000, 2500]
    assert values[-1]["session"] == "COMPLETED" and values[1]["meter"]["countersigned"] == 2


def test_watch_asks_when_something_happened_and_not_otherwise(person: Person, plug: StubNode) -> None:
    person.types("charge", "watch", ID)
    assert [one.query for one in plug.calls("GET events")] == [{"booking": samples.BOOKING}]
    assert len(plug.calls(f"GET {WHOLE}")) == 5, "at the start, with three events, and with a sign of life"


def test_a_lost_stream_is_opened_again_and_the_watching_goes_on(person: Person, plug: StubNode) -> None:
    plug.answers["GET events"] = Events(())
    said = person.types("charge", "watch", ID)
    assert said.code == 0 and "COMPLETED" in said.out, "each time that it was back, it was given time anew"
    assert len(plug.calls("GET events")) == 5


def test_a_node_that_stays_away_is_told_after_some_tries(person: Person, plug: StubNode) -> None:
    gone = Refusal(503, "node-gone", "The node stopped.", "Start it.", 4)
    plug.answers["GET events"] = [Events(()), gone]
    said = person.types("charge", "watch", ID)
    assert said.code == 4 and "The node stopped." in said.err and "RESERVED" in said.out
    assert len(plug.calls("GET events")) == 1 + 2
    plug.answers["GET events"] = Refusal(429, "too-many-streams", "16 programs follow this node already.")
    said = person.types("charge", "watch", ID)
    assert said.code == 1 and "follow this node already" in said.err
    assert len(plug.calls("GET events")) == 1 + 2 + 1, "what the node refuses is not asked for again"


def test_a_booking_that_is_over_is_watched_once(person: Person, plug: StubNode) -> None:
    plug.answers[f"GET {WHOLE}"] = {**samples.BOOKING_VIEW, "reservation": "CANCELED", "finished": True}
    assert person.types("charge", "watch", ID).code == 0
    assert len(plug.calls(f"GET {WHOLE}")) == 1


def test_a_reading_is_shown_and_confirmed(person: Person, plug: StubNode) -> None:
    plug.answers[f"GET {PATH}"] = {**samples.BOOKING_VIEW, "reading": samples.READING}
    said = person.types("charge", "confirm", ID, answers="n\n")
    assert said.code == 1 and "Do you read the same" in said.err and not plug.calls(f"POST {PATH}/reading")
    assert "the host read 102 kWh: 2 kWh for 0.70 EUR since 100 kWh, where it began." in " ".join(
        said.out.split()
    )
    assert person.types("charge", "confirm", ID).code == 2, "nobody is there to be asked"
    assert person.types("charge", "confirm", ID, "--yes").code == 0
    assert plug.calls(f"POST {PATH}/reading")[-1].body == {"ticket": samples.READING["ticket"]}
    for typed in ("102.0", "102kWh", "102,0 kWh"):
        assert person.types("charge", "confirm", ID, "--reading", typed).code == 0
        body = plug.calls(f"POST {PATH}/reading")[-1].body
        require_fits("confirm reading", body)
        assert body["register_wh"] == 102_000
    plug.answers[f"GET {PATH}"] = samples.BOOKING_VIEW
    assert "No reading" in person.types("charge", "confirm", ID).err


def test_a_receipt_is_agreed_to_by_who_has_seen_what_differs(person: Person, plug: StubNode) -> None:
    against = ["cap: 3.00 EUR billed, at most 2.00 EUR by the quote"]
    receipt = {**samples.RECEIPT, "differences": against}
    plug.answers[f"GET {PATH}/receipt"] = receipt
    plug.answers[f"POST {PATH}/agree"] = {**samples.BOOKING_VIEW, "receipt": receipt}
    said = person.types("receipt", ID, "--agree", answers="n\n")
    assert said.code == 1 and against[0] in said.out and "Agree with 2.59 EUR?" in said.err
    assert person.types("receipt", ID, "--agree").code == 2 and not plug.calls(f"POST {PATH}/agree")
    assert "on its way to the host" in person.types("receipt", ID, "--agree", "--yes").out
    signed = {**receipt, "signed_by_driver": samples.END}
    plug.answers[f"POST {PATH}/agree"] = {**samples.BOOKING_VIEW, "receipt": signed}
    said = person.types("--json", "receipt", ID, "--agree", "--yes")
    assert said.value["signed_by_driver"] == samples.END, "as it is now, not as it was"
    assert "on its way to the host" in person.types("receipt", ID, "--agree", "--yes").out
    body = plug.calls(f"POST {PATH}/agree")[-1].body
    require_fits("agree", body)
    assert body == {"receipt": samples.RECEIPT["receipt"]}


def test_pay_shows_the_code_asks_and_tells_the_host(person: Person, plug: StubNode) -> None:
    said = person.types("pay", ID, answers="y\n")
    assert "Transfer 2.59 EUR to Bob." in said.out and "▀▄▀" in said.out
    body = plug.calls(f"POST {PATH}/claim")[-1].body
    require_fits("claim", body)
    assert body == {"rail": "sepa-qr", "reference": samples.PAYMENT["reference"]}


def test_pay_claims_nothing_that_was_not_said(person: Person, plug: StubNode) -> None:
    assert person.types("pay", ID).code == 0
    assert person.types("pay", ID, answers="n\n").code == 0
    assert not plug.calls(f"POST {PATH}/claim")
    assert person.types("--json", "pay", "--paid", ID).value == samples.PAYMENT
    assert len(plug.calls(f"POST {PATH}/claim")) == 1
    plug.answers[f"GET {PATH}/payment"] = {**samples.PAYMENT, "settlement": "CLAIMED"}
    assert "knows of your payment already" in person.types("pay", ID, "--paid").out
    assert len(plug.calls(f"POST {PATH}/claim")) == 1


def test_pay_writes_pictures(person: Person, plug: StubNode, tmp_path: Path) -> None:
    png, svg = tmp_path / "q.png", tmp_path / "q.svg"
    said = person.types("pay", "--png", str(png), "--svg", str(svg), ID)
    assert said.code == 0 and png.read_bytes() == b"\x89PNG" and svg.read_bytes() == b"<svg/>"
    assert "▀▄▀" not in said.out
    assert person.types("pay", ID, "--png", str(tmp_path / "none" / "q.png")).code == 1


def test_pay_confirm_is_the_hosts_word(person: Person, plug: StubNode) -> None:
    plug.answers[f"GET {PATH}"] = {**samples.BOOKING_VIEW, "receipt": samples.RECEIPT}
    said = person.types("pay", "confirm", ID, answers="n\n")
    assert (
        said.code == 1
        and "Have you received 2.59 EUR?" in said.err
        and not plug.calls(f"POST {PATH}/confirm")
    )
    assert person.types("pay", "confirm", ID, "--yes").code == 0
    assert person.types("pay", "confirm", ID).code == 0  # naming it is enough where nobody can be asked


def test_the_receipt_names_lines_signatures_and_differences(
    person: Person, plug: StubNode, tmp_path: Path
) -> None:
    plug.answers[f"GET {PATH}/receipt"] = {
        **samples.RECEIPT,
        "differences": ["total: 3 on the receipt, 2 computed"],
    }
    file = tmp_path / "records.json"
    out = person.types("receipt", ID, "--records", str(file)).out
    assert "2027-01-15 09:00 to 12:00" in out and "Total: 2.59 EUR" in out
    assert "by the driver not yet" in out and "not agree by itself: total" in out
    assert f"receipt {ID} --agree" in out
    assert "to be paid to Bob" in out
    assert json.loads(file.read_text()) == {"records": []}
    plug.answers[f"GET {PATH}/receipt"] = Refusal(404, "no-receipt", "There is no receipt yet.", "", 3)
    assert person.types("receipt", ID).code == 3


def test_a_review_is_signed(person: Person, plug: StubNode) -> None:
    assert person.types("review", ID, "--stars", "5", "--text", "Easy").code == 0
    assert plug.calls(f"POST {PATH}/review")[-1].body == {"stars": 5, "text": "Easy"}
    assert person.types("review", ID, answers="six\n4\n-\n").code == 0
    body = plug.calls(f"POST {PATH}/review")[-1].body
    require_fits("review", body)
    assert body == {"stars": 4, "text": ""}


def test_trust_explains_itself(person: Person, plug: StubNode) -> None:
    out = " ".join(person.types("trust", "show", ID).out.split())
    assert (
        "586 of 1000" in out
        and "50 reviews count nothing" in out
        and "2027-01, eeeeeeee, 5 of 5 stars: Easy" in out
    )
    assert person.types("--json", "trust", "show", ID).value == samples.TRUST
