"""What a long poll can wait for: a name, and whether a booking has got there."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import TypeAlias

from chargemesh_protocol.booking.change_text import change_waits
from chargemesh_protocol.booking.kept import Booking
from chargemesh_protocol.booking.records import Change
from chargemesh_protocol.booking.state import BookingState
from chargemesh_protocol.booking.table import Reservation, Session, Settlement
from chargemesh_protocol.errors import ExitCode, PersonError

Wanted: TypeAlias = Callable[[Booking, BookingState], bool]

_WANTED: dict[str, Wanted] = {
    "decided": lambda booking, state: (
        bool(booking.file.refused) or state.reservation is not Reservation.PENDING
    ),
    "answered": lambda booking, state: (
        not change_waits(state) and not any(one.id in state.not_included for one in booking.own(Change))
    ),
    "access": lambda _, state: state.access is not None,
    "charging": lambda _, state: state.session is Session.ACTIVE,
    "ended": lambda _, state: state.session in (Session.COMPLETED, Session.INVALID),
    "receipt": lambda _, state: state.receipt is not None,
    "agreed": lambda _, state: state.agreed is not None,
    "paid": lambda _, state: state.settlement is Settlement.PAID,
    "finished": lambda booking, state: bool(booking.file.refused) or state.finished,
}
# PENDING is where both begin: nobody waits for it.
_STATES = {state.value: state for state in (*Reservation, *Session, *Settlement) if state.value != "PENDING"}


def wanted(name: str) -> Wanted:
    """What `name` waits for; PersonError names the nearest that there is."""
    if name in _WANTED:
        return _WANTED[name]
    state = _STATES.get(name.upper())
    if state is None:
        known = [*_WANTED, *_STATES]
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(known)}."
        raise PersonError("bad-wait", f"Nothing is called {name[:20]!r} here.", hint, ExitCode.USAGE)
    return lambda booking, now: (
        state in (now.reservation, now.session, now.settlement)
        or (state is Reservation.REJECTED and bool(booking.file.refused))
    )
