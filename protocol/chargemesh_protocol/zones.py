"""Between unix milliseconds and the wall clocks of IANA zones, with integers and the daylight-saving days.

On the day the clocks go forward some wall times do not happen; on the day they go back some happen
twice. Whoever asks for the instants of a wall time gets none, one or two.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .errors import ExitCode, PersonError

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MINUTES = 24 * 60
# The year 2200: far enough for every booking, near enough that no calendar arithmetic overflows.
LAST_INSTANT = 7_258_118_400_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
# What a machine calls its own zone differs between machines, so those names are not accepted.
_ZONE_NAME = re.compile(r"(?!localtime$|posixrules$|Factory$)[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}")


@lru_cache(maxsize=256)
def zone_of(name: str) -> ZoneInfo:
    """The zone called `name` ("Europe/Berlin"); ValueError if there is none."""
    if len(name) > 64 or not _ZONE_NAME.fullmatch(name):
        raise ValueError(f"{name[:64]!r} is not the name of a time zone")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError) as error:
        raise ValueError(f"there is no time zone {name!r}") from error


def parse_zone(text: str) -> str:
    """The zone name that a person typed, checked; PersonError if there is none."""
    name = text.strip()
    try:
        zone_of(name)
    except ValueError:
        raise PersonError(
            "bad-zone",
            f"There is no time zone {name[:64]!r}.",
            "Write its IANA name, for example Europe/Berlin.",
            ExitCode.USAGE,
        ) from None
    return name


def to_local(instant: int, zone: tzinfo) -> datetime:
    """The wall time of `instant` (unix ms) in `zone`, aware and exact."""
    return (_EPOCH + timedelta(milliseconds=instant)).astimezone(zone)


def to_instant(moment: datetime) -> int:
    """Unix ms of an aware datetime, cut to whole milliseconds."""
    return (moment.astimezone(UTC) - _EPOCH) // _MILLISECOND


def wall_instants(day: date, minute: int, zone: tzinfo) -> tuple[int, ...]:
    """The instants (unix ms, ascending) at which clocks in `zone` show `minute` of `day`: none, one or two.

    `minute` counts from midnight and may be 1440 or more, which is a wall time of a later day.
    """
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)
    return naive_instants(wall, zone)


def naive_instants(wall: datetime, zone: tzinfo) -> tuple[int, ...]:
    """As `wall_instants`, for a datetime without zone."""
    found = set()
    for fold in (0, 1):
        instant = to_instant(wall.replace(tzinfo=zone, fold=fold))
        if to_local(instant, zone).replace(tzinfo=None, fold=0) == wall.replace(fold=0):
            found.add(instant)
    return tuple(sorted(found))
