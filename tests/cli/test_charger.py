"""`charger`: the wizard, the flags, and what they send."""

from __future__ import annotations

from typing import Any

import pytest

from . import samples
from .contract import require_fits
from .person import Person
from .stub_node import Asked, Refusal, StubNode

ID = samples.CHARGER
PATH = f"chargers/{ID}"
FLAGS = ("--at", "52.52,13.405", "--address", "Teststr. 1", "--price", "0.35/kWh", "--zone", "Europe/Berlin")


@pytest.fixture
def host(node: StubNode) -> StubNode:
    """A node that takes a charger, and sees its wallbox at the third look."""
    node.answers |= {
        "POST chargers/preview": samples.PREVIEW,
        "POST chargers": samples.CHARGER_VIEW,
        "GET chargers": {"chargers": [samples.CHARGER_LINE]},
        f"GET {PATH}": samples.CHARGER_VIEW,
        f"PATCH {PATH}": lambda asked: {**samples.CHARGER_VIEW, "settings": _patched(asked)},
        f"GET {PATH}/wallbox": [
            samples.WALLBOX,
            samples.WALLBOX,
            {**samples.WALLBOX, "state": samples.CONNECTED},
        ],
        f"POST {PATH}/pause": samples.CHARGER_VIEW,
        f"POST {PATH}/resume": samples.CHARGER_VIEW,
        f"POST {PATH}/reading": samples.STATE,
        f"DELETE {PATH}": {"id": ID, "removed": True},
    }
    return node


def _patched(asked: Asked) -> Any:
    return {"wallbox": {"owner_tags": asked.body.get("wallbox", {}).get("owner_tags", [])}}


def sent(host: StubNode, key: str = "POST chargers") -> Any:
    return host.calls(key)[-1].body


def test_flags_alone_list_a_charger(person: Person, host: StubNode) -> None:
    said = person.types("--json", "charger", "add", "--yes", *FLAGS)
    assert said.code == 0, said
    body = sent(host)
    require_fits("charger", body)
    assert body["home"] == {"address": "Teststr. 1", "latitude": 52.52, "longitude": 13.405}
    assert body["tariff"] == {"currency": "EUR", "per_kwh": 350_000}
    assert body["hours"] == {"zone": "Europe/Berlin", "text": "always"}
    assert body["rules"]["instant"] is True and body["strangers"]["on_request"] is True
    assert body["connectors"] == [
        {"type": "IEC_62196_T2", "format": "SOCKET", "power_type": "AC_3_PHASE", "max_power_w": 11_000}
    ]
    assert body["terms"]["tiers"] == [{"minutes_before": 120, "percent": 50, "fixed": 0}]
    assert said.value["id"] == ID and said.value["pairing"]["password"] == samples.WALLBOX["password"]
    assert body == sent(host, "POST chargers/preview")


