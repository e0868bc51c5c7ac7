"""Changes heard by gossip: verified before they are forwarded, bounded, and told only where they belong."""

from __future__ import annotations

from chargemesh_node.discovery import gossip as gossip_module
from chargemesh_node.ports import Caller
from chargemesh_protocol.discovery import wire
from chargemesh_protocol.discovery.cells import listing_topic, topics_near
from chargemesh_protocol.limits import MAX_HEARD_WAITING, MAX_LISTING_TOPICS
from chargemesh_protocol.place import Point, public_cell
from tests.protocol.discovery.hosts import CHARGER, HERE, NETWORK, Host

from .street import Node, Street, a_while, run

ANNA, BORIS = Host("anna"), Host("boris")
LISTING = ANNA.lists()
CELL = LISTING.body.cell
TOPIC = listing_topic(NETWORK, CELL)
SOMEBODY = Caller("somebody", "peer:somebody")
HOUR_SECONDS = 3600.0


async def following(street: Street) -> Node:
    node = await street.node("node")
    await node.gossip.follow_cell(CELL)
    return node


def test_only_what_is_good_new_and_in_its_place_is_forwarded() -> None:
    async def story() -> None:
        street = Street()
        node = await following(street)
        hear = node.network._topics[TOPIC]
        good = wire.write(ANNA.stores(LISTING))
        assert hear(SOMEBODY, b"") is False
        assert not hear(SOMEBODY, good[:-1])
        assert not hear(SOMEBODY, wire.write(wire.Kept()))
        assert not hear(SOMEBODY, wire.write(ANNA.stores(ANNA.lists(seed=BORIS.device))))
        assert not hear(SOMEBODY, wire.write(ANNA.stores(ANNA.lists(Point(48.1, 11.5)))))
        assert hear(SOMEBODY, good)
        await a_while(0.1)
        assert node.caretaker.places.shown() == [(ANNA.author, CHARGER)]
        assert hear(SOMEBODY, good)  # also told by somebody else
        assert hear(SOMEBODY, wire.write(ANNA.retracts(LISTING)))
        await a_while(0.1)
        assert hear(SOMEBODY, good) is None, "replayed: an honest neighbour can be late"
        assert node.caretaker.places.shown() == []
        codes = {code for code in node.gossip.counters if code.startswith("refused:")}
        assert codes == {
            "refused:encoding",
            "refused:unexpected",
            "refused:not-delegated",
            "refused:topic",
            "refused:superseded",
        }
        await street.stop()

    run(story())


def test_a_flood_is_cut_for_the_neighbour_who_sends_it_and_its_queue_is_bounded() -> None:
    async def story() -> None:
        street = Street()
        node = await following(street)
        hear = node.network._topics[TOPIC]
        good = wire.write(ANNA.stores(LISTING))
        assert [hear(SOMEBODY, good) for _ in range(500)].count(True) == gossip_module.HEARD_BURST
        for number in range(3):
            assert hear(Caller(f"peer {number}", f"peer:{number}"), good)
            for _ in range(gossip_module.HEARD_BURST):
                hear(Caller(f"peer {number}", f"peer:{number}"), good)
        assert len(node.gossip._heard) == MAX_HEARD_WAITING
        assert node.gossip.counters["dropped"] > 0
        await a_while(0.1)
        assert len(node.gossip._heard) == 0
        await street.stop()

    run(story())


def test_topics_are_bounded_and_caretakers_leave_half_of_them_for_searches() -> None:
    async def story() -> None:
        street = Street()
        node = await street.node("node")
        for number in range(3 * MAX_LISTING_TOPICS):
            node.caretaker.on_kept(public_cell(Point(10, number / 2), 5))
        await a_while(1)
        assert len(node.gossip.topics) == MAX_LISTING_TOPICS // 2
        for number in range(3 * MAX_LISTING_TOPICS):
            await node.gossip.follow_circle(Point(-30, number / 3), 5000)
        assert len(node.gossip.topics) == MAX_LISTING_TOPICS == len(node.network._topics)
        assert listing_topic(NETWORK, public_cell(HERE, 7)) not in node.gossip.topics
        await street.stop()

    run(story())


def test_a_topic_is_left_two_hours_after_the_last_reason_to_follow_it() -> None:
    async def story() -> None:
        street = Street()
        host, driver, keeper = await street.all(3)
        host.lists()
        await driver.finds(Point(48.1, 11.5))
        searched = set(driver.gossip.topics) - set(host.gossip.topics)
        assert searched
        await a_while(1.5 * HOUR_SECONDS)
        await driver.finds(Point(48.1, 11.5))
        await a_while(1.5 * HOUR_SECONDS)
        assert searched < set(driver.gossip.topics)
        await a_while(HOUR_SECONDS)
        assert not searched & set(driver.gossip.topics)
        # What is ours or kept here is renewed every hour.
        assert [set(node.gossip.topics) for node in street.nodes] == [{TOPIC}] * 3
        assert all(set(node.network._topics) == {TOPIC} for node in street.nodes)
        host.withdraws()
        await a_while(26 * HOUR_SECONDS)  # while it might come back, the withdrawal is told
        assert keeper.gossip.topics == driver.gossip.topics == {}
        await a_while(HOUR_SECONDS)
        assert host.gossip.topics == {} and host.network._topics == {}
        await street.stop()

    run(story())


def test_a_search_takes_the_place_of_the_oldest_one_and_of_no_listing() -> None:
    async def story() -> None:
        street = Street()
        node = await street.node("node")
        await node.gossip.follow_cell(CELL)
        for number in range(3 * MAX_LISTING_TOPICS):
            await a_while(1)
            await node.gossip.follow_circle(Point(-30, number / 3), 5000)
        assert len(node.gossip.topics) == MAX_LISTING_TOPICS == len(node.network._topics)
        topics = set(node.gossip.topics)
        assert TOPIC in topics
        assert not set(topics_near(NETWORK, Point(-30, 0), 5000)) & topics
        assert set(topics_near(NETWORK, Point(-30, number / 3), 5000)) <= topics
        await street.stop()

    run(story())
