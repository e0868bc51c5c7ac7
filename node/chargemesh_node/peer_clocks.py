"""The clocks of peers beside ours, as heard in their answers on `/chargemesh/log/1`.

Each peer has one voice, and `judge_clock` takes the median, so that one that lies moves nothing. A node asks
peers by itself while it has heard too few; one that doubts its own clock tells nobody the time.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chargemesh_protocol.clock import SEVERAL_PEERS
from chargemesh_protocol.contact import Contact

from .ports import Clock, Network

VOICE_LIFE_SECONDS = 3600.0  # a clock may be set meanwhile, theirs as well
MAX_VOICES = 32  # the longest heard go
LOOK_SECONDS = 10.0
ASK_AGAIN_SECONDS = 60.0
# Our clock moved so far against the machine's running time: it was set, or the machine slept.
_JUMP_MS = 10_000
_JUMP_SECONDS = 120.0  # what was heard before a jump counts so long, to be asked anew, and then no more
_TOLD_TO_MS = 1000  # more exactly it would tell one machine from another


@dataclass(frozen=True, slots=True)
class _Voice:
    """ahead: their clock - ours (ms). heard: loop time. drift: our clock - loop time then (ms)."""

    ahead: int
    heard: float
    drift: int


class PeerClocks:
    """`heard` for every answer that tells the time; `offsets` for whoever judges our clock.

    `trusted` says whether our own time may be told; set before the network starts.
    """

    def __init__(self, *, network: Network, clock: Clock) -> None:
        self.trusted: Callable[[], bool] = lambda: True
        self._network = network
        self._clock = clock
        self._voices: OrderedDict[str, _Voice] = OrderedDict()  # by PeerId, the longest heard first
        self._asked: dict[str, float] = {}  # loop time
        self._steady: tuple[int, float] = (0, 0.0)  # drift, and the loop time since when it is so
        self._asking: asyncio.Task[None] | None = None

    async def start(self, ask: Callable[[Contact], Awaitable[object]]) -> None:
        """Begins to ask whenever too few were heard. `ask` brings an answer of that peer, or nothing."""
        self._asking = asyncio.create_task(self._keep_asking(ask), name="peers' clocks")

    async def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    def offsets(self) -> tuple[int, ...]:
        """(peer's clock - ours) in ms, one for each peer heard within the hour.

        After a jump of our clock it is taken to have been set, until peers were heard again: that a wrong one
        does no harm meanwhile, and that a right one is believed at once.
        """
        now, drift = asyncio.get_running_loop().time(), self._drift()
        if not _is_same(drift, self._steady[0]):
            self._steady = (drift, now)
        set_just_now = now - self._steady[1] < _JUMP_SECONDS
        return tuple(
            one.ahead if _is_same(drift, one.drift) else one.ahead + one.drift - drift
            for one in self._voices.values()
            if now - one.heard < VOICE_LIFE_SECONDS and (set_just_now or _is_same(drift, one.drift))
        )

    def told(self) -> int | None:
        """Our time for an answer to a peer (unix ms, whole seconds); None while we don't believe it."""
        return self._clock.now() // _TOLD_TO_MS * _TOLD_TO_MS if self.trusted() else None

    def heard(self, peer_id: str, theirs: int, asked: float) -> None:
        """A peer answered that it is `theirs` (unix ms) there; we asked at the loop time `asked`."""
        now = asyncio.get_running_loop().time()
        way_back_ms = round((now - asked) * 500)
        ahead = theirs + _TOLD_TO_MS // 2 + way_back_ms - self._clock.now()
        self._voices[peer_id] = _Voice(ahead, now, self._drift())
        self._voices.move_to_end(peer_id)
        if len(self._voices) > MAX_VOICES:
            self._voices.popitem(last=False)

    def _drift(self) -> int:
        return self._clock.now() - round(asyncio.get_running_loop().time() * 1000)

    async def _keep_asking(self, ask: Callable[[Contact], Awaitable[object]]) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            drift = self._drift()
            fresh = sum(_is_same(drift, one.drift) for one in self._voices.values())
            if min(fresh, len(self.offsets())) < SEVERAL_PEERS:
                await asyncio.gather(*(ask(one) for one in self._to_ask()))

    def _to_ask(self) -> list[Contact]:
        now = asyncio.get_running_loop().time()
        self._asked = {peer: at for peer, at in self._asked.items() if now - at < ASK_AGAIN_SECONDS}
        peers = sorted(self._network.peers(), key=lambda one: one.peer_id)
        chosen = [one for one in peers if one.peer_id not in self._asked][:SEVERAL_PEERS]
        self._asked |= {one.peer_id: now for one in chosen}
        return chosen


def _is_same(drift: int, other: int) -> bool:
    return abs(drift - other) <= _JUMP_MS
