"""Bookings as a calendar that other programs subscribe to (RFC 5545), made anew each time it is asked for.

An event keeps its UID for ever, and its SEQUENCE rises with each record that changes what it says. Nothing
here is a secret of the booking: neither its id nor a code, and an address only once its driver was sent it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event, vUri

from chargemesh_protocol.booking.at_rest import AtRest
from chargemesh_protocol.booking.kept import Booking
from chargemesh_protocol.booking.records import Acknowledge, Countersign, Ticket
from chargemesh_protocol.booking.sealing import AccessRecord
from chargemesh_protocol.booking.table import Reservation

from .busy_times import OUR_UIDS

MAX_FEED_EVENTS = 1000
_KEPT_MS = 90 * 24 * 3600 * 1000
_MACHINERY = (Acknowledge, Countersign, Ticket)  # change nothing that a calendar shows
_STATUS = {
    Reservation.PENDING: "TENTATIVE",
    Reservation.RESERVED: "CONFIRMED",
    Reservation.FULFILLED: "CONFIRMED",
    Reservation.NO_SHOW: "CONFIRMED",
}


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """One booking as a calendar shows it. start, end, stamp: unix ms."""

    uid: str
    sequence: int
    stamp: int
    start: int
    end: int
    status: str
    summary: str
    url: str
    location: str = ""


def shown(known: Mapping[bytes, AtRest], now: int) -> list[bytes]:
    """Ids of the bookings that make events: what is to come, and what was in the last three months; the
    newest, where there are too many."""
    lately = sorted((one.start, booking) for booking, one in known.items() if one.end > now - _KEPT_MS)
    return [booking for _, booking in lately[-MAX_FEED_EVENTS:]]


def as_ics(events: Iterable[FeedEvent]) -> bytes:
    """The calendar, as `text/calendar`."""
    calendar = Calendar()
    calendar.add("prodid", "-//chargemesh//bookings//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", "Charging")
    calendar.add("x-published-ttl", "PT15M")
    for one in events:
        event = Event()
        event.add("uid", one.uid)
        event.add("sequence", one.sequence)
        event.add("dtstamp", _moment(one.stamp))
        event.add("last-modified", _moment(one.stamp))
        event.add("dtstart", _moment(one.start))
        event.add("dtend", _moment(one.end))
        event.add("status", one.status)
        event.add("summary", one.summary)
        event["url"] = vUri(one.url)
        if one.location:
            event.add("location", one.location)
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def uid_of(booking: bytes) -> str:
    """Stable, and says nothing of the booking's id, with which its records can be had (specs/05, B18)."""
    digest = hashlib.blake2b(booking, digest_size=16, person=b"chargemesh-ics")
    return digest.hexdigest() + OUR_UIDS


def event_of(
    booking: Booking, access: Callable[[Booking], AccessRecord | None], page: str, now: int
) -> FeedEvent:
    """One booking. page: where the phone page is, `http://HOST:PORT`."""
    state = booking.state(now)
    status = "CANCELLED" if booking.file.refused else _STATUS.get(state.reservation, "CANCELLED")
    changes = [one for one in (*booking.mine, *booking.theirs) if not isinstance(one.body, _MACHINERY)]
    told = None if booking.is_host else access(booking)
    title = booking.file.title or "Charger"
    return FeedEvent(
        uid=uid_of(booking.id),
        # A request that nobody answers ends without a record.
        sequence=len(changes) + (status == "CANCELLED"),
        stamp=max([booking.request.body.issued, *(one.body.issued for one in changes)]),
        start=state.quote.start,
        end=state.quote.end,
        status=status,
        summary=_summary(title, booking.is_host, state.reservation is Reservation.PENDING),
        url=f"{page}/#/{booking.id.hex()[:16]}",
        location=told.address if told is not None else "",
    )


def _summary(title: str, is_host: bool, asked: bool) -> str:
    if is_host:
        return f"{'Asked for' if asked else 'Booked'}: {title}"
    return f"{'Charging, if they agree' if asked else 'Charging'}: {title}"


def _moment(instant: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=instant // 1000)
