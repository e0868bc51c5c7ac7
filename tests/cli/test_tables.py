"""Tables and sentences on narrow terminals, in pipes, and where the terminal knows no UTF-8."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

from chargemesh_cli.render import display_width
from chargemesh_cli.signs import qr
from chargemesh_cli.tables import Table, pairs, table
from chargemesh_node.home import Home

from . import samples
from .person import Person
from .stub_node import Lines, StubNode

ROWS = [("1", "11 kW Type 2", "a title of some length that says a lot about the place")]


def test_in_a_pipe_each_row_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert table(("#", "power", "title"), ROWS).splitlines() == [
        "#  power         title",
        "1  11 kW Type 2  a title of some length that says a lot about the place",
    ]


def test_a_long_last_cell_is_wrapped_under_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    assert table(("#", "power", "title"), ROWS).splitlines() == [
        "#  power         title",
        "1  11 kW Type 2  a title of some length that says",
        "                 a lot about the place",
    ]


def test_a_row_that_cannot_fit_names_its_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    assert table(("#", "power", "title"), ROWS).splitlines() == [
        "1  a title of some length that",
        "    says a lot about the place",
        "    power 11 kW Type 2",
    ]
    streamed = Table((("#", 2), ("power", 12), ("title", 0)))
    assert streamed.head() == "" and streamed.row(ROWS[0]).startswith("1  a title")


def test_pairs_wrap_their_second_half(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert pairs([("hours", "always"), ("terms", "Cancelling is free until the start.")]).splitlines() == [
        "hours  always",
        "terms  Cancelling is free until the",
        "       start.",
    ]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(
    person: Person, node: StubNode, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    found = {**samples.LISTING_VIEW, "title": "Garage behind the house with the green door"}
    node.answers |= {
        "GET find": Lines((found, samples.SEARCH_END)),
        "GET bookings": {"bookings": [samples.BOOKING_LINE], "earlier": 0},
        f"GET bookings/{samples.BOOKING}": samples.BOOKING_VIEW,
        "GET chargers": {"chargers": [samples.CHARGER_LINE]},
        "GET doctor": samples.DOCTOR,
        "GET status": samples.STATUS,
        f"GET chargers/{samples.CHARGER}": samples.CHARGER_VIEW,
    }
    for words in (
        ("find", "--near", "52.52,13.4"),
        ("bookings",),
        ("booking", "show", samples.BOOKING),
        ("charger", "list"),
        ("config", "get"),
        ("doctor",),
        ("status",),
        ("charger", "show", samples.CHARGER),
    ):
        said = person.types(*words)
        assert "Traceback" not in said.err
        # A command is not broken, so that it can be copied; what --home names may be long.
        lines = [one for one in said.out.splitlines() if not one.strip("` ").startswith("chargemesh")]
        too_wide = [one for one in lines if display_width(one) > columns]
        assert not too_wide, words
    assert "green door" in person.types("find", "--near", "52.52,13.4").out


@pytest.mark.parametrize(
    "words", [("config", "get"), ("charger", "--help"), ("doctor",), ("booking", "show", "…")]
)
def test_a_terminal_without_utf_8_gets_other_signs_and_no_traceback(
    home: Home, words: tuple[str, ...]
) -> None:
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "chargemesh_cli", "--home", str(home.root), *words],
        capture_output=True,
        timeout=60,
        env=environment,
    )
    assert b"Traceback" not in done.stderr and b"inside chargemesh" not in done.stderr
    (done.stdout + done.stderr).decode("ascii")
    if "…" in words:
        assert done.returncode == 2 and b"LC_ALL=C.UTF-8" in done.stderr


def test_a_qr_code_that_cannot_be_shown_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert qr("▀▄") == "▀▄"
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert "UTF-8" in qr("▀▄")
