"""When a booking may go to rest, and when time alone wakes it again: see `at_rest`."""

from __future__ import annotations

from ..moment import earliest
from ..trust.desk import TrustDesk
from .charging import ChargingDesk
from .host import HostDesk
from .kept import Booking
from .ledger import OUTBOX_LIFE_MS
from .retention import Retention
from .table import Reservation

# After the end of its slot a booking that was used stays loaded for so long: payment, review, and what a
# wallbox or a peer says late have mostly come by then.
RESTS_AFTER_MS = 24 * 3600 * 1000
MOST_WOKEN_AT_ONCE = 32  # by the clock, in one turn
_NEVER_USED = (Reservation.REJECTED, Reservation.FAILED, Reservation.CANCELED)


class Rest:
    """Says of each booking when nothing but an event can change it."""

    def __init__(
        self, host: HostDesk, charging: ChargingDesk, trust: TrustDesk, retention: Retention
    ) -> None:
        self._host = host
        self._charging = charging
        self._trust = trust
        self._retention = retention

    def begins(self, booking: Booking, now: int) -> int | None:
        """From when on it may rest, as it stands now, and never before its slot is over; None while it may
        not."""
        state = booking.state(now)
        refused = booking.file.done or bool(booking.file.refused)
        if not refused and (state.next_deadline is not None or self._may_act(booking, now)):
            return None
        used = not refused and state.reservation not in _NEVER_USED
        if booking.queued and booking.compared:
            return state.quote.end + OUTBOX_LIFE_MS  # the other side is there, and still lacks something
        return state.quote.end + (RESTS_AFTER_MS if used or booking.queued else 0)

    def wakes(self, booking: Booking, now: int) -> int | None:
        """When it is to be loaded again whatever happens: a secret is to be deleted, a review opened."""
        receipt = booking.agreed_receipt(now)
        return earliest(
            self._retention.deadline(booking, now),
            None if receipt is None else self._trust.deadline(booking, receipt),
        )

    def _may_act(self, booking: Booking, now: int) -> bool:
        """Whether a desk of ours waits for something: an instant, a box, a place in the log."""
        receipt = booking.agreed_receipt(now)
        if receipt is not None and self._trust.waits(booking, receipt):
            return True
        if not booking.is_host:
            return False
        return self._charging.holds(booking) or self._host.deadline_of(booking, now) is not None
