"""Two real nodes: Hanna has every extension of the document and a broken one, Dario has none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.houses import House, eventually, street

from .packages import install, package

REGISTER_WH = 7_000_000
ACCOUNT = "https://pay.example.org/hanna"
SOLAR = ("org.example.solar", "inverter=roof", "peak_w=9800")


@pytest.fixture
def houses(target: Path, tmp_path: Path) -> Iterator[tuple[House, House]]:
    odd = package(
        "chargemesh-odd", "chargemesh.wallbox_drivers", "odd = Odd", "raise RuntimeError('no luck')"
    )
    with street(tmp_path / "street") as people:
        (tmp_path / "street").mkdir()
        hanna, dario = people.house("hanna"), people.house("dario")
        hanna.environment["PYTHONPATH"] = f"{target}:{install(odd, tmp_path / 'odd')}"
        people.open_all(hanna, dario)
        yield hanna, dario


def test_who_has_extensions_and_who_has_none_get_on(houses: tuple[House, House], tmp_path: Path) -> None:
    hanna, dario = houses
    found = {one["name"]: one["fault"] for one in hanna.says("status")["extensions"]}
    assert set(found) == {"gpio", "paylink", "org.example.solar", "odd"} and found["gpio"] == ""
    assert dario.says("status")["extensions"] == []
    doctor = " ".join(hanna.call("doctor").out.split())
    assert "chargemesh-odd 1.0 can't be used: RuntimeError: no luck" in doctor
    assert "wallbox driver 'odd' of chargemesh-odd 1.0 can't be used" in hanna.reads("logs", "--lines", "400")

    # Hanna's contactor charges Dario's car; her account means nothing to his node, which names it anyway.
    pin, meter = tmp_path / "switch", tmp_path / "meter"
    pin.write_text("0")
    meter.write_text(str(REGISTER_WH))
    options = ("--wallbox-option", f"switch={pin}", "--wallbox-option", f"meter={meter}")
    hanna.lists("Roof", "--wallbox", "gpio", *options, "--account", ACCOUNT, "--payee-name", "Hanna")
    said = dario.is_told("charger", "add", "--yes", "--at", "52.5,13.4", "--address", "x", "--price", "1",
                         "--wallbox", "gpio")  # fmt: skip
    assert "There is no kind of wallbox 'gpio'" in said.err
    booking = dario.books("Roof")
    dario.sees(booking, "access")
    dario.says("charge", "start", booking)
    eventually(lambda: pin.read_text() == "1", "the contactor is on")
    meter.write_text(str(REGISTER_WH + 1))
    dario.until(booking, lambda one: one["session"] == "ACTIVE")
    dario.says("charge", "stop", booking)
    eventually(lambda: pin.read_text() == "0", "the contactor is off")
    receipt = dario.until(booking, lambda one: one["receipt"])
    assert receipt["energy_wh"] == 1
    by_hand = dario.reads("pay", booking)
    assert "to Hanna" in by_hand and ACCOUNT in by_hand and "in cash or as you agreed" in by_hand
    assert f"{ACCOUNT}?amount=" in hanna.reads("pay", booking), "her own node knows how"

    # What Hanna says of her roof comes to Dario, who can keep and show it; what it means, she can tell.
    hanna.says("trust", "say", *SOLAR)
    author, file = hanna.says("id")["author"], tmp_path / "log.json"

    def heard() -> bool:
        log = dario.says("trust", "log", author, "--records", str(file))
        return "org.example.solar" in [one["kind"] for one in log["records"]]

    eventually(heard, "Dario's node holds the entry")
    shown = dario.reads("record", "show", str(file))
    assert "of the kind org.example.solar, which nothing installed here can read" in shown
    assert "the sun feeds my charger: 9.8 kW on the roof." in hanna.reads("record", "show", str(file))
    assert dario.says("record", "verify", str(file))["valid"]
