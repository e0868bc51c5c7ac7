"""What a caretaker takes from strangers and what it answers them; nothing they send raises or grows."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargemesh_node.clock import ManualClock, SeededEntropy
from chargemesh_node.discovery import caretaker as caretaker_module
from chargemesh_node.discovery.allowance import Allowance
from chargemesh_node.discovery.caretaker import Caretaker
from chargemesh_node.ports import Caller
from chargemesh_node.sim.disk import MemoryCache
from chargemesh_node.sim.network import SimulatedInternet
from chargemesh_protocol.discovery import wire
from chargemesh_protocol.discovery.places import Quotas
from chargemesh_protocol.identity import Directory
from chargemesh_protocol.listing import Listing, Need
from chargemesh_protocol.place import Point, parent, public_cell
from chargemesh_protocol.record import open_as
from chargemesh_protocol.tariff import simple_tariff
from tests.protocol.discovery.hosts import CHARGER, HERE, HOUR, MINUTE, NETWORK, NOW, Host, seed

from .street import run

ANNA, BORIS = Host("anna"), Host("boris")
CELL = ANNA.lists().body.cell


class Desk:
    """A caretaker alone, spoken to as its network does."""

    def __init__(
        self, quotas: Quotas | None = None, proven: set[bytes] | None = None, before: Desk | None = None
    ) -> None:
        """`before`: the same caretaker before it was started again."""
        self.clock = ManualClock(NOW) if before is None else before.clock
        self.cache = MemoryCache(self.clock) if before is None else before.cache
        self.caretaker = Caretaker(
            network=SimulatedInternet(1).node("caretaker"),
            cache=self.cache,
            clock=self.clock,
            entropy=SeededEntropy(b"caretaker"),
            directory=Directory(NETWORK),
            proven=lambda author: author in (proven or set()),
            quotas=quotas,
        )

    async def gets(self, message: wire.Message, who: str = "somebody") -> str:
        """The code of the refusal, or the kind of answer."""
        answer = wire.read(await self.caretaker.answer(Caller(who, f"peer:{who}"), wire.write(message)))
        return answer.code if isinstance(answer, wire.Failed) else type(answer).__name__

    async def refuses(self, message: wire.Message) -> wire.Failed:
        caller = Caller("somebody", "peer:somebody")
        answer = wire.read(await self.caretaker.answer(caller, wire.write(message)))
        assert isinstance(answer, wire.Failed)
        return answer

    async def finds(self, need: Need | None = None, cells: tuple[int, ...] = (CELL,)) -> list[int]:
        """Sequences of what is answered."""
        query = wire.Query(cells=cells, need=need or Need(), limit=64)
        found = await self.caretaker.find(query)
        return [self.sequence(item) for item in found.items]

    @staticmethod
    def sequence(item: wire.FoundItem) -> int:
        return open_as(Listing, item.listing, NETWORK).body.sequence


def test_who_is_refused_over_a_newer_record_is_shown_it() -> None:
    async def story() -> None:
        desk, old, newer = Desk(), ANNA.lists(sequence=1), ANNA.lists(sequence=2)
        await desk.gets(ANNA.stores(newer))
        refusal = await desk.refuses(ANNA.stores(old))
        assert (refusal.code, refusal.newer) == ("superseded", newer.raw)
        assert refusal.bundle == ANNA.bundle.to_bytes()
        gone = ANNA.retracts(newer)
        await desk.gets(gone)
        assert (await desk.refuses(ANNA.stores(old))).newer == gone.withdrawal
        assert (await desk.refuses(ANNA.retracts(old))).newer == gone.withdrawal

    run(story())


def test_the_life_of_a_listing() -> None:
    async def story() -> None:
        desk = Desk()
        listing = ANNA.lists()
        renewal = wire.StoreRenewal(author=ANNA.author, charger=CHARGER, renewal=ANNA.renews(listing).raw)
        assert await desk.gets(renewal) == "unknown-listing"
        assert await desk.gets(ANNA.stores(listing)) == "Kept"
        assert await desk.gets(ANNA.stores(listing)) == "Kept"
        assert await desk.finds() == [1]
        desk.clock.advance(90 * MINUTE)
        later = ANNA.renews(listing, NOW + 90 * MINUTE).raw
        assert (
            await desk.gets(wire.StoreRenewal(author=ANNA.author, charger=CHARGER, renewal=later)) == "Kept"
        )
        desk.clock.advance(HOUR)
        assert await desk.finds() == [1]
        assert await desk.gets(renewal) == "not-renewed"
        newer = ANNA.lists(sequence=2, issued=NOW + 2 * HOUR)
        assert await desk.gets(ANNA.stores(newer)) == "Kept"
        assert await desk.gets(ANNA.stores(listing, NOW + 2 * HOUR)) == "superseded"
        assert (
            await desk.gets(wire.StoreRenewal(author=ANNA.author, charger=CHARGER, renewal=later))
            == "renewal"
        )
        assert await desk.finds() == [2]
        assert await desk.gets(ANNA.retracts(newer, NOW + 2 * HOUR)) == "Kept"
        assert await desk.finds() == []
        assert await desk.gets(ANNA.stores(newer, NOW + 2 * HOUR)) == "superseded"

    run(story())


def test_what_others_do_in_a_hosts_name_is_refused() -> None:
    async def story() -> None:
        desk = Desk()
        listing = ANNA.lists()
        await desk.gets(ANNA.stores(listing))
        renewal = ANNA.renews(listing, NOW + 1, BORIS.device).raw
        message = wire.StoreRenewal(author=ANNA.author, charger=CHARGER, renewal=renewal)
        assert await desk.gets(message) == "renewal"
        forged = BORIS.retracts(BORIS.lists(sequence=8)).withdrawal
        assert await desk.gets(wire.Withdraw(withdrawal=forged, bundle=ANNA.bundle.to_bytes())) == "bundle"
        assert await desk.gets(ANNA.stores(ANNA.lists(sequence=9, seed=BORIS.device))) == "not-delegated"
        assert await desk.finds() == [1]
        assert desk.caretaker.counters["refused:not-delegated"] == 1

    run(story())


def test_a_listing_belongs_in_the_cell_of_the_tree_that_is_named() -> None:
    async def story() -> None:
        desk = Desk()
        listing = ANNA.lists()
        good = ANNA.stores(listing)
        away = public_cell(Point(0, 0), 4)
        for cell, shard, code in (
            (away, 0, "cell"),
            (parent(CELL, 5), 0, "not-a-leaf"),
            (good.cell, 1, "not-a-leaf"),
        ):
            message = wire.Store(
                listing=good.listing, renewal=good.renewal, bundle=good.bundle, cell=cell, shard=shard
            )
            assert await desk.gets(message) == code
        assert await desk.finds() == []

    run(story())


def test_a_query_is_answered_by_cells_and_need() -> None:
    async def story() -> None:
        desk = Desk()
        await desk.gets(ANNA.stores(ANNA.lists()))
        elsewhere = public_cell(Point(48.137, 11.575), 7)
        finer = public_cell(HERE, 8)
        for cells, found in (((CELL,), [1]), ((parent(CELL, 4),), [1]), ((finer,), [1]), ((elsewhere,), [])):
            assert await desk.finds(cells=cells) == found
        assert await desk.finds(Need(connector="CHADEMO")) == []
        assert await desk.finds(Need(start=NOW + HOUR, end=NOW + 2 * HOUR)) == [1]
        assert await desk.finds(Need(start=NOW - HOUR, end=NOW + 2 * HOUR)) == []
        assert await desk.finds(Need(max_price=299_999, currency="EUR")) == []

    run(story())


def test_pages_hold_each_listing_once_the_proven_and_cheap_ones_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> None:
        monkeypatch.setattr(caretaker_module, "_FIRST_ROWS", 4)
        hosts = [Host(f"host {number}") for number in range(30)]
        desk = Desk(proven={hosts[29].author})
        for number, host in enumerate(hosts):
            tariff = simple_tariff("EUR", per_kwh=100_000 * (1 + number % 3))
            await desk.gets(host.stores(host.lists(tariff=tariff)), f"peer {number}")
        rows: list[bytes] = []
        after: bytes | None = None
        for _ in range(20):
            query = wire.Query(cells=(parent(CELL, 5),), need=Need(), limit=4, after=after)
            found = await desk.caretaker.find(query)
            assert len(found.items) <= 4
            rows += [item.bundle for item in found.items]
            after = found.more
            if after is None:
                break
        assert len(rows) == len(set(rows)) == 30
        assert rows[0] == hosts[29].bundle.to_bytes()
        cheap = {host.bundle.to_bytes() for number, host in enumerate(hosts) if number % 3 == 0}
        assert set(rows[1:11]) == cheap

    run(story())


@pytest.mark.parametrize("becomes_proven", [False, True])
def test_a_charger_that_moves_to_the_front_between_two_pages_is_on_one_of_them(becomes_proven: bool) -> None:
    async def story() -> None:
        proven: set[bytes] = set()
        desk = Desk(proven=proven)
        for number in range(6):
            price = 100_000 * (number + 1)
            tariff = simple_tariff("EUR", per_kwh=price)
            listing = ANNA.lists(charger=seed(f"charger {number}")[:16], tariff=tariff)
            assert await desk.gets(ANNA.stores(listing)) == "Kept"
        first = await desk.caretaker.find(wire.Query(cells=(CELL,), need=Need(), limit=3))
        last = seed("charger 5")[:16]
        changed = simple_tariff("EUR", per_kwh=600_000 if becomes_proven else 50_000)
        listing = ANNA.lists(charger=last, tariff=changed, sequence=2)
        proven.update({ANNA.author} if becomes_proven else ())
        assert await desk.gets(ANNA.stores(listing)) == "Kept"
        rest = wire.Query(cells=(CELL,), need=Need(), limit=3, after=first.more)
        pages = [first, await desk.caretaker.find(rest)]
        shown = [open_as(Listing, one.listing, NETWORK).body for found in pages for one in found.items]
        assert len({one.charger for one in shown}) == 6
        assert [one.sequence for one in shown if one.charger == last] == [2]
        desk.clock.advance(MINUTE)
        later = await desk.caretaker.find(rest)  # of a search that begins now this is the front
        assert len(later.items) == 2
        await desk.caretaker.close()

    run(story())


def test_evicted_listings_leave_the_cache_as_well() -> None:
    async def story() -> None:
        desk = Desk(Quotas(cell=16, caretaker=16, author=2, block=4, forwarder=4))
        for number in range(30):
            host = Host(f"host {number}")
            await desk.gets(host.stores(host.lists()), f"peer {number}")
        assert len(await desk.finds()) == len(desk.caretaker.places) == 4
        assert len(await desk.cache.all_listings()) == 4
        assert desk.caretaker.counters["evicted"] > 0

    run(story())


def test_a_withdrawn_listing_does_not_come_back_after_a_restart() -> None:
    """Somebody who kept a copy gives it to every caretaker that was just started."""

    async def story() -> None:
        desk = Desk()
        old = ANNA.lists()
        await desk.gets(ANNA.stores(old))
        await desk.gets(ANNA.retracts(old, NOW + 1))
        desk = Desk(before=desk)
        await desk.caretaker.start()
        assert await desk.gets(ANNA.stores(old, NOW + 2), "an old friend") == "superseded"
        assert await desk.gets(ANNA.retracts(old, NOW + 1)) == "Kept"
        assert await desk.finds() == []
        newest = desk.caretaker.newest((ANNA.author, CHARGER))
        assert newest is not None and newest.withdrawn
        await desk.caretaker.close()
        # It is kept for as long as what it ends could be valid, and no longer.
        desk.clock.advance(24 * HOUR + 2)
        desk = Desk(before=desk)
        await desk.caretaker.start()
        await asyncio.sleep(caretaker_module.SWEEP_SECONDS + 1)
        assert await desk.cache.withdrawals() == [] and len(desk.caretaker.places) == 0
        await desk.caretaker.close()

    run(story())


def test_after_a_restart_a_block_has_no_more_places_than_before() -> None:
    async def story() -> None:
        quotas = Quotas(cell=1024, caretaker=1024, author=4, block=5, forwarder=9)
        desk = Desk(quotas)
        hosts = [Host(f"host {number}") for number in range(8)]
        for host in hosts[:4]:
            assert await desk.gets(host.stores(host.lists()), "one machine") == "Kept"
        await desk.gets(hosts[3].retracts(hosts[3].lists(), NOW + 1), "one machine")
        desk = Desk(quotas, before=desk)
        await desk.caretaker.start()
        assert await desk.gets(hosts[4].stores(hosts[4].lists()), "one machine") == "Kept"
        assert await desk.gets(hosts[5].stores(hosts[5].lists()), "one machine") == "block-full"
        assert await desk.gets(hosts[6].stores(hosts[6].lists()), "another") == "Kept"
        await desk.caretaker.close()

    run(story())


def test_one_peer_gets_a_bounded_number_of_answers_and_recovers() -> None:
    async def story() -> None:
        desk = Desk()
        query = wire.Query(cells=(CELL,), need=Need(), limit=1)
        answers = [await desk.gets(query, "eager") for _ in range(300)]
        assert answers.count("too-often") == 300 - caretaker_module.QUERIES_BURST
        assert await desk.gets(query, "another") == "Found"
        desk.clock.advance(1000)
        assert await desk.gets(query, "eager") == "Found"

    run(story())


@settings(max_examples=40)
@given(data=st.data())
def test_whatever_is_sent_is_answered_with_a_message(data: st.DataObject) -> None:
    async def story() -> None:
        desk = Desk()
        listing = ANNA.lists()
        messages: list[wire.Message] = [
            ANNA.stores(listing),
            ANNA.retracts(listing),
            wire.StoreRenewal(author=ANNA.author, charger=CHARGER, renewal=ANNA.renews(listing).raw),
            wire.Query(cells=(CELL,), need=Need(start=0, end=2**62, max_price=1, currency="EUR"), limit=9),
            wire.Kept(),
        ]
        await desk.gets(messages[0])
        body = bytearray(wire.write(data.draw(st.sampled_from(messages))))
        for _ in range(data.draw(st.integers(0, 3))):
            body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
        sent = data.draw(st.one_of(st.just(bytes(body)), st.binary(max_size=100)))
        wire.read(await desk.caretaker.answer(Caller("fuzzer", "peer:fuzzer"), sent))

    run(story())


def test_an_allowance_refills_with_time_and_never_beyond_its_burst() -> None:
    clock = ManualClock(NOW)
    allowance = Allowance(clock, 2.0, 4)
    assert [allowance.take("a") for _ in range(5)] == [True] * 4 + [False]
    assert allowance.left("b") == 4 and allowance.take("b", 4) and not allowance.take("b", 0.5)
    clock.advance(1000)
    assert [allowance.take("a") for _ in range(3)] == [True, True, False]
    clock.set(NOW - HOUR)
    assert not allowance.take("a")
    clock.set(NOW + HOUR)
    assert not allowance.take("a", 5) and allowance.take("a", 4)
    for number in range(5000):
        allowance.take(seed(str(number)).hex())
    assert len(allowance._buckets) <= 4096
