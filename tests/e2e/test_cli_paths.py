"""Every way that a booking can go, typed command by command between nodes that are processes of their own."""

from __future__ import annotations

import re
import threading
from pathlib import Path

from .conftest import Block
from .houses import House, Said, eventually, story

SHORT = ("--from", "now", "--for", "15m")


def test_the_whole_job(block: Block, tmp_path: Path) -> None:
    hanna, dario = block.hanna, block.dario
    charger = hanna.lists("Blue garage", "--iban", "DE89370400440532013000", "--payee-name", "Hanna")
    hanna.plugs_in(charger)
    listing = dario.finds("Blue garage")
    shown = dario.reads("quote", str(listing["row"]), *SHORT, "--energy", "2kWh", "--zone", "Asia/Tokyo")
    assert "(Europe/Berlin): about 0.70 EUR for 2 kWh" in shown
    booked = dario.says("book", str(listing["row"]), *SHORT, "--energy", "2kWh", "--yes")
    assert (booked["reservation"], booked["role"]) == ("RESERVED", "driver")
    assert dario.sees("last", "access")["access"]["address"] == "12 Hidden Lane, Berlin"
    dario.says("charge", "start", "last")
    dario.until("last", lambda one: one["energy_wh"] > 100 and one["meter"]["countersigned"])
    assert "signed by both" in dario.reads("booking", "show", "last")
    dario.says("charge", "stop", "last")
    watched = dario.call("--json", "charge", "watch", "last")
    assert watched.values[-1]["session"] == "COMPLETED"
    receipt = dario.sees("last", "agreed")["receipt"]
    assert 100 < receipt["energy_wh"] < 2000 and receipt["differences"] == []
    records = tmp_path / "records.json"
    assert "Signed by the host" in dario.reads("receipt", "last", "--records", str(records))
    assert "of" in dario.reads("record", "verify", str(records))
    picture = tmp_path / "pay.png"
    dario.reads("pay", "last", "--png", str(picture), "--paid")
    assert picture.read_bytes().startswith(b"\x89PNG")
    hanna.sees("last", "CLAIMED")
    assert hanna.says("pay", "confirm", "last")["settlement"] == "PAID"
    dario.sees("last", "paid")
    dario.says("review", "last", "--stars", "5", "--text", "Easy to find.")
    hanna.says("review", "last", "--stars", "4", "--text", "Friendly.")
    eventually(lambda: "Friendly." in hanna.reads("trust", "show", "last"), "both reviews are open")
    eventually(lambda: "5 of 5 stars: Easy to find." in dario.reads("trust", "show", "last"), "and shown")
    assert "Blue garage" in dario.reads("bookings", "--all")


def test_a_host_accepts_while_the_driver_waits(block: Block) -> None:
    block.hanna.lists("Asks first", "--on-request")
    with waiting_driver(block.dario, "Asks first") as driver:
        booking = block.post.brings("booking.requested", title="Asks first")["booking"]
        assert "Accept or decline by" in block.hanna.reads("booking", "show", booking)
        assert block.hanna.says("booking", "accept", booking)["reservation"] == "RESERVED"
    assert driver.said.code == 0 and "Booked" in driver.said.out
    block.post.brings("booking.accepted", booking=booking, role="driver")


def test_a_host_declines(block: Block) -> None:
    block.hanna.lists("Says no", "--on-request")
    with waiting_driver(block.dario, "Says no") as driver:
        booking = block.post.brings("booking.requested", title="Says no")["booking"]
        assert block.hanna.says("booking", "decline", booking)["reservation"] == "REJECTED"
    assert driver.said.code == 6 and "The host declined" in driver.said.err
    block.post.brings("booking.declined", booking=booking, role="driver")
    view = block.dario.says("booking", "show", booking)
    assert view["reservation"] == "REJECTED" and view["finished"] and view["access"] is None
    again = block.hanna.is_told("booking", "accept", booking)
    assert again.code == 1 and again.code_word == "not-pending"


