"""Places as people write them: LAT,LON, a geo: URI (RFC 5870), a full Plus Code, or a saved place's name.

Plus Codes: Open Location Code, "Open Location Code Specification" of the project of that name. A code of
ten digits names an area of about 14 m; its centre is the place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from chargemesh_protocol.errors import ExitCode, PersonError
from chargemesh_protocol.units import parse_decimal

_PAIR = re.compile(r"\(?\s*([+-]?\d[\d.]*)°?\s*(?:[,;]\s*|\s+)([+-]?\d[\d.]*)°?\s*\)?")
_WITH_COMMAS = re.compile(r"([+-]?\d{1,3}),(\d+)[,;\s]\s*([+-]?\d{1,3}),(\d+)")
_GEO = re.compile(r"geo:([^,;]+),([^,;]+)(?:,[^,;]+)?((?:;[^;]+)*)", re.IGNORECASE)
_DIGITS = "23456789CFGHJMPQRVWX"
_CODE = re.compile(rf"[{_DIGITS}0]{{2,8}}\+[{_DIGITS}]{{0,7}}", re.IGNORECASE)
_SEPARATOR_AT = 8
_PAIR_DIGITS = 10
_GRID_ROWS, _GRID_COLUMNS = 5, 4
_MICRODEGREE = 1_000_000
_HINT = (
    "Write LAT,LON (52.5200,13.4050), geo:52.5200,13.4050, a full Plus Code (9F4MGCC4+2X), "
    "or the name of a saved place."
)


def parse_place(text: str, saved: Mapping[str, str] | None = None) -> tuple[float, float]:
    """(latitude, longitude) in degrees, WGS 84; PersonError that says how to write a place.

    `saved` maps names of saved places to their text.
    """
    plain = text.strip()
    for name, place in (saved or {}).items():
        if name.lower() == plain.lower():
            return parse_place(place)
    if geo := _GEO.fullmatch(plain):
        return _geo(geo, text)
    if "+" in plain and _CODE.fullmatch(plain.split()[0]):
        return _plus_code(plain, text)
    if pair := _PAIR.fullmatch(plain):
        return _coordinates(pair[1], pair[2], text)
    if commas := _WITH_COMMAS.fullmatch(plain):
        written = ".".join(commas.groups()[:2]), ".".join(commas.groups()[2:])
        raise _mistake(f"{_shown(text)} has commas in its numbers.", f"Write {','.join(written)}.")
    known = f" Saved places: {', '.join(saved)}." if saved else ""
    raise _mistake(f"{_shown(text)} is not a place.", _HINT + known)


def _geo(match: re.Match[str], text: str) -> tuple[float, float]:
    parameters = dict(part.lower().partition("=")[::2] for part in match[3].split(";") if part)
    if parameters.get("crs", "wgs84") != "wgs84":
        raise _mistake(f"{_shown(text)} uses coordinates other than WGS 84.", _HINT)
    return _coordinates(match[1], match[2], text)


def _coordinates(latitude: str, longitude: str, text: str) -> tuple[float, float]:
    try:
        lat, lon = _degrees(latitude), _degrees(longitude)
    except ValueError as error:
        raise _mistake(f"{_shown(text)} is not a place: {error}.", _HINT) from None
    if not -90 <= lat <= 90:
        swapped = " Is the longitude first?" if -90 <= lon <= 90 and -180 <= lat <= 180 else ""
        raise _mistake(f"{_shown(text)} has a latitude beyond 90 degrees.{swapped}", _HINT)
    if not -180 <= lon <= 180:
        raise _mistake(f"{_shown(text)} has a longitude beyond 180 degrees.", _HINT)
    return lat, lon


def _degrees(text: str) -> float:
    """Degrees from a signed decimal, to a millionth; more digits are cut off."""
    sign = -1 if text.strip().startswith("-") else 1
    whole, _, fraction = text.strip().lstrip("+-").partition(".")
    return sign * parse_decimal(f"{whole}.{fraction[:6] or '0'}", _MICRODEGREE) / _MICRODEGREE


def _plus_code(plain: str, text: str) -> tuple[float, float]:
    code = plain.split()[0].upper()
    before, _, after = code.partition("+")
    if len(before) < _SEPARATOR_AT:
        raise _mistake(
            f"{_shown(text)} is a shortened Plus Code.", "Write the full code, with eight signs before the +."
        )
    digits = before.rstrip("0") + after
    padded = len(before) - len(before.rstrip("0"))
    if "0" in digits or padded % 2 or (padded and after) or len(after) == 1 or len(digits) < 2:
        raise _mistake(f"{_shown(text)} is not a Plus Code.", _HINT)
    latitude, longitude = _area_centre(digits)
    if not -90 <= latitude <= 90 or not -180 <= longitude <= 180:
        raise _mistake(f"{_shown(text)} is not a Plus Code of a place on Earth.", _HINT)
    return latitude, longitude


def _area_centre(digits: str) -> tuple[float, float]:
    """The middle of the area that a code's digits name: pairs first, then a grid of 5 rows and 4 columns."""
    south, west = -90.0, -180.0
    height = width = 400.0
    for row, column in zip(digits[:_PAIR_DIGITS:2], digits[1:_PAIR_DIGITS:2], strict=True):
        height, width = height / 20, width / 20
        south += _DIGITS.index(row) * height
        west += _DIGITS.index(column) * width
    for digit in digits[_PAIR_DIGITS:]:
        height, width = height / _GRID_ROWS, width / _GRID_COLUMNS
        row_number, column_number = divmod(_DIGITS.index(digit), _GRID_COLUMNS)
        south += row_number * height
        west += column_number * width
    return round(south + height / 2, 7), round(west + width / 2, 7)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:60] + "…")


def _mistake(message: str, hint: str) -> PersonError:
    return PersonError("bad-place", message, hint, ExitCode.USAGE)
