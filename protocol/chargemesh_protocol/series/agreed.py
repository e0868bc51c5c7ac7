"""A host's word for a whole series: which requests of one driver are taken without asking again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..booking.records import Quote, Request
from ..effects import DropDocument, Effect, PutDocument
from ..encoding import decode, encode
from ..errors import PersonError
from ..limits import MAX_SERIES_AGREED
from ..shape import Bytes, Int, Seq, Struct, Text, Uint, from_tree, key, shape, to_tree
from ..wall_clock import weekday_of
from ..zones import DAY_MINUTES, LAST_INSTANT
from .dates import WEEK_MINUTES, WallTimes, occurrence, wall_day, wall_times

AGREED = "series-agreed"  # driver + id of the series
DEFAULT_LIFE_MS = 26 * 7 * 24 * 3600 * 1000  # half a year: then the host is asked again
_MAX_TIMES = 7


@shape
@dataclass(frozen=True, slots=True)
class WeekTime:
    """A weekday (1 Monday to 7 Sunday), the minute after midnight at which it begins, and how long it may be
    by the clock."""

    weekday: int = key(0, Int(1, 7))
    opens: int = key(1, Int(0, DAY_MINUTES - 1))
    minutes: int = key(2, Int(1, WEEK_MINUTES))


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedSeries:
    """What the person agreed to: these times at that charger, up to `until` (unix ms), by the clocks of
    `zone`."""

    charger: bytes = key(0, Bytes(16))
    zone: str = key(1, Text(64, 1))
    times: tuple[WeekTime, ...] = key(2, Seq(Struct(WeekTime), _MAX_TIMES, 1))
    until: int = key(3, Uint(LAST_INSTANT))


class SeriesAgreed:
    """The host's agreements, by driver and series."""

    def __init__(self, documents: Mapping[str, Mapping[bytes, bytes]]) -> None:
        self._agreed = {
            id_: from_tree(AgreedSeries, decode(data)) for id_, data in documents.get(AGREED, {}).items()
        }

    def of(self, request: Request, now: int) -> AgreedSeries | None:
        """What stands for the series that a request belongs to."""
        found = None if request.series is None else self._agreed.get(request.author + request.series)
        return found if found is not None and now < found.until else None

    def covers(self, request: Request, quote: Quote, now: int) -> bool:
        """Whether the person has agreed to just this: the weekday and time, and no longer."""
        agreed = self.of(request, now)
        if agreed is None or quote.charger != agreed.charger or quote.start >= agreed.until:
            return False
        day = wall_day(agreed.zone, quote.start)
        return any(_is(one, agreed.zone, day, quote) for one in agreed.times)

    def with_times(self, request: Request, quote: Quote, zone: str, until: int) -> AgreedSeries:
        """What would be agreed for the series of `request` with the weekday and times of `quote`, beside
        those that are. PersonError if that can't be; changes nothing."""
        if request.series is None:
            raise PersonError(
                "no-series",
                "This booking belongs to no series.",
                "Accept it alone: `chargemesh booking accept` without --series.",
            )
        id_ = request.author + request.series
        before = self._agreed.get(id_)
        if before is None and len(self._agreed) >= MAX_SERIES_AGREED:
            raise PersonError(
                "too-many-series",
                f"You have agreed to {MAX_SERIES_AGREED} series already.",
                "Take one back with `chargemesh booking decline ID --series`.",
            )
        try:
            times = wall_times(zone, quote.start, quote.end)
        except ValueError as error:
            raise PersonError(
                "bad-series", f"That time can't repeat: {error}.", "Accept it alone."
            ) from error
        weekday = weekday_of(wall_day(zone, quote.start))
        kept = (
            () if before is None or before.zone != zone or before.charger != quote.charger else before.times
        )
        others = tuple(one for one in kept if one.weekday != weekday)
        return AgreedSeries(
            charger=quote.charger,
            zone=zone,
            times=(*others, WeekTime(weekday, times.opens, times.minutes)),
            until=until,
        )

    def agree(self, request: Request, agreed: AgreedSeries) -> list[Effect]:
        """From now on that is agreed for the series of `request`."""
        id_ = request.author + (request.series or b"")
        self._agreed[id_] = agreed
        return [PutDocument(AGREED, id_, encode(to_tree(agreed)))]

    def revoke(self, request: Request) -> list[Effect]:
        """Nothing more of that series is taken unasked."""
        if request.series is None or self._agreed.pop(request.author + request.series, None) is None:
            return []
        return [DropDocument(AGREED, request.author + request.series)]

    def due(self, now: int) -> list[Effect]:
        """Forgets what has ended."""
        gone = [id_ for id_, one in self._agreed.items() if now >= one.until]
        for id_ in gone:
            del self._agreed[id_]
        return [DropDocument(AGREED, id_) for id_ in gone]

    def deadline(self) -> int | None:
        return min((one.until for one in self._agreed.values()), default=None)


def _is(time: WeekTime, zone: str, day: int, quote: Quote) -> bool:
    if weekday_of(day) != time.weekday:
        return False
    found = occurrence(WallTimes(zone, time.opens, time.minutes), day)
    return found is not None and found[0] == quote.start and quote.end <= found[1]
