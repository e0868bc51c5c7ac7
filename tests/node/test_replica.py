"""Logs travel: by gossip at once, by catch-up to whoever was off, and never further than they are good."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from chargemesh_node import bundles as bundles_module
from chargemesh_node import replica as replica_module
from chargemesh_node.bundles import Bundles
from chargemesh_node.clock import SeededEntropy
from chargemesh_node.peer_clocks import PeerClocks
from chargemesh_node.ports import Caller
from chargemesh_node.replica import LogReplica
from chargemesh_node.sim import loop as simulated
from chargemesh_node.sim.disk import MemoryCache
from chargemesh_node.sim.loop import LoopClock
from chargemesh_node.sim.network import SimNetwork, SimulatedInternet
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.identity import Directory
from chargemesh_protocol.trust.entries import Vouch
from chargemesh_protocol.trust.graph import Completed
from chargemesh_protocol.trust.log import judge
from chargemesh_protocol.trust.month import month_of
from chargemesh_protocol.trust.news import News
from chargemesh_protocol.trust.score import Reputation
from chargemesh_protocol.trust.sync import PROTOCOL, CatchUp, Item, open_item
from tests.protocol.trust.people import BORN, NETWORK, Person, hashed

ANNA, BORIS = Person("anna"), Person("boris")


class Keeping:
    """One node's replica, without the rest of a node."""

    def __init__(
        self,
        internet: SimulatedInternet,
        name: str,
        cache: MemoryCache | None = None,
        owner: Person = ANNA,
    ) -> None:
        self.name = name
        clock = LoopClock(BORN + 90 * 24 * 3600 * 1000)
        self.network: SimNetwork = internet.node(name)
        self.cache = cache or MemoryCache(clock)
        self.directory = Directory(NETWORK)
        self.bundles = Bundles(network=self.network, cache=self.cache, clock=clock, directory=self.directory)
        self.replica = LogReplica(
            network=self.network,
            cache=self.cache,
            clock=clock,
            entropy=SeededEntropy(name.encode()),
            bundles=self.bundles,
            clocks=PeerClocks(network=self.network, clock=clock),
            network_id=NETWORK,
            author=owner.author,
        )

    async def start(self, *met: Keeping) -> Keeping:
        await self.bundles.start()
        await self.replica.start()
        await self.network.start()
        for other in met:
            await self.network.connect(other.network.contact)
        return self

    async def stop(self) -> None:
        await self.replica.close()
        await self.network.close()

    def says(self, *items: Item) -> None:
        """Entries of our own were cut."""
        self.replica.publish([item.to_bytes() for item in items])

    @property
    def entries(self) -> set[bytes]:
        return {entry.id for entry in self.replica.logs.accepted()}


def a_pair() -> tuple[Person, Person, list[Item], list[Item]]:
    """A host and a driver with a completed booking, reviewed by the driver."""
    host, driver = Person("host"), Person("driver")
    ours = [host.completes(driver, "booking")]
    theirs = [driver.completes(host, "booking"), driver.reviews(host, "booking", 2)]
    return host, driver, ours, theirs


def knowing(node: Keeping, *people: Person) -> Keeping:
    """As after a booking: both sides have each other's bundle."""
    for person in people:
        node.directory.learn(person.bundle.to_bytes())
    return node


def test_an_entry_reaches_everybody_by_gossip_with_the_bundles_of_its_authors() -> None:
    async def story() -> None:
        internet = SimulatedInternet(1)
        host, driver, ours, theirs = a_pair()
        hub = await Keeping(internet, "hub").start()
        nodes = [await Keeping(internet, f"node {number}").start(hub) for number in range(8)]
        knowing(nodes[0], host, driver)
        await asyncio.sleep(5)
        for node in (hub, *nodes):
            node.replica.counters.clear()
        nodes[0].says(*ours, *theirs)
        await asyncio.sleep(0.3)
        assert [len(node.entries) for node in (hub, *nodes)] == [3] * 9
        assert all(node.replica.counters["sessions"] <= 2 for node in nodes)
        assert nodes[5].replica.has_completed(host.author)
        assert [entry.subject for entry in nodes[5].replica.entries_about(host.author)] == [host.author] * 2
        await stop(hub, *nodes)

    simulated.run(story())


def test_who_was_off_gets_every_entry_from_a_third_node_it_never_met_the_authors() -> None:
    async def story() -> None:
        internet = SimulatedInternet(2)
        host, driver, ours, theirs = a_pair()
        third = await Keeping(internet, "third").start()
        one = await knowing(Keeping(internet, "host"), host, driver).start(third)
        two = await knowing(Keeping(internet, "driver"), host, driver).start(third)
        one.says(*ours)
        two.says(*theirs)
        await asyncio.sleep(5)
        await stop(one, two)
        observer = await Keeping(internet, "observer").start(third)
        await asyncio.sleep(5)
        assert observer.entries == third.entries and len(observer.entries) == 3
        assert observer.replica.catch_ups.caught_up == {"third"}
        score = Reputation(observer.replica.evidence(), driver.author, b"secret")
        assert score.score(host.author, month_of(BORN) + 3).mean_stars == 20
        await stop(third, observer)

    simulated.run(story())


