"""Dario's node is away: what Hanna writes waits in the mailbox that Olga's node keeps, and is there after."""

from __future__ import annotations

from typing import Any

from .neighbour import wait_for
from .play import Play

_TEXT = "The gate sticks, push hard."
_DEPOSIT_SECONDS, _BACK_SECONDS = 30.0, 40.0


def use_mailbox(play: Play) -> None:
    """Named in everything that Dario asks for from now on."""
    link = play.olga.api.get("mailbox/link")["link"]
    play.dario.api.post("mailbox", {"links": [link], "auto": False})
    play.stage.step(
        "mailbox",
        "Olga keeps a mailbox for others; Dario names it, for the hours in which his laptop sleeps.",
    )


def message_waits(play: Play, booking: str) -> None:
    """Stops Dario's node, has Hanna write to him, and starts it again."""
    first = play.people[0].address
    lit = play.stage.scene.nodes
    play.dario.stop()
    lit[play.dario.name] = False
    play.hanna.api.post(f"bookings/{booking}/message", {"text": _TEXT})
    wait_for(
        "Hanna's message in Olga's mailbox",
        _DEPOSIT_SECONDS,
        lambda: _messages(play.hanna.booking(booking))[-1]["delivery"] == "in-mailbox",
    )
    held = play.olga.api.get("mailbox")["keeps"]
    play.stage.step(
        "message-waits",
        f"Dario's node is stopped. Hanna writes to him, and her node hands it in at Olga's: "
        f"{held['bytes']} sealed bytes, of which Olga learns only for which key they are.",
        parcels=held["parcels"],
        bytes=held["bytes"],
    )
    with play.timed("message_collected_s"):
        play.dario.start(first)
        wait_for("Dario's node", _BACK_SECONDS, lambda: play.dario.up)
        lit[play.dario.name] = True
        wait_for("Hanna's message", _BACK_SECONDS, lambda: _messages(play.dario.booking(booking)))
        # Only who has the key can have a parcel dropped.
        wait_for(
            "Dario at Olga's mailbox",
            _BACK_SECONDS,
            lambda: play.olga.api.get("mailbox")["keeps"]["parcels"] == 0,
        )
    told = _messages(play.dario.booking(booking))[-1]["text"]
    play.stage.step(
        "message-collected",
        f"It starts again, and {play.figures['message_collected_s']:.1f} s later Dario reads: “{told}” "
        "Olga's node has forgotten it.",
        message=told,
        seconds=play.figures["message_collected_s"],
    )


def _messages(view: dict[str, Any]) -> list[dict[str, Any]]:
    return list(view["messages"])
