"""What stands between strangers' streams and our handlers: a fault ends that stream, nothing more.

py-libp2p ends the whole host when a stream's handler raises (network/connection/
swarm_connection.py:309, host/basic_host.py:1554; one malformed protobuf on /meshsub is enough,
pubsub/pubsub.py:562), and puts no bound on how many streams a connection opens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import trio

from .counters import Counters
from .limits import NetworkLimits
from .rates import Rates

StreamHandler = Callable[[Any], Awaitable[None]]

RESET_SECONDS = 2.0  # a reset is one small frame; a peer that reads nothing must not hold us longer


class Guard:
    """Counts what each peer has open, contains what goes wrong, and shows out who overdoes it."""

    def __init__(self, limits: NetworkLimits, counters: Counters) -> None:
        self._limits = limits
        self._counters = counters
        self._open: Counter[str] = Counter()
        self._offences = Rates(limits.offences_per_second, limits.offences_burst)
        self._opened = Rates(limits.streams_per_second, limits.streams_burst)
        self._banned_until: dict[str, float] = {}
        self._blocked: set[str] = set()
        self._show_out: Callable[[str], None] = lambda peer_id: None

    def on_ban(self, show_out: Callable[[str], None]) -> None:
        """`show_out` closes a peer's connections; called with the PeerId, must not block."""
        self._show_out = show_out

    @property
    def streams(self) -> int:
        return self._open.total()

    def block(self, peer_id: str, blocked: bool) -> None:
        """A person's decision: the peer is refused until it is taken back."""
        if blocked:
            self._blocked.add(peer_id)
            self._show_out(peer_id)
        else:
            self._blocked.discard(peer_id)

    def refuses(self, peer_id: str) -> bool:
        if peer_id in self._blocked:
            return True
        until = self._banned_until.get(peer_id)
        if until is not None and until <= trio.current_time():
            del self._banned_until[peer_id]
            return False
        return until is not None

    def offence(self, peer_id: str, reason: str) -> None:
        """Counts what no well-behaved peer does; too much of it closes the door for a while."""
        self._counters.add(f"drop:{reason}")
        if self._offences.take(peer_id) or peer_id in self._banned_until:
            return
        now = trio.current_time()
        self._banned_until = {peer: until for peer, until in self._banned_until.items() if until > now}
        self._banned_until[peer_id] = now + self._limits.ban_seconds
        self._counters.add("peers-banned")
        self._show_out(peer_id)

    def wrap(self, handler: StreamHandler) -> StreamHandler:
        """A stream handler that never raises and is never run more often than allowed."""

        async def guarded(stream: Any) -> None:
            peer_id = str(stream.muxed_conn.peer_id)
            refusal = self._refusal(peer_id)
            if refusal is not None:
                if refusal == "streams-of-peer":
                    self.offence(peer_id, refusal)
                else:
                    self._counters.add(f"drop:{refusal}")
                await reset(stream)
                return
            self._open[peer_id] += 1
            try:
                await trio.sleep(self._opened.wait_for(peer_id))
                await handler(stream)
            except Exception as error:  # noqa: BLE001  # this stream's fault, and only this stream's
                self._counters.fault("stream", error)
                self.offence(peer_id, "broken-stream")
                await reset(stream)
            finally:
                self._open[peer_id] -= 1
                if self._open[peer_id] <= 0:
                    del self._open[peer_id]

        return guarded

    def _refusal(self, peer_id: str) -> str | None:
        if self.refuses(peer_id):
            return "peer-blocked"
        if self._open[peer_id] >= self._limits.max_streams_per_peer:
            return "streams-of-peer"
        if self.streams >= self._limits.max_streams:
            return "streams-of-all"
        return None


async def reset(stream: Any) -> None:
    """Resets a stream whatever state it and its connection are in."""
    with trio.move_on_after(RESET_SECONDS):
        try:
            await stream.reset()
        except Exception:  # noqa: BLE001, S110  # there is nothing left to reset
            pass
