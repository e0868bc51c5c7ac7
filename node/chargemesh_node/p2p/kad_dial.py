"""Connecting to peers that others told us of: few handshakes at a time, and dead addresses remembered."""

from __future__ import annotations

import ipaddress
import logging
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import trio
from libp2p.peer.id import ID
from libp2p.peer.peerstore import PeerStoreError
from multiaddr import Multiaddr

from .kad_limits import LookupLimits

logger = logging.getLogger(__name__)


class DialFailed(Exception):
    """No address of the peer led to it."""


def scope(ip: str) -> int:
    """How far an address reaches: 0 this machine, 1 this network, 2 the world, -1 nowhere."""
    address = ipaddress.ip_address(ip.split("%")[0])
    if address.is_unspecified or address.is_multicast:
        return -1
    if address.is_loopback:
        return 0
    return 2 if address.is_global else 1


def reach_of(muxed_conn: Any) -> int:
    """The scope of the other end's address; 2 if that can't be told."""
    remote = muxed_conn.get_remote_address()
    return 2 if remote is None else scope(remote[0])


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """An address that we dial: IP and TCP."""

    multiaddr: Multiaddr  # without /p2p
    scope: int
    peer: ID | None  # what followed /p2p

    def of(self, peer: ID) -> bool:
        """Whether it may be an address of `peer`."""
        return self.peer in (None, peer) and self.scope >= 0


@lru_cache(maxsize=4096)  # the same few addresses come with every reply, and parsing one takes 0.1 ms
def tcp_address(raw: bytes) -> TcpAddress | None:
    """A binary multiaddr, if it is /ip4|ip6/…/tcp/…[/p2p/…] and nothing else."""
    try:
        parts = str(Multiaddr(raw)).split("/")
        if len(parts) not in (5, 7) or parts[1] not in ("ip4", "ip6") or parts[3] != "tcp":
            return None
        if len(parts) == 7 and parts[5] != "p2p":
            return None
        peer = ID.from_string(parts[6]) if len(parts) == 7 else None
        return TcpAddress(Multiaddr("/".join(parts[:5])), scope(parts[2]), peer)
    except Exception as error:  # noqa: BLE001 - a stranger's bytes; multiaddr raises what its codecs raise
        logger.debug("no multiaddr: %s", error)
        return None


@lru_cache(maxsize=4096)
def reach_of_address(raw: bytes) -> int:
    """The scope of the IP address that a binary multiaddr begins with, whatever follows it; 2 for a name."""
    parts = str(Multiaddr(raw)).split("/")
    return scope(parts[2]) if parts[1] in ("ip4", "ip6") else 2


class Dialer:
    """Dials by address and by PeerId; Noise proves who answers, so that a false address only costs time.

    Swarm.dial_peer is not used: it tries one TCP address of a peer, whichever was told first, and then
    refuses the peer for a minute, so that one liar could keep everybody from a peer. Here the *address*
    is remembered as dead, and a true one that somebody else tells is tried all the same.
    """

    def __init__(self, host: Any, limits: LookupLimits) -> None:
        self._host = host
        self._network = host.get_network()
        self._limits = limits
        self._places = trio.Semaphore(limits.handshakes)
        self._dead: OrderedDict[tuple[ID, bytes], tuple[float, float]] = OrderedDict()  # until, pause

    def connected(self, peer: ID) -> bool:
        return any(not connection.is_closed for connection in self._network.get_connections(peer))

    def reach(self, peer: ID) -> int:
        """The scope of the address through which `peer` is connected; 2 if that can't be told."""
        reaches = [reach_of(connection.muxed_conn) for connection in self._network.get_connections(peer)]
        return max(reaches, default=2)

    def acceptable(self, peer: ID, told: Iterable[bytes], teller_reach: int) -> list[Multiaddr]:
        """What a teller may tell: IP and TCP only, and nothing nearer than itself.

        A peer in the world that names loopback or private addresses would send us knocking at our own
        machine and our neighbours; a name would be resolved at its command.
        """
        parsed = [tcp_address(raw) for raw in told]
        return [a.multiaddr for a in parsed if a is not None and a.of(peer) and a.scope >= teller_reach]

    def alive(self, peer: ID, told: Sequence[Multiaddr]) -> list[Multiaddr]:
        """The addresses worth dialling now: the peer's own first, then the told; loopback last."""
        now = trio.current_time()
        usable: dict[bytes, TcpAddress] = {}
        for address in [*self.own_addresses(peer), *told]:
            plain = tcp_address(address.to_bytes())
            if plain is None or not plain.of(peer):
                continue
            entry = (peer, plain.multiaddr.to_bytes())
            if entry not in self._dead or self._dead[entry][0] <= now:
                usable.setdefault(entry[1], plain)
        return [address.multiaddr for address in sorted(usable.values(), key=lambda a: a.scope == 0)]

    def own_addresses(self, peer: ID) -> list[Multiaddr]:
        """What the peer said of itself (by identify), as far as it has not expired."""
        try:
            return list(self._host.get_peerstore().addrs(peer))
        except PeerStoreError:
            return []

    async def connect(self, peer: ID, told: Sequence[Multiaddr]) -> None:
        """A live connection to `peer`, or DialFailed. Takes `dial_s` at most once it has a place."""
        if self.connected(peer):
            return
        addresses = self.alive(peer, told)
        if not addresses:
            raise DialFailed("no address where it might answer")
        place = _Place(self._places)
        await place.take()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(place.give_back_after, self._limits.handshake_slot_s)
            try:
                with trio.move_on_after(self._limits.dial_s):
                    for address in addresses:
                        if await self._dial(peer, address, self._limits.dial_s / min(2, len(addresses))):
                            break
            finally:
                place.give_back()
                nursery.cancel_scope.cancel()
        if not self.connected(peer):
            raise DialFailed("nobody answered at its addresses")

    async def _dial(self, peer: ID, address: Multiaddr, seconds: float) -> bool:
        connected = False
        try:
            # Cancelling is safe here, unlike on a connection in use: nobody else has this one yet.
            with trio.move_on_after(seconds):
                await self._network.dial_addr(address, peer)
                connected = True
        except Exception as error:  # noqa: BLE001 - whatever a dial raises, the address didn't lead to the peer
            logger.debug("dialling %s at %s: %s", peer, address, error)
        finally:
            self._note(peer, address, connected)
        return connected

    def _note(self, peer: ID, address: Multiaddr, connected: bool) -> None:
        entry = (peer, address.to_bytes())
        _, pause = self._dead.pop(entry, (0.0, self._limits.probe_first_s / 2))
        if not connected:
            pause = min(2 * pause, self._limits.probe_last_s)
            self._dead[entry] = (trio.current_time() + pause, pause)
            while len(self._dead) > self._limits.max_remembered:
                self._dead.popitem(last=False)


class _Place:
    """One of the few places for handshakes, given back once: when done, or when the peer lets us wait."""

    def __init__(self, places: trio.Semaphore) -> None:
        self._places = places
        self._held = False

    async def take(self) -> None:
        await self._places.acquire()
        self._held = True

    def give_back(self) -> None:
        if self._held:
            self._held = False
            self._places.release()

    async def give_back_after(self, seconds: float) -> None:
        await trio.sleep(seconds)
        self.give_back()
