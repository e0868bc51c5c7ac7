"""What a flood of gossip, keys or authors costs a replica: bounded room, and nobody else's place."""

from __future__ import annotations

import asyncio

import pytest

from chargemesh_node import bundles as bundles_module
from chargemesh_node import replica as replica_module
from chargemesh_node.ports import Caller
from chargemesh_node.sim import loop as simulated
from chargemesh_node.sim.network import SimulatedInternet
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.trust.news import News
from chargemesh_protocol.trust.sync import Item
from tests.protocol.trust.people import Person

from .keeping import ANNA, Keeping, a_pair, bundles_of, knowing, stop

LIAR = Caller("liar", "peer:liar")


def test_a_flood_of_gossip_is_cut_to_a_rate_for_each_neighbour() -> None:
    async def story() -> None:
        internet = SimulatedInternet(9)
        node = await Keeping(internet, "node").start()
        host, driver, ours, _ = a_pair()
        good = News(bundles=bundles_of(host, driver), items=(ours[0],)).to_bytes()
        hear = node.network._topics[node.replica.topic]
        heard = [hear(LIAR, good) for _ in range(1000)]
        assert heard.count(True) == replica_module.HEARD_BURST
        assert hear(Caller("honest", "peer:honest"), good)
        await stop(node)

    simulated.run(story())


def test_a_full_replica_takes_no_more_and_still_gives() -> None:
    async def story() -> None:
        internet = SimulatedInternet(12)
        writer, friend = Person("writer"), Person("friend")
        items = [writer.vouches(friend) for _ in range(6)]
        full = await knowing(Keeping(internet, "full"), writer, friend).start()
        full.replica.logs.room.max_entries = 4
        rich = await knowing(Keeping(internet, "rich"), writer, friend).start()
        rich.says(*items)
        await rich.network.connect(full.network.contact)
        await asyncio.sleep(30)
        assert len(full.entries) == 4 and full.replica.counters["refused:logs-full"] > 0
        poor = await Keeping(internet, "poor").start(full)
        await asyncio.sleep(30)
        assert len(poor.entries) == 4
        await stop(full, rich, poor)

    simulated.run(story())


def test_a_flood_of_fresh_keys_shuts_out_neither_friends_nor_others_also_after_a_restart() -> None:
    async def story() -> None:
        internet = SimulatedInternet(14)
        friend, stranger, late = Person("friend"), Person("stranger"), Person("late")
        node = knowing(Keeping(internet, "node"), ANNA, friend)
        node.replica.logs.room.max_logs = 20
        await node.start()
        node.says(ANNA.completes(friend, "monday"))
        flood(node, "1.1.1.0/24", 40)
        flood(node, "2.2.2.0/24", 40)
        assert hears(node, Caller("liar", "1.1.1.0/24"), friend, friend.vouches(stranger))
        assert hears(node, Caller("honest", "3.3.3.0/24"), late, late.vouches(friend))
        assert node.replica.counters["displaced"] > 0
        await stop(node)

        again = knowing(Keeping(internet, "again", cache=node.cache), ANNA)
        again.replica.logs.room.max_logs = 20
        await again.start()
        assert again.entries == node.entries and len(again.entries) == 20
        flood(again, "1.1.1.0/24", 60)
        flood(again, "2.2.2.0/24", 60)
        newcomer = Person("newcomer")
        assert hears(again, Caller("honest", "4.4.4.0/24"), newcomer, newcomer.vouches(friend))
        for person in (ANNA, friend, late, newcomer):
            assert again.replica.logs.log(person.key) is not None, person.name
        await stop(again)

    simulated.run(story())


def test_the_block_of_who_is_asked_is_where_it_is_and_not_where_it_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(replica_module, "MAX_NEW_LOGS_AT_ONCE", 5)

    async def story() -> None:
        internet = SimulatedInternet(16)
        sybils = [Person(f"sybil {number}") for number in range(12)]
        liar = await knowing(Keeping(internet, "liar"), *sybils).start()
        for sybil in sybils:
            liar.says(sybil.vouches(Person("friend")))
        node = await Keeping(internet, "node").start()
        for number in range(3):
            claimed = Contact("liar", (f"/ip4/203.0.{number}.1/tcp/4001",))
            await node.replica.catch_ups.with_peer(claimed)
        assert len(node.entries) == 5
        await stop(node, liar)

    simulated.run(story())


def test_one_block_begins_only_so_many_logs_of_strangers_in_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replica_module, "MAX_NEW_LOGS_AT_ONCE", 5)

    async def story() -> None:
        internet = SimulatedInternet(15)
        owner, friend, late, known = Person("anna"), Person("friend"), Person("late"), Person("known")
        node = await knowing(Keeping(internet, "node", owner=owner), owner, friend).start()
        node.says(owner.completes(friend, "monday"))
        flooder, honest = Caller("flooder", "1.1.1.0/24"), Caller("honest", "2.2.2.0/24")
        assert hears(node, flooder, known, known.vouches(friend))
        flood(node, "1.1.1.0/24", 40)
        assert node.replica.counters["refused:new-logs"] == 36 and len(node.entries) == 6
        assert hears(node, flooder, known, known.vouches(friend)), "its log is kept already"
        assert hears(node, flooder, Person("other"), Person("other").completes(friend, "tuesday"))
        one = late.vouches(friend)
        assert hears(node, flooder, late, one) is None, "so it isn't passed on either, and nobody is to blame"
        assert hears(node, honest, late, one)
        await asyncio.sleep(10)
        before = len(node.entries)
        flood(node, "1.1.1.0/24", 40)
        assert len(node.entries) == before + 1, "one every ten seconds"
        await stop(node)

    simulated.run(story())


def test_a_crowd_of_invented_authors_is_not_remembered_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        monkeypatch.setattr(bundles_module, "MAX_KNOWN_AUTHORS", 3)
        people = [Person(f"invented {number}") for number in range(8)]
        node = await knowing(Keeping(SimulatedInternet(13), "node"), *people).start()
        await node.bundles.keep(person.author for person in people)
        assert list(node.bundles._kept) == [person.author for person in people[-3:]]
        assert len(await node.cache.bundles()) == 8  # which the cache bounds by its own size
        await stop(node)

    simulated.run(story())


def flood(node: Keeping, block: str, count: int) -> None:
    """That many entries by fresh keys from one address block, each told by another PeerId."""
    for number in range(count):
        sybil = Person(f"{block} {number}")
        hears(node, Caller(f"{block} {number}", block), sybil, sybil.vouches(Person("friend")))


def hears(node: Keeping, caller: Caller, author: Person, item: Item) -> bool | None:
    news = News(bundles=bundles_of(author), items=(item,))
    return node.network._topics[node.replica.topic](caller, news.to_bytes())
