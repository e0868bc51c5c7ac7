"""Third act: a virtual wallbox is plugged in, the car charges, midway the network process is killed, and the
booking is extended.
"""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from chargemesh_node.home import write_new_private_file
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.units import format_energy

from .neighbour import wait_for
from .play import Play
from .processes import Child
from .scene import Light, energy

SPEED = 80
_CAR = ("--speed", str(SPEED), "--sample", "1", "--battery", "60kWh", "--soc", "12", "--no-plug-in")
_LOOK_SECONDS = 0.3
_TELL_EVERY_S = 2.0
_LONGER_MINUTES = 30
_BEFORE_KILL_S, _AFTER_BACK_S = 4.0, 4.0
_START_SECONDS, _BACK_SECONDS, _END_SECONDS = 20.0, 40.0, 20.0


def plug_in(play: Play) -> Child:
    """Starts `chargemesh wallbox` against Hanna's node, and plugs the car in."""
    box = play.hanna.api.get(f"chargers/{play.hanna.charger}/wallbox")
    password = play.hanna.home.run / "wallbox.password"
    write_new_private_file(password, str(box["password"]).encode())
    child = play.processes.start(
        "the virtual wallbox",
        [
            "--json",
            "wallbox",
            "--url",
            box["url"],
            "--id",
            box["id"],
            "--password-file",
            str(password),
            *_CAR,
        ],
        play.folder / "wallbox.log",
        typed=True,
    )
    wait_for("the wallbox at Hanna's node", _START_SECONDS, lambda: _box(play)["connected"])
    child.type_line("plug")
    wait_for("the plugged-in car", _START_SECONDS, lambda: _box(play)["state"] == "Preparing")
    play.stage.step(
        "plugged-in",
        "Hanna's wallbox (virtual, OCPP 1.6J over a WebSocket with a password) is online at her node, and "
        "Dario's car is plugged in.",
    )
    return child


def charge(play: Play, booking: str, cell: int) -> None:
    """From check-in to stop, with the network process killed in between. `cell`: where the charger is."""
    scene = play.stage.scene
    with play.timed("charge_started_s"):
        play.dario.api.post(f"bookings/{booking}/start", {})
        wait_for("the first meter ticket", _START_SECONDS, lambda: play.dario.booking(booking)["meter"])
    scene.card.state = "charging (ACTIVE)"
    scene.light(cell, Light.CHARGING)
    play.stage.step(
        "charging-started",
        f"Dario checks in: he authorises up to the quote, Hanna's node starts the wallbox, and "
        f"{play.figures['charge_started_s']:.1f} s later the first meter ticket is there.",
        seconds=play.figures["charge_started_s"],
    )
    watch = _Watch(play, booking)
    watch.look_for(_BEFORE_KILL_S)
    _kill_network(play, watch)
    _extend(play, booking)
    watch.look_for(_AFTER_BACK_S)
    _stop(play, booking, watch)


