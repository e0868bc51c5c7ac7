"""A wallbox that knocks while its node starts and stops is asked to wait, never told that nobody knows it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.headers import build_authorization_basic
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from .houses import eventually, street

ACCEPTED, REFUSED = 101, 0  # 0: nobody listens, or the connection ended without an answer
UNKNOWN = 401


class KnockingBox:
    """Connects as a wallbox does, again and again, and notes what it is told each time."""

    def __init__(self, url: str, charger: str, password: str) -> None:
        self._url = url
        self._headers = {"Authorization": build_authorization_basic(charger, password)}
        self._ending = threading.Event()
        self.told: list[int] = []

    def knock(self) -> int:
        try:
            with connect(
                self._url,
                additional_headers=self._headers,
                subprotocols=[Subprotocol("ocpp1.6")],
                proxy=None,
                close_timeout=1,
            ):
                return ACCEPTED
        except InvalidStatus as refusal:
            return refusal.response.status_code
        except (OSError, TimeoutError, EOFError, InvalidHandshake):
            return REFUSED

    @contextmanager
    def knocking(self) -> Iterator[None]:
        def on() -> None:
            while not self._ending.wait(0.01):
                self.told.append(self.knock())

        thread = threading.Thread(target=on, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ending.set()
            thread.join()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_a_box_is_never_told_that_nobody_knows_it(tmp_path: Path) -> None:
    with street(tmp_path, WALLBOX_PORT=str(free_port())) as people:
        hanna = people.house("hanna")
        hanna.opens()
        paired = hanna.says("charger", "pair", hanna.lists("Garage"), "--no-wait")
        box = KnockingBox(paired["url"], paired["id"], paired["password"])
        assert box.knock() == ACCEPTED
        with box.knocking():
            hanna.closes()
            hanna.starts()
            hanna.is_up()
            before = len(box.told)
            eventually(lambda: ACCEPTED in box.told[before:], "the box is let in again")
            hanna.says("charger", "tag", paired["id"], "MINE")
            hanna.closes()
        assert UNKNOWN not in box.told, box.told
        assert KnockingBox(paired["url"], paired["id"], "a guess").knock() == REFUSED
