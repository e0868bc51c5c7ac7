"""Which peers have failed us of late: two failures and a peer is left out, until it shows that it lives."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from libp2p.peer.id import ID

from .kad_limits import LookupLimits


@dataclass(slots=True)
class _Failure:
    count: int
    last: float
    pause: float
    probe_at: float


class PeerHealth:
    """Counts failures and says whom to probe. Times are seconds of any clock that does not go back."""

    def __init__(self, limits: LookupLimits) -> None:
        self._limits = limits
        self._failures: OrderedDict[ID, _Failure] = OrderedDict()

    def alive(self, peer: ID) -> None:
        self._failures.pop(peer, None)

    def failed(self, peer: ID, now: float) -> bool:
        """True if the peer is now one to evict. Failures at the same moment (parallel look-ups) are one."""
        failure = self._failures.get(peer)
        if failure is None:
            pause = self._limits.probe_first_s
            self._failures[peer] = _Failure(1, now, pause, now + pause)
            while len(self._failures) > self._limits.max_remembered:
                self._failures.popitem(last=False)
            return False
        if now - failure.last >= self._limits.request_s / 2:
            failure.count += 1
            failure.last = now
        return failure.count >= 2

    def left_out(self, peer: ID) -> bool:
        failure = self._failures.get(peer)
        return failure is not None and failure.count >= 2

    def due(self, now: float, at_most: int) -> list[ID]:
        """Failed peers to probe now. Each is due again later and later, and then forgotten."""
        due = [peer for peer, failure in self._failures.items() if failure.probe_at <= now][:at_most]
        for peer in due:
            failure = self._failures[peer]
            failure.pause *= 2
            failure.probe_at = now + failure.pause
            if failure.pause > self._limits.probe_last_s:
                del self._failures[peer]
        return due
