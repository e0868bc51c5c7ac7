"""Who is nearest to a key: Kademlia's look-up over py-libp2p's routing table and protocol, our own iteration.

py-libp2p's own look-up opens a stream for each question, checks each signed record, waits ten seconds for a
frozen peer and never evicts it. The wire stays standard: FIND_NODE of /kad, one protobuf each way.
"""

from __future__ import annotations

import logging
import random
from typing import Any

import trio
from libp2p.kad_dht import common as kad_common
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import PeerInfo
from libp2p.peer.peerstore import PeerStoreError
from multiaddr import Multiaddr

from .kad_dial import Dialer
from .kad_frontier import Candidate, Frontier
from .kad_limits import DEFAULT_LOOKUP_LIMITS, LookupLimits
from .kad_link import KadLinks, NoAnswer, Told, TooBusy
from .peer_health import PeerHealth

logger = logging.getLogger(__name__)

_ADDRESS_LIFE_S = 7200  # as identify gives them


class Lookup:
    """Looks up, and keeps the routing table true.

    Give it a KadDHT in server mode whose own service does not run, and see `kad_answer.answer_find_node`
    for the answering side. `rng_seed` seeds jitter and refresh keys only.
    """

    def __init__(
        self, host: Any, dht: Any, limits: LookupLimits = DEFAULT_LOOKUP_LIMITS, rng_seed: int = 0
    ) -> None:
        self._limits = limits
        self._host = host
        self._me: ID = host.get_id()
        self._table = dht.routing_table
        self._rng = random.Random(rng_seed)
        self._dialer = Dialer(host, self._limits)
        self._links = KadLinks(host, self._dialer, self._limits, self._answered)
        self._health = PeerHealth(self._limits)
        self._turns = trio.Semaphore(self._limits.parallel_lookups)
        self._joined = False
        self.requests = 0
        self.failures = 0

    async def closest(self, key: bytes, count: int) -> list[tuple[ID, list[Multiaddr]]]:
        """Up to `count` live nodes nearest to `key`, nearest first, ourselves among them where we belong.

        `key` is 2 to 50 bytes and is hashed once more, as Kademlia does. Takes `lookup_s` at most once its
        turn has come; `run` must be running. With nobody in reach the result is ourselves.
        """
        frontier = Frontier(
            key,
            width=self._limits.width_for(count),
            credit=self._limits.teller_credit,
            max_candidates=self._limits.max_candidates,
            max_addresses=self._limits.max_addresses,
        )
        frontier.add_known(self._me, answered=True)
        async with self._turns:
            await self._adopt_connected()
            for peer in self._table.find_local_closest_peers(key, self._limits.width):
                if not self._health.left_out(peer):
                    frontier.add_known(peer, self._table_addresses(peer))
            with trio.move_on_after(self._limits.lookup_s):
                await self._iterate(frontier, key, count)
        return [(found.peer, self._addresses(found)) for found in frontier.nearest(count)]

    async def join(self) -> None:
        """A look-up for ourselves: fills the table around us, and others' tables with us. Jittered."""
        await trio.sleep(self._rng.uniform(0, self._limits.join_jitter_s))
        found = await self.closest(self._me.to_bytes(), self._limits.width)
        self._joined = len(found) > 1

    async def run(self, task_status: Any = trio.TASK_STATUS_IGNORED) -> None:
        """Holds the links, adopts peers that connect, probes those that failed, refreshes. Runs for good."""
        async with trio.open_nursery() as nursery:
            self._links.serve(nursery)
            nursery.start_soon(self._refresh_now_and_then)
            task_status.started()
            while True:
                await self._adopt_connected()
                self._keep_addresses()
                for peer in self._links.stalled():
                    self.peer_failed(peer)
                self._links.give_up_stuck()
                for peer in self._health.due(trio.current_time(), at_most=self._limits.handshakes):
                    nursery.start_soon(self._ask, peer, [], self._me.to_bytes())
                if self._table.size() and not self._joined:
                    self._joined = True  # join() says otherwise if nobody answers
                    nursery.start_soon(self.join)
                await trio.sleep(self._limits.tick_s)

    def peer_seen(self, peer: ID) -> None:
        """The peer has just shown that it lives (it connected, or answered on another protocol)."""
        self._health.alive(peer)

    def peer_failed(self, peer: ID) -> None:
        """A request of any protocol to this peer failed. Twice, and it is left out until it shows itself.

        A stranger that can't be reached is not counted: it may be a liar's invention, or a liar's address
        for a peer that lives. Its addresses are remembered as dead instead (see Dialer).
        """
        self.failures += 1
        if not (self._table.peer_in_table(peer) or self._dialer.connected(peer)):
            return
        if self._health.failed(peer, trio.current_time()):
            self._table.remove_peer(peer)

    # --- one look-up

    async def _iterate(self, frontier: Frontier, key: bytes, count: int) -> None:
        """Keeps up to `alpha` requests in flight until the frontier is finished.

        Who has not answered when `count` have, and long after the slowest of them, is not waited for: a
        frozen peer costs half a second, not the 2.5 s of a dial, and is seen as frozen all the same.
        """
        slowest = 0.0
        progress, finished_one = trio.open_memory_channel[None](self._limits.alpha)
        in_flight = 0

        async def ask(candidate: Candidate) -> None:
            nonlocal slowest
            began = trio.current_time()
            told = await self._ask(candidate.peer, candidate.addresses, key)
            if told is None:
                frontier.failed(candidate.peer)
            else:
                slowest = max(slowest, trio.current_time() - began)
                frontier.answered(candidate.peer)
                self._take(frontier, candidate.peer, told)
            await progress.send(None)

        async with trio.open_nursery() as nursery:
            while not frontier.finished:
                while in_flight < self._limits.alpha and (candidate := frontier.next()) is not None:
                    nursery.start_soon(ask, candidate)
                    in_flight += 1
                if not in_flight:
                    break
                patience = float("inf")
                if len(frontier.nearest(count)) == count:
                    patience = max(self._limits.settle_s, self._limits.settle_times * slowest)
                with trio.move_on_after(patience) as waiting:
                    await finished_one.receive()
                if waiting.cancelled_caught:
                    break
                in_flight -= 1
            nursery.cancel_scope.cancel()  # these only wait for links, that go on by themselves

    async def _ask(self, peer: ID, addresses: list[Multiaddr], key: bytes) -> list[Told] | None:
        """Whom `peer` names, or None; keeps account of who lives."""
        self.requests += 1
        try:
            told = await self._links.ask(peer, addresses, key)
        except TooBusy as error:
            logger.info("not asking %s: %s", peer, error)
            return None
        except NoAnswer as error:
            logger.debug("no answer from %s: %s", peer, error)
            self.peer_failed(peer)
            return None
        self._answered(peer)
        if not self._table.peer_in_table(peer):
            await self._adopt(peer, self._dialer.own_addresses(peer) or addresses)
        return told

    def _take(self, frontier: Frontier, teller: ID, told: list[Told]) -> None:
        reach = self._dialer.reach(teller)
        for entry in told:
            if not frontier.needs_telling(entry.peer) or self._health.left_out(entry.peer):
                continue
            addresses = self._dialer.acceptable(entry.peer, entry.addresses, reach)
            if self._dialer.connected(entry.peer) or self._dialer.alive(entry.peer, addresses):
                frontier.add_told(teller, entry.peer, addresses)

    def _addresses(self, found: Candidate) -> list[Multiaddr]:
        if found.peer == self._me:
            return list(self._host.get_addrs())
        return (self._dialer.own_addresses(found.peer) or found.addresses)[: self._limits.max_addresses]

    # --- between look-ups

    def _answered(self, peer: ID) -> None:
        self._health.alive(peer)

    async def _adopt_connected(self) -> None:
        """Puts connected servers of our protocol into the table: KadDHT only does when they open a stream,
        and then only if identify has already told their addresses."""
        for peer in self._host.get_connected_peers():
            if self._table.peer_in_table(peer) or self._health.left_out(peer):
                continue
            if str(kad_common.PROTOCOL_ID) in self._protocols(peer):
                await self._adopt(peer, self._dialer.own_addresses(peer))

    async def _adopt(self, peer: ID, addresses: list[Multiaddr]) -> None:
        if addresses:
            await self._table.add_peer(PeerInfo(peer, list(addresses)))

    def _protocols(self, peer: ID) -> list[str]:
        try:
            return list(self._host.get_peerstore().get_protocols(peer))
        except PeerStoreError:
            return []

    def _table_addresses(self, peer: ID) -> list[Multiaddr]:
        info = self._table.get_peer_info(peer)
        return [] if info is None else list(info.addrs)

    def _keep_addresses(self) -> None:
        """The peerstore forgets addresses after 2 h; without them KadDHT names peers that nobody can dial."""
        for info in self._table.get_peer_infos():
            if not self._dialer.own_addresses(info.peer_id):
                self._host.get_peerstore().add_addrs(info.peer_id, info.addrs, _ADDRESS_LIFE_S)

    async def _refresh_now_and_then(self) -> None:
        """Ourselves and a random key in turn, each node at times of its own. Soon at first: who joined in a
        crowd (a street after a power cut) missed those that were too busy to answer."""
        pause = min(self._limits.first_refresh_s, self._limits.refresh_s)
        while True:
            for key in (self._me.to_bytes(), self._rng.randbytes(32)):
                await trio.sleep(self._rng.uniform(0.5, 1.5) * pause)
                await self.closest(key, self._limits.width)
            pause = min(2 * pause, self._limits.refresh_s)
