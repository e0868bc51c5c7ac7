"""The answering side of Kademlia: KadDHT's own handler behind a stream that reads ahead and writes once.

py-libp2p 0.8.1 reads a length byte by byte and writes it apart from the body, and each write is encrypted
and sent alone: with the window updates, three quarters of the CPU time of a look-up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import trio
from libp2p.kad_dht import common as kad_common

from .kad_limits import LookupLimits

_CHUNK = 16 * 1024


class _CoalescedStream:
    """A stream as KadDHT's own handler expects it, that reads ahead and joins the length with its body."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._ahead = bytearray()
        self._length = b""

    async def read(self, n: int = -1) -> bytes:
        if not self._ahead:
            self._ahead += await self._stream.read(_CHUNK)
        taken = bytes(self._ahead if n < 0 else self._ahead[:n])
        del self._ahead[: len(taken)]
        return taken

    async def write(self, data: bytes) -> None:
        if not self._length:
            self._length = data  # the handler writes the length first, always apart
            return
        joined, self._length = self._length + data, b""
        await self._stream.write(joined)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def answer_find_node(host: Any, dht: Any, limits: LookupLimits) -> None:
    """Puts the coalescing stream between the host and KadDHT's handler, and widens its limit of 12 streams.

    The limit exists because a handler holds a place for its stream's life; ours live as long as the
    connection. A cap per peer takes over what it was for.
    """
    handle: Callable[[Any], Awaitable[None]] = dht.handle_stream
    open_streams: Counter[Any] = Counter()
    dht._inbound_limiter = trio.CapacityLimiter(limits.inbound_streams)

    async def handler(stream: Any) -> None:
        peer = stream.muxed_conn.peer_id
        if open_streams[peer] >= limits.inbound_streams_per_peer:
            await stream.reset()
            return
        open_streams[peer] += 1
        try:
            await handle(_CoalescedStream(stream))
        finally:
            open_streams[peer] -= 1
            if not open_streams[peer]:
                del open_streams[peer]

    host.set_stream_handler(kad_common.PROTOCOL_ID, handler)
