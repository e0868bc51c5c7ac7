"""Answers to others' look-ups: right for py-libp2p's own client, and nothing for who asks anything else."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from libp2p.kad_dht import common as kad_common
from libp2p.kad_dht.pb.kademlia_pb2 import Message
from libp2p.peer.id import ID
from multiaddr import Multiaddr

from chargemesh_node.p2p.kad_answer import BadRequest, FindNodeAnswerer
from chargemesh_node.p2p.kad_limits import LookupLimits

from .lookup_street import House, Street, in_a_street, key, nearest, send, until

SOMEBODY = ID(b"\x12\x20" + b"s" * 32)


def ask(house: House, request: Message, reach: int = 0) -> Message:
    answerer = FindNodeAnswerer(house.host, house.dht.routing_table, LookupLimits())
    reply = Message()
    reply.ParseFromString(answerer.answer(request.SerializeToString(), SOMEBODY, reach))
    return reply


def find(target: bytes) -> Message:
    return Message(type=Message.MessageType.FIND_NODE, key=target)


def test_libp2ps_own_look_up_works_on_our_answers() -> None:
    async def story(street: Street) -> None:
        houses = await street.honest(5)
        asker = houses[2]
        with trio.fail_after(20):
            found = await asker.dht.peer_routing.find_closest_peers_network(key(3), 20)
        others = [house for house in houses if house is not asker]
        assert [peer for peer in found if peer != asker.id] == nearest(others, key(3), 20)

    in_a_street(story)


def test_our_look_up_works_on_libp2ps_own_answers() -> None:
    async def story(street: Street) -> None:
        houses = await street.honest(4)
        for house in houses[1:]:
            house.host.set_stream_handler(kad_common.PROTOCOL_ID, house.dht.handle_stream)
        newcomer = await street.open(40)
        await newcomer.told_of(houses[1])
        await until(lambda: newcomer.knows(houses[1]))
        found = [peer for peer, _ in await newcomer.lookup.closest(key(5), 8)]
        assert found == nearest([*houses, newcomer], key(5), 8)

    in_a_street(story)


def test_the_target_itself_comes_first_where_we_know_it() -> None:
    async def story(street: Street) -> None:
        houses = await street.honest(4)
        for target in (houses[0], houses[2]):
            reply = ask(houses[0], find(target.id.to_bytes()))
            assert reply.closerPeers[0].id == target.id.to_bytes()
            assert reply.closerPeers[0].addrs

    in_a_street(story)


def test_who_is_far_is_not_told_of_addresses_near_us() -> None:
    async def story(street: Street) -> None:
        houses = await street.honest(3)
        store = houses[0].host.get_peerstore()
        near = [Multiaddr("/ip4/127.0.0.1/tcp/4001/ws"), Multiaddr("/ip4/192.168.1.2/tcp/4001/ws")]
        store.add_addrs(houses[1].id, [Multiaddr("/ip4/8.8.8.8/tcp/4001"), *near], 3600)
        assert len(ask(houses[0], find(key(0)), reach=0).closerPeers) == 2
        [far] = ask(houses[0], find(key(0)), reach=2).closerPeers
        assert far.id == houses[1].id.to_bytes()
        assert [str(Multiaddr(raw)) for raw in far.addrs] == ["/ip4/8.8.8.8/tcp/4001"]

    in_a_street(story)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\xff\xff",
        Message(type=Message.MessageType.PUT_VALUE, key=b"k").SerializeToString(),
        Message(type=Message.MessageType.ADD_PROVIDER, key=b"k" * 32).SerializeToString(),
        find(b"").SerializeToString(),
        find(b"k" * 65).SerializeToString(),
    ],
    ids=["garbage", "put", "provide", "no-key", "long-key"],
)
def test_anything_else_is_refused(request_bytes: bytes) -> None:
    async def story(street: Street) -> None:
        house = await street.open(0)
        answerer = FindNodeAnswerer(house.host, house.dht.routing_table, LookupLimits())
        with pytest.raises(BadRequest):
            answerer.answer(request_bytes, SOMEBODY, 0)

    in_a_street(story)


def test_streams_of_one_peer_are_capped_and_bad_ones_reset() -> None:
    async def story(street: Street) -> None:
        ours, other = await street.open(0), await street.open(1)
        await other.told_of(ours)

        async def open_stream() -> Any:
            return await other.host.new_stream(ours.id, [kad_common.PROTOCOL_ID])

        async def works(stream: Any) -> bool:
            try:
                with trio.fail_after(3):
                    await send(stream, find(key(0)))
                    return bool(await stream.read(4096))
            except Exception:  # noqa: BLE001 - libp2p has several for a stream that was reset
                return False

        streams = [await open_stream() for _ in range(LookupLimits().inbound_streams_per_peer + 1)]
        assert [await works(stream) for stream in streams] == [True] * 4 + [False]
        await streams[0].write(b"\xff" * 100)
        await until(lambda: streams[0].muxed_stream.reset_received)
        assert await works(await open_stream())

    in_a_street(story)
