"""A charger's settings: what a host may set, and that what is kept is read back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chargemesh_protocol.chargers import DEFAULT_STRANGER_RULES, ChargerSettings, OwnListing
from chargemesh_protocol.encoding import decode, encode
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.place import public_cell
from chargemesh_protocol.shape import from_tree, to_tree

from .neighbours import charger


def test_settings_are_read_back_as_kept() -> None:
    settings = charger(paused=True, payee_account="DE02120300000000202051", ticket_seconds=30)
    assert from_tree(ChargerSettings, decode(encode(to_tree(settings)))) == settings
    assert from_tree(OwnListing, to_tree(OwnListing(raw=b"", sequence=4))) == OwnListing(raw=b"", sequence=4)


def test_the_home_gives_the_cell() -> None:
    settings = charger(resolution=5)
    assert settings.cell == public_cell(settings.home.point, 5)
    assert (settings.home.point.latitude, settings.home.point.longitude) == (52.519999, 13.404999)


@pytest.mark.parametrize(
    "changes",
    [
        {"resolution": 3},
        {"resolution": 9},
        {"ticket_seconds": 0},
        {"connectors": ()},
        {"charger": b"short"},
        {"payee_name": "x" * 71},
        {"home": replace(charger().home, latitude=90_000_001)},
        {"home": replace(charger().home, address="")},
        {"wallbox": replace(charger().wallbox, owner_tags=("T" * 21,))},
    ],
)
def test_what_is_out_of_bounds_is_not_kept(changes: dict[str, Any]) -> None:
    with pytest.raises((ValueError, Refused)):
        to_tree(charger(**changes))


def test_the_shortest_booking_is_not_longer_than_the_longest() -> None:
    with pytest.raises(ValueError, match="shortest"):
        replace(charger().rules, min_minutes=60, max_minutes=30)


def test_strangers_are_bounded_by_default() -> None:
    """specs/08, K5: on request, one open booking, at most 4 h, within 48 h, 3 addresses a week."""
    one = DEFAULT_STRANGER_RULES
    assert one.on_request
    assert (one.open_bookings, one.max_minutes, one.horizon_minutes) == (1, 240, 2880)
    assert one.access_records_a_week == 3
