"""The outside world as the node sees it: one small Protocol for each thing that can be real or simulated."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from chargemesh_protocol.charging.reports import WallboxReport, WallboxStatus
from chargemesh_protocol.contact import Contact


class Clock(Protocol):
    def now(self) -> int:
        """Unix milliseconds, UTC."""
        ...


class Entropy(Protocol):
    def bytes(self, n: int) -> bytes:
        """`n` bytes that no one can predict (in a simulation: that one seed gives)."""
        ...


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is at the other end of a stream: the transport key that Noise proved, and where it connects from.

    `block` is the IPv4 /24 or IPv6 /48 of the connected peer as text; on loopback and link-local
    addresses each PeerId is a block of its own (`peer:<PeerId>`).
    """

    peer_id: str
    block: str


RequestHandler = Callable[[Caller, bytes], Awaitable[bytes]]
GossipHandler = Callable[[Caller, bytes], bool]
PeerHandler = Callable[[Contact, bool], None]


class Network(Protocol):
    @property
    def contact(self) -> Contact:
        """Our transport PeerId and where it answers."""
        ...

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def serve(self, protocol: str, handler: RequestHandler) -> None:
        """Answers `protocol`; call before `start`. Bodies are at most MAX_MESSAGE_BYTES."""
        ...

    async def request(self, to: Contact, protocol: str, body: bytes, *, timeout: float = 5.0) -> bytes:
        """The response, or a NetworkError: Unreachable, TimedOut or RefusedByPeer."""
        ...

    async def closest(self, key: bytes, count: int = 8) -> list[Contact]:
        """Nodes nearest to `key` by Kademlia, nearest first, ourselves included where we belong."""
        ...

    async def publish(self, topic: str, data: bytes) -> None: ...

    async def subscribe(self, topic: str, handler: GossipHandler) -> None:
        """`handler` says whether a message is valid: only then is it forwarded. It must not raise."""
        ...

    async def connect(self, to: Contact) -> None: ...

    def peers(self) -> list[Contact]: ...

    def on_peer(self, handler: PeerHandler) -> None:
        """Called with True when a peer connects and False when it goes."""
        ...


class WallboxDriver(Protocol):
    """One charger's control, whatever speaks to it. Errors are WallboxError(code, message)."""

    async def start(self, report: Callable[[WallboxReport], None]) -> None: ...

    async def close(self) -> None: ...

    async def authorise(self, tag: str, until: int | None) -> None:
        """Lets `tag` charge until that instant (unix ms); None withdraws it."""
        ...

    async def remote_start(self, tag: str, connector: int) -> None: ...

    async def remote_stop(self, session: str) -> None: ...

    async def limit_power(self, watts: int | None) -> None: ...

    async def unlock(self, connector: int) -> None: ...

    @property
    def status(self) -> WallboxStatus: ...
