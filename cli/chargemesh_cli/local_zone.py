"""The time zone of whoever types: times without an offset are meant by their own wall clock."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from chargemesh_protocol.zones import zone_of

_LOCALTIME = Path("/etc/localtime")
_TIMEZONE = Path("/etc/timezone")
OTHERWISE = "UTC"


def local_zone(
    environ: Mapping[str, str] = os.environ, localtime: Path = _LOCALTIME, timezone: Path = _TIMEZONE
) -> str:
    """The IANA name that TZ, /etc/localtime or /etc/timezone gives; UTC if none does."""
    for name in (environ.get("TZ", "").lstrip(":"), _linked(localtime), _written(timezone)):
        if name and _exists(name):
            return name
    return OTHERWISE


def _linked(path: Path) -> str:
    """The zone that a link into a zoneinfo folder names."""
    try:
        target = os.readlink(path)
    except OSError:
        return ""
    return target.partition("zoneinfo/")[2]


def _written(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _exists(name: str) -> bool:
    try:
        zone_of(name)
    except ValueError:
        return False
    return True
