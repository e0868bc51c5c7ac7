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

from ..addresses import UNKNOWN_BLOCK
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
        self._banned_until: dict[str, float] = {}  # PeerIds
        self._bans = Rates(limits.max_bans_of_block / limits.ban_seconds, limits.max_bans_of_block)
        self._closed_until: dict[str, float] = {}  # address blocks
        self._blocked: set[str] = set()
        self._show_out: Callable[[str], None] = lambda peer_id: None
        self._block_of: Callable[[str], str] = lambda peer_id: UNKNOWN_BLOCK

    def on_ban(self, show_out: Callable[[str], None], block_of: Callable[[str], str]) -> None:
        """`show_out` closes a peer's connections, `block_of` says from which address block they come; both
        called with the PeerId, must not block."""
        self._show_out, self._block_of = show_out, block_of

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
        self._banned_until = _still(self._banned_until, now) | {peer_id: now + self._limits.ban_seconds}
        self._counters.add("peers-banned")
        block = self._block_of(peer_id)
        # A PeerId costs no more than a key: who comes back under ever new ones is known by the address.
        if block != UNKNOWN_BLOCK and not self._bans.take(block):
            self._closed_until = _still(self._closed_until, now) | {block: now + self._limits.ban_seconds}
            self._counters.add("blocks-banned")
        self._show_out(peer_id)

    def refuses_block(self, block: str) -> bool:
        """Whether nobody new comes in from this address block; who is connected stays."""
        return self._closed_until.get(block, 0.0) > trio.current_time()

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


def _still(until: dict[str, float], now: float) -> dict[str, float]:
    return {key: end for key, end in until.items() if end > now}


async def reset(stream: Any) -> None:
    """Resets a stream whatever state it and its connection are in."""
    with trio.move_on_after(RESET_SECONDS):
        try:
            await stream.reset()
        except Exception:  # noqa: BLE001, S110  # there is nothing left to reset
            pass
