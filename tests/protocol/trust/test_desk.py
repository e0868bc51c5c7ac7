"""From a signed receipt to the log: statements swapped, reviews committed before either is opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from chargemesh_protocol.effects import Effect, EntriesCut, Tell
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.limits import MAX_NOTE_CHARS, REVIEW_OPENS_AFTER_MS
from chargemesh_protocol.me import Me
from chargemesh_protocol.moment import Moment
from chargemesh_protocol.record import Record
from chargemesh_protocol.trust.desk import TrustDesk
from chargemesh_protocol.trust.drafts import QUICK
from chargemesh_protocol.trust.entries import (
    CompletionStatement,
    ReviewCommitment,
    Stars,
    booking_hash,
    commitment_of,
)
from chargemesh_protocol.trust.keeper import Keeper
from chargemesh_protocol.trust.logset import LogSet
from chargemesh_protocol.trust.sync import open_item

from .people import BORN, NETWORK, REGION, Person, directory_of, seed

BOOKING = seed("booking")
RECEIPT: Any = SimpleNamespace(id=seed("receipt"), body=SimpleNamespace(issued=BORN))


@dataclass
class Side:
    """One party: the parts of a booking that the desk reads, and a ledger that keeps what it is given."""

    person: Person
    other_person: Person
    id: bytes = BOOKING
    file: Any = field(default_factory=lambda: SimpleNamespace(region=REGION, review=b""))
    statements: list[Record[Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        me = Me(self.person.author, self.person.bundle.to_bytes(), NETWORK, self.person.device)
        self.other = self.other_person.author
        self.keeper = Keeper(me, {}, QUICK)
        ledger: Any = self
        self.desk = TrustDesk(me, ledger, self.keeper)
        self.booking: Any = self

    def statement(self, cls: type[Any], author: bytes) -> Record[Any] | None:
        found = [one for one in self.statements if type(one.body) is cls and one.body.author == author]
        return found[0] if found else None

    def add_statement(self, booking: Any, record: Record[Any]) -> list[Effect]:
        self.statements.append(record)
        return []

    def update(self, booking: Any, *, review: bytes) -> list[Effect]:
        self.file.review = review
        return []

    def tend(self, ms: int = 0) -> list[Effect]:
        return self.desk.tend(self.booking, RECEIPT, moment(ms))

    def reviews(self, stars: int, ms: int = 0) -> list[Effect]:
        return self.desk.write_review(self.booking, RECEIPT, Stars(overall=stars), "", moment(ms))

    def deadline(self) -> int | None:
        return self.desk.deadline(self.booking, RECEIPT)


def moment(ms: int) -> Moment:
    return Moment(BORN + ms, seed(f"moment {ms}"))


def pair() -> tuple[Side, Side]:
    host, driver = Person("host"), Person("driver")
    return Side(host, driver), Side(driver, host)


def swap(one: Side, other: Side) -> None:
    """What either has signed reaches the other."""
    for left, right in ((one, other), (other, one)):
        mine = [record for record in left.statements if record.body.author == left.person.author]
        right.statements += [record for record in mine if record not in right.statements]


def told(effects: list[Effect]) -> list[str]:
    return [effect.name for effect in effects if isinstance(effect, Tell)]


def published(*sides: Side) -> LogSet:
    """A third node that has seen what the logs of these sides came to."""
    logs = LogSet(NETWORK, directory_of(Person("host"), Person("driver")))
    for side in sides:
        for effect in side.keeper.cut(moment(REVIEW_OPENS_AFTER_MS * 2)):
            if isinstance(effect, EntriesCut):
                for body in effect.raws:
                    item = open_item(body)
                    logs.offer(item.raw, item.content)
    return logs


def test_both_halves_reach_the_log_and_each_proves_the_pair() -> None:
    host, driver = pair()
    host.tend()
    driver.tend()
    assert host.keeper.waiting == 0
    swap(host, driver)
    for _ in range(3):
        host.tend()
        driver.tend()
    assert (host.keeper.waiting, driver.keeper.waiting, len(host.statements)) == (1, 1, 2)
    (alone,) = published(host).evidence().completed
    assert {alone.one, alone.other} == {host.person.author, driver.person.author}
    assert alone.booking == booking_hash(BOOKING, RECEIPT.id)
    assert published(driver).evidence().completed == {alone}


def test_no_review_is_seen_before_both_have_committed() -> None:
    host, driver = pair()
    driver.reviews(4)
    swap(host, driver)
    commitment = host.statement(ReviewCommitment, driver.person.author)
    assert commitment is not None
    assert commitment.body.commitment == commitment_of(BOOKING, driver.file.review)
    assert not driver.keeper.has_reviewed(booking_hash(BOOKING, RECEIPT.id))
    assert "review-opened" in told(host.reviews(5, ms=1000))
    swap(host, driver)
    assert told(driver.tend(2000)) == ["review-opened"]
    assert told(driver.tend(3000)) == []
    evidence = published(host, driver).evidence()
    assert sorted((one.stars or 0) for one in evidence.reviewed) == [4, 5]


def test_a_review_opens_by_itself_14_days_after_the_receipt() -> None:
    _, driver = pair()
    assert driver.deadline() is None
    driver.reviews(2)
    assert driver.deadline() == BORN + REVIEW_OPENS_AFTER_MS
    assert told(driver.tend(REVIEW_OPENS_AFTER_MS - 1)) == []
    assert told(driver.tend(REVIEW_OPENS_AFTER_MS)) == ["review-opened"]
    assert driver.deadline() is None


def test_a_late_review_opens_at_once() -> None:
    _, driver = pair()
    assert "review-opened" in told(driver.reviews(2, ms=REVIEW_OPENS_AFTER_MS + 1))


def test_a_statement_about_something_else_makes_no_pair() -> None:
    host, driver = pair()
    other = Person("somebody else")
    for record in (
        driver.person.states(host.person, "another booking"),
        driver.person.states(other, "monday"),
    ):
        host.statements = [record]
        assert set(told(host.tend())) <= {"statement-mismatch"}
        assert host.keeper.waiting == 0
    assert isinstance(host.statements[0].body, CompletionStatement)


def test_a_review_needs_a_receipt_and_is_written_once() -> None:
    _, driver = pair()
    with pytest.raises(PersonError, match="receipt"):
        driver.desk.write_review(driver.booking, None, Stars(overall=5), "", moment(0))
    driver.reviews(5)
    with pytest.raises(PersonError, match="already"):
        driver.reviews(1)


@pytest.mark.parametrize(("stars", "text"), [(0, ""), (6, ""), (5, "x" * (MAX_NOTE_CHARS + 1))])
def test_a_review_that_does_not_fit_is_a_persons_mistake(stars: int, text: str) -> None:
    _, driver = pair()
    with pytest.raises(PersonError, match="1 to 5 stars"):
        driver.desk.write_review(driver.booking, RECEIPT, Stars(overall=stars), text, moment(0))
    assert not driver.file.review
