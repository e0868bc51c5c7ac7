"""People's mistakes at real nodes: one sentence that says what to do, the right exit code, no traceback."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from .conftest import Block
from .houses import street

ADD = ("charger", "add", "--yes", "--no-wait", "--title", "T", "--address", "A 1", "--at", "52.52,13.40")
NOWHERE = "abcdef12"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("find", "--near", "95,13"), 2, "beyond 90"),
        (("find", "--near", "Berlin"), 2, "LAT,LON"),
        (
            ("find", "--near", "52.52,13.40", "--from", "18:00", "--to", "2026-01-01T17:00"),
            2,
            "must be after the start",
        ),
        ((*ADD, "--price", "0.35", "--currency", "EUX"), 2, "EUX"),
        ((*ADD, "--price", "free"), 2, "not an amount"),
        ((*ADD, "--price", "0.35", "--hours", "25:00-26:00"), 2, "--hours"),
        ((*ADD, "--price", "0.35", "--at", "91,0"), 2, "--at"),
        ((*ADD, "--price", "0.35", "--iban", "DE89370400440532013001"), 2, "--iban"),
        (("quote", NOWHERE, "--from", "now", "--for", "1h"), 3, "chargemesh find"),
        (("quote", "99", "--from", "now", "--for", "1h"), 3, "no row 99"),
        (("book", NOWHERE, "--from", "now", "--for", "1h", "--yes"), 3, "chargemesh find"),
        (("booking", "show", NOWHERE), 3, "chargemesh bookings"),
        (("booking", "cancel", NOWHERE, "--yes"), 3, "chargemesh bookings"),
        (("charge", "start", NOWHERE), 3, "chargemesh bookings"),
        (("pay", NOWHERE), 3, "chargemesh bookings"),
        (("receipt", NOWHERE), 3, "chargemesh bookings"),
        (("review", NOWHERE, "--stars", "5"), 3, "chargemesh bookings"),
        (("charger", "show", NOWHERE), 3, "chargemesh charger list"),
        (("charger", "pair", NOWHERE), 3, "chargemesh charger list"),
        (("trust", "show", NOWHERE), 3, "There is no"),
        (("join", "chargemesh:join/nonsense"), 2, "invit"),
        (("peers", "--add", "/ip4/127.0.0.1/tcp/1"), 2, "/p2p/"),
        (("restore", "/nowhere/backup", "--passphrase-file", "/nowhere/words"), 2, "/nowhere/words"),
    ],
    ids=lambda one: " ".join(one[:3]) if isinstance(one, tuple) else None,
)
def test_a_mistake_is_told(block: Block, words: tuple[str, ...], code: int, says: str) -> None:
    said = block.hanna.is_told(*words)
    assert said.code == code and says in said.sentence, said


def test_a_node_runs_once(block: Block) -> None:
    said = block.hanna.is_told("run")
    assert said.code == 1 and f"process {block.hanna.pid}" in said.err and "chargemesh stop" in said.err
    assert block.hanna.says("id")["peer_id"]


def test_an_invitation_to_another_network(block: Block) -> None:
    folder = block.street.folder / "elsewhere"
    folder.mkdir()
    with street(folder) as elsewhere:
        olga = elsewhere.house("olga")
        olga.opens()
        said = block.dario.is_told("join", olga.says("invite")["link"])
        assert olga.network in said.err and said.code == 2
        # And one who is alone is told so, not that there is nothing.
        alone = olga.call("find", "--near", "52.52,13.40")
        assert alone.code == 0 and "Too few nodes answered" in alone.err and "chargemesh peers" in alone.err
        assert olga.call("doctor").code == 1 and "chargemesh join LINK" in olga.call("doctor").out
        empty = olga.is_told("booking", "show", "last")
        assert empty.code == 3 and "chargemesh bookings" in empty.err


def test_a_node_that_is_off(block: Block) -> None:
    off = block.street.house("off")
    missing = off.is_told("status")
    assert missing.code == 3 and "chargemesh init" in missing.err
    off.moves_in()
    assert off.is_told("bookings").code == 4
    assert "already holds a node" in off.is_told("init").err
    next(off.home.keys.iterdir()).chmod(0o644)
    loose = off.is_told("run")
    assert loose.code == 5 and "chmod 600" in loose.err


@pytest.mark.parametrize("what", ["listen", "api"])
def test_a_port_that_is_taken(block: Block, what: str) -> None:
    home = block.street.house(f"ports-{what}")
    home.moves_in()
    with taken_port() as port:
        flags = {
            "listen": ("--listen", f"/ip4/127.0.0.1/tcp/{port}"),
            "api": ("--api", f"127.0.0.1:{port}"),
        }[what]
        said = home.is_told("run", *flags)
    assert said.code == 1 and said.code_word == "port-taken" and str(port) in said.err, said
    assert said.value["error"]["hint"]


def test_a_port_for_wallboxes_that_is_taken(block: Block) -> None:
    """A node without a wallbox needs no such port; one that would get its first lists nothing without it."""
    with taken_port() as port:
        home = block.street.house("ports-wallbox", WALLBOX_PORT=str(port))
        home.opens()
        said = home.is_told(*ADD, "--price", "0.35")
        assert said.code == 1 and said.code_word == "port-taken" and "config set wallbox.port" in said.err
        assert home.says("charger", "list")["chargers"] == []
        home.says(*ADD, "--price", "0.35", "--wallbox", "manual")


def test_what_the_environment_says_is_checked(block: Block) -> None:
    said = block.hanna.is_told("run", CHARGEMESH_WALLBOX_PRT="1")
    assert said.code == 2 and "CHARGEMESH_WALLBOX_PORT" in said.err


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]
