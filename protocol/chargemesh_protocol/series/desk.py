"""The driver's series: what the person says of them, and what becomes of each date.

A date and the booking that is made for it are kept in one transaction, so that no crash can come between:
a date whose booking is known is not booked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from ..booking.driver import DriverDesk
from ..booking.kept import Booking
from ..booking.records import Quote
from ..effects import DropDocument, Effect, PutDocument, Result
from ..encoding import decode, encode
from ..errors import ExitCode, PersonError
from ..limits import MAX_SERIES, MAX_SERIES_EXCEPTIONS
from ..me import Me
from ..moment import Moment
from ..notices import series_notice
from ..record import open_as
from ..shape import from_tree, to_tree
from ..wall_clock import weekday_of
from .commands import (
    AgreePrice,
    BookOccurrence,
    EndSeries,
    MoveDate,
    OccurrenceFailed,
    OccurrencePassed,
    SeriesCommand,
    SkipDate,
    StartSeries,
)
from .dates import WEEK_MINUTES, WallTimes, last_of, wall_day, wall_times
from .kept import NOTHING_YET, SERIES_BYTES, Asked, DateState, Move, Outcome, Series
from .planner import Occurrence, Plan, next_try, occurrences, outcome_of, plan

SERIES = "series"
DATES = "series-date"  # id of the series + date
_DAY_BYTES = 4
_DAY_MINUTES = 24 * 60
_MOST_WH = 1_000_000  # that a quote may be asked for
_DATES_KEPT = 92  # days after which nobody asks what became of a date
T = TypeVar("T")
_NEAR_DAYS, _NEAR_MS = 7, 7 * 24 * 3600 * 1000  # a week before, a person may still find another charger


class SeriesDesk:
    """Every series of this node's person, and the state of its dates."""

    def __init__(
        self,
        me: Me,
        driver: DriverDesk,
        documents: Mapping[str, Mapping[bytes, bytes]],
    ) -> None:
        self._me = me
        self._driver = driver
        self._series = {
            id_: from_tree(Series, decode(data)) for id_, data in documents.get(SERIES, {}).items()
        }
        self._dates: dict[bytes, dict[int, DateState]] = {id_: {} for id_ in self._series}
        for key, data in documents.get(DATES, {}).items():
            kept = self._dates.setdefault(key[:SERIES_BYTES], {})
            kept[int.from_bytes(key[SERIES_BYTES:], "big")] = from_tree(DateState, decode(data))

    # --- what others read -----------------------------------------------------------------------

    def __iter__(self) -> Iterator[tuple[bytes, Series]]:
        return iter(self._series.items())

    def require(self, series: bytes) -> Series:
        """PersonError if there is none of that id."""
        found = self._series.get(series)
        if found is None:
            raise PersonError(
                "no-such-series",
                "There is no such series.",
                "`chargemesh series list` shows them.",
                ExitCode.NOT_FOUND,
            )
        return found

    def dates(self, series: bytes) -> Mapping[int, DateState]:
        """What became of its dates so far."""
        return self._dates.get(series, {})

    def plan(self, series: bytes, now: int) -> Plan:
        """What is to be done for it now."""
        return plan(self._series[series], self.dates(series), now)

    # --- the person's commands ------------------------------------------------------------------

    def start(self, command: StartSeries, at: Moment) -> tuple[Booking, list[Effect]]:
        """Books the first date; the others follow as their time comes."""
        if len([one for one in self._series.values() if not one.ended]) >= MAX_SERIES:
            raise PersonError(
                "too-many-series", f"There are {MAX_SERIES} series already.", "End one that you need no more."
            )
        id_ = at.fresh("series", SERIES_BYTES)
        quote = open_as(Quote, command.book.quote, self._me.network).body
        series = _series_of(command, quote)
        booking, effects = self._driver.book(replace(command.book, series=id_), at)
        self._series[id_], self._dates[id_] = series, {}
        booked = DateState(tries=1, not_before=next_try(at.now, quote.start, 1), booking=booking.id)
        result = Result({"booking": booking.id.hex(), "series": id_.hex()})
        others = [one for one in effects if not isinstance(one, Result)]
        return booking, [*others, self._saved(id_), self._put(id_, series.first, booked), result]

    def do(self, command: SeriesCommand, at: Moment) -> list[Effect]:
        """Whatever else a person says of a series."""
        if isinstance(command, StartSeries):
            raise AssertionError("a series begins with a booking")
        series = self.require(command.series)
        if series.ended:
            raise PersonError(
                "series-ended", "That series is ended.", "`chargemesh book … --weekly` begins one."
            )
        oldest = wall_day(series.zone, at.now) - _DATES_KEPT
        match command:
            case SkipDate(day=day, skipped=skipped):
                self._require_open(command.series, series, day, at.now)
                skips = {*series.skips, day} if skipped else {*series.skips} - {day}
                series = replace(series, skips=_bounded(sorted(skips), lambda one: one, oldest))
            case MoveDate(day=day, start=start, end=end):
                self._require_open(command.series, series, day, at.now)
                _require_near(series, day, start, end, at.now)
                moves = [*(one for one in series.moves if one.day != day), Move(day, start, end)]
                skips = {*series.skips} - {day}
                series = replace(
                    series,
                    moves=_bounded(moves, lambda one: one.day, oldest),
                    skips=tuple(sorted(skips)),
                )
            case AgreePrice(at_most=at_most):
                series = _agreed(series, at_most)
            case EndSeries():
                series = replace(series, ended=True, asked=None)
        self._series[command.series] = series
        effects: list[Effect] = [self._saved(command.series)]
        if isinstance(command, MoveDate):
            effects.append(self._put(command.series, command.day, NOTHING_YET))
        return [*effects, Result({"series": command.series.hex()})]

    # --- what the service comes with ------------------------------------------------------------

    def book(self, command: BookOccurrence, at: Moment) -> tuple[Booking, list[Effect]]:
        """Books a date for which there is a quote; PersonError if that is not, or no longer, to be done."""
        series, one = self._wanted(command.series, command.day, at.now)
        quote = open_as(Quote, command.book.quote, self._me.network).body
        asked = (series.host, series.charger, one.start, one.end)
        if (quote.author, quote.charger, quote.start, quote.end) != asked or objection(series, quote):
            raise PersonError("not-agreed", "That is not what the series is for.", "Look at it again.")
        booking, effects = self._driver.book(replace(command.book, series=command.series), at)
        before = self.dates(command.series).get(command.day, NOTHING_YET)
        tries = before.tries + 1
        again = next_try(at.now, one.start, tries)
        state = DateState(tries=tries, not_before=again, told=before.told, booking=booking.id)
        saved: list[Effect] = [self._put(command.series, command.day, state)]
        kept = replace(series, peer=command.book.to, asked=None)  # what it costs is agreed again
        if kept != series:
            self._series[command.series] = kept
            saved.append(self._saved(command.series))
        return booking, [*effects, *saved, *self._forget_old(command.series, at.now)]

    def failed(self, command: OccurrenceFailed, at: Moment) -> list[Effect]:
        """A date can't be had now; its person is told once, and asked once about each new price."""
        series, one = self._wanted(command.series, command.day, at.now)
        before = self.dates(command.series).get(command.day, NOTHING_YET)
        tries = before.tries + 1
        dear = command.cap is not None and command.terms is not None
        near = command.code not in ("host-away", "unavailable") or tries > 1
        tell = not dear and not before.told and near and one.start <= at.now + _NEAR_MS
        state = DateState(
            tries=tries,
            not_before=next_try(at.now, one.start, tries),
            code=command.code,
            message=command.message,
            told=before.told or tell,
            booking=before.booking,
            outcome=before.outcome,
            cap=command.cap,
            terms=command.terms,
        )
        effects: list[Effect] = [self._put(command.series, command.day, state)]
        facts = {"title": series.title, "start": one.start, "end": one.end}
        if tell:
            why = {"code": command.code, "why": command.message, "again": state.not_before}
            effects += series_notice("series.not_booked", command.series, at, **facts, **why)
        if command.cap is not None and command.terms is not None and _is_news(series, command):
            asked = Asked(command.day, command.cap, command.terms)
            self._series[command.series] = replace(series, asked=asked)
            price = {"cap": command.cap, "agreed": series.at_most, "currency": series.currency}
            effects += [
                self._saved(command.series),
                *series_notice("series.price", command.series, at, **facts, **price),
            ]
        return effects

    def passed(self, command: OccurrencePassed, at: Moment) -> list[Effect]:
        """A date was not booked in time: it is left out, and the person told."""
        series, one = self._wanted(command.series, command.day, at.now)
        before = self.dates(command.series).get(command.day, NOTHING_YET)
        if at.now < one.start:
            raise PersonError("too-early", "Its time has not come.", "Try on.")
        state = replace(before, left_out=True)
        facts = {"title": series.title, "start": one.start, "end": one.end, "code": before.code}
        return [
            self._put(command.series, command.day, state),
            *series_notice("series.left_out", command.series, at, **facts, why=before.message),
            *self._forget_old(command.series, at.now),
        ]

    def noticed(self, booking: Booking, at: Moment) -> list[Effect]:
        """Notes what became of a booking of ours, before it may go to rest, and where its host answers now.
        Called whenever it may have changed. A request that came to nothing is told like a quote that was not
        given."""
        id_ = booking.request.body.series
        if id_ is None or booking.is_host or id_ not in self._series:
            return []
        kept, series = self._dates[id_], self._series[id_]
        day = next((day for day, state in kept.items() if state.booking == booking.id), None)
        if day is None:
            return []
        effects: list[Effect] = []
        state, outcome = kept[day], outcome_of(booking, at.now)
        if state.outcome is not outcome:
            quote, code = booking.quote.body, booking.file.refused
            near = outcome is Outcome.AGAIN and quote.start <= at.now + _NEAR_MS
            tell = not state.told and (near or (outcome is Outcome.OVER and bool(code)))
            told = replace(state, outcome=outcome, code=code, told=state.told or tell)
            effects.append(self._put(id_, day, told))
            if tell:
                facts = {"title": series.title, "start": quote.start, "end": quote.end, "code": code}
                again = state.not_before if outcome is Outcome.AGAIN else None
                effects += series_notice("series.not_booked", id_, at, **facts, why="", again=again)
        newest = max(one for one, state in kept.items() if state.booking is not None)
        if day == newest and series.peer != booking.file.peer:
            self._series[id_] = replace(series, peer=booking.file.peer)
            effects.append(self._saved(id_))
        return effects

    # --- inside ---------------------------------------------------------------------------------

    def _wanted(self, id_: bytes, day: int, now: int) -> tuple[Series, Occurrence]:
        """The series and that date of it, which is still to be booked."""
        series = self.require(id_)
        found = self.plan(id_, now)
        for one in (*found.book, *found.left_out):
            if one.day == day:
                return series, one
        raise PersonError("not-due", "Nothing is to be booked for that date now.", "Look at it again.")

    def _require_open(self, id_: bytes, series: Series, day: int, now: int) -> None:
        """That `day` is a date of the series which is still to come and not booked."""
        found = next(occurrences(series, day, day), None)
        if found is None:
            raise PersonError(
                "not-a-date",
                "The series has no such date.",
                "`chargemesh series show` names the next ones.",
                ExitCode.USAGE,
            )
        state = self.dates(id_).get(day, NOTHING_YET)
        if state.booking is not None and state.outcome in (Outcome.ASKED, Outcome.STANDS):
            raise PersonError(
                "booked",
                "That date is booked or asked for already.",
                f"`chargemesh booking show {state.booking.hex()[:8]}` says what can be done about it.",
                ExitCode.NOT_ALLOWED,
            )
        if found.start <= now:
            raise PersonError("over", "That date is over.", "Choose one that is still to come.")

    def _forget_old(self, id_: bytes, now: int) -> list[Effect]:
        kept = self._dates[id_]
        oldest = wall_day(self._series[id_].zone, now) - _DATES_KEPT
        gone = [day for day in kept if day < oldest]
        for day in gone:
            del kept[day]
        return [DropDocument(DATES, _key(id_, day)) for day in gone]

    def _put(self, id_: bytes, day: int, state: DateState) -> PutDocument:
        self._dates[id_][day] = state
        return PutDocument(DATES, _key(id_, day), encode(to_tree(state)))

    def _saved(self, id_: bytes) -> PutDocument:
        return PutDocument(SERIES, id_, encode(to_tree(self._series[id_])))