def test_rules_refuse_at_once(block: Block) -> None:
    block.hanna.lists("Short stays", "--max-duration", "1h")
    listing = block.dario.finds("Short stays")["id"]
    said = block.dario.is_told("book", listing, "--from", "now", "--for", "3h", "--yes")
    assert said.code == 6 and "15 to 60 minutes" in said.err


def test_a_driver_cancels_and_hears_the_cost_first(block: Block) -> None:
    block.hanna.lists("Half price", "--cancel-free", "2h", "--cancel-cost", "50")
    booking = block.dario.books("Half price", "--from", "in 60m", "--for", "1h", "--energy", "4kWh")
    view = block.dario.sees(booking, "RESERVED")
    cost = view["cancelling_costs"]
    assert cost["micro"] == view["agreed"]["cap"]["micro"] / 2 > 0
    asked = block.dario.is_told("booking", "cancel", booking)
    assert asked.code == 2 and f"Cancelling now costs you {cost['text']}" in asked.sentence
    assert "--yes" in asked.err
    assert block.dario.says("booking", "show", booking)["reservation"] == "RESERVED"
    block.dario.reads("booking", "cancel", booking, "--yes")
    block.post.brings("booking.canceled", booking=booking, role="host", reason="DRIVER_CANCELED")
    receipt = block.dario.sees(booking, "receipt")["receipt"]
    assert receipt["total"] == cost and receipt["energy_wh"] == 0 and "ancell" in " ".join(receipt["text"])
    assert f"You owe {cost['text']}" in story(block.dario.sees(booking, "agreed"))


def test_a_driver_cancels_in_time_for_nothing(block: Block) -> None:
    block.hanna.lists("Free to go", "--cancel-free", "30m")
    booking = block.dario.books("Free to go", "--from", "in 2h", "--for", "1h")
    assert block.dario.says("booking", "show", booking)["access"] is None
    block.dario.says("booking", "cancel", booking, "--yes")
    block.hanna.sees(booking, "CANCELED")
    assert "It costs nothing" in story(block.dario.sees(booking, "finished"))
    freed = block.dario.finds("Free to go", "--from", "in 2h", "--for", "1h")
    assert freed["fits"]


def test_a_host_cancels_and_owes(block: Block) -> None:
    block.hanna.lists("Unsure", "--host-failure", "20")
    booking = block.dario.books("Unsure", "--energy", "10kWh")
    cap = block.dario.sees(booking, "RESERVED")["agreed"]["cap"]["micro"]
    assert "cancelled" in block.hanna.reads("booking", "cancel", booking, "--yes")
    view = block.dario.sees(booking, "CANCELED")
    assert f"The host owes {cap / 5 / 1e6:.2f} EUR" in story(view)
    assert view["owed"] is None
    block.post.brings("booking.canceled", booking=booking, role="driver", reason="HOST_CANCELED")


def test_both_write_to_each_other(block: Block) -> None:
    block.hanna.lists("Chatty")
    booking = block.dario.books("Chatty")
    block.dario.says("booking", "message", booking, "Is the gate open?")
    block.hanna.until(booking, lambda one: one["messages"])
    block.post.brings("booking.message", booking=booking)
    block.hanna.says("booking", "message", booking, "Yes, \x1b[31mcome in.")
    block.dario.until(booking, lambda one: len(one["messages"]) == 2)
    shown = block.dario.reads("booking", "show", booking)
    assert re.search(r"you \([a-z ]+\): Is the gate open\?", shown) and "they: Yes, [31mcome in." in shown


