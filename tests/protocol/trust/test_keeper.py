"""The own log: entries wait, are cut in batches without gaps, and never fork after a restore."""

from __future__ import annotations

import pytest

from chargemesh_protocol.effects import DropDocument, Effect, EntriesCut, PutDocument
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.limits import MAX_OWN_WAITING
from chargemesh_protocol.me import Me
from chargemesh_protocol.moment import Moment
from chargemesh_protocol.trust.drafts import DAY_MS, QUICK, SLOW, BatchDelay, delay_of, require_delay
from chargemesh_protocol.trust.entries import ReviewContent, Stars, content_bytes
from chargemesh_protocol.trust.keeper import OWN_INDEX, OWN_LOG, Keeper
from chargemesh_protocol.trust.logset import LogSet
from chargemesh_protocol.trust.sync import open_item

from .people import BORN, MONTH, NETWORK, REGION, Person, directory_of, hashed, seed

alice, bob, carol = Person("alice"), Person("bob"), Person("carol")
CONTENT = content_bytes(ReviewContent(stars=Stars(overall=5), text="quiet street", salt=bytes(16)))


def me(person: Person = alice, network: str = NETWORK) -> Me:
    return Me(person.author, person.bundle.to_bytes(), network, person.device)


def at(ms: int) -> Moment:
    return Moment(BORN + ms, seed(f"moment {ms}"))


