"""Gives what concerns a series to the side that it concerns: the driver's desk, or the host's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..booking.driver import DriverDesk
from ..booking.host import HostDesk
from ..booking.kept import Booking
from ..booking.ledger import Ledger
from ..effects import Effect
from ..listing_desk import ListingDesk
from ..me import Me
from ..moment import Moment
from .commands import (
    AgreeSeries,
    BookOccurrence,
    OccurrenceFailed,
    OccurrencePassed,
    RevokeSeries,
    SeriesEvent,
    StartSeries,
)
from .desk import SeriesDesk
from .host import HostSeries


class SeriesMachine:
    """Both sides' series of one node."""

    def __init__(
        self,
        me: Me,
        ledger: Ledger,
        listings: ListingDesk,
        host: HostDesk,
        driver: DriverDesk,
        documents: Mapping[str, Mapping[bytes, bytes]],
    ) -> None:
        self.own = SeriesDesk(me, driver, documents)
        self._others = HostSeries(ledger, listings, host)

    def handle(self, event: SeriesEvent, at: Moment) -> tuple[Sequence[Booking], list[Effect]]:
        """The bookings that changed, which are to be settled, and what else follows; PersonError before
        anything is changed."""
        match event:
            case StartSeries():
                booking, effects = self.own.start(event, at)
                return [booking], effects
            case BookOccurrence():
                booking, effects = self.own.book(event, at)
                return [booking], effects
            case OccurrenceFailed():
                return [], self.own.failed(event, at)
            case OccurrencePassed():
                return [], self.own.passed(event, at)
            case AgreeSeries():
                return self._others.agree(event, at)
            case RevokeSeries():
                return self._others.revoke(event, at)
            case _:
                return [], self.own.do(event, at)