def test_the_wallbox_would_not_start(block: Block) -> None:
    charger = block.hanna.lists("Stubborn", "--cancel-free", "2h")
    box = block.hanna.plugs_in(charger, "--refuse-start")
    booking = block.dario.books("Stubborn", "--energy", "10kWh")
    assert block.dario.sees(booking, "RESERVED")["cancelling_costs"]["micro"] > 0
    block.dario.says("charge", "start", booking)
    box.waits_for("refused to start")
    told = block.dario.until(booking, lambda one: one["messages"])
    assert told[0]["text"] == "The wallbox did not start: The wallbox refused to start."
    block.post.brings("charging.start_failed", booking=booking, code="wallbox-refused")
    block.dario.says("booking", "problem", booking, "WONT_START", "It only blinks.")
    assert block.dario.says("booking", "show", booking)["cancelling_costs"]["micro"] == 0
    block.post.brings("booking.problem", booking=booking, role="host", text="It only blinks.")
    assert "charging does not start: It only blinks." in block.hanna.reads("booking", "show", booking)
    block.dario.says("booking", "cancel", booking, "--yes")
    assert "It costs nothing" in story(block.dario.sees(booking, "finished"))


def test_a_wallbox_vanishes_in_mid_session_and_comes_back(block: Block) -> None:
    charger = block.hanna.lists("Shaky")
    box = block.hanna.plugs_in(charger)
    booking = block.dario.books("Shaky", *SHORT)
    block.dario.says("charge", "start", booking)
    before = block.dario.until(booking, lambda one: one["energy_wh"])
    box.types("vanish 2")
    block.post.brings("wallbox.lost", charger=charger)
    assert block.hanna.says("charger", "list")["chargers"]
    view = block.dario.api.get(f"bookings/{booking}")
    assert view["session"] == "ACTIVE"
    block.dario.until(booking, lambda one: one["energy_wh"] > before + 500)  # what was buffered, and more
    assert len(box.heard("session began")) == 1
    block.dario.says("charge", "stop", booking)
    assert block.dario.sees(booking, "agreed")["receipt"]["energy_wh"] > before + 500


def test_an_unknown_tag_charges_nothing(block: Block) -> None:
    charger = block.hanna.lists("Locked", "--no-plug-and-charge")
    box = block.hanna.plugs_in(charger)
    box.types("tag NOBODY")
    assert box.waits_for("tag") == {"event": "tag", "tag": "NOBODY", "status": "Invalid"}
    block.post.brings("wallbox.unknown_tag", charger=charger, tag="NOBODY")
    assert box.heard("session began") == []


def test_the_owner_charges_and_is_still_there(block: Block) -> None:
    hanna, dario = block.hanna, block.dario
    charger = hanna.lists("Family car")
    assert hanna.says("charger", "tag", charger, "HANNAS-KEY")["owner_tags"] == ["HANNAS-KEY"]
    box = hanna.plugs_in(charger)
    box.types("tag HANNAS-KEY")
    box.waits_for("session began")
    box.types("tag HANNAS-KEY")  # the second time it ends; the car stays
    box.waits_for("session ended")
    booking = dario.books("Family car", *SHORT)
    block.post.brings("charging.owner_car", charger=charger, booking=booking)
    told = dario.until(booking, lambda one: one["messages"])
    assert "still in use by its owner" in told[0]["text"]
    dario.says("charge", "start", booking)
    block.post.brings("charging.start_failed", booking=booking, code="unplug-first")
    box.types("unplug")  # the owner moves the car
    box.waits_for("unplugged")
    box.types("plug")
    dario.until(booking, lambda one: one["energy_wh"])
    dario.says("charge", "stop", booking)
    dario.sees(booking, "agreed")


