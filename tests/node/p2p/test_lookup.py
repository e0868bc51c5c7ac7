"""Look-ups over real hosts on loopback: they find the truly nearest, and bad peers cost little."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
import trio
import trio.lowlevel
from libp2p.kad_dht import common as kad_common
from libp2p.kad_dht.pb.kademlia_pb2 import Message
from libp2p.peer.id import ID
from multiaddr import Multiaddr

from chargemesh_node.p2p.kad_dial import Dialer, scope

from .lookup_street import LIMITS, House, Street, in_a_street, key, nearest, read_request, recall, send, until


async def frozen(stream: Any) -> None:
    """Takes the request and says nothing."""
    await trio.sleep_forever()


def test_nodes_told_of_one_alone_find_the_truly_nearest() -> None:
    async def story(street: Street) -> None:
        houses = await street.honest(10)
        for asker in houses[::5]:
            assert await recall(asker, houses, range(5), count=6) == 1.0

    in_a_street(story)


def test_the_result_has_ourselves_where_we_belong_and_addresses_that_answer() -> None:
    async def story(street: Street) -> None:
        houses = await street.honest(5)
        by_id = {house.id: house for house in houses}
        found = await houses[1].lookup.closest(key(0), 20)
        assert [peer for peer, _ in found] == nearest(houses, key(0), 20)
        for peer, addresses in found:
            assert str(addresses[0]).startswith(str(by_id[peer].address))

    in_a_street(story)


def test_narrow_look_ups_still_find_the_nearest() -> None:
    """k 4 and alpha 2: the nearest are found step by step, not by asking everybody."""

    async def story(street: Street) -> None:
        narrow = replace(LIMITS, width=4, alpha=2)
        houses = [await street.open(number, limits=narrow) for number in range(12)]
        await street.join(houses)
        assert await recall(houses[11], houses, range(10), count=4) == 1.0

    in_a_street(story)


def test_who_missed_others_while_joining_learns_of_them_soon() -> None:
    async def story(street: Street) -> None:
        limits = replace(LIMITS, join_jitter_s=3600.0, first_refresh_s=0.3)
        one, two, three = [await street.open(number, limits=limits) for number in range(3)]
        await one.told_of(two)
        await two.told_of(three)
        await until(lambda: one.knows(three))

    in_a_street(story)


def test_alone_the_nearest_is_ourselves() -> None:
    async def story(street: Street) -> None:
        house = await street.open(0)
        assert [peer for peer, _ in await house.lookup.closest(key(0), 8)] == [house.id]

    in_a_street(story)


def test_a_quarter_frozen_slows_the_first_look_ups_and_hides_nobody() -> None:
    async def story(street: Street) -> None:
        houses = [await street.open(number) for number in range(6)]
        silent = [await street.open(number, answer=frozen) for number in range(6, 8)]
        await street.join(houses)
        for house in silent:
            await house.told_of(houses[0])
            await house.told_of(houses[3])
        await trio.sleep(0.5)
        asker = houses[3]
        seconds = []
        for number in range(6):
            began = trio.current_time()
            assert await recall(asker, houses, range(number, number + 1), count=6) == 1.0
            seconds.append(trio.current_time() - began)
        assert max(seconds) <= LIMITS.settle_s + 0.1, "not the whole second that an answer may take"
        assert seconds[-1] < 0.1, "after two failures it is left out"
        await until(lambda: not any(asker.knows(house) for house in silent))
        began = trio.current_time()
        assert await recall(asker, houses, range(6, 10), count=6) == 1.0
        assert trio.current_time() - began < 0.1

    in_a_street(story)


def test_a_late_answer_brings_a_peer_back() -> None:
    async def story(street: Street) -> None:
        thaw = trio.Event()

        async def slow(stream: Any) -> None:
            await read_request(stream)
            await thaw.wait()
            await send(stream, Message(type=Message.MessageType.FIND_NODE))
            await trio.sleep_forever()

        asker, late = await street.open(0), await street.open(1, answer=slow)
        await asker.told_of(late)
        await trio.sleep(0.5)
        assert asker.knows(late)
        for number in range(2):
            await asker.lookup.closest(key(number), 8)
            await trio.sleep(LIMITS.request_s / 2)
        assert not asker.knows(late)
        thaw.set()
        await until(lambda: asker.knows(late))

    in_a_street(story)


def test_a_peer_that_is_gone_is_evicted_and_found_again_when_it_is_back() -> None:
    async def story(street: Street) -> None:
        houses = await street.honest(4)
        asker, other = houses[1], houses[2]
        other.host.set_stream_handler(kad_common.PROTOCOL_ID, frozen)
        network = asker.host.get_network()
        for connection in network.get_connections(other.id):
            await connection.close()
        for _ in range(3):
            await asker.lookup.closest(key(0), 8)
            await trio.sleep(0.6)
        assert not asker.knows(other)
        asker.lookup.peer_seen(other.id)
        await until(lambda: asker.knows(other))  # it is still connected, and speaks our protocol

    in_a_street(story)


def test_callers_that_give_up_break_nothing() -> None:
    async def story(street: Street) -> None:
        houses = await street.honest(5)
        asker = houses[2]
        connections = list(asker.host.get_network().get_connections())
        for number in range(60):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(asker.lookup.closest, key(number), 8)
                for _ in range(number):  # each step is another place to be cancelled in
                    await trio.lowlevel.checkpoint()
                nursery.cancel_scope.cancel()
        assert await recall(asker, houses, range(5)) == 1.0
        assert asker.lookup.failures == 0
        assert all(not connection.is_closed for connection in connections)

    in_a_street(story)


def test_links_are_capped() -> None:
    async def story(street: Street) -> None:
        few = replace(LIMITS, max_links=3, alpha=2, parallel_lookups=1)
        houses = [await street.open(number, limits=few) for number in range(6)]
        await street.join(houses)
        assert await recall(houses[3], houses, range(3)) == 1.0
        assert len(houses[3].lookup._links) <= 3

    in_a_street(story)


# --- hostile replies


async def garbage(stream: Any) -> None:
    await read_request(stream)
    await stream.write(b"\x40" + b"\xff" * 64)


async def endless(stream: Any) -> None:
    """Announces 60 KiB and then drips; with the next request it pours."""
    await read_request(stream)
    await stream.write(b"\xe0\xd4\x03")
    while True:
        await stream.write(b"\x00")
        await trio.sleep(0.05)


async def pouring(stream: Any) -> None:
    await read_request(stream)
    while True:
        await stream.write(b"\xff" * 4096)


async def thousands(stream: Any) -> None:
    """A reply with 1,400 invented peers (as many as the byte limit lets through)."""
    while True:
        await read_request(stream)
        await send(stream, invented(1400, addresses=0))


async def himself(stream: Any) -> None:
    """Names only itself and the asker."""
    while True:
        await read_request(stream)
        reply = Message(type=Message.MessageType.FIND_NODE)
        for peer in (stream.muxed_conn.peer_id, stream.muxed_conn.secured_conn.local_peer):
            reply.closerPeers.add(id=peer.to_bytes(), addrs=[Multiaddr("/ip4/127.0.0.1/tcp/9").to_bytes()])
        await send(stream, reply)


async def near_inventions(stream: Any) -> None:
    """Peers that do not exist, ground to lie nearer to the key than anybody real."""
    while True:
        target = await read_request(stream)
        reply = invented(600, addresses=1)
        ranked = sorted(reply.closerPeers, key=lambda peer: ground(target, peer.id))
        nearest_ones = Message(type=Message.MessageType.FIND_NODE)
        nearest_ones.closerPeers.extend(ranked[:20])
        await send(stream, nearest_ones)


async def early_end(stream: Any) -> None:
    await read_request(stream)
    await stream.reset()


def invented(count: int, addresses: int) -> Message:
    reply = Message(type=Message.MessageType.FIND_NODE)
    for number in range(count):
        raw = b"\x12\x20" + hashlib.sha256(f"nobody {number}".encode()).digest()
        at = [Multiaddr(f"/ip4/127.0.0.1/tcp/{1 + number % 9}").to_bytes()] * addresses
        reply.closerPeers.add(id=raw, addrs=at)
    return reply


def ground(target: bytes, raw: bytes) -> int:
    near = int.from_bytes(hashlib.sha256(target).digest(), "big")
    return near ^ int.from_bytes(hashlib.sha256(raw).digest(), "big")


@pytest.mark.parametrize(
    "answer",
    [garbage, endless, pouring, thousands, himself, near_inventions, early_end],
    ids=lambda answer: answer.__name__,
)
def test_a_hostile_peer_costs_time_within_bounds_and_nothing_else(answer: Any) -> None:
    async def story(street: Street) -> None:
        honest = await street.honest(4)
        bad = await street.open(99, answer=answer)
        asker = honest[2]
        await asker.told_of(bad)
        await trio.sleep(0.5)
        asker.lookup.requests = 0
        began = trio.current_time()
        for number in range(3):
            found = [peer for peer, _ in await asker.lookup.closest(key(number), 5)]
            found = [peer for peer in found if peer != bad.id]
            assert found == nearest(honest, key(number), 5)
        assert trio.current_time() - began < 2 * LIMITS.lookup_s
        # Honest: 4 requests a look-up. A liar's inventions add at most its credit, again and again.
        assert asker.lookup.requests <= 3 * (4 + LIMITS.teller_credit)
        assert all(asker.knows(house) for house in honest if house is not asker)
        assert asker.dht.routing_table.size() <= 4

    in_a_street(story)


def test_false_addresses_for_an_honest_peer_do_not_hide_it() -> None:
    async def story(street: Street) -> None:
        honest = await street.honest(4)
        victim = honest[3]

        async def slander(stream: Any) -> None:
            while True:
                await read_request(stream)
                reply = Message(type=Message.MessageType.FIND_NODE)
                false = [Multiaddr(f"/ip4/127.0.0.1/tcp/{port}").to_bytes() for port in (1, 2, 3, 4)]
                reply.closerPeers.add(id=victim.id.to_bytes(), addrs=false)
                await send(stream, reply)

        liar = await street.open(99, answer=slander)
        newcomer = await street.open(50)
        await newcomer.told_of(liar)
        await trio.sleep(0.5)
        for number in range(3):
            await newcomer.lookup.closest(key(number), 8)
        await newcomer.told_of(honest[0])
        await trio.sleep(0.5)
        found = [peer for peer, _ in await newcomer.lookup.closest(key(9), 8)]
        assert victim.id in found

    in_a_street(story)


def test_far_peers_may_not_send_us_to_near_addresses() -> None:
    async def story(street: Street) -> None:
        house = await street.open(0)
        dialer = Dialer(house.host, LIMITS)
        peer = ID(b"\x12\x20" + bytes(32))
        told = [
            Multiaddr(text).to_bytes()
            for text in (
                "/ip4/127.0.0.1/tcp/1",
                "/ip4/192.168.0.9/tcp/2",
                "/ip4/8.8.8.8/tcp/3",
                "/dns4/example.org/tcp/4",
                "/ip4/8.8.8.8/udp/5/quic-v1",
                f"/ip4/8.8.8.8/tcp/6/p2p/{house.id}",
            )
        ]
        assert [str(a) for a in dialer.acceptable(peer, told, scope("8.8.4.4"))] == ["/ip4/8.8.8.8/tcp/3"]
        assert len(dialer.acceptable(peer, told, scope("10.0.0.1"))) == 2
        assert len(dialer.acceptable(peer, told, scope("127.0.0.1"))) == 3
        assert dialer.acceptable(peer, [b"\xff\x00garbage"], 0) == []

    in_a_street(story)


def test_peers_named_by_other_protocols_are_shunned_only_if_we_know_them() -> None:
    async def story(street: Street) -> None:
        houses: list[House] = await street.honest(3)
        known, stranger = houses[2].id, ID(b"\x12\x20" + bytes(32))
        for _ in range(3):
            for peer in (known, stranger):
                houses[1].lookup.peer_failed(peer)
            await trio.sleep(LIMITS.request_s)
        assert houses[1].lookup._health.left_out(known)
        assert not houses[1].lookup._health.left_out(stranger)

    in_a_street(story)
