"""People's mistakes: a sentence that says what to do, the right exit code, JSON where asked, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from chargemesh_cli import failures
from chargemesh_cli.failures import as_person_error
from chargemesh_cli.main import main
from chargemesh_cli.prompts import read_words
from chargemesh_node.home import Home
from chargemesh_protocol.errors import ChargemeshError, PersonError, Refused

from .person import Person
from .stub_node import Refusal, StubNode

NEAR = ("find", "--near", "52.52,13.40")
USAGE: list[tuple[tuple[str, ...], str]] = [
    (("fnd",), "Did you mean 'find'"),
    (("find",), "--near"),
    (("find", "--near", "Berlin"), "is not a place"),
    (("find", "--near", "95,13"), "beyond 90"),
    (("find", "--near", "9G8F+6X"), "shortened Plus Code"),
    ((*NEAR, "--radius", "2"), "2km or 500m"),
    ((*NEAR, "--connector", "Type9"), "Usual ones: type2"),
    ((*NEAR, "--min-power", "much"), "7kW"),
    ((*NEAR, "--max-price", "cheap"), "not an amount"),
    ((*NEAR, "--max-price", "0.40/h"), "per kWh"),
    ((*NEAR, "--currency", "ERU"), "no currency"),
    ((*NEAR, "--from", "18:00"), "--for"),
    ((*NEAR, "--from", "18:00", "--for", "3h", "--to", "20:00"), "both name the end"),
    ((*NEAR, "--from", "2027-03-01T18:00", "--to", "2027-03-01T17:00"), "end must be after the start"),
    ((*NEAR, "--from", "noon", "--for", "3h"), "is not a time"),
    ((*NEAR, "--from", "18:00", "--for", "3 hours and", "--zone", "UTC"), "not a duration"),
    ((*NEAR, "--for", "3h", "--zone", "Mars/Base"), "no time zone"),
    ((*NEAR, "--limit", "0"), "--limit"),
    ((*NEAR, "--min-trust", "200%"), "from 0 to 100"),
    (("quote", "abcdef12"), "--from"),
    (("book", "abcdef12", "--from", "now", "--for", "1h"), "--yes"),
    (("charger", "add", "--yes"), "--at, --address, --price"),
    (("charger", "add", "--yes", "--price", "0.35/h"), "--price: '0.35/h' is a price per h"),
    (
        ("charger", "add", "--price", "0.35 XYZ/kWh"),
        "--price: There is no currency 'XYZ'. Write its ISO 4217",
    ),
    (("charger", "add", "--price", "0.35 CHF/kWh"), "--currency CHF"),
    (("charger", "add", "--price", "35ct"), "not in whole EUR"),
    (("charger", "add", "--price", "-1"), "below zero"),
    (("charger", "add", "--price", "99999999999"), "more than 1,000,000 EUR"),
    (("charger", "add", "--hours", "evenings"), "--hours: 'evenings'"),
    (("charger", "add", "--hours", "mon-fri"), "Name the times as well"),
    (("charger", "add", "--hours", "18:00-08:00"), "mon-sun 18:00-08:00"),
    (("charger", "add", "--connector", "schucko"), "Did you mean schuko?"),
    (("charger", "add", "--power", "11"), "with its unit"),
    (("charger", "add", "--power", "11W"), "1 kW to 1 MW"),
    (("charger", "add", "--power", "2000kW"), "1 kW to 1 MW"),
    (("charger", "add", "--cancel-free", "90d"), "from 0 min to 14 d"),
    (("charger", "add", "--min-duration", "5m"), "from 15 min to 14 d"),
    (("charger", "add", "--tax", "much"), "19% or 8.1%"),
    (("charger", "add", "--title", "x" * 81), "81 characters, and can have 80"),
    (("charger", "add", "--title", ""), "can't be empty"),
    (("charger", "add", "--owner-tag", "x" * 21), "1 to 20 characters"),
    (("quote", "abcdef12", "--from", "now", "--for", "1h", "--energy", "5000kWh"), "at most 1000 kWh"),
    (("booking", "message", "abcdef", ""), "can't be empty"),
    (("booking", "message", "abcdef", "x" * 2001), "can have 2000"),
    (("config", "set", "find.places", '["home=Berlin"]'), "is not a place"),
    (("charger", "add", "--at", "52,47 13,40"), "Write 52.47,13.40"),
    (("charger", "add", "--currency", "XXY"), "--currency: There is no currency"),
    (("charger", "add", "--resolution", "12"), "from 4 to 8"),
    (("charger", "add", "--iban", "DE00"), "--iban"),
    (("charger", "add", "--wallbox", "tesla"), "ocpp, manual"),
    (("charger", "edit", "abcdef"), "--price 0.40"),
    (("charger", "remove", "abcdef"), "--yes"),
    (("booking", "cancel", "abcdef", "--reason", "BORED"), "no reason"),
    (("booking", "problem", "abcdef", "RAIN"), "BLOCKED"),
    (("review", "abcdef", "--stars", "6"), "from 1 to 5"),
    (("review", "abcdef"), "--stars"),
    (("charge", "start", "abcdef", "--energy", "lots"), "20kWh"),
    (("join", "https://example.org"), "not a chargemesh invitation"),
    (("config", "set", "wallbox.prt", "1"), "Did you mean wallbox.port"),
    (("config", "set", "wallbox.port", "many"), "whole number"),
    (("config", "get", "colour"), "There is no setting"),
    (("run", "--listen", "here"), "network.listen"),
    (("run", "--api", "8080"), "--api"),
    (("restore",), "FILE"),
    (("backup", "/tmp/x"), "--passphrase-file"),
    (("logs", "--lines", "none"), "--lines"),
]


@pytest.mark.parametrize(
    ("words", "says"), USAGE, ids=lambda one: " ".join(one) if isinstance(one, tuple) else ""
)
def test_a_mistake_is_told_in_a_sentence(
    person: Person, node: StubNode, words: tuple[str, ...], says: str
) -> None:
    said = person.types(*words)
    assert said.code == 2, said
    assert says in said.err and said.err.count("\n") == 1 and "Traceback" not in said.err
    assert said.out == ""
    # Nothing was done: the node was asked at most whether it is there, or for what exists.
    assert all(one.method == "GET" for one in node.asked)


def test_with_json_an_error_is_an_object_on_stdout(person: Person) -> None:
    said = person.types("--json", "find", "--near", "Berlin")
    assert said.code == 2 and set(said.value["error"]) == {"code", "message", "hint"}
    assert said.value["error"]["code"] == "bad-place" and "LAT,LON" in said.value["error"]["hint"]
    assert "is not a place" in said.err
    assert person.types("find", "--near", "Berlin", "--json").value == said.value


@pytest.mark.parametrize(
    "words",
    [("status",), ("find", "--near", "1,1"), ("bookings",), ("stop",), ("charger", "list"), ("peers",)],
)
def test_without_a_node_it_ends_with_4(person: Person, words: tuple[str, ...]) -> None:
    said = person.types(*words)
    assert said.code == 4 and "chargemesh run" in said.err
    assert person.types("--no-start", *words, answers="").code == 4  # also at a terminal
    assert person.types(*words, "--no-start", answers="").code == 4


def test_without_a_home_it_ends_with_3(empty: Home) -> None:
    for words in (("status",), ("run",), ("backup", "x"), ("logs",), ("config", "set", "api.port", "1")):
        said = Person(empty).types(*words, answers="")
        assert said.code == 3 and "chargemesh init" in said.err
    assert not empty.root.exists()


def test_loose_permissions_are_refused_before_anything_else(person: Person, home: Home) -> None:
    home.root.chmod(0o755)
    for words in (("status",), ("run",)):
        said = person.types(*words)
        assert said.code == 5 and "chmod 700" in said.err


@pytest.mark.parametrize("exit_code", [1, 2, 3, 5, 6, 7])
def test_what_the_node_refuses_keeps_its_words_and_exit_code(
    person: Person, node: StubNode, exit_code: int
) -> None:
    node.answers["GET bookings/abcdef"] = Refusal(409, "some-code", "It is so.", "Do that.", exit_code)
    said = person.types("--json", "booking", "show", "abcdef")
    assert said.code == exit_code
    assert said.value == {"error": {"code": "some-code", "message": "It is so.", "hint": "Do that."}}
    assert said.err == "It is so. Do that.\n"


def test_an_answer_that_is_not_the_apis_is_told(person: Person, node: StubNode) -> None:
    node.answers["GET peers"] = b"<html>"
    assert "not a chargemesh node" in person.types("peers").err
    node.answers["GET id"] = b""
    node.answers["GET peers"] = Refusal(418, "teapot", exit_code=99)
    assert person.types("peers").code == 1


def test_an_id_cannot_leave_its_place_in_the_path(person: Person, node: StubNode) -> None:
    person.types("booking", "show", "../status?x=1")
    assert node.asked[-1].path == "bookings/..%2Fstatus%3Fx%3D1"
    assert person.types("booking", "show", "..").code == 3


def test_a_bug_of_ours_is_one_line_and_a_log(person: Person, node: StubNode, home: Home) -> None:
    node.answers["GET peers"] = {"nothing": "expected"}
    said = person.types("peers")
    log = home.logs / "cli.log"
    assert said.code == 1 and said.err.count("\n") == 1 and str(log) in said.err
    assert "KeyError" in log.read_text() and log.stat().st_mode & 0o777 == 0o600


def test_ctrl_c_says_that_it_stopped(
    person: Person, node: StubNode, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failures.report(KeyboardInterrupt(), as_json=False, home_flag="") == 1
    assert capsys.readouterr().err == "Stopped. Run it again to go on.\n"


def test_a_reader_that_goes_away_is_no_error_of_ours(home: Home) -> None:
    script = f"{sys.executable} -m chargemesh_cli --home {home.root} config get | head -c 1"
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, timeout=30, env=dict(os.environ)
    )
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr


def test_colour_is_never_forced(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"], interactive=False)
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "error",
    [
        click.FileError("x", "gone"),
        click.ClickException("no"),
        click.UsageError("no"),
        click.Abort(),
        KeyboardInterrupt(),
        Refused("encoding", "not CBOR"),
        ChargemeshError("no"),
    ],
)
def test_every_error_says_what_to_do(error: BaseException) -> None:
    told = as_person_error(error)
    assert told is not None and told.hint.endswith((".", "?"))


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * 10_001, None])
def test_a_file_of_words_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "words").write_bytes(content)
    with pytest.raises(PersonError) as refused:
        read_words(tmp_path / "words")
    assert refused.value.hint
