"""How much a peer may ask of us in a while: token buckets, with memory for only so many peers."""

from __future__ import annotations

from collections import OrderedDict

from ..ports import Clock

_MAX_KEYS = 4096  # beyond it the longest unused bucket is forgotten; it is mostly full again


class Allowance:
    """One bucket for each key (a PeerId or an address block) of `burst` tokens, refilled by `per_second`."""

    def __init__(self, clock: Clock, per_second: float, burst: float) -> None:
        self._clock = clock
        self._per_second = per_second
        self._burst = float(burst)
        self._buckets: OrderedDict[str, tuple[float, int]] = OrderedDict()  # tokens, as of when (unix ms)

    def take(self, key: str, tokens: float = 1.0) -> bool:
        """Takes the tokens if they are there."""
        left = self.left(key)
        enough = left >= tokens
        self._buckets[key] = (left - tokens if enough else left, self._clock.now())
        self._buckets.move_to_end(key)
        if len(self._buckets) > _MAX_KEYS:
            self._buckets.popitem(last=False)
        return enough

    def left(self, key: str) -> float:
        """The tokens that are there."""
        now = self._clock.now()
        left, as_of = self._buckets.get(key, (self._burst, now))
        # A clock that is set back refills nothing; it must not take what was there either.
        return min(self._burst, left + max(0, now - as_of) / 1000 * self._per_second)
