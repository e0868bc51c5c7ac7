"""How long a booking's secrets are kept: one-time keys and the opened address go 7 days after the end.

Requests of others that came to nothing are forgotten whole: strangers can make many of them.
"""

from __future__ import annotations

from ..effects import Effect
from ..limits import CLOCK_TOLERANCE_MS
from ..moment import earliest
from .driver import DriverDesk
from .kept import Booking
from .ledger import Ledger
from .rules import FORWARDED
from .table import Reservation

SECRETS_KEPT_MS = 7 * 24 * 3600 * 1000
# Long enough for the driver's node to hear the answer; the quote expires before, so that no request returns.
FORGOTTEN_AFTER_MS = 3600 * 1000
_CAME_TO_NOTHING = (Reservation.REJECTED, Reservation.FAILED, Reservation.CANCELED)


class Retention:
    """Deletes what must not be kept. Signed records of accepted bookings stay: the evidence of both sides."""

    def __init__(self, ledger: Ledger, driver: DriverDesk) -> None:
        self._ledger = ledger
        self._driver = driver

    def deadline(self, booking: Booking, now: int) -> int | None:
        """When `due` has something to do."""
        kept = booking.state(now).quote.end + SECRETS_KEPT_MS if booking.file.secret else None
        return earliest(kept, _forgotten_at(booking, now))

    def due(self, booking: Booking, now: int) -> list[Effect]:
        """Forgets a request that came to nothing, or deletes the secrets of a booking that is long over."""
        forgotten = _forgotten_at(booking, now)
        if forgotten is not None and now >= forgotten:
            return self._ledger.forget(booking)
        if not booking.file.secret or now < booking.state(now).quote.end + SECRETS_KEPT_MS:
            return []
        return [*self._ledger.update(booking, secret=b""), *self._driver.addresses.forget(booking)]


def _forgotten_at(booking: Booking, now: int) -> int | None:
    """When a request to us that was never accepted is forgotten; None while it is open, or if it was."""
    state = booking.state(now)
    if not booking.is_host or state.accept is not None or state.reservation not in _CAME_TO_NOTHING:
        return None
    chain = booking.set.chain
    unanswered = min(booking.request.body.expires, booking.quote.body.end) + CLOCK_TOLERANCE_MS
    ended = chain[-1].body.issued if chain else unanswered
    if booking.file.block.startswith(FORWARDED):
        ended = max(ended, unanswered)  # a mailbox may bring the same request again for as long as it is good
    return ended + FORGOTTEN_AFTER_MS