class _Watch:
    """Looks at the booking from both sides and keeps the card right."""

    def __init__(self, play: Play, booking: str) -> None:
        self._play = play
        self._booking = booking
        self._first_wh = _register(play)
        self._told = 0.0

    def look(self) -> None:
        """As the host's node has it, which is beside the meter: energy by the second, the rest by tickets."""
        play, card = self._play, self._play.stage.scene.card
        host = play.hanna.booking(self._booking)["meter"]
        if host is None:
            return
        card.energy_wh = max(host["energy_wh"], _register(play) - self._first_wh)
        card.power_w, card.cost = host["power_w"], host["cost"]["text"]
        card.by_host, card.by_driver = host["tickets"], host["countersigned"]
        play.stage.refresh()
        if time.monotonic() - self._told > _TELL_EVERY_S:
            self._told = time.monotonic()
            play.stage.progress(
                "charging",
                f"{energy(card.energy_wh)}, {card.cost}; tickets signed by Hanna {card.by_host}, "
                f"countersigned by Dario {card.by_driver}.",
                energy_wh=card.energy_wh,
                power_w=card.power_w,
                cost=host["cost"],
                signed_by_host=card.by_host,
                signed_by_driver=card.by_driver,
            )

    def look_for(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.look()
            time.sleep(_LOOK_SECONDS)


def _kill_network(play: Play, watch: _Watch) -> None:
    card = play.stage.scene.card
    pid = wait_for("Hanna's network process", _START_SECONDS, lambda: network_pid(play))
    signed_before, energy_before = card.by_driver, card.energy_wh
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    card.network_process, card.alarm = f"kill -9 {pid}: Hanna's network process", True
    play.stage.step(
        "network-killed",
        f"kill -9 {pid}: the network process of Hanna's node is dead, at {energy(energy_before)}.",
        pid=pid,
        energy_wh=energy_before,
    )

    def back() -> bool:
        watch.look()
        return network_pid(play) not in (None, pid) and play.hanna.peers() > 0

    wait_for("Hanna's network process", _BACK_SECONDS, back, _LOOK_SECONDS)
    play.figures["network_back_s"] = round(time.monotonic() - killed, 2)
    meanwhile = card.energy_wh - energy_before
    card.network_process = f"killed; back with its peers after {play.figures['network_back_s']:.1f} s"
    card.alarm = False
    play.stage.step(
        "network-back",
        f"A new network process is connected again {play.figures['network_back_s']:.1f} s later. "
        f"Meanwhile energy kept counting: {energy(meanwhile)} more, and the node went on signing tickets.",
        pid=network_pid(play),
        seconds=play.figures["network_back_s"],
        energy_meanwhile_wh=meanwhile,
    )

    def signed_again() -> bool:
        watch.look()
        return card.by_driver > signed_before and card.by_driver >= card.by_host - 2

    wait_for("Dario's signatures", _BACK_SECONDS, signed_again, _LOOK_SECONDS)
    play.figures["signatures_back_s"] = round(time.monotonic() - killed, 2)
    play.figures["energy_meanwhile_wh"] = meanwhile


def _extend(play: Play, booking: str) -> None:
    """Dario stays longer than booked: Hanna's node prices it, and its rules answer."""
    path = f"bookings/{booking}"
    end = play.dario.booking(booking)["end"]["ms"] + _LONGER_MINUTES * 60_000
    with play.timed("extended_s"):
        found = play.dario.api.post(f"{path}/terms", {"end": end})
        play.dario.api.post(f"{path}/change", {"quote": found["quote"]})
        view: dict[str, Any] = play.dario.api.get(path, wait_until="answered", timeout_s=_END_SECONDS)
    if view["end"]["ms"] != end or view["session"] != "ACTIVE":
        raise PersonError("demo-extension", f"It was not extended: {' '.join(view['so_far'])}", "")
    play.stage.step(
        "extended",
        f"While it charges, Dario asks for {_LONGER_MINUTES} minutes more, up to "
        f"{format_energy(found['terms']['energy_wh'])} for at most {found['terms']['cap']['text']}. Hanna's "
        f"rules agree: signed by both in {play.figures['extended_s']:.2f} s, and the car charges on.",
        end=view["end"],
        cap=found["terms"]["cap"],
        seconds=play.figures["extended_s"],
    )


def _stop(play: Play, booking: str, watch: _Watch) -> None:
    with play.timed("receipt_agreed_s"):
        play.dario.api.post(f"bookings/{booking}/stop", {})
        view: dict[str, Any] = play.dario.api.get(
            f"bookings/{booking}", wait_until="agreed", timeout_s=_END_SECONDS
        )
    if not view["waited"]["reached"]:
        raise PersonError("demo-receipt", f"No agreed receipt: {' '.join(view['so_far'])}", "")
    watch.look()
    receipt, card = view["receipt"], play.stage.scene.card
    card.energy_wh, card.power_w, card.cost = receipt["energy_wh"], 0, receipt["total"]["text"]
    card.state = "receipt signed by both"
    play.figures["energy_wh"] = receipt["energy_wh"]
    play.stage.step(
        "receipt",
        f"Dario stops. Both nodes compute the receipt for themselves, and both have signed it "
        f"{play.figures['receipt_agreed_s']:.1f} s later: {energy(receipt['energy_wh'])}, "
        f"{receipt['total']['text']}.",
        energy_wh=receipt["energy_wh"],
        total=receipt["total"],
        lines=receipt["text"],
        seconds=play.figures["receipt_agreed_s"],
    )


def network_pid(play: Play) -> int | None:
    """The process id of the network process of Hanna's node; None while there is none."""
    pid: int | None = play.hanna.api.get("status")["network_pid"]
    return pid


def _register(play: Play) -> int:
    """The meter's register in Wh, by the wallbox's last word."""
    return int(_box(play)["register_wh"] or 0)


def _box(play: Play) -> dict[str, Any]:
    return dict(play.hanna.api.get(f"chargers/{play.hanna.charger}/wallbox")["state"] or {})
