"""A check-in on its way: signed by the driver, and not yet included by the host, from when on it counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..record import Record
from .records import Authorisation, Stop
from .state import BookingState


@dataclass(frozen=True, slots=True)
class WaitingCheckIn:
    """since: when it was signed. stopped_at: when a stop that waits behind it was; it then starts nothing."""

    since: int
    stopped_at: int | None = None


def waiting_check_in(state: BookingState, driver: Iterable[Record[Any]]) -> WaitingCheckIn | None:
    """The driver's newest authorisation that no host record includes yet, of the records of `driver`.

    A host takes what it includes by claimed time (`fold`), so that this is the order here too.
    """
    found: WaitingCheckIn | None = None
    for one in sorted(_waiting(state, driver), key=lambda one: (one.body.issued, one.id)):
        if type(one.body) is Authorisation:
            found = WaitingCheckIn(one.body.issued)
        elif found is not None and found.stopped_at is None:
            found = WaitingCheckIn(found.since, one.body.issued)
    return found


def after_what_waits(state: BookingState, driver: Iterable[Record[Any]], now: int) -> int:
    """When to date a check-in or a stop (unix ms): after those that wait with it.

    Two of one instant would count in the order of their ids, and a stop before its check-in ends nothing.
    """
    before: list[int] = [one.body.issued for one in _waiting(state, driver)]
    return max([now, *(issued + 1 for issued in before)])


def _waiting(state: BookingState, driver: Iterable[Record[Any]]) -> list[Record[Any]]:
    """The check-ins and stops that no host record includes."""
    return [one for one in driver if type(one.body) in (Authorisation, Stop) and one.id in state.not_included]
