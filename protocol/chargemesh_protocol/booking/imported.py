"""Busy times that a host keeps in a calendar elsewhere: the last good state of each charger, and what fails.

Only stretches of time come in here: the names of what somebody does are left behind where the file is read.
An accepted booking is never undone by them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..chargers import ChargerSettings
from ..effects import DropDocument, Effect, PutDocument, Tell
from ..encoding import decode, encode
from ..limits import MAX_BUSY_TIMES, MAX_TEXT_CHARS
from ..listing_desk import ListingDesk
from ..moment import Moment
from ..notices import charger_notice
from ..shape import Bool, Bytes, Text, Uint, from_tree, key, shape, to_tree
from ..wall_clock import DAY_MS, Interval, merged
from ..zones import HOUR_MS, LAST_INSTANT, MINUTE_MS
from .calendar import Calendar

IMPORTED = "imported-busy"
REFRESH_MS = HOUR_MS
_INSTANT = Uint(LAST_INSTANT)
_TOLD_AFTER_MS = 2 * HOUR_MS  # a calendar's server may be away for a moment without anybody being woken
_BEYOND_MS = 15 * DAY_MS  # a booking may begin at the horizon and last 14 days
_BYTES = 8


@dataclass(frozen=True, slots=True)
class BusyFound:
    """What reading a calendar brought. skipped: events that could not be understood."""

    times: tuple[Interval, ...]
    skipped: int = 0


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The last good state. source: digest of where it was read. times: pairs of 8 bytes, in order. fault: why
    it could not be read since `failing_since`, empty if it could."""

    source: bytes = key(0, Bytes(16))
    read_at: int = key(1, _INSTANT)
    times: bytes = key(2, Bytes(0, 2 * _BYTES * MAX_BUSY_TIMES))
    skipped: int = key(3, Uint())
    fault: str = key(4, Text(4 * MAX_TEXT_CHARS))
    failing_since: int = key(5, _INSTANT)
    told: bool = key(6, Bool())


def source_of(settings: ChargerSettings) -> bytes:
    """Stands for where the calendar is read, which may be a secret, and for the clocks it is read by."""
    text = f"{settings.hours.zone}\n{settings.busy_from or ''}"
    return hashlib.blake2b(text.encode(), digest_size=16, person=b"chargemesh-busy").digest()


def wanted_span(settings: ChargerSettings, now: int) -> Interval:
    """The time for which a calendar is read."""
    horizon = settings.calendar_rules.horizon_minutes * MINUTE_MS
    return now - DAY_MS, min(now + horizon + _BEYOND_MS, LAST_INSTANT)


def times_of(kept: Imported) -> list[Interval]:
    """The busy stretches, in order."""
    return _unpacked(kept.times)


class ImportDesk:
    """Owns what was imported; the calendar is told of every change."""

    def __init__(
        self, calendar: Calendar, listings: ListingDesk, documents: Mapping[str, Mapping[bytes, bytes]]
    ) -> None:
        self._calendar = calendar
        self._listings = listings
        self._kept = {
            charger: from_tree(Imported, decode(data))
            for charger, data in documents.get(IMPORTED, {}).items()
        }

    @staticmethod
    def times_in(documents: Mapping[str, Mapping[bytes, bytes]]) -> dict[bytes, list[Interval]]:
        """By charger, as a store holds them: what a calendar is built with."""
        kept = documents.get(IMPORTED, {})
        return {charger: _unpacked(from_tree(Imported, decode(data)).times) for charger, data in kept.items()}

    def kept(self, charger: bytes) -> Imported | None:
        return self._kept.get(charger)

    def found(self, charger: bytes, source: bytes, found: BusyFound, at: Moment) -> list[Effect]:
        """A calendar was read. Nothing, if meanwhile another one counts."""
        settings = self._listings.settings(charger)
        if settings is None or settings.busy_from is None or source != source_of(settings):
            return []
        before = self._kept.get(charger)
        effects = self._keep(charger, _read(source, found, at.now))
        if before is not None and before.told:
            effects += charger_notice("charger.calendar_back", charger, at)
        return effects + self._shown(charger, before, at.now)

    def failed(self, charger: bytes, source: bytes, fault: str, at: Moment) -> list[Effect]:
        """It could not be read: what was read before goes on counting, and its host hears of it in time."""
        settings = self._listings.settings(charger)
        if settings is None or settings.busy_from is None or source != source_of(settings):
            return []
        before = self._kept.get(charger)
        if before is None or before.source != source:
            before = _read(source, BusyFound(()), 0)
        since = before.failing_since if before.fault else at.now
        tell = not before.told and at.now >= since + _TOLD_AFTER_MS
        fault = fault[: 4 * MAX_TEXT_CHARS]
        after = replace(before, fault=fault, failing_since=since, told=before.told or tell)
        effects = self._keep(charger, after) if after != before else []
        if tell:
            effects += charger_notice("charger.calendar_failed", charger, at, reason=fault, since=since)
        return effects

    def put(self, settings: ChargerSettings, found: BusyFound | None, at: Moment) -> list[Effect]:
        """The charger's settings are new. `found`: what its calendar holds, where that was read just now."""
        charger, before = settings.charger, self._kept.get(settings.charger)
        if settings.busy_from is not None and found is not None:
            return self.found(charger, source_of(settings), found, at)
        if before is None or (settings.busy_from is not None and before.source == source_of(settings)):
            return []
        return self.forget(charger) + self._shown(charger, before, at.now)

    def forget(self, charger: bytes) -> list[Effect]:
        """Nothing is imported for this charger any more."""
        if self._kept.pop(charger, None) is None:
            return []
        self._calendar.put_imported(charger, ())
        return [DropDocument(IMPORTED, charger)]

    def _keep(self, charger: bytes, after: Imported) -> list[Effect]:
        self._kept[charger] = after
        self._calendar.put_imported(charger, _unpacked(after.times))
        said = {"charger": charger.hex(), "read_at": after.read_at, "fault": after.fault}
        return [PutDocument(IMPORTED, charger, encode(to_tree(after))), Tell("charger.calendar", said)]

    def _shown(self, charger: bytes, before: Imported | None, now: int) -> list[Effect]:
        """A new listing, if the days that it shows are others than before."""
        if self._listings.listing(charger) is None:
            return []
        until = now + _BEYOND_MS
        was = _within(_unpacked(before.times) if before is not None else [], now, until)
        return (
            []
            if was == _within(self._calendar.imported(charger), now, until)
            else self._listings.publish(charger, now)
        )


def _read(source: bytes, found: BusyFound, now: int) -> Imported:
    return Imported(
        source=source,
        read_at=now,
        times=_packed(merged(found.times)[:MAX_BUSY_TIMES]),
        skipped=found.skipped,
        fault="",
        failing_since=0,
        told=False,
    )


def _within(times: Sequence[Interval], start: int, end: int) -> list[Interval]:
    return [(max(one, start), min(other, end)) for one, other in times if one < end and other > start]


def _packed(times: Iterable[Interval]) -> bytes:
    return b"".join(one.to_bytes(_BYTES, "big") for time in times for one in time)


def _unpacked(data: bytes) -> list[Interval]:
    numbers = [int.from_bytes(data[at : at + _BYTES], "big") for at in range(0, len(data), _BYTES)]
    return list(zip(numbers[::2], numbers[1::2], strict=True))
