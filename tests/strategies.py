"""Shared hypothesis strategies."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

HOST_KINDS = (
    "accept", "decline", "access", "acknowledge", "ticket", "receipt", "paid", "host-cancel", "no-show",
    "offer", "amend", "refuse", "fault",
)  # fmt: skip
DRIVER_KINDS = ("cancel", "authorisation", "stop", "countersign", "agreement", "claim", "problem", "change")
_SECOND, _MINUTE, _HOUR = 1000, 60_000, 3_600_000


@dataclass(frozen=True, slots=True)
class Step:
    """One record of a random booking.

    kind: of the record. wait: ms since the step before. back: how many host records before the head it
    names as its predecessor (a fork) or as the last one seen. includes: whether a host record includes
    what waits for it.
    """

    kind: str
    wait: int
    back: int
    includes: bool


_WAITS = st.sampled_from((_SECOND, 30 * _SECOND, 3 * _MINUTE, 12 * _MINUTE, _HOUR))
_BACK = st.sampled_from((0, 0, 0, 0, 1, 2))
# Random kinds alone seldom get past the acceptance, so likely ones are drawn more often.
_LIKELY = ("accept", "access", "authorisation", "acknowledge", "ticket", "receipt", "acknowledge")
steps = st.builds(Step, st.sampled_from(HOST_KINDS + DRIVER_KINDS + _LIKELY), _WAITS, _BACK, st.booleans())
bookings = st.lists(steps, min_size=1, max_size=14)
