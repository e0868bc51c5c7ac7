"""A second booking, agreed as people do: Hanna offers another hour than was asked for, and Dario takes it."""

from __future__ import annotations

from typing import Any

from chargemesh_node import offline
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.units import format_span, parse_instant

from .cast import HANNA, ZONE
from .neighbour import wait_for
from .play import Play

_ENERGY_WH = 10_000
_HOUR_MS = 3_600_000
_WHEN, _HOURS, _LATER_H = "tomorrow 18:00", 2, 1
_WAIT_MS = 600_000
_SECONDS = 20.0
_NOTE = "My sister's car is there until then."


def agree_on_another_time(play: Play, found: dict[str, dict[str, Any]]) -> str:
    """Request, counter-offer, and its acceptance; returns the booking's id."""
    start = parse_instant(_WHEN, ZONE, offline.now())
    span = {"start": start, "end": start + _HOURS * _HOUR_MS}
    listing = found[HANNA.title]["id"]
    quote = play.dario.api.post("quotes", {"listing": listing, **span, "energy_wh": _ENERGY_WH})
    made = play.dario.api.post("bookings", {"quote": quote["quote"], "wait_ms": _WAIT_MS})
    booking = str(made["id"])
    wait_for("Dario's request at Hanna's node", _SECONDS, lambda: _has(play, booking))
    offered = play.hanna.api.post(
        f"bookings/{booking}/offer", {"start": start + _LATER_H * _HOUR_MS, "text": _NOTE}
    )["offer"]
    _require_pending(play, booking)
    play.stage.step(
        "counter-offer",
        f"Dario asks for tomorrow as well, {_span(quote)}: so far ahead Hanna's rules leave it to her. She "
        f"offers {_span(offered['terms'])} instead, at most {offered['terms']['cap']['text']}: “{_NOTE}”",
        asked={"start": quote["start"], "end": quote["end"]},
        offered=offered["terms"],
    )
    wait_for("Hanna's offer at Dario's node", _SECONDS, lambda: play.dario.booking(booking)["offer"])
    with play.timed("offer_taken_s"):
        play.dario.api.post(f"bookings/{booking}/accept", {"offer": offered["offer"]})
        view: dict[str, Any] = play.dario.api.get(
            f"bookings/{booking}", wait_until="decided", timeout_s=_SECONDS
        )
    if view["reservation"] != "RESERVED" or view["start"]["ms"] != offered["terms"]["start"]["ms"]:
        raise PersonError("demo-terms", f"The offer was not taken: {' '.join(view['so_far'])}", "")
    play.stage.step(
        "offer-taken",
        f"Dario takes it: booked {_span(view)}, signed by both in {play.figures['offer_taken_s']:.2f} s.",
        booking=booking,
        start=view["start"],
        end=view["end"],
        seconds=play.figures["offer_taken_s"],
    )
    return booking


def cancel(play: Play, booking: str) -> None:
    """Dario cancels, having been told what it costs; both nodes compute the same from the signed terms."""
    costs = play.dario.booking(booking)["cancelling_costs"]
    play.dario.api.post(f"bookings/{booking}/cancel", {"at_most_micro": costs["micro"]})
    owed = wait_for("the cancellation at Hanna's node", _SECONDS, lambda: _owed(play.hanna.booking(booking)))
    if owed != costs or _owed(play.dario.booking(booking)) != costs:
        raise PersonError(
            "demo-cancel", f"Cancelling was to cost {costs['text']}, and does not.", "Please report this."
        )
    play.stage.step(
        "canceled",
        f"Dario can't come. Before he cancels, his node computes from the terms that Hanna signed what it "
        f"costs: {costs['text']}. He cancels, and her node has computed the same.",
        costs=costs,
        owed=owed,
    )


def _has(play: Play, booking: str) -> bool:
    return any(one["id"] == booking for one in play.hanna.api.get("bookings")["bookings"])


def _require_pending(play: Play, booking: str) -> None:
    """An offer holds nothing, and decides nothing."""
    view = play.hanna.booking(booking)
    if view["reservation"] != "PENDING":
        raise PersonError("demo-terms", f"Decided before the offer: {' '.join(view['so_far'])}", "")


def _owed(view: dict[str, Any]) -> dict[str, Any] | None:
    owed: dict[str, Any] | None = view["owed"]
    return owed if view["reservation"] == "CANCELED" else None


def _span(terms: dict[str, Any]) -> str:
    return format_span(terms["start"]["ms"], terms["end"]["ms"], ZONE)
