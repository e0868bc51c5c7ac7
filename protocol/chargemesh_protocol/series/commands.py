"""What is asked of a weekly series: by the driver's person, by its own node's service, and by the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from ..events import Book
    from ..terms import Terms


@dataclass(frozen=True, slots=True)
class StartSeries:
    """Books the first occurrence and keeps the rest as a series.

    cell: of the listing. weekdays: further ones than that of the first date. last: a date, as days from
    1970-01-01. count: of occurrences, instead of `last`. at_most: what one may cost, micro-units; None for
    the cap of the quote.
    """

    book: Book
    cell: int
    weekdays: tuple[int, ...] = ()
    last: int | None = None
    count: int | None = None
    at_most: int | None = None


@dataclass(frozen=True, slots=True)
class SkipDate:
    """That date (days from 1970-01-01) is left out; or it is not any more."""

    series: bytes
    day: int
    skipped: bool = True


@dataclass(frozen=True, slots=True)
class MoveDate:
    """The occurrence of that date is at other times, unix ms."""

    series: bytes
    day: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class AgreePrice:
    """From now on one occurrence may cost that, micro-units; on the conditions that the person was shown."""

    series: bytes
    at_most: int


@dataclass(frozen=True, slots=True)
class EndSeries:
    """Nothing more is booked; what is booked stays."""

    series: bytes


@dataclass(frozen=True, slots=True)
class BookOccurrence:
    """The service has a quote for that date: books it, if that is still to be done."""

    series: bytes
    day: int
    book: Book


@dataclass(frozen=True, slots=True)
class OccurrenceFailed:
    """No quote for that date, or none that the person agreed to: then its cap and terms. `code`, `message`:
    why, for people."""

    series: bytes
    day: int
    code: str
    message: str
    cap: int | None = None
    terms: Terms | None = None


@dataclass(frozen=True, slots=True)
class OccurrencePassed:
    """The time of that date came, and it was not booked."""

    series: bytes
    day: int


@dataclass(frozen=True, slots=True)
class AgreeSeries:
    """The host takes the request that `booking` is, and the next of its series, until then (unix ms)."""

    booking: bytes
    until: int | None = None


@dataclass(frozen=True, slots=True)
class RevokeSeries:
    """The host takes that back, and declines what of the series still waits."""

    booking: bytes


SeriesCommand: TypeAlias = StartSeries | SkipDate | MoveDate | AgreePrice | EndSeries
SeriesStep: TypeAlias = BookOccurrence | OccurrenceFailed | OccurrencePassed
HostSeriesCommand: TypeAlias = AgreeSeries | RevokeSeries
SeriesEvent: TypeAlias = SeriesCommand | SeriesStep | HostSeriesCommand
SERIES_EVENTS = (
    StartSeries,
    SkipDate,
    MoveDate,
    AgreePrice,
    EndSeries,
    BookOccurrence,
    OccurrenceFailed,
    OccurrencePassed,
    AgreeSeries,
    RevokeSeries,
)
