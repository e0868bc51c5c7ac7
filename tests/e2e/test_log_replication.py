"""The trust log between real nodes: who was off gets it from a third, and forgeries change nothing.

The observer refuses every connection of host and driver for good: what it knows of them, others told it.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from chargemesh_node.p2p.bridge import Libp2pNetwork
from chargemesh_node.p2p.peer_id import peer_id_of
from chargemesh_node.replica import LogReplica
from chargemesh_node.sim.home import BERLIN
from chargemesh_protocol.events import VouchFor
from chargemesh_protocol.identity import create_identity, public_key
from chargemesh_protocol.place import public_cell, region_of
from chargemesh_protocol.record import open_record, sign
from chargemesh_protocol.trust.entries import (
    Completion,
    CompletionStatement,
    Review,
    ReviewContent,
    Stars,
    content_bytes,
    content_hash,
)
from chargemesh_protocol.trust.log import Judged
from chargemesh_protocol.trust.month import month_of
from chargemesh_protocol.trust.news import News
from chargemesh_protocol.trust.sync import FIRST_KEY, LAST_KEY, PROTOCOL, CatchUp, Item, item_of

from .nodes import HOUR_MS, People, Person, draw, eventually, street

pytestmark = pytest.mark.asyncio


class Scene:
    """Host and driver know the third. The observer knows nobody else, and vouches for the driver."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.host, self.driver = people.know("host"), people.know("driver")
        self.third, self.observer = people.know("third"), people.know("observer")
        self.parties = {peer_id_of(one.seed) for one in (self.host, self.driver)}

    async def observer_comes(self) -> None:
        """The observer's node starts and is connected to the third."""
        await self.observer.start()
        for party in self.parties:
            self.observer.network.block(party)
        await self.observer.meets(self.third)

    def entries(self, person: Person) -> set[bytes]:
        return {one.id for one in person.node.replica.logs.accepted()}

    async def observer_has_everything(self) -> None:
        """Every entry of host and driver has come, and came from the third."""
        await eventually(lambda: not self.parties_wait(), "everything is cut")
        theirs = {
            item.raw for one in (self.host, self.driver) for item in one.node.runner.engine.keeper.entries
        }
        ids = {open_record(raw, self.people.network_id).id for raw in theirs}
        await eventually(lambda: ids <= self.entries(self.observer), "the observer has every entry")
        assert not self.parties & self.observer.met
        caught_up = self.observer.node.replica.catch_ups.caught_up
        await eventually(lambda: self.third.contact.peer_id in caught_up, "the catch-up is over")

    def parties_wait(self) -> bool:
        """Whether host or driver still have something to say."""
        engines = [one.node.runner.engine for one in (self.host, self.driver)]
        return any(engine.keeper.waiting for engine in engines)


async def test_the_log_reaches_who_was_off_and_never_met_either_side() -> None:
    async with street() as people:
        scene = Scene(people)
        await who_was_off_hears_of_both_bookings_from_a_third(scene)
        await what_happens_while_it_is_on_comes_by_gossip(scene)
        await forged_pairs_and_reviews_change_nothing(scene)


async def who_was_off_hears_of_both_bookings_from_a_third(scene: Scene) -> None:
    host, driver, third, observer = scene.host, scene.driver, scene.third, scene.observer
    await third.start()
    await scene.observer_comes()
    await observer.node.command(VouchFor(driver.author, True, region_of(public_cell(BERLIN, 7))))
    await eventually(lambda: len(scene.entries(third)) == 1, "the vouch is in the log")
    assert observer.thinks_of(host) == 0
    await observer.stop()

    await host.start([third.contact])
    await driver.start([third.contact])
    await host.offers()
    await driver.goes_through(host, stars=5)
    await eventually(lambda: len(scene.entries(third)) == 5, "both halves and both reviews are in the log")
    await scene.observer_comes()
    await scene.observer_has_everything()
    good = observer.thinks_of(host)
    assert good > 0
    await observer.stop()

    await driver.goes_through(host, stars=1)
    await eventually(lambda: len(scene.entries(third)) == 9, "the second booking is in the log")
    await scene.observer_comes()
    await scene.observer_has_everything()
    assert 0 <= observer.thinks_of(host) < good
    assert "2 completed bookings on record" in observer.node.score(host.author).sentence()


async def what_happens_while_it_is_on_comes_by_gossip(scene: Scene) -> None:
    before = scene.observer.thinks_of(scene.host)
    await scene.driver.goes_through(scene.host, stars=5)
    await eventually(lambda: len(scene.entries(scene.third)) == 13, "the third booking is in the log")
    await scene.observer_has_everything()
    assert scene.observer.thinks_of(scene.host) > before


