"""Logs travel: by gossip at once, by catch-up to whoever was off, and never further than they are good."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from chargemesh_node.ports import Caller
from chargemesh_node.sim import loop as simulated
from chargemesh_node.sim.disk import MemoryCache
from chargemesh_node.sim.loop import LoopClock
from chargemesh_node.sim.network import SimulatedInternet
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.trust.entries import Vouch
from chargemesh_protocol.trust.graph import Completed
from chargemesh_protocol.trust.log import judge
from chargemesh_protocol.trust.month import month_of
from chargemesh_protocol.trust.news import News
from chargemesh_protocol.trust.score import Reputation
from chargemesh_protocol.trust.sync import PROTOCOL, CatchUp, Item, open_item
from tests.protocol.trust.people import BORN, NETWORK, Person, hashed

from .keeping import ANNA, Keeping, a_pair, bundles_of, knowing, stop

BORIS = Person("boris")


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


def test_the_logs_of_years_are_read_beside_serving_and_new_entries_wait_for_those_before_them() -> None:
    async def story() -> None:
        internet = SimulatedInternet(4)
        host, driver = Person("host"), Person("driver")
        said = [host.completes(driver, f"booking {number}") for number in range(300)]
        node = await knowing(Keeping(internet, "host"), host, driver).start(own=said)
        assert not node.replica.restored.is_set() and 0 < len(node.entries) < 200
        node.says(host.completes(driver, "one more"))
        await node.replica.restored.wait()
        await asyncio.sleep(1)
        assert len(node.entries) == 301
        again = await knowing(Keeping(internet, "again", cache=node.cache), host, driver).start()
        await again.replica.restored.wait()
        assert again.entries == node.entries
        await stop(node, again)

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