class Store:
    """Applies document effects, as the real store does."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[bytes, bytes]] = {}

    def keep(self, effects: list[Effect]) -> list[Effect]:
        for effect in effects:
            match effect:
                case PutDocument(collection, key, value):
                    self.documents.setdefault(collection, {})[key] = value
                case DropDocument(collection, key):
                    del self.documents[collection][key]
        return effects


def say_all(keeper: Keeper, store: Store, ms: int = 0) -> None:
    """A completion, a review and a vouch."""
    store.keep(
        keeper.complete(bob.author, hashed("monday"), bob.states(alice, "monday").raw, MONTH, REGION, at(ms))
    )
    store.keep(keeper.review(bob.author, hashed("monday"), CONTENT, MONTH, REGION, at(ms + 1)))
    store.keep(keeper.vouch(carol.author, True, MONTH, REGION, at(ms + 2)))


def cut(effects: list[Effect]) -> list[bytes]:
    return [body for effect in effects if isinstance(effect, EntriesCut) for body in effect.raws]


def test_entries_wait_then_come_as_one_unbroken_log() -> None:
    store, keeper = Store(), Keeper(me(), {}, QUICK)
    assert keeper.deadline() is None
    say_all(keeper, store)
    due = keeper.deadline()
    assert due is not None and QUICK.shortest <= due - BORN <= QUICK.longest + 2
    assert keeper.cut(at(QUICK.shortest - 1)) == []
    bodies = cut(store.keep(keeper.cut(at(QUICK.longest + 5))))
    logs = LogSet(NETWORK, directory_of(alice, bob, carol))
    for body in bodies:
        item = open_item(body)
        logs.offer(item.raw, item.content)
    assert [entry.sequence for entry in logs.accepted()] == [1, 2, 3]
    evidence = logs.evidence()
    assert [one.stars for one in evidence.reviewed] == [5]
    assert (len(evidence.completed), len(evidence.vouched)) == (1, 1)
    assert (keeper.waiting, keeper.deadline(), keeper.cut(at(DAY_MS))) == (0, None, [])


def test_a_batch_takes_what_has_waited_long_enough_and_no_more() -> None:
    store, keeper = Store(), Keeper(me(), {}, BatchDelay(1000, 5000))
    store.keep(keeper.vouch(bob.author, True, MONTH, REGION, at(0)))
    due = keeper.deadline()
    assert due is not None
    store.keep(keeper.vouch(carol.author, True, MONTH, REGION, at(due - BORN - 500)))
    assert len(cut(store.keep(keeper.cut(at(due - BORN))))) == 1
    assert keeper.waiting == 1


def test_a_restart_at_any_point_loses_nothing_and_says_nothing_twice() -> None:
    store = Store()
    say_all(Keeper(me(), {}, QUICK), store)
    keeper = Keeper(me(), store.documents, QUICK)
    assert keeper.waiting == 3
    assert len(keeper.evidence().completed | keeper.evidence().reviewed | keeper.evidence().vouched) == 3
    first = cut(store.keep(keeper.cut(at(2000))))
    keeper = Keeper(me(), store.documents, QUICK)
    assert (keeper.next, keeper.waiting) == (4, 0)
    assert [item.to_bytes() for item in keeper.entries] == first
    statement = bob.states(alice, "monday").raw
    assert keeper.complete(bob.author, hashed("monday"), statement, MONTH, REGION, at(9000)) == []
    assert keeper.review(bob.author, hashed("monday"), CONTENT, MONTH, REGION, at(9000)) == []
    assert keeper.has_completed(hashed("monday")) and keeper.has_reviewed(hashed("monday"))
    # An interrupted cut, whose saves were lost, is made again with the very same entries.
    twin = Store()
    say_all(Keeper(me(), {}, QUICK), twin)
    assert cut(Keeper(me(), twin.documents, QUICK).cut(at(2000))) == first


def test_a_start_reads_an_index_which_a_log_of_an_earlier_version_gets_at_once() -> None:
    store, keeper = Store(), Keeper(me(), {}, QUICK)
    say_all(keeper, store)
    store.keep(keeper.cut(at(2000)))
    index = store.documents.pop(OWN_INDEX)
    assert len(index) == 3
    again = Keeper(me(), store.documents, QUICK)
    store.keep(again.index())
    assert store.documents[OWN_INDEX] == index and again.index() == []
    # The entries themselves are not looked at then: they may say anything.
    store.documents[OWN_LOG] = dict.fromkeys(store.documents[OWN_LOG], b"not read")
    indexed = Keeper(me(), store.documents, QUICK)
    assert (indexed.next, indexed._ids, indexed._said) == (4, again._ids, again._said)
    assert indexed.stands_for(carol.author) == again.stands_for(carol.author) is True
    assert indexed.index() == []


def test_an_older_backup_takes_its_entries_back_from_peers_before_it_signs() -> None:
    store, keeper = Store(), Keeper(me(), {}, QUICK)
    say_all(keeper, store)
    backup = {name: dict(values) for name, values in store.documents.items()}
    peers = LogSet(NETWORK, directory_of(alice, bob, carol))
    for body in cut(keeper.cut(at(2000))):
        item = open_item(body)
        peers.offer(item.raw, item.content)
    restored_store = Store()
    restored_store.documents = backup
    restored = Keeper(me(), backup, QUICK, read_only=True)
    assert restored.deadline() is None and restored.cut(at(5000)) == []
    restored_store.keep(restored.adopt(peers))
    assert restored.entries == keeper.entries
    assert restored.waiting == 1  # a vouch may be repeated, a completion or review may not
    restored.read_only = False
    (again,) = cut(restored_store.keep(restored.cut(at(9000))))
    assert peers.offer(open_item(again).raw).standing.value == "accepted"
    assert Keeper(me(), restored_store.documents, QUICK).next == 5


def test_another_history_at_the_peers_is_told_and_not_overwritten() -> None:
    store, keeper = Store(), Keeper(me(), {}, QUICK)
    say_all(keeper, store)
    store.keep(keeper.cut(at(2000)))
    other = Person("alice")
    other.vouches(carol, stands=False)
    peers = LogSet(NETWORK, directory_of(alice, bob, carol))
    peers.offer(other.log[0].raw)
    with pytest.raises(PersonError, match="history"):
        keeper.adopt(peers)


def test_the_delay_belongs_to_the_network() -> None:
    assert delay_of("chargemesh-dev-1") == SLOW
    assert delay_of("chargemesh-demo-1f") == delay_of(NETWORK) == QUICK
    with pytest.raises(PersonError, match="2 days"):
        require_delay("chargemesh-dev-1", QUICK)
    with pytest.raises(PersonError):
        Keeper(me(network="chargemesh-dev-1"), {}, QUICK)
    assert require_delay("chargemesh-dev-1", SLOW) == SLOW


def test_slow_delays_are_spread_over_days() -> None:
    keeper = Keeper(me(network="chargemesh-dev-1"), {}, SLOW)
    dues = []
    for n in range(40):
        keeper.vouch(seed(f"friend {n}"), True, MONTH, REGION, at(n))
        dues.append(keeper.deadline())
    assert all(due is not None and due - BORN >= 2 * DAY_MS for due in dues)
    assert min(due for due in dues if due) < BORN + 4 * DAY_MS


def test_nobody_vouches_for_themselves() -> None:
    with pytest.raises(PersonError):
        Keeper(me(), {}, QUICK).vouch(alice.author, True, MONTH, REGION, at(0))


def test_a_vouch_that_is_taken_back_counts_no_more_before_the_log_says_so() -> None:
    store, keeper = Store(), Keeper(me(), {}, QUICK)
    store.keep(keeper.vouch(carol.author, True, MONTH, REGION, at(0)))
    (raw,) = cut(store.keep(keeper.cut(at(QUICK.longest + 5))))
    logs = LogSet(NETWORK, directory_of(alice, bob, carol))
    logs.offer(open_item(raw).raw)
    assert {one.subject for one in (logs.evidence() | keeper.evidence()).vouched} == {carol.author}
    store.keep(keeper.vouch(carol.author, False, MONTH, REGION, at(9000)))
    for one in (keeper, Keeper(me(), store.documents, QUICK)):
        assert (logs.evidence() | one.evidence()).vouched == frozenset(), "also after a restart"
        assert (one.evidence() | logs.evidence()).vouched == frozenset()
    store.keep(keeper.vouch(carol.author, True, MONTH, REGION, at(9001)))
    assert (logs.evidence() | keeper.evidence()).vouched, "and it can be given again"


def test_what_the_log_never_said_is_taken_back_without_a_word() -> None:
    store, keeper = Store(), Keeper(me(), {}, QUICK)
    assert keeper.vouch(bob.author, False, MONTH, REGION, at(0)) == []
    store.keep(keeper.vouch(bob.author, True, MONTH, REGION, at(1)))
    store.keep(keeper.vouch(bob.author, False, MONTH, REGION, at(2)))
    assert (keeper.waiting, keeper.evidence().vouched, keeper.deadline()) == (0, frozenset(), None)
    assert Keeper(me(), store.documents, QUICK).waiting == 0
    store.keep(keeper.vouch(bob.author, True, MONTH, REGION, at(3)))
    store.keep(keeper.cut(at(DAY_MS)))
    store.keep(keeper.vouch(bob.author, False, MONTH, REGION, at(DAY_MS + 1)))
    again = Keeper(me(), store.documents, QUICK)
    assert again.waiting == 1, "what it did say is taken back in it"
    store.keep(again.cut(at(2 * DAY_MS)))
    assert Keeper(me(), store.documents, QUICK).vouch(bob.author, False, MONTH, REGION, at(3 * DAY_MS)) == []


def test_when_too_many_wait_what_follows_from_bookings_waits_too_and_a_person_is_told() -> None:
    """A booking's own entries come again by themselves: an error there would undo a whole exchange."""
    store, keeper = Store(), Keeper(me(), {}, QUICK)
    for number in range(MAX_OWN_WAITING):
        store.keep(keeper.vouch(seed(f"friend {number}"), True, MONTH, REGION, at(0)))
    assert keeper.is_full
    with pytest.raises(PersonError) as told:
        keeper.vouch(bob.author, True, MONTH, REGION, at(1))
    assert told.value.code == "too-many-drafts"
    assert keeper.review(bob.author, hashed("monday"), CONTENT, MONTH, REGION, at(1)) == []
    assert not keeper.has_reviewed(hashed("monday"))