def test_every_flag_arrives(person: Person, host: StubNode) -> None:
    said = person.types(
        "charger", "add", "--yes", *FLAGS, "--title", "Garage", "--way", "Left", "--code", "1",
        "--phone", "2",
        "--resolution", "8", "--connector", "CCS", "--format", "cable", "--power", "50kW",
        "--currency", "CHF",
        "--per-hour", "1.20/h", "--flat", "0.50", "--min-price", "1", "--max-price", "20", "--tax", "19%",
        "--hours", "Mo-Fr 18:00-08:00", "--on-request", "--strangers", "instant", "--cancel-free", "1d",
        "--cancel-cost", "30%", "--no-show-cost", "80", "--no-show-after", "45m", "--host-failure", "20%",
        "--overstay", "3.00/h", "--address-lead", "4h", "--min-duration", "30m",
        "--max-duration", "8h",
        "--lead", "1h", "--min-trust", "25%", "--parking", "on_street", "--access-method", "ACCESS_CODE",
        "--amenity", "WIFI", "--language", "de", "--language", "en", "--owner-tag", "MINE",
        "--owner-tag", "HERS",
        "--no-plug-and-charge", "--payee-name", "Bob", "--iban", "DE89 3704 0044 0532 0130 00",
    )  # fmt: skip
    assert said.code == 0, said
    body = sent(host)
    require_fits("charger", body)
    assert body["tariff"] == {
        "currency": "CHF", "per_kwh": 350_000, "per_hour": 1_200_000, "flat": 500_000, "min_price": 1_000_000,
        "max_price": 20_000_000, "tax_bp": 1900,
    }  # fmt: skip
    assert body["rules"] == {
        "instant": False, "min_minutes": 30, "max_minutes": 480, "lead_minutes": 60, "min_trust": 250,
    }  # fmt: skip
    assert body["terms"] == {
        "no_show_percent": 80, "no_show_after": 45, "host_failure_percent": 20,
        "overstay_per_hour": 3_000_000,
        "tiers": [{"minutes_before": 1440, "percent": 30, "fixed": 0}],
    }  # fmt: skip
    assert body["hours"] == {"zone": "Europe/Berlin", "text": "mon-fri 18:00-08:00"}
    assert body["connectors"][0]["power_type"] == "DC" and body["connectors"][0]["format"] == "CABLE"
    assert body["strangers"] == {"on_request": False} and body["access_lead_minutes"] == 240
    assert body["wallbox"] == {"driver": "ocpp", "owner_tags": ["MINE", "HERS"], "plug_and_charge": False}
    assert body["about"]["languages"] == ["de", "en"] and body["about"]["parking"] == "ON_STREET"
    assert body["payee"] == {"name": "Bob", "account": "DE89370400440532013000"}


def test_the_wizard_asks_with_defaults_previews_and_waits_for_the_box(person: Person, host: StubNode) -> None:
    answers = [
        "Garage",  # name
        "Berlin", "52.52,13.405",  # where: the first can't be read, so it asks again
        "Teststr. 1",  # address
        "", "", "", "7.4kW", "",  # way, plug, format, power, currency
        "0.40/kWh",  # price
        "evenings", "mon-fri 18:00-08:00",  # hours
        "", "", "", "", "",  # strangers, cancel, wallbox, payee, iban
        "y",  # accept at once
        "y",  # list it like this
    ]  # fmt: skip
    said = person.types("charger", "add", answers="\n".join(answers) + "\n")
    assert said.code == 0, said
    body = sent(host)
    require_fits("charger", body)
    assert body["title"] == "Garage" and body["tariff"]["per_kwh"] == 400_000
    assert (
        body["connectors"][0]["power_type"] == "AC_1_PHASE" and body["hours"]["text"] == "mon-fri 18:00-08:00"
    )
    assert "payee" not in body and "way" not in body["home"]  # nothing said: the node's defaults
    assert "'Berlin' is not a place" in said.err and "evenings" in said.err
    assert "Strangers see a hexagon" in said.err and "0.35 EUR per kWh" in said.err
    assert said.err.index("Strangers see") < said.err.index("List it like this?")
    for part in ("url", "id", "password"):
        assert samples.WALLBOX[part] in said.out
    assert "The wallbox is connected (Available)" in said.out
    assert len(host.calls(f"GET {PATH}/wallbox")) == 3


def test_flags_answer_the_wizards_questions(person: Person, host: StubNode) -> None:
    flags = (
        "--title",
        "G",
        "--way",
        "-",
        "--connector",
        "type2",
        "--format",
        "socket",
        "--power",
        "11kW",
        "--iban",
        "-",
    )
    more = (
        "--currency",
        "EUR",
        "--hours",
        "always",
        "--strangers",
        "request",
        "--cancel-free",
        "0m",
        "--instant",
    )
    last = ("--wallbox", "manual", "--payee-name", "-")
    host.answers["POST chargers"] = {**samples.CHARGER_VIEW, "driver": "manual"}
    said = person.types("charger", "add", *FLAGS, *flags, *more, *last, answers="y\n")
    assert said.code == 0, said
    assert sent(host)["terms"]["tiers"] == [] and sent(host)["wallbox"]["driver"] == "manual"
    assert "both of you read the meter" in said.out
    assert f"chargemesh charger reading {samples.CHARGER_VIEW['id'][:8]} ENERGY" in " ".join(said.out.split())


