"""What is busy in a calendar of somebody else: bytes in, stretches of time out, and nothing else of it.

Free is what says so (TRANSP:TRANSPARENT), what was called off (STATUS:CANCELLED), what takes no time, and
what we gave out ourselves. Times without a zone, and whole days, are those of the charger's zone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

import recurring_ical_events
from icalendar import Calendar

from chargemesh_protocol.limits import MAX_BUSY_TIMES, MAX_ICS_EVENTS, MAX_ICS_OCCURRENCES
from chargemesh_protocol.wall_clock import Interval, merged
from chargemesh_protocol.zones import LAST_INSTANT, to_instant, zone_of

OUR_UIDS = "@bookings.chargemesh"  # how the UIDs of our own feed end
_REPEATING = {"RRULE", "RDATE", "RECURRENCE-ID"}
_SLICE = timedelta(days=62)
_ADAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Unreadable(Exception):
    """Why a calendar can't be taken in, as a sentence's end: "it is no calendar"."""


def busy_times(data: bytes, zone: str, start: int, end: int) -> tuple[list[Interval], int]:
    """The busy stretches within [start, end) (unix ms), and how many events could not be understood.

    Unreadable if it is no calendar, or holds more than any calendar needs.
    """
    if b"BEGIN:VCALENDAR" not in data[:4096].upper():
        raise Unreadable("it is no calendar (.ics)")
    if not data.rstrip().upper().endswith(b"END:VCALENDAR"):
        raise Unreadable("it ends in the middle")  # what is not there must not pass for free
    if data.upper().count(b"BEGIN:VEVENT") > MAX_ICS_EVENTS:
        raise Unreadable(f"it has more than {MAX_ICS_EVENTS} events")
    try:
        calendars = Calendar.from_ical(data, multiple=True)
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise Unreadable("it is no calendar that can be understood") from error
    found: list[Interval] = []
    skipped = 0
    for calendar in calendars:
        times, bad = _of_calendar(calendar, zone_of(zone), start, end, MAX_ICS_OCCURRENCES - len(found))
        found += times
        skipped += bad
    busy = merged(found)
    if len(busy) > MAX_BUSY_TIMES:
        raise Unreadable(f"it has more than {MAX_BUSY_TIMES} busy times in that time")
    return busy, skipped


def _of_calendar(calendar: Any, zone: tzinfo, start: int, end: int, room: int) -> tuple[list[Interval], int]:
    found: list[Interval] = []
    skipped = 0
    for series in _series(calendar):
        try:
            for occurrence in _occurrences(series, start, end):
                time = _busy(occurrence, zone)
                if time is not None and time[0] < end and time[1] > start:
                    found.append((max(time[0], start), min(time[1], end)))
                    if len(found) > room:
                        raise Unreadable(f"it has more than {MAX_ICS_OCCURRENCES} appointments in that time")
        except (ValueError, TypeError, KeyError, OverflowError, AttributeError):
            skipped += 1  # an event that breaks its own rules; the others still count
    return found, skipped


def _series(calendar: Any) -> Iterator[Any]:
    """A calendar for each event with its exceptions: one that is broken spoils no other."""
    by_uid: dict[str, list[Any]] = {}
    for number, event in enumerate(calendar.walk("VEVENT")):
        by_uid.setdefault(str(event.get("UID", f"event {number}")), []).append(event)
    for uid, events in by_uid.items():
        if uid.endswith(OUR_UIDS):
            continue
        one = Calendar()
        for event in events:
            one.add_component(event)
        yield one


def _occurrences(series: Any, start: int, end: int) -> Iterator[Any]:
    """With a day to spare on both sides: an event without a zone is anywhere in it."""
    at, last = _moment(start) - _ADAY, _moment(end) + _ADAY
    if len(series.subcomponents) == 1 and not series.subcomponents[0].keys() & _REPEATING:
        yield series.subcomponents[0]  # most are of this kind, and quickly done
        return
    query = recurring_ical_events.of(series, components=["VEVENT"])
    while at < last:
        until = min(at + _SLICE, last)
        yield from query.between(at, until)
        at = until


def _busy(event: Any, zone: tzinfo) -> Interval | None:
    """When this event takes its person's time; None if it does not."""
    if str(event.get("TRANSP", "")).upper() == "TRANSPARENT":
        return None
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return None
    begin, past = _instant(event.start, zone), _instant(event.end, zone)
    return (begin, past) if past > begin else None


def _instant(value: date | datetime, zone: tzinfo) -> int:
    """Whole days begin at midnight of the charger's zone; a time without a zone is its wall time."""
    moment = value if isinstance(value, datetime) else datetime.combine(value, time())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return min(max(to_instant(moment), 0), LAST_INSTANT)


def _moment(instant: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=instant)
