"""The swarm with a doorkeeper: who gets in, how many of whom, and how we dial.

It replaces three things of libp2p's Swarm. Its inbound handler keeps a place for every connection
that ever succeeded until the program ends (network/swarm.py:2039: after 250 nobody gets in any
more) and lets half-open sockets fill all places. Its dialler waits 250 ms even after success, tries
one address of each transport only, and remembers a failure for 60 s whatever happens since. Its
auto-connector dials whatever address anybody told us, and its pruner spares every connection with
an open stream, which with gossip is every connection.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import trio
from libp2p.network.config import ConnectionConfig, RetryConfig
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.network.exceptions import SwarmException
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.peer.peerstore import PeerStoreError
from libp2p.rcmgr import Direction
from multiaddr import Multiaddr

from ..addresses import UNKNOWN_BLOCK, block_of
from .addresses import host_of, is_loopback
from .counters import Counters
from .guard import Guard
from .half_open import HalfOpenPlaces
from .limits import NetworkLimits
from .rates import Rates

logger = logging.getLogger(__name__)

CLOSE_SECONDS = 2.0
MAX_REMEMBERED_FAILURES = 2000
SPARE_PLACES = 16  # kept free for our own dials and for newcomers while others are shown out


@dataclass(slots=True)
class Attempt:
    """One dial, shared by all who want that peer: they may give up, it runs on to its end."""

    over: trio.Event = field(default_factory=trio.Event)
    connection: Any = None
    reasons: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Pause:
    until: float
    seconds: float


class GuardedSwarm(Swarm):
    def __init__(
        self,
        peer_id: ID,
        peerstore: Any,
        upgrader: Any,
        transports: list[Any],
        limits: NetworkLimits,
        guard: Guard,
        counters: Counters,
    ) -> None:
        super().__init__(
            peer_id,
            peerstore,
            upgrader,
            transports=transports,
            retry_config=RetryConfig(max_retries=0),
            connection_config=_config(limits),
        )
        self._limits = limits
        self._guard = guard
        self._counters = counters
        self._half_open = HalfOpenPlaces(limits)
        self._accepts = Rates(limits.accepts_per_second, limits.accepts_burst)
        self._attempts: dict[ID, Attempt] = {}
        self._pauses: dict[ID, Pause] = {}
        self._dial_places = trio.CapacityLimiter(limits.max_dials)
        self._useful_at: dict[ID, float] = {}
        self.auto_connector.start = _do_nothing
        guard.on_ban(self._show_out, self._block_of)

    # --- coming in ------------------------------------------------------------------------------
    async def _handle_inbound_connection(self, read_write_closer: Any, maddr: Multiaddr) -> None:
        remote = read_write_closer.get_remote_address()
        host = None if remote is None else remote[0]
        if not is_loopback(host) and not self._accepts.take(block_of(host, "")):
            self._counters.add("drop:accepts-of-address")
            await _close(read_write_closer)
            return
        muxed = await self._upgrade(read_write_closer, host)
        if muxed is None:
            await _close(read_write_closer)
            return
        try:
            await self.add_conn(muxed, direction="inbound")
        except SwarmException as error:
            logger.debug("inbound connection not kept: %s", error)
            await _close(muxed)
            return
        # The listener closes the socket when we return.
        await muxed.event_closed.wait()

    async def _upgrade(self, closer: Any, host: str | None) -> Any:
        """The authenticated, multiplexed connection, or None: too slow, broken, or not welcome."""
        with trio.move_on_after(self._limits.upgrade_seconds) as scope, self._half_open.take(host, scope):
            try:
                secured = await self.upgrader.upgrade_security(RawConnection(closer, False), False)
                peer_id = secured.get_remote_peer()
                refusal = self._refusal(peer_id, host)
                if refusal is None:
                    return await self.upgrader.upgrade_connection(secured, peer_id)
                self._counters.add(f"drop:{refusal}")
                return None
            except Exception as error:  # noqa: BLE001  # whatever a stranger's bytes did to the handshake
                self._counters.fault("handshake", error)
                return None
        self._counters.add("drop:half-open")
        return None

    def _refusal(self, peer_id: ID, host: str | None) -> str | None:
        """Why an authenticated peer may not come in; a peer with too many connections loses its oldest."""
        if peer_id == self.self_id:
            return "own-key"
        if self._guard.refuses(str(peer_id)):
            return "peer-blocked"
        block = block_of(host, str(peer_id))
        if self._guard.refuses_block(block):
            return "block-banned"
        own = self.get_connections(peer_id)
        if len(own) >= self._limits.max_connections_per_peer:
            self._counters.add("drop:connections-of-peer")
            self.manager.run_task(_close, own[0])
        elif sum(1 for c in self.get_connections() if self._block(c) == block) >= (
            self._limits.max_connections_per_block
        ):
            return "connections-of-block"
        if len(self.get_connections()) >= self._limits.max_connections - SPARE_PLACES:
            self._make_room()
        return None

    def useful(self, peer_id: ID) -> None:
        """The peer answered something that we asked: it is not the first to go when places are short."""
        self._useful_at[peer_id] = trio.current_time()

    def _make_room(self) -> None:
        """Closes the inbound connection that was of use to us least lately."""
        inbound = [c for c in self.get_connections() if c.direction == Direction.INBOUND and not c.is_closed]
        if inbound:
            self._counters.add("drop:connections-of-all")
            least = min(inbound, key=lambda c: self._useful_at.get(c.muxed_conn.peer_id, 0.0))
            self.manager.run_task(_close, least)

    def remove_conn(self, swarm_conn: Any) -> None:
        super().remove_conn(swarm_conn)
        if not self.get_connections(swarm_conn.muxed_conn.peer_id):
            self._useful_at.pop(swarm_conn.muxed_conn.peer_id, None)

    def address_block(self, peer_id: ID) -> str:
        """Where that peer is, by the oldest of its connections and not by what it says of itself."""
        return next(map(self._block, self.get_connections(peer_id)), UNKNOWN_BLOCK)

    def _block_of(self, peer_id: str) -> str:
        here = (one for one in self.get_connections() if str(one.muxed_conn.peer_id) == peer_id)
        return next(map(self._block, here), UNKNOWN_BLOCK)

    @staticmethod
    def _block(connection: Any) -> str:
        remote = connection.muxed_conn.get_remote_address()
        return block_of(None if remote is None else remote[0], str(connection.muxed_conn.peer_id))

    async def add_conn(self, muxed_conn: Any, direction: str = "unknown") -> Any:
        if self._guard.refuses(str(muxed_conn.peer_id)):
            await _close(muxed_conn)
            raise SwarmException("the peer is blocked")
        connection = await super().add_conn(muxed_conn, direction=direction)
        self._pauses.pop(muxed_conn.peer_id, None)
        return connection

    def _show_out(self, peer_id: str) -> None:
        """Closes every connection of a peer that is no longer welcome."""
        for connection in self.get_connections():
            if str(connection.muxed_conn.peer_id) == peer_id:
                self.manager.run_task(_close, connection)

    # --- going out ------------------------------------------------------------------------------
    def forgive(self, peer_id: ID) -> None:
        """Lets a peer be dialled again at once: somebody has fresh reason to."""
        self._pauses.pop(peer_id, None)

    def known_addresses(self, peer_id: ID) -> list[Multiaddr]:
        """Where the peer is said to be, by itself or by others, and as long as that is believed."""
        try:
            return list(self.peerstore.addrs(peer_id))
        except PeerStoreError:
            return []

    async def dial_peer(self, peer_id: ID) -> list[Any]:
        """Live connections to a peer, dialled if there are none. SwarmException if that fails."""
        live = [c for c in self.get_connections(peer_id) if not c.is_closed]
        if live:
            return live
        attempt = self._attempts.get(peer_id)
        if attempt is None:
            addresses = self._dialable(peer_id)
            attempt = self._attempts[peer_id] = Attempt()
            self.manager.run_task(self._dial, peer_id, addresses, attempt)
        await attempt.over.wait()
        if attempt.connection is None:
            raise SwarmException(f"no way to {peer_id}: {'; '.join(attempt.reasons)[:300]}")
        return [attempt.connection]

    def _dialable(self, peer_id: ID) -> list[Multiaddr]:
        if peer_id == self.self_id or self._guard.refuses(str(peer_id)):
            raise SwarmException(f"{peer_id} is not to be dialled")
        pause = self._pauses.get(peer_id)
        if pause is not None and trio.current_time() < pause.until:
            raise SwarmException(f"{peer_id} did not answer a moment ago")
        addresses = [a for a in self.known_addresses(peer_id) if self._may_dial(a)][
            : self._limits.max_dial_addresses
        ]
        if not addresses:
            raise SwarmException(f"no address of {peer_id} that we can dial")
        return addresses

    def _may_dial(self, address: Multiaddr) -> bool:
        if "/p2p-circuit" in str(address) or self.transport_manager.transport_for_dialing(address) is None:
            return False
        # A record from afar that names loopback would make us knock at our own machine's doors.
        return not is_loopback(host_of(address)) or self._on_loopback()

    def _on_loopback(self) -> bool:
        """Whether we take part in a network inside this machine: we listen on loopback."""
        bound = [a for listener in self.listeners.values() for a in listener.get_addrs()]
        return any(is_loopback(host_of(a)) or host_of(a) in ("0.0.0.0", "::") for a in bound)

    async def _dial(self, peer_id: ID, addresses: Sequence[Multiaddr], attempt: Attempt) -> None:
        try:
            async with self._dial_places:
                with trio.move_on_after(self._limits.dial_seconds):
                    await self._race(peer_id, addresses, attempt)
        finally:
            if attempt.connection is None:
                self._pause(peer_id)
                attempt.reasons.append("no address answered in time")
            del self._attempts[peer_id]
            attempt.over.set()

    async def _race(self, peer_id: ID, addresses: Sequence[Multiaddr], attempt: Attempt) -> None:
        """Tries the addresses in order, each with a head start; the first that answers ends it."""
        async with trio.open_nursery() as nursery:
            for address in addresses:
                failed = trio.Event()
                nursery.start_soon(self._try, peer_id, address, attempt, failed, nursery.cancel_scope)
                with trio.move_on_after(self._limits.dial_stagger_seconds):
                    await failed.wait()

    async def _try(
        self, peer_id: ID, address: Multiaddr, attempt: Attempt, failed: trio.Event, race: trio.CancelScope
    ) -> None:
        try:
            connection = await self._dial_addr_single_attempt(address, peer_id)
        except Exception as error:  # noqa: BLE001  # one address less; the cause is kept for the error
            attempt.reasons.append(f"{address}: {error.__cause__ or error}")
            failed.set()
            return
        if attempt.connection is None:
            attempt.connection = connection
        race.cancel()

    def _pause(self, peer_id: ID) -> None:
        before = self._pauses.pop(peer_id, None)
        seconds = self._limits.redial_min_seconds
        if before is not None:
            seconds = min(before.seconds * 2, self._limits.redial_max_seconds)
        self._pauses[peer_id] = Pause(trio.current_time() + seconds, seconds)
        if len(self._pauses) > MAX_REMEMBERED_FAILURES:
            del self._pauses[next(iter(self._pauses))]


async def _do_nothing() -> None:
    pass


async def _close(closer: Any) -> None:
    with trio.move_on_after(CLOSE_SECONDS):
        try:
            await closer.close()
        except Exception as error:  # noqa: BLE001  # it is closed or broken already
            logger.debug("while closing: %s", error)


def _config(limits: NetworkLimits) -> ConnectionConfig:
    """At the maximum libp2p refuses, both ways; its own pruning never starts."""
    return ConnectionConfig(
        max_connections=limits.max_connections,
        min_connections=0,
        low_watermark=0,
        high_watermark=limits.max_connections,
        max_connections_per_peer=limits.max_connections_per_peer,
        dial_timeout=limits.dial_seconds,
        inbound_upgrade_timeout=limits.upgrade_seconds,
        outbound_upgrade_timeout=limits.upgrade_seconds,
        outbound_stream_protocol_negotiation_timeout=limits.negotiate_seconds,
        inbound_stream_protocol_negotiation_timeout=limits.negotiate_seconds,
    )