def test_saying_no_lists_nothing(person: Person, host: StubNode) -> None:
    said = person.types("charger", "add", *FLAGS, answers="\n" * 12 + "y\nn\n")
    assert said.code == 1 and "Nothing was listed" in said.err and not host.calls("POST chargers")


def test_a_box_that_does_not_come_in_time(person: Person, host: StubNode) -> None:
    host.answers[f"GET {PATH}/wallbox"] = samples.WALLBOX
    said = person.types("charger", "pair", ID, "--wait", "1s")
    assert said.code == 7 and "has not connected yet" in said.err and samples.WALLBOX["url"] in said.out
    assert person.types("--json", "charger", "pair", ID).value == samples.WALLBOX


def test_list_and_show(person: Person, host: StubNode) -> None:
    said = person.types("charger", "list")
    assert "c0c0c0c0  yes     not connected  0         Garage" in said.out
    assert person.types("--json", "charger", "list").value == {"chargers": [samples.CHARGER_LINE]}
    assert "0.35 EUR per kWh" in person.types("charger", "show", ID).out
    host.answers["GET chargers"] = {"chargers": []}
    assert "charger add" in person.types("charger", "list").out


def test_edit_sends_only_what_changes(person: Person, host: StubNode) -> None:
    assert person.types("charger", "edit", ID, "--price", "0.45", "--on-request").code == 0
    assert sent(host, f"PATCH {PATH}") == {"tariff": {"per_kwh": 450_000}, "rules": {"instant": False}}
    person.types("charger", "edit", ID, "--power", "22kW")
    assert sent(host, f"PATCH {PATH}")["connectors"] == [
        {"type": "IEC_62196_T2", "format": "SOCKET", "power_type": "AC_3_PHASE", "max_power_w": 22_000}
    ]


def test_edit_keeps_what_it_does_not_name_of_a_cancellation(person: Person, host: StubNode) -> None:
    assert person.types("charger", "edit", ID, "--cancel-cost", "20%").code == 0
    tier = {"minutes_before": 120, "percent": 20, "fixed": 0}
    assert sent(host, f"PATCH {PATH}") == {"terms": {"tiers": [tier]}}
    person.types("charger", "edit", ID, "--cancel-free", "1d")
    assert sent(host, f"PATCH {PATH}")["terms"]["tiers"] == [{**tier, "minutes_before": 1440, "percent": 50}]
    settings = {**samples.SETTINGS, "terms": {**samples.SETTINGS["terms"], "tiers": []}}
    host.answers[f"GET {PATH}"] = {**samples.CHARGER_VIEW, "settings": settings}
    said = person.types("charger", "edit", ID, "--cancel-cost", "20%")
    assert said.code == 2 and "--cancel-free" in said.err


def test_a_rate_of_tax_may_have_a_fraction(person: Person, host: StubNode) -> None:
    person.types("charger", "edit", ID, "--tax", "8.1%")
    assert sent(host, f"PATCH {PATH}") == {"tariff": {"tax_bp": 810}}


def test_tags_are_added_and_removed(person: Person, host: StubNode) -> None:
    assert person.types("charger", "tag", ID).out == "MINE\n"
    said = person.types("--json", "charger", "tag", ID, "HERS", "--remove", "MINE")
    assert said.value["owner_tags"] == ["HERS"]
    assert sent(host, f"PATCH {PATH}") == {"wallbox": {"owner_tags": ["HERS"]}}


def test_pause_resume_reading_remove(person: Person, host: StubNode) -> None:
    assert "nobody finds it" in person.types("charger", "pause", ID).out
    assert "listed again" in person.types("charger", "resume", ID).out
    assert person.types("charger", "reading", ID, "1234.5kWh").code == 0
    require_fits("reading", sent(host, f"POST {PATH}/reading"))
    assert sent(host, f"POST {PATH}/reading") == {"register_wh": 1_234_500}
    assert person.types("charger", "remove", ID, answers="n\n").code == 1
    assert person.types("charger", "remove", ID, answers="y\n").code == 0
    assert len(host.calls(f"DELETE {PATH}")) == 1


