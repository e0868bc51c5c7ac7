"""A calendar is read in a process of its own: from a file or a server, whatever either of them does."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from chargemesh_node.errors import CalendarError
from chargemesh_node.ics import child
from chargemesh_node.ics.busy_times import Unreadable
from chargemesh_node.ics.reader import ProcessReader
from chargemesh_protocol.limits import MAX_ICS_BYTES
from chargemesh_protocol.wall_clock import DAY_MS

from .samples import ics

GOOD = ics("DTSTART:20270310T090000Z\nDTEND:20270310T100000Z\nSUMMARY:Something private")
START = 1_804_464_000_000  # 2027-03-08
ONCE = ((START + 2 * DAY_MS + 9 * 3_600_000, START + 2 * DAY_MS + 10 * 3_600_000),)


class Server(BaseHTTPRequestHandler):
    """Every way in which a server can answer."""

    def do_GET(self) -> None:
        if self.path == "/good.ics":
            self._answer(200, GOOD)
        elif self.path == "/moved.ics":
            self._answer(302, b"", ("Location", "/good.ics"))
        elif self.path == "/round":
            self._answer(302, b"", ("Location", "/round"))
        elif self.path == "/away":
            self._answer(302, b"", ("Location", "file:///etc/hostname"))
        elif self.path == "/zipped":
            self._answer(200, b"1f8b", ("Content-Encoding", "gzip"))
        elif self.path == "/endless":
            self._answer(200, b"BEGIN:VCALENDAR\r\n", length=False)
            try:
                while True:
                    self.wfile.write(b"X-NOTHING:" + b"x" * 65_536 + b"\r\n")
            except OSError:
                return
        else:
            self._answer(404, b"no")

    def _answer(self, status: int, body: bytes, *headers: tuple[str, str], length: bool = True) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@contextmanager
def serving() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.asyncio
async def test_a_file_is_read_and_only_times_come_back(tmp_path: Path) -> None:
    path = tmp_path / "mine.ics"
    path.write_bytes(GOOD)
    found = await ProcessReader()(str(path), "Europe/Berlin", START, START + 14 * DAY_MS)
    assert found.times == ONCE and found.skipped == 0
    with pytest.raises(CalendarError, match="No such file"):
        await ProcessReader()(str(tmp_path / "other.ics"), "Europe/Berlin", START, START + DAY_MS)


@pytest.mark.asyncio
async def test_what_takes_for_ever_is_ended(tmp_path: Path) -> None:
    """An event each second of two years is some 60 million."""
    path = tmp_path / "endless.ics"
    path.write_bytes(ics("DTSTART:20270308T000000Z\nDURATION:PT1S\nRRULE:FREQ=SECONDLY"))
    with pytest.raises(CalendarError, match=r"within 2 s|more than"):
        await ProcessReader(seconds=2)(str(path), "UTC", START, START + 730 * DAY_MS)


def test_what_a_server_may_do() -> None:
    with serving() as url:
        assert child.fetch(f"{url}/good.ics") == GOOD
        assert child.fetch(f"{url}/moved.ics") == GOOD
        for path, why in (
            ("/round", "forwarded too often"),
            ("/away", "does not go"),
            ("/zipped", "compressed"),
            ("/endless", "more than 8 MB"),
            ("/secret-token/mine.ics", "127.0.0.1 answered 404$"),
        ):
            with pytest.raises(Unreadable, match=why):
                child.fetch(f"{url}{path}")
    with pytest.raises(Unreadable, match="could not be reached"):
        child.fetch(f"{url}/good.ics")


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    large = tmp_path / "large.ics"
    with large.open("wb") as file:
        file.truncate(MAX_ICS_BYTES + 1)
    for name, why in (("pipe", "no file"), (".", "no file|directory"), ("large.ics", "more than 8 MB")):
        with pytest.raises(Unreadable, match=why):
            child.fetch(str(tmp_path / name))
    with pytest.raises(Unreadable, match="no such name"):
        child.fetch("a\0b")


def test_a_forward_never_leaves_https() -> None:
    assert child._followed("http://a/x", "https://b/y") == "https://b/y"
    with pytest.raises(Unreadable, match="does not go"):
        child._followed("https://a/x", "http://a/x")
    assert child._plain("webcal://a/x.ics") == "https://a/x.ics"