def test_gossip_that_is_lost_is_made_up_for_by_catch_up() -> None:
    async def story() -> None:
        internet = SimulatedInternet(3)
        internet.faults.loss = 0.3
        anna = Person("anna")
        nodes = [await knowing(Keeping(internet, "node 0"), ANNA, BORIS).start()]
        for number in range(1, 6):
            nodes.append(Keeping(internet, f"node {number}"))
            await nodes[-1].start(*nodes[:-1])
        nodes[0].says(*(anna.vouches(BORIS, bool(turn % 2)) for turn in range(5)))
        await asyncio.sleep(300)
        assert [len(node.entries) for node in nodes] == [5] * 6
        await stop(*nodes)

    simulated.run(story())


def test_a_node_that_starts_again_has_what_it_had_without_asking_anybody() -> None:
    async def story() -> None:
        internet = SimulatedInternet(4)
        host, driver, ours, theirs = a_pair()
        full = await knowing(Keeping(internet, "full"), host, driver).start()
        first = await Keeping(internet, "first").start(full)
        full.says(*ours, *theirs)
        await asyncio.sleep(5)
        await stop(first, full)
        again = await Keeping(internet, "again", cache=first.cache).start()
        assert again.entries == first.entries and len(again.entries) == 3
        assert any(again.replica.logs.content(entry) for entry in again.entries)  # of the review
        await stop(again)

    simulated.run(story())


def test_a_fork_shown_to_two_halves_is_proven_to_everybody() -> None:
    async def story() -> None:
        internet = SimulatedInternet(5)
        forger, friend = Person("forger"), Person("friend")
        shown = [forger.vouches(friend) for _ in range(4)]
        rival = forger.signs(Vouch, 3, subject=friend.author, stands=False)
        left = await knowing(Keeping(internet, "left"), forger, friend).start()
        right = await knowing(Keeping(internet, "right"), forger, friend).start()
        left.says(*shown)
        right.says(*shown[:2], rival)
        await asyncio.sleep(1)
        middle = await Keeping(internet, "middle").start(left, right)
        await asyncio.sleep(30)
        for node in (left, middle, right):
            assert [proof[0].sequence for proof in node.replica.logs.forks()] == [3]
            assert len(node.entries) == 2
        await stop(left, middle, right)

    simulated.run(story())


def test_a_restored_node_asks_for_its_own_newest_entry() -> None:
    async def story() -> None:
        internet = SimulatedInternet(6)
        writer, friend = Person("writer"), Person("friend")
        items = [writer.vouches(friend) for _ in range(3)]
        peers = [await knowing(Keeping(internet, f"peer {n}"), writer, friend).start() for n in range(2)]
        peers[0].says(*items[:2])
        peers[1].says(*items)
        restored = await knowing(Keeping(internet, "restored"), writer).start(*peers)
        assert await restored.replica.catch_ups.with_some(5) == 2
        log = restored.replica.logs.log(writer.key)
        assert log is not None and log.next == 4
        await stop(restored, *peers)
        alone = await Keeping(internet, "alone").start()
        assert await alone.replica.catch_ups.with_some(5) == 0
        await stop(alone)

    simulated.run(story())


# --- hostile peers ------------------------------------------------------------------------------------

LIAR = Caller("liar", "peer:liar")


def spoilt(item: Item) -> Item:
    return Item(raw=item.raw[:-1] + bytes([item.raw[-1] ^ 1]), content=item.content)


def bundles_of(*people: Person) -> tuple[bytes, ...]:
    return tuple(person.bundle.to_bytes() for person in people)


def test_bad_gossip_is_not_forwarded_kept_or_raised() -> None:
    async def story() -> None:
        internet = SimulatedInternet(7)
        node = await Keeping(internet, "node").start()
        host, driver, ours, _ = a_pair()
        hear = node.network._topics[node.replica.topic]
        assert hear(LIAR, b"") is False
        assert hear(LIAR, b"\xa0" * 100) is False
        assert hear(LIAR, bytes(60_000)) is False
        assert hear(LIAR, News(bundles=(), items=(ours[0],)).to_bytes()) is None  # by nobody we know
        forged = News(bundles=bundles_of(host, driver), items=(spoilt(ours[0]),))
        assert hear(LIAR, forged.to_bytes()) is False
        stolen = Item(raw=driver.states(host, "booking").raw)
        assert hear(LIAR, News(bundles=bundles_of(host, driver), items=(stolen,)).to_bytes()) is False
        assert node.entries == set() and node.replica.evidence().completed == frozenset()
        good = News(bundles=bundles_of(host, driver), items=(ours[0],)).to_bytes()
        assert hear(LIAR, good) and hear(LIAR, good)
        assert len(node.entries) == 1
        assert node.replica.counters["refused:bad-signature"] == 1
        assert node.replica.counters["refused:encoding"] == 2
        assert node.replica.counters["refused:too-large"] == 1
        await stop(node)

    simulated.run(story())


