"""Commands that a text tells a person to type speak of the same home as the call, everywhere."""

from __future__ import annotations

import pytest

from chargemesh_cli.hints import with_home
from chargemesh_cli.main import main
from chargemesh_node.home import Home

from . import samples
from .person import Person
from .stub_node import Refusal, StubNode

LONELY = {
    "name": "peers",
    "ok": False,
    "text": "Connected to no peer.",
    "hint": "Ask somebody for an invitation and run `chargemesh join LINK`.",
}


def test_commands_name_the_home_and_nothing_else_changes() -> None:
    assert with_home("Run `chargemesh run` now.", "/a b") == "Run `chargemesh run --home '/a b'` now."
    for kept in (
        "`chargemesh --home NEW restore F`",
        "`chargemesh run\n--home X`",
        "See `chargemesh x --help`.",
    ):
        assert with_home(kept, "/a") == kept
    assert with_home("`chargemesh charger\npair 1`", "/a") == "`chargemesh charger\npair 1 --home /a`"
    assert with_home("`chargemesh run`", "") == "`chargemesh run`"


def test_it_holds_for_results_notes_paragraphs_and_errors(
    person: Person, node: StubNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    home = f"--home {person.home.root}`"
    node.answers |= {
        "GET chargers": {"chargers": []},
        "GET doctor": {"healthy": False, "checks": [LONELY]},
        "GET bookings": {"bookings": [samples.BOOKING_LINE], "earlier": 3},
        "POST bookings/abcdef/stop": {"session": "ACTIVE"},
        "GET peers": Refusal(404, "x", "No.", "Try `chargemesh id`.", 3),
    }
    assert f"`chargemesh charger add {home}" in person.types("charger", "list").out
    assert f"`chargemesh bookings --before b0b0b0b0 {home}" in person.types("bookings").out
    assert f"`chargemesh receipt abcdef {home}" in person.types("charge", "stop", "abcdef").out
    assert f"`chargemesh id {home}" in person.types("peers").err
    assert f"`chargemesh join LINK {home}" in person.types("doctor").out


def test_without_the_flag_the_bare_command_does(
    home: Home, node: StubNode, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHARGEMESH_HOME", str(home.root))
    node.answers["GET chargers"] = {"chargers": []}
    assert main(["charger", "list"], interactive=False) == 0
    assert "`chargemesh charger add`" in capsys.readouterr().out


def test_json_says_what_the_node_said(person: Person, node: StubNode) -> None:
    node.answers["GET doctor"] = samples.DOCTOR
    assert person.types("--json", "doctor").value == samples.DOCTOR
