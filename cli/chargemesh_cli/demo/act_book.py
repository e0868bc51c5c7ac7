"""Second act: quote, booking, and the address, which exists at the driver only from then on."""

from __future__ import annotations

import json
from typing import Any

from chargemesh_node import offline
from chargemesh_protocol.errors import PersonError

from .cast import HANNA
from .play import Play
from .scene import Light

# The shorter the booking, the closer together its meter tickets may be: they are bounded for each booking.
ENERGY_WH = 5_000
_MINUTES = 30
_WAIT_MS = 60_000
_SECONDS = 15.0


def book(play: Play, found: dict[str, dict[str, Any]]) -> str:
    """Dario books Hanna's charger from now on; returns the booking's id."""
    listing = found[HANNA.title]
    card = play.stage.scene.card
    card.title, card.expected_wh = HANNA.title, ENERGY_WH
    start = offline.now()
    span = {"start": start, "end": start + _MINUTES * 60_000}
    with play.timed("quote_s"):
        quote = play.dario.api.post("quotes", {"listing": listing["id"], **span, "energy_wh": ENERGY_WH})
    card.state, card.quote = "quote signed by the host", _in_short(quote)
    play.stage.step(
        "quote",
        f"Hanna's node signs a quote for {_MINUTES} minutes from now and {ENERGY_WH // 1000} kWh: all in "
        f"{quote['estimate']['text']}, and never more than {quote['cap']['text']}.",
        estimate=quote["estimate"],
        cap=quote["cap"],
        seconds=play.figures["quote_s"],
    )
    _require_no_address(listing, quote)
    card.address = "address: not told yet"
    with play.timed("booked_s"):
        made = play.dario.api.post("bookings", {"quote": quote["quote"], "wait_ms": _WAIT_MS})
        booking = str(made["id"])
        view = _wait(play, booking, "decided", "RESERVED", "reservation")
    card.state = "booked (RESERVED)"
    play.stage.scene.light(int(listing["cell"]["cell"], 16), Light.BOOKED)
    play.stage.step(
        "booked",
        f"Dario books; Hanna's rules accept at once: signed by both in {play.figures['booked_s']:.2f} s.",
        booking=booking,
        seconds=play.figures["booked_s"],
    )
    view = _wait(play, booking, "access")
    card.address = view["access"]["address"]
    play.stage.step(
        "address",
        f"Only now Dario's node gets the address, sealed to this booking: {view['access']['address']} "
        f"({view['access']['way']} Code {view['access']['code']}).",
        address=view["access"]["address"],
    )
    return booking


def _in_short(quote: dict[str, Any]) -> str:
    return f"{ENERGY_WH // 1000} kWh: {quote['estimate']['text']}, at most {quote['cap']['text']}"


def _require_no_address(*seen: Any) -> None:
    """What Dario was shown before the booking must not hold the street: what the demo says, it checks."""
    if HANNA.address.split(",")[0] in json.dumps(seen, ensure_ascii=False):
        raise PersonError("demo-leak", "The address was in what strangers see.", "Please report this.")


def _wait(play: Play, booking: str, until: str, state: str = "", field: str = "") -> dict[str, Any]:
    """The booking once it got there, as the driver's node sees it."""
    view: dict[str, Any] = play.dario.api.get(f"bookings/{booking}", wait_until=until, timeout_s=_SECONDS)
    if not view["waited"]["reached"] or (state and view[field] != state):
        raise PersonError(
            "demo-booking", f"The booking did not get to {state or until}: {' '.join(view['so_far'])}", ""
        )
    return view