def test_a_forged_pair_changes_nothing() -> None:
    async def story() -> None:
        internet = SimulatedInternet(8)
        node = await Keeping(internet, "node").start()
        host, driver = Person("host"), Person("driver")
        # The host signs the driver's half itself, and embeds it.
        statement = driver.states(host, "never happened")
        body = host.completes(driver, "never happened")
        assert statement.raw in body.raw
        wrong = Item(raw=body.raw.replace(statement.raw[-32:], bytes(32)))
        hear = node.network._topics[node.replica.topic]
        assert not hear(LIAR, News(bundles=bundles_of(host, driver), items=(wrong,)).to_bytes())
        pair = Completed(*sorted((host.author, driver.author)), hashed("never happened"), month_of(BORN) + 2)
        assert pair not in node.replica.evidence().completed
        assert not node.replica.has_completed(host.author)
        await stop(node)

    simulated.run(story())


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


class SlowDisk(MemoryCache):
    async def put_entries(self, rows: Sequence[tuple[bytes, bytes]], block: str = "") -> None:
        await asyncio.sleep(1)
        await super().put_entries(rows, block)


def test_what_a_peer_displaces_while_it_is_being_written_is_not_there_after_a_restart() -> None:
    async def story() -> None:
        clock = LoopClock(BORN + 90 * 24 * 3600 * 1000)
        node = await Keeping(SimulatedInternet(12), "node", SlowDisk(clock)).start()
        anna, friend, stranger = (Person(name) for name in ("anna", "boris", "stranger"))
        knowing(node, anna, friend, stranger)
        node.replica.logs.room.max_logs = 2
        node.says(anna.vouches(friend))
        await asyncio.sleep(0.5)
        node.replica.offer((), [stranger.vouches(anna)])
        ends = {"first": bytes(32), "last": b"\xff" * 32}
        question = CatchUp(**ends, cursors=(), items=(friend.vouches(anna),), wanted=(), bundles=())
        await node.replica.answer(Caller("friend", "peer:friend"), question.to_bytes())
        assert len(node.entries) == 2 and node.replica.counters["displaced"] == 1
        await asyncio.sleep(3)
        await node.stop()
        items = [open_item(data) for data, _ in await node.cache.entries()]
        kept = {judge(item.raw, NETWORK, node.directory).id for item in items}
        assert kept == node.entries

    simulated.run(story())


def test_garbage_on_the_catch_up_stream_is_answered_with_nothing() -> None:
    async def story() -> None:
        internet = SimulatedInternet(10)
        node = await Keeping(internet, "node").start()
        for body in (b"", b"\xff" * 1000, b"\xa1\x00\x01"):
            assert await node.replica.answer(LIAR, body) == b""
        assert node.replica.counters["refused:encoding"] + node.replica.counters["refused:schema"] == 3
        await stop(node)

    simulated.run(story())


@pytest.mark.parametrize("answer", [b"", b"\xff" * 200, bytes(200_000)])
def test_a_peer_that_answers_garbage_ends_the_session_and_no_more(answer: bytes) -> None:
    async def story() -> None:
        internet = SimulatedInternet(11)
        liar = internet.node("liar")

        async def lie(caller: Caller, body: bytes) -> bytes:
            return answer

        liar.serve(PROTOCOL, lie)
        await liar.start()
        node = await Keeping(internet, "node").start()
        assert not await node.replica.catch_ups.with_peer(Contact("liar", ("/dns4/liar/tcp/1",)))
        assert node.replica.counters["failed"] == 1 and node.replica.catch_ups.caught_up == set()
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


def flood(node: Keeping, block: str, count: int) -> None:
    """That many entries by fresh keys from one address block, each told by another PeerId."""
    for number in range(count):
        sybil = Person(f"{block} {number}")
        hears(node, Caller(f"{block} {number}", block), sybil, sybil.vouches(Person("friend")))


def hears(node: Keeping, caller: Caller, author: Person, item: Item) -> bool | None:
    news = News(bundles=bundles_of(author), items=(item,))
    return node.network._topics[node.replica.topic](caller, news.to_bytes())


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


async def stop(*nodes: Keeping) -> None:
    for node in nodes:
        await node.stop()
