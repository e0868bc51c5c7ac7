"""Places for sockets that have proved nothing yet: so many, and of one address fewer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import trio

from .limits import NetworkLimits


@dataclass(slots=True, eq=False)
class HalfOpen:
    """Such a socket; cancelling its scope closes it."""

    host: str | None
    scope: trio.CancelScope


class HalfOpenPlaces:
    def __init__(self, limits: NetworkLimits) -> None:
        self._limits = limits
        self._taken: list[HalfOpen] = []  # the oldest first

    @contextmanager
    def take(self, host: str | None, scope: trio.CancelScope) -> Iterator[HalfOpen]:
        """A place among the half-open, until `leave`; where there is none, the oldest loses its own."""
        same = [other for other in self._taken if other.host == host]
        if len(same) >= self._limits.max_half_open_per_address:
            self._evict(same[0])
        elif len(self._taken) >= self._limits.max_half_open:
            self._evict(self._taken[0])
        place = HalfOpen(host, scope)
        self._taken.append(place)
        try:
            yield place
        finally:
            self.leave(place)

    def leave(self, place: HalfOpen) -> None:
        if place in self._taken:
            self._taken.remove(place)

    def _evict(self, place: HalfOpen) -> None:
        self._taken.remove(place)
        place.scope.cancel()
