"""A small booking from end to end, at a charger whose meter people read by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chargemesh_node import offline
from chargemesh_protocol.errors import PersonError

from .cast import SEARCH_RADIUS_M
from .neighbour import Neighbour, wait_for

ENERGY_WH = 4_000
_FIRST_WH = 100_000
_SECONDS = 30.0


def deal(guest: Neighbour, host: Neighbour, *, stars: int, text: str, back: int) -> str:
    """`guest` charges at `host`'s, pays, gives `stars` and gets `back`. Returns the booking's id."""
    listing = wait_for(f"{host.name}'s listing", _SECONDS, lambda: _find(guest, host))
    now = offline.now()
    span = {"start": now, "end": now + 3_600_000}
    quote = guest.api.post("quotes", {"listing": listing, **span, "energy_wh": ENERGY_WH})
    booking = str(guest.api.post("bookings", {"quote": quote["quote"], "wait_ms": 60_000})["id"])
    _until(guest, booking, "access")
    guest.api.post(f"bookings/{booking}/start", {})
    for number, register in enumerate((_FIRST_WH, _FIRST_WH + ENERGY_WH // 2, _FIRST_WH + ENERGY_WH)):
        if number == 2:
            guest.api.post(f"bookings/{booking}/stop", {})
            wait_for(f"{host.name}'s stop", _SECONDS, lambda: _box_state(host) == "Finishing")
        wait_for(f"{host.name}'s reading", _SECONDS, _entering(host, register))
    _until(guest, booking, "receipt")
    ticket = guest.api.get(f"bookings/{booking}")["reading"]["ticket"]
    guest.api.post(f"bookings/{booking}/reading", {"ticket": ticket, "register_wh": _FIRST_WH + ENERGY_WH})
    _until(guest, booking, "agreed")
    guest.api.post(f"bookings/{booking}/claim", {})
    confirm = _trying(lambda: host.api.post(f"bookings/{booking}/confirm"))
    wait_for(f"{host.name}'s confirmation", _SECONDS, confirm)
    _until(guest, booking, "paid")
    guest.api.post(f"bookings/{booking}/review", {"stars": stars, "text": text})
    host.api.post(f"bookings/{booking}/review", {"stars": back, "text": "Fine."})
    return booking


def _find(guest: Neighbour, host: Neighbour) -> str | None:
    place = host.character.place
    lines = guest.api.lines("find", lat=place.latitude, lon=place.longitude, radius_m=SEARCH_RADIUS_M)
    return next((line["id"] for line in lines if line.get("title") == host.character.title), None)


def _until(guest: Neighbour, booking: str, name: str) -> dict[str, Any]:
    view: dict[str, Any] = guest.api.get(f"bookings/{booking}", wait_until=name, timeout_s=_SECONDS)
    if not view["waited"]["reached"]:
        raise PersonError("demo-booking", f"{guest.name}'s booking did not get to {name}: {view['next']}", "")
    return view


def _entering(host: Neighbour, register_wh: int) -> Callable[[], bool]:
    """Types a reading in, of a car that charges far too fast; a session that has not begun takes none."""
    body = {"register_wh": register_wh, "sure": True}
    return _trying(lambda: host.api.post(f"chargers/{host.charger}/reading", body), "bad-reading")


def _trying(ask: Callable[[], Any], *expected: str) -> Callable[[], bool]:
    def attempt() -> bool:
        try:
            ask()
        except PersonError as error:
            if expected and error.code not in expected:
                raise
            return False
        return True

    return attempt


def _box_state(host: Neighbour) -> str:
    return str((host.api.get(f"chargers/{host.charger}/wallbox")["state"] or {}).get("state"))