def test_a_reading_is_asked_for_twice_before_it_is_signed(person: Person, host: StubNode) -> None:
    host.answers[f"GET {PATH}/wallbox"] = {
        **samples.WALLBOX,
        "state": {**samples.STATE, "register_wh": 100_000},
    }
    said = person.types("charger", "reading", ID, "102kWh", answers="n\n")
    assert "shows 102 kWh, 2 kWh more than last time?" in said.err and "taken back" in said.err
    assert said.code == 1 and not host.calls(f"POST {PATH}/reading")
    unlikely = Refusal(400, "unlikely-reading", "920 kWh in 6 min is more than this charger can give.", "", 2)
    host.answers[f"POST {PATH}/reading"] = [unlikely, samples.STATE]
    assert "920 kWh in 6 min" in person.types("charger", "reading", ID, "1020kWh", answers="y\ny\n").err
    assert sent(host, f"POST {PATH}/reading") == {"register_wh": 1_020_000, "sure": True}
    host.answers[f"POST {PATH}/reading"] = unlikely
    assert person.types("charger", "reading", ID, "1020kWh").code == 2, "nobody is there to look again"
    host.answers[f"POST {PATH}/reading"] = samples.STATE
    assert person.types("charger", "reading", ID, "1020kWh", "--sure").code == 0
    require_fits("reading", sent(host, f"POST {PATH}/reading"))


def test_what_the_node_says_against_it_is_told(person: Person, host: StubNode) -> None:
    host.answers["POST chargers/preview"] = Refusal(400, "bad-charger", "This charger can't be.", "", 2)
    said = person.types("charger", "add", "--yes", *FLAGS)
    assert said.code == 2 and said.err == "This charger can't be.\n" and not host.calls("POST chargers")


def test_show_speaks_in_sentences_and_peoples_units(person: Person, host: StubNode) -> None:
    told = person.types("charger", "show", ID).out
    plain = " ".join(told.split())
    for part in (
        "Garage (c0c0c0c0)",
        "Strangers see a hexagon about 2.8 km across, around 52.526, 13.409",
        "The wallbox is not connected",
        f"`chargemesh charger pair c0c0c0c0 --home {person.home.root}`",
        "plug 11 kW Type 2 (socket)",
        "price 0.35 EUR per kWh, 0.50 EUR a session, at most 20.00 EUR, 19 % tax included",
        "hours mon-fri 18:00-08:00 (Europe/Berlin)",
        "bookings of 15 min to 1 d",
        "address sent 2 h before the start",
        "Not coming within 30 min of the start costs 80 % of the highest price",
        "way Left of the gate",
        "paid to by hand",
    ):
        assert part in plain, part
    for raw in ("350000", "max_power", "tax_bp", "None", "{", "IEC_"):
        assert raw not in told
    assert person.types("--json", "charger", "show", ID).value == samples.CHARGER_VIEW
    host.answers[f"GET {PATH}"] = {
        **samples.CHARGER_VIEW, "wallbox": {**samples.CONNECTED, "register_wh": 1_235_670},
        "listing": {"sequence": 3, "issued": samples.START, "expires": samples.END},
    }  # fmt: skip
    plain = " ".join(person.types("charger", "show", ID).out.split())
    assert "The wallbox is connected: free, no car is plugged in, its meter shows 1235.67 kWh." in plain
    assert "Listed: drivers can find it. The listing is good until 2027-01-15 12:00 (Europe/Berlin)" in plain


def test_a_restored_node_says_why_nothing_is_listed(person: Person, host: StubNode) -> None:
    host.answers["GET chargers"] = {"chargers": [{**samples.CHARGER_LINE, "listed": False}]}
    host.answers["GET status"] = {**samples.STATUS, "read_only": True}
    said = person.types("charger", "list")
    assert said.code == 0 and "c0c0c0c0  no " in said.out
    assert "restored from a backup" in said.err and "chargemesh join LINK" in said.err
    host.answers["GET status"] = samples.STATUS
    assert person.types("charger", "list").err == ""
