"""What is made of bookings, remembered for those at rest.

They lie in the store (see `at_rest`), and reading one takes some milliseconds; a phone's page asks for the
same fifty every few seconds.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from chargemesh_protocol.booking.at_rest import AtRest
from chargemesh_protocol.booking.kept import Booking

from ..node import Node

T = TypeVar("T")
KEPT = 600  # a page of the largest size, and what a phone shows; about 2 KB each
KEPT_MS = 10 * 60_000  # what is said of a booking may hold "today" and "yesterday"


class Past(Generic[T]):
    """Of each booking at rest what `make` made of it, until it is changed or too old."""

    def __init__(self, make: Callable[[Node, Booking], T]) -> None:
        self._make = make
        self._kept: OrderedDict[bytes, tuple[AtRest, int, T]] = OrderedDict()

    async def of(self, node: Node, booking: bytes) -> T | None:
        """None for a booking that is forgotten meanwhile. PersonError if it can't be read."""
        ledger, now = node.runner.engine.ledger, node.clock.now()
        summary, kept = ledger.resting.get(booking), self._kept.pop(booking, None)
        if summary is None:
            loaded = ledger.get(booking)
            return None if loaded is None else self._make(node, loaded)
        if kept is None or kept[0] != summary or not 0 <= now - kept[1] < KEPT_MS:
            kept = summary, now, self._make(node, await node.runner.booking(booking))
        self._kept[booking] = kept
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return kept[2]