class Forger:
    """Somebody with an identity of their own, who would like the host to look worse and themselves better."""

    def __init__(self, scene: Scene) -> None:
        self.network_id = scene.people.network_id
        self.region = region_of(public_cell(BERLIN, 7))
        self.month = month_of(scene.host.clock.now())
        self.device, self.fresh = draw("forger device"), draw("a fresh key")
        self.bundle = create_identity(
            root_seed=draw("forger root"),
            recovery_key=public_key(draw("forger recovery")),
            device_key=public_key(self.device),
            network=self.network_id,
            now=scene.host.clock.now() - HOUR_MS,
            life_ms=24 * HOUR_MS,
        )

    def pair_with(self, author: bytes, statement_key: bytes, network_id: str) -> Item:
        """A completion of ours; the statement of `author` in it is signed by `statement_key`."""
        statement = CompletionStatement(
            author=author,
            counterparty=self.bundle.author,
            booking=draw("a booking that never was"),
            month=self.month,
            region=self.region,
        )
        entry = Completion(
            author=self.bundle.author,
            sequence=1,
            previous=self.bundle.author,
            month=self.month,
            region=self.region,
            statement=sign(statement, statement_key, network_id).raw,
        )
        return Item(raw=sign(entry, self.device, self.network_id).raw)

    def review_as(self, author: bytes, subject: bytes, booking: bytes, key: bytes, network_id: str) -> Item:
        """One star for a booking that is real, in the name of `author`."""
        content = content_bytes(ReviewContent(stars=Stars(overall=1), text="Never again.", salt=bytes(16)))
        entry = Review(
            author=author,
            sequence=1,
            previous=author,
            month=self.month,
            region=self.region,
            subject=subject,
            booking=booking,
            content=content_hash(content),
        )
        return Item(raw=sign(entry, key, network_id).raw, content=content)


async def forged_pairs_and_reviews_change_nothing(scene: Scene) -> None:
    observer, host, driver = scene.observer, scene.host, scene.driver
    forger, elsewhere = Forger(scene), "chargemesh-test-elsewhere"
    replica = observer.node.replica
    real = next(
        one for one in replica.evidence().completed if {one.one, one.other} == {host.author, driver.author}
    )
    genuine = item_of(
        replica.logs, next(one for one in replica.logs.accepted() if is_review_of(one, host.author))
    )
    assert genuine.content is not None
    forgeries = [
        forger.pair_with(driver.author, forger.fresh, forger.network_id),  # signed by a fresh key
        forger.pair_with(driver.author, driver.device, elsewhere),  # said on another network
        forger.review_as(driver.author, host.author, real.booking, forger.fresh, forger.network_id),
        forger.review_as(driver.author, host.author, real.booking, forger.device, forger.network_id),
        forger.review_as(driver.author, host.author, real.booking, driver.device, elsewhere),
        replace(genuine, raw=genuine.raw[:-1] + bytes([genuine.raw[-1] ^ 1])),  # another signature
        replace(genuine, raw=genuine.raw.replace(host.author, draw("somebody else"), 1)),
        replace(genuine, content=genuine.content[:-1] + bytes([genuine.content[-1] ^ 1])),
    ]
    before = (scene.entries(observer), replica.evidence(), observer.node.score(host.author))
    refused = refusals(replica)
    network = Libp2pNetwork(
        seed=draw("forger transport"),
        network_id=forger.network_id,
        listen=["/ip4/127.0.0.1/tcp/0"],
        launch=scene.people.nursery.launch,
    )
    await network.start()
    try:
        await network.subscribe(replica.topic, lambda caller, data: True)
        for victim in (observer, scene.third):
            await network.connect(victim.contact)
        for item in forgeries:
            question = CatchUp(
                first=FIRST_KEY,
                last=LAST_KEY,
                cursors=(),
                items=(item,),
                wanted=(),
                bundles=(forger.bundle.to_bytes(),),
            )
            await network.request(observer.contact, PROTOCOL, question.to_bytes())
        assert refusals(replica) >= refused + len(forgeries)
        refused = refusals(replica)

        async def tells_all_by_gossip() -> bool:
            for item in forgeries:
                news = News(bundles=(forger.bundle.to_bytes(),), items=(item,))
                await network.publish(replica.topic, news.to_bytes())
            await asyncio.sleep(1)
            return refusals(replica) > refused

        assert await tells_all_by_gossip() or await tells_all_by_gossip()  # a mesh takes a heartbeat to form
    finally:
        await network.close()
    assert (scene.entries(observer), replica.evidence(), observer.node.score(host.author)) == before
    assert not replica.has_completed(forger.bundle.author)


def is_review_of(entry: Judged, subject: bytes) -> bool:
    return isinstance(entry.record.body, Review) and entry.record.body.subject == subject


def refusals(replica: LogReplica) -> int:
    return sum(
        count for name, count in replica.counters.items() if name.startswith("refused:") or name == "aside"
    )
