"""What the network process dropped and why, and what went wrong: counted, logged, never raised."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator

logger = logging.getLogger(__name__)

EXIT_OUT_OF_MEMORY = 70  # the bridge starts the process again
MAX_NAMES = 200  # of different counters; the names are ours, this only guards against a mistake


class Counters:
    """Counts by name since the start of the process. `status` shows them."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, name: str, n: int = 1) -> None:
        if name in self._counts or len(self._counts) < MAX_NAMES:
            self._counts[name] += n

    def get(self, name: str) -> int:
        return self._counts[name]

    def snapshot(self) -> dict[str, int]:
        return dict(self._counts)

    def fault(self, where: str, error: BaseException) -> None:
        """An exception that a guard stopped. Ends the process if memory ran out.

        After a MemoryError any object may be half changed, and the limit stays reached: a fresh
        process costs a second, a crippled one everything. The node keeps running either way.
        """
        if any(isinstance(leaf, MemoryError) for leaf in _leaves(error)):
            os._exit(EXIT_OUT_OF_MEMORY)
        self.add(f"fault:{where}")
        logger.info("stopped in %s: %s: %s", where, type(error).__name__, str(error)[:200])


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
