"""The small values of every view: money, instants, people."""

from __future__ import annotations

from typing import TypedDict

from chargemesh_protocol.money import format_amount, format_total
from chargemesh_protocol.units import format_instant

UTC = "UTC"


class Money(TypedDict):
    """An amount. micro: millionths of a unit of the ISO 4217 currency; text: as people read it."""

    micro: int
    currency: str
    text: str


class Instant(TypedDict):
    """A point in time. ms: unix milliseconds, UTC; text: by the clocks of the place in question."""

    ms: int
    text: str


class Span(TypedDict):
    """A stretch of time, the end not included."""

    start: Instant
    end: Instant


class Place(TypedDict):
    """A point in degrees, WGS 84, and a link that maps open."""

    latitude: float
    longitude: float
    map: str


def money(micro: int, currency: str) -> Money:
    return {"micro": micro, "currency": currency, "text": format_amount(micro, currency)}


def total(micro: int, currency: str) -> Money:
    """A sum that somebody pays: exact in `micro`, and in `text` whole coins as the receipt will bill them."""
    return {"micro": micro, "currency": currency, "text": format_total(micro, currency)}


def instant(ms: int, zone: str) -> Instant:
    return {"ms": ms, "text": local(ms, zone)}


def local(ms: int, zone: str) -> str:
    """The wall time in `zone`; in UTC, and said so, where a listing names a zone that is unknown here."""
    try:
        return format_instant(ms, zone) + (" UTC" if zone == UTC else "")
    except ValueError:
        return f"{format_instant(ms, UTC)} UTC"


def spoken(ms: int, zone: str, now: int) -> str:
    """A time inside a sentence: without seconds, and without the date where it is today's."""
    minute = ms - ms % 60_000
    said, today = local(minute, zone), local(now - now % 60_000, zone)
    return said[11:] if said[:10] == today[:10] else said


def place(latitude_micro: int, longitude_micro: int) -> Place:
    """From microdegrees."""
    latitude, longitude = latitude_micro / 1e6, longitude_micro / 1e6
    return {"latitude": latitude, "longitude": longitude, "map": f"geo:{latitude:.6f},{longitude:.6f}"}
