"""Host and driver who are never up together, and the mailbox of a third: real processes and libp2p."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chargemesh_node.clock import SystemClock

from .houses import House, eventually, street

HOUR_MS = 3_600_000


def test_two_who_are_never_up_together_book_through_a_mailbox(tmp_path: Path) -> None:
    with street(tmp_path) as people:
        vera = people.house("vera", MAILBOX_SERVE="true")
        hanna, dario = people.house("hanna"), people.house("dario")
        people.open_all(vera, hanna)
        dario.opens()
        assert dario.says("join", vera.says("invite")["link"])["connected"] == 2
        link = vera.says("mailbox", "link")["link"]
        for one in (hanna, dario):
            assert len(one.says("mailbox", "use", link)["uses"]) == 1
        hanna.lists("Garage")
        start = SystemClock().now()
        slot = {"listing": dario.finds("Garage")["id"], "start": start, "end": start + 2 * HOUR_MS}
        asked: dict[str, Any] = dario.api.post("quotes", slot)
        assert asked["mailbox"] and not asked["host_away"]

        hanna.closes()
        known = dario.api.post("quotes", slot)
        assert known["host_away"] and known["quote"] == asked["quote"]
        booking = dario.api.post("bookings", {"quote": known["quote"], "wait_ms": HOUR_MS})["id"]
        until(dario, booking, "in-mailbox")
        assert "waits in their mailbox" in dario.reads("booking", "show", booking[:12])
        assert vera.api.get("mailbox")["keeps"]["parcels"] == 1
        dario.closes()

        comes_back(hanna)
        eventually(lambda: hanna.api.get("bookings")["bookings"], "the request is collected")
        until(hanna, booking, "in-mailbox")
        hanna.closes()

        comes_back(dario)
        assert dario.sees(booking, "access")["access"]["address"] == "12 Hidden Lane, Berlin"
        assert dario.api.get(f"bookings/{booking}")["reservation"] == "RESERVED"
        until(dario, booking, "delivered")
        disk = b"".join(path.read_bytes() for path in vera.home.root.glob("mailbox.db*"))
        driver = bytes.fromhex(dario.api.get("id")["author"])
        for secret in (bytes.fromhex(booking), b"Hidden Lane", driver):
            assert secret not in disk and secret.hex().encode() not in disk


def until(house: House, booking: str, state: str) -> None:
    house.until(booking, lambda view: view["delivery"] == state)


def comes_back(house: House) -> None:
    house.starts()
    house.is_up()
