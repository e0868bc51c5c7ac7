"""All attacks there are."""

from __future__ import annotations

from . import addresses, fresh_keys, no_shows, squatting
from .attack import Attack

ATTACKS: tuple[Attack, ...] = (
    *fresh_keys.ATTACKS,
    *addresses.ATTACKS,
    *squatting.ATTACKS,
    *no_shows.ATTACKS,
)
