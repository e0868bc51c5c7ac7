"""All attacks there are."""

from __future__ import annotations

from . import addresses, dates, floods, fresh_keys, games, no_shows, replay, silence, squatting, swaps
from .attack import Attack

ATTACKS: tuple[Attack, ...] = (
    *fresh_keys.ATTACKS,
    *addresses.ATTACKS,
    *squatting.ATTACKS,
    *no_shows.ATTACKS,
    *replay.ATTACKS,
    *games.ATTACKS,
    *dates.ATTACKS,
    *swaps.ATTACKS,
    *floods.ATTACKS,
    *silence.ATTACKS,
)
