"""The whole story among twenty nodes, and what a neighbour who took no part learns of it afterwards."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chargemesh_node.sim.loop import run
from chargemesh_node.sim.people import Person
from chargemesh_node.sim.world import World
from chargemesh_protocol.place import Point
from chargemesh_protocol.record import sign
from chargemesh_protocol.trust.entries import Completion
from chargemesh_protocol.trust.news import News
from chargemesh_protocol.trust.sync import FIRST_KEY, LAST_KEY, PROTOCOL, CatchUp, Item
from tests.seeds import seeds
from tests.simulation.stories import Deal

HOSTS = ("alice", "adam", "anna", "amir")
DRIVERS = ("bob", "bea", "ben")
NEIGHBOURS = tuple(f"neighbour {number}" for number in range(12))
OBSERVER = "olga"  # with her, twenty


async def street(world: World) -> dict[str, Person]:
    """Nineteen nodes that know of each other through the first one, four of them with a charger."""
    await world.add_all(*NEIGHBOURS, *HOSTS, *DRIVERS)
    for number, name in enumerate(HOSTS):
        await world.people[name].offers(at=Point(52.52 + number * 0.004, 13.405))
    await world.pass_time(seconds=30)
    return world.people


@pytest.mark.parametrize("seed", seeds(1, 2))
def test_twenty_nodes_go_through_the_main_job(seed: int) -> None:
    async def story() -> None:
        world = World(seed)
        people = await street(world)
        observer = await world.add(OBSERVER)
        await observer.stop()

        found = await people["bob"].finds()
        assert {one.record.body.author for one in found} == {people[name].author for name in HOSTS}, seed
        deals = [
            Deal(world, people[host], people[driver]) for host, driver in zip(HOSTS, DRIVERS, strict=False)
        ]
        for deal in deals:
            await deal.happens()
        await world.settles()
        for deal in deals:
            receipt = deal.host.state(deal.id).receipt
            assert receipt is not None and receipt.body.total > 0, seed
            access = deal.driver.node.runner.engine.driver.access(deal.driver.booking(deal.id))
            assert access is not None and access.address == "12 Hidden Lane, 10115 Berlin", seed

        parties = [one for deal in deals for one in (deal.host, deal.driver)]
        world.internet.partition({observer.name}, {one.name for one in parties})
        await observer.restart(knows=people[NEIGHBOURS[3]])
        await world.until(
            lambda: len(observer.node.replica.evidence().reviewed) >= 2 * len(deals),
            120,
            "all reviews at olga's",
        )
        for one in parties:
            assert frozenset((OBSERVER, one.name)) not in world.internet.met, seed
            assert observer.node.opinion.proven(one.author), f"seed {seed}: olga has not heard of {one.name}"
        await world.end()

    run(story())


@pytest.mark.parametrize("seed", seeds(5))
def test_without_the_dht_nobody_is_found(seed: int) -> None:
    """What the story above proves of it: driver and host learn of each other by look-ups alone."""

    async def story() -> None:
        world = World(seed)
        world.internet.faults.no_look_ups = True
        people = await street(world)
        assert await people["bob"].finds() == [], seed
        await world.end()

    run(story())


@pytest.mark.parametrize("seed", seeds(3))
def test_an_observers_score_falls_after_a_bad_review(seed: int) -> None:
    """Olga once charged at a neighbour's, who charged at alice's: a path for trust. Then alice fails bob."""

    async def story() -> None:
        world = World(seed)
        neighbour, alice, bob = await world.add_all("neighbour", "alice", "bob")
        world.internet.partition({OBSERVER}, {"alice", "bob"})
        observer = await world.add(OBSERVER, knows=neighbour)
        for host in (neighbour, alice):
            await host.offers()
        await world.pass_time(seconds=20)
        await Deal(world, neighbour, observer).happens()
        await Deal(world, alice, neighbour).happens()
        await Deal(world, neighbour, bob).happens()
        await world.settles()
        await world.pass_time(seconds=60)
        before = observer.node.score(alice.author)
        await observer.stop()

        await Deal(world, alice, bob).happens(by_driver=1)
        await world.settles()
        await observer.restart(knows=neighbour)
        reviewed = observer.node.replica.evidence
        await world.until(
            lambda: any(one.stars == 1 and one.subject == alice.author for one in reviewed().reviewed),
            120,
            "the bad review at olga's",
        )
        for party in (alice, bob):
            assert frozenset((OBSERVER, party.name)) not in world.internet.met, seed
        after = observer.node.score(alice.author)
        assert after.number < before.number, f"seed {seed}: {before.number} -> {after.number}"
        await world.end()

    run(story())


@pytest.mark.parametrize("seed", seeds(4))
def test_a_forged_pair_changes_nothing(seed: int) -> None:
    """Mallory enters completions with alice: with a half of hers that it made up, and with one that she
    signed for bob. Everybody is told by gossip, and olga once more by a catch-up."""

    async def story() -> None:
        world = World(seed)
        observer, alice, bob, mallory = await world.add_all(OBSERVER, "alice", "bob", "mallory")
        await alice.offers()
        await world.pass_time(seconds=20)
        await Deal(world, alice, bob).happens()
        await world.settles()
        await world.pass_time(seconds=30)
        evidence, scores = observer.node.replica.evidence(), scores_of(observer, world)
        assert evidence.completed, seed

        mine = next(
            one.body
            for one in next(iter(alice.node.runner.engine.ledger)).statements.values()
            if one.kind == "completion-statement" and one.body.author == alice.author
        )
        made_up = replace(mine, counterparty=mallory.author, booking=world.draw("no booking"))
        statements = [
            sign(made_up, mallory.device, world.network).raw,
            sign(made_up, world.draw("nobody's key"), world.network).raw,
            sign(made_up, alice.device, "chargemesh-test-other").raw,
            sign(mine, alice.device, world.network).raw,
        ]
        for statement in statements:
            body = Completion(
                author=mallory.author,
                sequence=1,
                previous=mallory.author,
                month=mine.month,
                region=mine.region,
                statement=statement,
            )
            await tell_everybody(mallory, observer, Item(raw=sign(body, mallory.device, world.network).raw))
            await world.pass_time(seconds=30)

        assert observer.node.replica.evidence() == evidence, f"seed {seed}: a forgery is evidence now"
        assert scores_of(observer, world) == scores, seed
        refused = sum(
            count for name, count in observer.node.replica.counters.items() if name.startswith("refused:")
        )
        assert refused >= len(statements), f"seed {seed}: olga looked at {refused} forgeries only"
        await world.end()

    run(story())


def scores_of(observer: Person, world: World) -> dict[str, int]:
    return {name: observer.node.score(one.author).number for name, one in world.people.items()}


async def tell_everybody(mallory: Person, observer: Person, item: Item) -> None:
    news = News(bundles=(mallory.bundle.to_bytes(),), items=(item,))
    await mallory.asks(mallory.node.network.publish(mallory.node.replica.topic, news.to_bytes()))
    push = CatchUp(first=FIRST_KEY, last=LAST_KEY, cursors=(), items=(item,), wanted=(), bundles=())
    await mallory.asks(mallory.node.network.request(observer.node.network.contact, PROTOCOL, push.to_bytes()))
