"""Our protocols, the answering side: requests are read, given to the node, and its answers written.

A stream carries requests one after the other, each answered before the next is read; a reset in
place of an answer refuses.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import trio

from ..addresses import block_of
from .counters import Counters
from .framed import BrokenStream, Framed
from .guard import StreamHandler, reset
from .limits import NetworkLimits
from .rates import Rates

AskNode = Callable[[str, str, str, bytes], Awaitable[bytes | None]]
"""(PeerId, block, protocol, request) -> the node's answer, or None: refused."""


def caller_of(stream: Any) -> tuple[str, str]:
    """The PeerId that Noise proved for the other end of a stream, and its address block."""
    peer_id = str(stream.muxed_conn.peer_id)
    remote = stream.muxed_conn.get_remote_address()
    return peer_id, block_of(None if remote is None else remote[0], peer_id)


class Answerer:
    def __init__(self, ask_node: AskNode, limits: NetworkLimits, counters: Counters) -> None:
        self._ask_node = ask_node
        self._limits = limits
        self._counters = counters
        self._rates = Rates(limits.requests_per_second, limits.requests_burst)
        self._places = trio.CapacityLimiter(limits.max_requests)
        self._of_peer: dict[str, int] = {}

    def handler(self, protocol: str) -> StreamHandler:
        async def handle(stream: Any) -> None:
            try:
                await self._serve(Framed(stream, self._limits.max_message_bytes), protocol)
            except (BrokenStream, trio.TooSlowError) as error:
                self._counters.add(
                    f"drop:{'slow' if isinstance(error, trio.TooSlowError) else 'broken'}-request"
                )
                await reset(stream)

        return handle

    async def _serve(self, framed: Framed, protocol: str) -> None:
        peer_id, block = caller_of(framed.stream)
        while True:
            request: bytes | None = None
            with trio.move_on_after(self._limits.idle_stream_seconds):
                request = await framed.read(self._limits.frame_seconds)
            if request is None:
                await framed.stream.close()
                return
            # Over its rate a peer is read more slowly: its own window then holds it back.
            await trio.sleep(self._rates.wait_for(peer_id))
            answer = await self._answer(peer_id, block, protocol, request)
            if answer is None:
                await reset(framed.stream)
                return
            with trio.fail_after(self._limits.frame_seconds):
                await framed.write(answer)

    async def _answer(self, peer_id: str, block: str, protocol: str, request: bytes) -> bytes | None:
        if self._of_peer.get(peer_id, 0) >= self._limits.max_requests_per_peer:
            self._counters.add("drop:requests-of-peer")
            return None
        self._of_peer[peer_id] = self._of_peer.get(peer_id, 0) + 1
        try:
            with trio.move_on_after(self._limits.answer_seconds):
                async with self._places:
                    return await self._ask_node(peer_id, block, protocol, request)
            self._counters.add("drop:answer-too-slow")
            return None
        finally:
            self._of_peer[peer_id] -= 1
            if not self._of_peer[peer_id]:
                del self._of_peer[peer_id]
