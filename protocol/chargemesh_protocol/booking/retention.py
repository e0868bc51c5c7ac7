"""How long a booking's secrets are kept: one-time keys and the opened address go 7 days after the end."""

from __future__ import annotations

from ..effects import DropDocument, Effect
from .driver import ACCESS, DriverDesk
from .ledger import Booking, Ledger

SECRETS_KEPT_MS = 7 * 24 * 3600 * 1000


class Retention:
    """Deletes what must not be kept. The signed records stay: they are the evidence of both sides."""

    def __init__(self, ledger: Ledger, driver: DriverDesk) -> None:
        self._ledger = ledger
        self._driver = driver

    def deadline(self, booking: Booking) -> int | None:
        return booking.quote.body.end + SECRETS_KEPT_MS if booking.file.secret else None

    def due(self, booking: Booking, now: int) -> list[Effect]:
        if not booking.file.secret or now < booking.quote.body.end + SECRETS_KEPT_MS:
            return []
        self._driver.forget_access(booking)
        return [*self._ledger.update(booking, secret=b""), DropDocument(ACCESS, booking.id)]
