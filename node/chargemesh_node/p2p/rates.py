"""Token buckets: how often something may happen, by whom, with memory for only so many of them."""

from __future__ import annotations

from collections import OrderedDict

import trio

MAX_KEYS = 4096  # beyond it the longest unused bucket is forgotten (it is full again anyway)


class Rates:
    """One bucket per key, of `burst` tokens, refilled by `per_second`."""

    def __init__(self, per_second: float, burst: float) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # key -> tokens, as of when

    def take(self, key: str, tokens: float = 1.0) -> bool:
        """Takes the tokens if they are there."""
        left = self._left(key)
        enough = left >= tokens
        self._keep(key, left - tokens if enough else left)
        return enough

    def wait_for(self, key: str) -> float:
        """Takes a token, on credit if need be; the seconds to wait until it is paid back."""
        left = self._left(key) - 1.0
        self._keep(key, left)
        return max(0.0, -left / self._per_second)

    def _left(self, key: str) -> float:
        tokens, as_of = self._buckets.get(key, (self._burst, 0.0))
        return min(self._burst, tokens + (trio.current_time() - as_of) * self._per_second)

    def _keep(self, key: str, tokens: float) -> None:
        self._buckets[key] = (tokens, trio.current_time())
        self._buckets.move_to_end(key)
        if len(self._buckets) > MAX_KEYS:
            self._buckets.popitem(last=False)