def objection(series: Series, quote: Quote) -> str:
    """Why the person has not agreed to a quote: "price", "terms", "currency"; "" if they have."""
    if quote.plan.currency != series.currency:
        return "currency"
    if quote.cap > series.at_most:
        return "price"
    return "terms" if quote.terms != series.terms else ""


def _series_of(command: StartSeries, quote: Quote) -> Series:
    book = command.book
    at_most = quote.cap if command.at_most is None else command.at_most
    try:
        times = wall_times(book.zone, quote.start, quote.end)
        first = wall_day(book.zone, quote.start)
        weekdays = tuple(sorted({weekday_of(first), *command.weekdays}))
        _require_apart(times, weekdays)
        last = command.last if command.count is None else last_of(weekdays, first, command.count)
    except ValueError as error:
        raise PersonError("bad-series", f"That can't be repeated: {error}.", "", ExitCode.USAGE) from error
    if last is not None and last < first:
        raise PersonError(
            "bad-series", "It would end before it begins.", "Choose a later date.", ExitCode.USAGE
        )
    if at_most < quote.cap:
        raise PersonError(
            "costs-more", "The first one may cost more than that already.", "Name a higher amount."
        )
    return Series(
        charger=quote.charger,
        host=quote.author,
        zone=book.zone,
        weekdays=weekdays,
        opens=times.opens,
        minutes=times.minutes,
        energy_wh=min(quote.energy_wh, _MOST_WH),
        first=first,
        last=last,
        at_most=at_most,
        currency=quote.plan.currency,
        terms=quote.terms,
        peer=book.to,
        cell=command.cell,
        title=book.title,
        vehicle=book.vehicle,
        plug=book.plug,
    )


