"""The peers we are connected to: dialling them, telling the node who comes and goes."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import trio
from libp2p.abc import INotifee
from libp2p.peer.id import ID

from . import frames
from .addresses import parse_addresses, without_peer
from .asking import CannotReach
from .counters import Counters
from .frames import Peer
from .limits import NetworkLimits
from .lookup import Lookup

logger = logging.getLogger(__name__)

IDENTIFY_SECONDS = 3.0  # for a peer that connects to say where it listens; then it is told of without
POLL_SECONDS = 0.02
CHECK_SECONDS = 1.0
FIRST_RETRY_SECONDS = 2.0  # between rounds of dialling while nobody is there, doubled each time
MAX_RETRY_SECONDS = 60.0
MAX_CHANGES_WAITING = 512


class Neighbours(INotifee):
    """Connects to those we know from before, and reports each peer once when it comes and when it goes."""

    def __init__(
        self,
        host: Any,
        lookup: Lookup,
        reports: trio.MemorySendChannel[frames.Report],
        limits: NetworkLimits,
        counters: Counters,
    ) -> None:
        self._host = host
        self._lookup = lookup
        self._reports = reports
        self._limits = limits
        self._counters = counters
        self._told: dict[ID, Peer] = {}
        self._changes, self._changed = trio.open_memory_channel[ID](MAX_CHANGES_WAITING)
        host.get_network().register_notifee(self)

    async def connect(self, to: Peer) -> None:
        """A connection to that peer, or CannotReach. Dials at once, also what failed a moment ago."""
        try:
            peer = ID.from_string(to.peer_id)
        except Exception as error:
            raise CannotReach(f"{to.peer_id[:64]!r} is no PeerId") from error
        addresses = parse_addresses(to.addresses)
        if addresses:
            self._host.get_peerstore().add_addrs(peer, addresses, self._limits.address_seconds)
        network = self._host.get_network()
        network.forgive(peer)
        try:
            await network.dial_peer(peer)
        except Exception as error:
            self._lookup.peer_failed(peer)
            raise CannotReach(str(error)) from error
        self._lookup.peer_seen(peer)

    async def run(self, known: Sequence[Peer]) -> None:
        """Dials `known` until at least one peer is there, again whenever all are gone; tells the node."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tell_changes, nursery)
            await self._dial_all(known)
            pause, alone_for = FIRST_RETRY_SECONDS, 0.0
            while True:
                await trio.sleep(CHECK_SECONDS)
                for peer in self._told:
                    if not self._is_connected(peer):
                        self._note(peer)  # its event was lost, or its connection died without one
                alone_for = 0.0 if self._host.get_connected_peers() else alone_for + CHECK_SECONDS
                if alone_for >= pause:
                    pause, alone_for = min(pause * 2, MAX_RETRY_SECONDS), 0.0
                    await self._dial_all(known)
                elif not alone_for:
                    pause = FIRST_RETRY_SECONDS

    async def _dial_all(self, peers: Sequence[Peer]) -> None:
        places = trio.CapacityLimiter(self._limits.reconnect_at_once)

        async def dial(peer: Peer) -> None:
            async with places:
                try:
                    await self.connect(peer)
                except CannotReach as error:
                    logger.info("%s is not to be reached: %s", peer.peer_id, error)

        async with trio.open_nursery() as nursery:
            for peer in {p.peer_id: p for p in peers if p.peer_id != str(self._host.get_id())}.values():
                nursery.start_soon(dial, peer)

    # --- who comes and goes ---------------------------------------------------------------------
    async def connected(self, network: Any, conn: Any) -> None:
        self._note(conn.muxed_conn.peer_id)

    async def disconnected(self, network: Any, conn: Any) -> None:
        self._note(conn.muxed_conn.peer_id)

    def _note(self, peer: ID) -> None:
        try:
            self._changes.send_nowait(peer)
        except trio.WouldBlock:
            self._counters.add("drop:peer-changes")

    async def _tell_changes(self, nursery: trio.Nursery) -> None:
        async for peer in self._changed:
            nursery.start_soon(self._tell_change, peer)

    async def _tell_change(self, peer: ID) -> None:
        """Tells what is true now; events of a peer that comes and goes quickly may fall into one."""
        if self._is_connected(peer):
            if peer in self._told:
                return
            with trio.move_on_after(IDENTIFY_SECONDS):
                while self._is_connected(peer) and peer not in self._host._identified_peers:  # noqa: ASYNC110
                    await trio.sleep(POLL_SECONDS)  # libp2p has no event for it
        here = self._is_connected(peer)
        if here == (peer in self._told):
            return
        if here:
            self._lookup.peer_seen(peer)
            self._told[peer] = Peer(str(peer), self._addresses(peer))
            block = self._host.get_network().address_block(peer)
            await self._reports.send(frames.PeerChanged(peer=self._told[peer], connected=True, block=block))
        else:
            await self._reports.send(frames.PeerChanged(peer=self._told.pop(peer), connected=False))

    def _is_connected(self, peer: ID) -> bool:
        return any(not c.is_closed for c in self._host.get_network().get_connections(peer))

    def _addresses(self, peer: ID) -> tuple[str, ...]:
        known = self._host.get_network().known_addresses(peer)
        texts = dict.fromkeys(str(without_peer(address)) for address in known)
        return tuple(texts)[: self._limits.max_dial_addresses]

    # --- events that are of no use to us --------------------------------------------------------
    async def opened_stream(self, network: Any, stream: Any) -> None: ...

    async def closed_stream(self, network: Any, stream: Any) -> None: ...

    async def listen(self, network: Any, multiaddr: Any) -> None: ...

    async def listen_close(self, network: Any, multiaddr: Any) -> None: ...
