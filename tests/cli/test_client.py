"""The API's client: a port where no socket's path fits, slow answers, and what strangers wrote."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from chargemesh_cli.client import Api, NodeAway, segment
from chargemesh_cli.render import clean, display_width, words
from chargemesh_cli.tables import fit
from chargemesh_node import offline
from chargemesh_node.home import Home, write_new_private_file
from chargemesh_protocol.errors import ExitCode, PersonError

from .conftest import NETWORK, PHRASE
from .person import Person
from .stub_node import TOKEN, Asked, Lines, Refusal, StubHandler, StubNode


@pytest.fixture
def far(tmp_path: Path) -> Iterator[StubNode]:
    """A node whose home has too long a path for a unix socket, and so answers on a loopback port alone."""
    home = Home(tmp_path / ("long" * 20) / "home")
    assert not home.socket_path_fits
    offline.create(home, phrase=PHRASE, network=NETWORK)
    stub = StubNode(home)
    server = ThreadingHTTPServer(("127.0.0.1", 0), StubHandler)
    server.stub = stub  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    port = server.server_address[1]
    write_new_private_file(home.api_token_file, TOKEN.encode())
    write_new_private_file(home.api_port_file, f"127.0.0.1:{port}\n".encode())
    yield stub
    server.shutdown()
    server.server_close()
    thread.join()


def test_where_no_socket_fits_the_port_is_used(far: StubNode) -> None:
    far.answers |= {"GET id": {}, "GET bookings": {"bookings": [], "earlier": 0}}
    assert Person(far.home).types("bookings").out == "No bookings yet.\n"


def test_nobody_on_the_port_means_no_node(far: StubNode) -> None:
    far.home.api_port_file.unlink()
    with pytest.raises(NodeAway):
        Api(far.home).get("id")
    write_new_private_file(far.home.api_port_file, b"127.0.0.1:1\n")
    with pytest.raises(NodeAway):
        Api(far.home).get("id")


def test_a_port_file_that_is_not_ours_is_told(far: StubNode) -> None:
    far.home.api_port_file.write_text("nonsense")
    with pytest.raises(PersonError, match=r"api\.port"):
        Api(far.home).get("id")


def test_an_answer_that_does_not_come_is_a_time_out(node: StubNode) -> None:
    release = threading.Event()

    def slow(_: Asked) -> object:
        release.wait(5)
        return {}

    node.answers["GET status"] = slow
    with pytest.raises(PersonError) as told:
        Api(node.home, timeout=0.1).get("status")
    release.set()
    assert told.value.exit_code is ExitCode.TIMED_OUT and "0.1 seconds" in told.value.message


def test_lines_that_are_not_json_are_told(node: StubNode) -> None:
    node.answers["GET find"] = b'{"a":1}\nnonsense\n'
    lines = Api(node.home).lines("find")
    assert next(lines) == {"a": 1}
    with pytest.raises(PersonError, match="not a chargemesh node"):
        next(lines)


def test_queries_leave_out_what_is_none(node: StubNode) -> None:
    node.answers["GET find"] = Lines(({"done": True},))
    list(Api(node.home).lines("find", lat=1.5, connector=None, instant=True, place="ä b"))
    assert node.asked[-1].query == {"lat": "1.5", "instant": "true", "place": "ä b"}


def test_a_peers_words_in_an_error_do_not_move_the_cursor(person: Person, node: StubNode) -> None:
    node.answers["GET peers"] = Refusal(409, "x", "The host says \x1b[2J\x9b no.", "", 6)
    said = person.types("peers")
    assert said.err == "The host says  [2J  no.\n" and said.code == 6


@pytest.mark.parametrize("text", ["", "  ", ".", ".."])
def test_what_is_no_id_is_not_asked_for(text: str) -> None:
    with pytest.raises(PersonError, match="is no id"):
        segment(text)


def test_text_fits_its_column_in_any_script() -> None:
    assert fit("Garage", 8) == "Garage  " and fit("Garageneinfahrt", 8) == "Garagen…"
    assert display_width("充電") == 4 and display_width(fit("充電充電充電", 7)) == 7
    assert clean("a\u202eb\nc") == "a b c"
    assert words({"micro": 1, "text": "1 EUR\x07"}) == "1 EUR " and words(20_000, "energy_wh") == "20 kWh"
    assert words([]) == words(None) == "–" and words({"a_b": True}) == "a b yes"