def _require_apart(times: WallTimes, weekdays: tuple[int, ...]) -> None:
    following = (*weekdays[1:], weekdays[0] + 7)
    shortest = min(after - before for before, after in zip(weekdays, following, strict=True))
    if times.minutes > min(shortest * _DAY_MINUTES, WEEK_MINUTES):
        raise ValueError("one would not be over when the next begins")


def _require_near(series: Series, day: int, start: int, end: int, now: int) -> None:
    if not now < start < end:
        raise PersonError(
            "bad-span", "It must be still to come, and end after it starts.", "", ExitCode.USAGE
        )
    if abs(wall_day(series.zone, start) - day) > _NEAR_DAYS or end - start > _NEAR_MS:
        raise PersonError(
            "too-far",
            "A date moves by a week at the most.",
            "Book that other time by itself.",
            ExitCode.USAGE,
        )


def _is_news(series: Series, command: OccurrenceFailed) -> bool:
    """Whether the person was not yet asked about such a price, or such terms."""
    asked = series.asked
    if asked is None or command.cap is None:
        return True
    return command.cap > max(asked.cap, series.at_most) or command.terms != asked.terms


def _agreed(series: Series, at_most: int) -> Series:
    """The person's new bound, with the terms they were asked about; what is dearer still is asked again."""
    asked = series.asked
    if asked is None or asked.cap > at_most:
        return replace(series, at_most=at_most)
    return replace(series, at_most=at_most, terms=asked.terms, asked=None)


def _bounded(found: Sequence[T], day_of: Callable[[T], int], oldest: int) -> tuple[T, ...]:
    """Those of `oldest` and later; PersonError if there are too many all the same."""
    left = tuple(one for one in found if day_of(one) >= oldest)
    if len(left) > MAX_SERIES_EXCEPTIONS:
        raise PersonError(
            "too-many", f"A series has at most {MAX_SERIES_EXCEPTIONS} exceptions.", "Begin another one."
        )
    return left


def _key(series: bytes, day: int) -> bytes:
    return series + day.to_bytes(_DAY_BYTES, "big")
