"""`charger add`, `edit` and `show`: the calendar in words, there and back."""

from __future__ import annotations

import os
from typing import Any

import pytest

from . import samples
from .contract import require_fits
from .person import Person
from .stub_node import StubNode
from .test_charger import FLAGS, ID, PATH, host, sent

__all__ = ["host"]  # the fixture


def test_everything_that_can_be_said_when_a_charger_is_listed(person: Person, host: StubNode) -> None:
    calendar = (
        *("--closed", "2026-12-24..2026-12-26", "--closed", "2027-01-01"),
        *("--hours-on", "2026-12-31 10:00-14:00, 16:00-18:00", "--open-on", "2026-12-25 10:00-14:00"),
        *("--quiet", "22:00-07:00", "--buffer", "15m", "--horizon", "60d"),
        *("--power-by", "17:00-21:00 3.7kW", "--price-by", "mon-fri 17:00-21:00 0.45 EUR/kWh"),
        *("--busy-from", "https://calendar.example.org/mine.ics"),
    )
    said = person.types("charger", "add", "--yes", "--no-wait", *FLAGS, *calendar)
    assert said.code == 0, said
    body = sent(host)
    require_fits("charger", body)
    assert body["calendar"] == {
        "closed": ["2026-12-24..2026-12-26", "2027-01-01"],
        "hours_on": ["2026-12-31 10:00-14:00, 16:00-18:00"],
        "open_on": ["2026-12-25 10:00-14:00"],
        "quiet": ["22:00-07:00"],
        "power_by": ["17:00-21:00 3.7kW"],
        "buffer_minutes": 15,
        "horizon_minutes": 60 * 1440,
    }
    assert body["tariff"]["by_period"] == [{"when": "mon-fri 17:00-21:00", "per_kwh": 450_000}]
    assert body["busy_from"] == "https://calendar.example.org/mine.ics"


def test_dates_add_to_what_was_said_before_and_can_be_taken_back(person: Person, host: StubNode) -> None:
    edit = ("charger", "edit", ID)
    person.types(*edit, "--closed", "2027-05-01", "--open-on", "2027-05-01 8:00-9:00")
    assert sent(host, f"PATCH {PATH}")["calendar"] == {
        "closed": ["2026-12-24..2026-12-26", "2027-05-01"],
        "hours_on": [],
        "open_on": ["2027-05-01 8:00-9:00"],
    }
    person.types(*edit, "--as-usual", "2026-12-25", "--hours-on", "2026-12-25 10:00-12:00")
    assert sent(host, f"PATCH {PATH}")["calendar"] == {
        "closed": ["2026-12-24", "2026-12-26"],
        "hours_on": ["2026-12-25 10:00-12:00"],
        "open_on": [],
    }
    person.types(*edit, "--quiet", "none", "--power-by", "none", "--price-by", "none", "--busy-from", "none")
    assert sent(host, f"PATCH {PATH}") == {
        "calendar": {"quiet": [], "power_by": []},
        "tariff": {"by_period": []},
        "busy_from": "",
    }


def test_a_file_is_named_by_its_whole_path(person: Person, host: StubNode) -> None:
    person.types("charger", "edit", ID, "--busy-from", "mine.ics")
    assert sent(host, f"PATCH {PATH}") == {"busy_from": os.path.abspath("mine.ics")}


def test_show_reads_the_rules_back(person: Person, host: StubNode) -> None:
    by_period = [{"when": "17:00-21:00", "per_kwh": 450_000}]
    settings = {**samples.SETTINGS, "tariff": {**samples.SETTINGS["tariff"], "by_period": by_period}}
    host.answers[f"GET {PATH}"] = {**samples.CHARGER_VIEW, "settings": settings}
    shown = person.types("charger", "show", ID).out
    for text in (
        "2026-12-24..2026-12-26",
        "no booking begins or ends 22:00-07:00",
        "15 min between two bookings",
        "at most 14 d",
        "0.45 EUR per kWh 17:00-21:00",
    ):
        assert text in shown, shown


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (("--closed", "christmas"), "--closed"),
        (("--hours-on", "2026-12-25"), "--hours-on"),
        (("--open-on", "10:00-12:00"), "--open-on"),
        (("--quiet", "at night"), None),
        (("--power-by", "17:00-21:00"), "--power-by"),
        (("--price-by", "0.45"), "--price-by"),
        (("--buffer", "2d"), "--buffer"),
        (("--horizon", "9999d"), "--horizon"),
    ],
)
def test_a_mistake_names_its_flag(person: Person, host: StubNode, flags: Any, named: str | None) -> None:
    said = person.types("charger", "edit", ID, *flags)
    assert said.code == 2 and not host.calls(f"PATCH {PATH}")
    assert (named or "--quiet") in said.err, said.err
