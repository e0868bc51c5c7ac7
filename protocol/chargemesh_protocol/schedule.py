"""Weekly opening hours in a zone, and the 14-day bitmap of 15-minute slots that a listing shows.

Hours are wall-clock hours: on the day the clocks go forward the missing hour has no slots, on the day
they go back both runs of the doubled hour have them. Where that happens is decided by the host's tz
data, once; the bitmap is in UTC and means the same to everybody. What a host adds to the weekly hours is in
`opening`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from .errors import ExitCode, PersonError
from .limits import LISTING_SLOTS, MAX_LIST_ITEMS, SLOT_MS
from .shape import Bytes, Int, Seq, Struct, Text, Uint, key, shape
from .units import WEEKDAYS, format_clock, parse_clock, parse_weekday
from .wall_clock import DAY_MS, Interval, instants, merged, wall_time, weekday_of
from .zones import DAY_MINUTES, LAST_INSTANT, MINUTE_MS, parse_zone, zone_of

BITMAP_BYTES = LISTING_SLOTS // 8
_WEEK_MINUTES = 7 * DAY_MINUTES
_DAYS: dict[str, Sequence[int]] = {
    **dict.fromkeys(("daily", "every", "everyday"), range(1, 8)),
    "weekdays": range(1, 6),
    **dict.fromkeys(("weekend", "weekends"), (6, 7)),
}


@shape
@dataclass(frozen=True, slots=True)
class WeeklySpan:
    """Open on `weekday` (1 Monday to 7 Sunday) from minute `opens` to minute `closes` after midnight.

    A `closes` at or before `opens` lies on the next day: 18:00 to 08:00 is a night, 00:00 to 00:00 a
    whole day.
    """

    weekday: int = key(0, Int(1, 7))
    opens: int = key(1, Int(0, DAY_MINUTES - 1))
    closes: int = key(2, Int(0, DAY_MINUTES))

    def __post_init__(self) -> None:
        if not (1 <= self.weekday <= 7 and 0 <= self.opens < DAY_MINUTES and 0 <= self.closes <= DAY_MINUTES):
            raise ValueError("a span has a weekday from 1 to 7 and minutes within a day")

    @property
    def minutes(self) -> int:
        """Wall-clock length, from 1 to 1440."""
        return (
            self.closes - self.opens if self.closes > self.opens else DAY_MINUTES + self.closes - self.opens
        )


@shape
@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """When a charger is offered, by the wall clocks of `zone` (IANA). Spans may overlap: open is open."""

    zone: str = key(0, Text(64, 1))
    spans: tuple[WeeklySpan, ...] = key(1, Seq(Struct(WeeklySpan), MAX_LIST_ITEMS))

    def __post_init__(self) -> None:
        zone_of(self.zone)
        if len(self.spans) > MAX_LIST_ITEMS:
            raise ValueError(f"weekly hours have at most {MAX_LIST_ITEMS} spans")


@shape
@dataclass(frozen=True, slots=True)
class SlotMap:
    """Which of the 1,344 quarter hours from `start` (UTC, unix ms) are offerable; first slot, highest bit."""

    start: int = key(0, Uint(LAST_INSTANT))
    bits: bytes = key(1, Bytes(BITMAP_BYTES))

    def __post_init__(self) -> None:
        if not 0 <= self.start <= LAST_INSTANT or self.start % SLOT_MS:
            raise ValueError("a slot map starts at a UTC quarter hour")
        if len(self.bits) != BITMAP_BYTES:
            raise ValueError(f"a slot map has {BITMAP_BYTES} bytes")

    @property
    def end(self) -> int:
        return self.start + LISTING_SLOTS * SLOT_MS

    def offerable(self, start: int, end: int) -> bool:
        """Whether every slot that [start, end) touches is offerable; what lies outside the map is not."""
        if end <= start:
            raise ValueError("the end must be after the start")
        if start < self.start or end > self.end:
            return False
        first, past = (start - self.start) // SLOT_MS, -((self.start - end) // SLOT_MS)
        wanted = _ones(first, past)
        return int.from_bytes(self.bits, "big") & wanted == wanted

    def slots(self) -> tuple[bool, ...]:
        """Every slot in order, True where offerable."""
        return tuple(bit == "1" for bit in f"{int.from_bytes(self.bits, 'big'):0{LISTING_SLOTS}b}")


@dataclass(frozen=True, slots=True)
class Window:
    """An offerable stretch [start, end), unix ms."""

    start: int
    end: int


def quarter_hour(instant: int) -> int:
    """The UTC quarter hour that `instant` lies in."""
    return instant - instant % SLOT_MS


def always_open(zone: str) -> WeeklyHours:
    return WeeklyHours(zone, tuple(WeeklySpan(day, 0, DAY_MINUTES) for day in range(1, 8)))


def slot_map(hours: WeeklyHours, start: int, busy: Iterable[Interval] = ()) -> SlotMap:
    """The bitmap from quarter hour `start`: open by `hours` and not touched by any [from, to) of `busy`."""
    end = start + LISTING_SLOTS * SLOT_MS
    walls = weekly_walls(hours.spans, *days_around(start, end, hours.zone))
    return bitmap(start, instants(walls, zone_of(hours.zone), start, end), busy)


def bitmap(start: int, open_times: Sequence[Interval], busy: Iterable[Interval]) -> SlotMap:
    """The bitmap from quarter hour `start`: within one of `open_times` (which do not touch each other) and
    not touched by any of `busy`.

    A slot is open only if all its 15 minutes are.
    """
    bits = 0
    for begin, past in open_times:
        first, last = max(-((start - begin) // SLOT_MS), 0), min((past - start) // SLOT_MS, LISTING_SLOTS)
        if first < last:
            bits |= _ones(first, last)
    for taken_from, taken_to in busy:
        bits &= ~_touched(start, taken_from, taken_to)
    return SlotMap(start, bits.to_bytes(BITMAP_BYTES, "big"))


def days_around(start: int, end: int, zone: str) -> tuple[int, int]:
    """Every date that clocks in `zone` show in [start, end), with a day to spare on both sides: the clocks
    may go back in between, and a span may have begun the evening before."""
    where = zone_of(zone)
    return wall_time(start, where) // DAY_MS - 1, wall_time(end, where) // DAY_MS + 1


def weekly_walls(spans: Iterable[WeeklySpan], first: int, last: int) -> list[Interval]:
    """The wall times of the spans that begin on the dates `first` to `last`, merged."""
    of_weekday = by_weekday(tuple(spans))
    return merged(
        (day * DAY_MS + opens * MINUTE_MS, day * DAY_MS + (opens + minutes) * MINUTE_MS)
        for day in range(first, last + 1)
        for opens, minutes in of_weekday[weekday_of(day)]
    )


@lru_cache(maxsize=256)
def by_weekday(spans: tuple[WeeklySpan, ...]) -> dict[int, tuple[tuple[int, int], ...]]:
    """(opens, minutes) of the spans that begin on each weekday."""
    return {
        weekday: tuple((one.opens, one.minutes) for one in spans if one.weekday == weekday)
        for weekday in range(1, 8)
    }


@lru_cache(maxsize=256)
def week_minutes(spans: tuple[WeeklySpan, ...]) -> bytes:
    """One byte for each minute of a wall-clock week from Monday 00:00: 1 where a span covers it."""
    week = bytearray(_WEEK_MINUTES)
    for span in spans:
        first = (span.weekday - 1) * DAY_MINUTES + span.opens
        for minute in range(first, first + span.minutes):
            week[minute % _WEEK_MINUTES] = 1
    return bytes(week)


def free_windows(
    slots: SlotMap, after: int, at_least_ms: int = SLOT_MS, count: int = 5
) -> tuple[Window, ...]:
    """The next `count` offerable stretches of `at_least_ms` or more, cut to begin no earlier than `after`."""
    found: list[Window] = []
    opened: int | None = None
    edges = [(slots.start + number * SLOT_MS, free) for number, free in enumerate(slots.slots())]
    for at, free in [*edges, (slots.end, False)]:
        if free and opened is None:
            opened = at
        elif not free and opened is not None:
            begins, opened = max(opened, after), None
            if at - begins >= max(at_least_ms, 1):
                found.append(Window(begins, at))
                if len(found) == count:
                    break
    return tuple(found)


def parse_hours(text: str, zone: str) -> WeeklyHours:
    """Hours as people type them: "always", "mon-fri 18:00-08:00; sat,sun 00:00-24:00", "daily 9:00-17:00"."""
    name = parse_zone(zone)
    if text.strip().lower() in ("always", "24/7"):
        return always_open(name)
    return WeeklyHours(name, parse_spans(text))


def parse_spans(text: str, *, daily: bool = False) -> tuple[WeeklySpan, ...]:
    """The spans of "mon-fri 18:00-08:00; sat 9:00-12:00"; with `daily`, times alone mean every day."""
    spans: list[WeeklySpan] = []
    for part in filter(None, (part.strip() for part in re.split(r"[;\n]", text))):
        named = part if not (daily and part[0].isdigit()) else f"daily {part}"
        days, times = _days_and_times(named, text)
        opens, dash, closes = times.partition("-")
        if not dash:
            raise _bad_hours(text)
        begin, end = parse_clock(opens), parse_clock(closes)
        if begin == DAY_MINUTES:
            raise _bad_hours(text)
        spans += [WeeklySpan(day, begin, end) for day in _days(days, text)]
    if not 0 < len(spans) <= MAX_LIST_ITEMS:
        raise _bad_hours(text)
    return tuple(spans)


def format_hours(hours: WeeklyHours) -> str:
    """What `parse_hours` reads back, with days of equal times joined where they follow each other."""
    return "always" if hours == always_open(hours.zone) else format_spans(hours.spans)


def format_spans(spans: Iterable[WeeklySpan], *, daily: bool = False) -> str:
    """What `parse_spans` reads back."""
    parts: list[str] = []
    run: list[WeeklySpan] = []
    for span in (*spans, None):
        last = run[-1] if run else None
        if (
            span
            and last
            and span == WeeklySpan(last.weekday % 7 + 1, last.opens, last.closes)
            and len(run) < 7
        ):
            run.append(span)
            continue
        if last:
            days = WEEKDAYS[run[0].weekday - 1] + (f"-{WEEKDAYS[last.weekday - 1]}" if len(run) > 1 else "")
            times = f"{format_clock(last.opens)}-{format_clock(last.closes)}"
            parts.append(times if daily and len(run) == 7 else f"{days} {times}")
        run = [span] if span else []
    return "; ".join(parts)


def _days_and_times(part: str, whole: str) -> tuple[str, str]:
    """ "mon-fri" and "18:00-08:00" of "Mon - Fri 18:00 – 08:00"; PersonError that says which is missing."""
    plain = part.replace("–", "-")
    first_digit = next((at for at, sign in enumerate(plain) if sign.isdigit()), len(plain))
    days, times = ("".join(half.split()) for half in (plain[:first_digit], plain[first_digit:]))
    if not days and "-" in times:
        raise _bad_hours(whole, f"Name the days as well: mon-sun {times}.")
    if not times and _are_days(days, whole):
        raise _bad_hours(whole, f"Name the times as well: {days} 18:00-08:00.")
    return days, times


def _are_days(text: str, whole: str) -> bool:
    try:
        return bool(_days(text, whole))
    except PersonError:
        return False


def _days(text: str, whole: str) -> Sequence[int]:
    """The weekdays of "mon-fri", "sat,sun", "weekdays" or "daily", in the order named."""
    if text.lower() in _DAYS:
        return _DAYS[text.lower()]
    days: list[int] = []
    for part in text.split(","):
        first, dash, last = part.replace("–", "-").partition("-")
        begin = parse_weekday(first)
        end = parse_weekday(last) if dash else begin
        days += [(begin + step - 1) % 7 + 1 for step in range((end - begin) % 7 + 1)]
    if len(set(days)) != len(days):
        raise _bad_hours(whole)
    return days


def _bad_hours(text: str, hint: str = "") -> PersonError:
    return PersonError(
        "bad-hours",
        f"{text.strip()[:60]!r} are not weekly hours.",
        hint or 'Write for example "mon-fri 18:00-08:00; sat,sun 00:00-24:00", or "always".',
        ExitCode.USAGE,
    )


def _touched(start: int, taken_from: int, taken_to: int) -> int:
    """The bits of the slots that [taken_from, taken_to) touches, in a map from `start`."""
    first = max((taken_from - start) // SLOT_MS, 0)
    past = min(-((start - taken_to) // SLOT_MS), LISTING_SLOTS)
    return 0 if taken_to <= taken_from or past <= first else _ones(first, past)


def _ones(first: int, past: int) -> int:
    """The bits of the slots `first` up to and without `past`."""
    return ((1 << (past - first)) - 1) << (LISTING_SLOTS - past)