def test_nobody_controls_the_box_and_people_read_the_meter(block: Block) -> None:
    hanna, dario = block.hanna, block.dario
    charger = hanna.lists("By hand", "--wallbox", "manual")
    booking = dario.books("By hand", *SHORT)
    early = hanna.is_told("charger", "reading", charger, "100kWh")
    assert "start one" in early.err
    dario.says("charge", "start", booking)
    hanna.until(booking, lambda one: "checked in" in story(one))
    hanna.says("charger", "reading", charger, "100.0kWh")
    dario.sees(booking, "ACTIVE")
    far = hanna.is_told("charger", "reading", charger, "201.5kWh")
    assert "101.5 kWh in" in far.err and "--sure" in far.err
    hanna.says("charger", "reading", charger, "101.5kWh", "--sure")  # a car that charges too fast for a test
    dario.until(booking, lambda one: one["energy_wh"] == 1500)
    assert "confirm the 101.5 kWh" in dario.reads("booking", "show", booking)
    differs = dario.is_told("charge", "confirm", booking, "--reading", "101.4")
    assert "100 Wh apart. Nothing was signed." in differs.sentence
    dario.says("charge", "confirm", booking, "--reading", "101.5")
    wrong = hanna.is_told("charger", "reading", charger, "99kWh")
    assert "look at the digits again" in wrong.err
    dario.says("charge", "stop", booking)
    hanna.until(booking, lambda one: "for charging to end" in story(one))
    hanna.says("charger", "reading", charger, "102.0kWh")
    waiting = dario.sees(booking, "receipt")
    assert waiting["reading"]["register_wh"] == 102_000 and waiting["receipt"]["signed_by_driver"] is None
    assert "only the host has read 102 kWh" in dario.reads("receipt", booking)
    dario.says("charge", "confirm", booking, "--yes")
    receipt = dario.sees(booking, "agreed")["receipt"]
    assert receipt["energy_wh"] == 2000 and receipt["total"]["text"] == "0.70 EUR"


def test_a_driver_agrees_with_a_receipt_that_no_reading_of_theirs_stands_behind(block: Block) -> None:
    hanna, dario = block.hanna, block.dario
    charger = hanna.lists("By her word", "--wallbox", "manual")
    booking = dario.books("By her word", *SHORT)
    dario.says("charge", "start", booking)
    hanna.until(booking, lambda one: "checked in" in story(one))
    hanna.says("charger", "reading", charger, "100kWh")
    dario.sees(booking, "ACTIVE")
    dario.says("charge", "stop", booking)
    hanna.until(booking, lambda one: "for charging to end" in story(one))
    hanna.says("charger", "reading", charger, "100.4kWh")
    dario.sees(booking, "receipt")
    assert dario.is_told("receipt", booking, "--agree").code == 2
    agreed = dario.reads("receipt", booking, "--agree", "--yes")
    assert "only the host has read 100.4 kWh" in agreed and "on its way" in agreed
    assert dario.sees(booking, "agreed")["receipt"]["total"]["text"] == "0.14 EUR"


def test_a_charger_is_paused_and_removed(block: Block) -> None:
    hanna, dario = block.hanna, block.dario
    charger = hanna.lists("On and off")
    dario.finds("On and off")
    assert "Paused" in hanna.reads("charger", "pause", charger)
    eventually(lambda: not found(dario, "On and off"), "it is gone")
    hanna.says("charger", "resume", charger)
    dario.finds("On and off")
    booking = dario.books("On and off")
    assert hanna.is_told("charger", "remove", charger, "--yes").code == 1
    hanna.says("booking", "cancel", booking, "--yes")
    edited = hanna.says("charger", "edit", charger, "--price", "0.40")
    assert edited["settings"]["tariff"]["per_kwh"] == 400_000
    assert hanna.says("charger", "remove", charger, "--yes")["removed"]


# --- helpers ------------------------------------------------------------------------------------


class waiting_driver:
    """`book` as a person at a terminal leaves it standing; `said` is what it ended with."""

    def __init__(self, driver: House, title: str) -> None:
        self._words = ("book", driver.finds(title)["id"], "--from", "now", "--for", "1h", "--yes")
        self._thread = threading.Thread(target=self._call, args=(driver,))
        self.said = Said(-1, "", "")

    def _call(self, driver: House) -> None:
        self.said = driver.call(*self._words)

    def __enter__(self) -> waiting_driver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(60)


def found(driver: House, title: str) -> bool:
    said = driver.call("--json", "find", "--near", "52.5200,13.4050")
    return any(one.get("title") == title for one in said.values)
