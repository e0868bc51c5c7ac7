"""Scores: newcomers at the floor, evidence weighed by who gives it, and fakes that gain exactly nothing."""

from __future__ import annotations

from hashlib import sha256

from chargemesh_protocol.trust.graph import Completed, Evidence, Reviewed, Vouched
from chargemesh_protocol.trust.score import Reputation, Score

SECRET = bytes(range(32))
NOW = 682
WALKS = 2000


def who(name: object) -> bytes:
    return sha256(str(name).encode()).digest()


class Story:
    """Collects evidence; `seen_by` computes what somebody thinks of somebody."""

    def __init__(self) -> None:
        self.completed: set[Completed] = set()
        self.vouched: set[Vouched] = set()
        self.reviewed: set[Reviewed] = set()

    def booking(
        self, driver: object, host: object, stars: int | None = None, n: int = 0, month: int = NOW
    ) -> Story:
        """A completed booking, with the driver's review where `stars` are given."""
        self.completed.add(Completed(who(driver), who(host), who((driver, host, n)), month))
        return self if stars is None else self.review(driver, host, stars, n, month)

    def review(
        self, author: object, subject: object, stars: int | None, n: int = 0, month: int = NOW
    ) -> Story:
        booking = who((author, subject, n))
        entry = who(("review", author, subject, n, stars))
        self.reviewed.add(Reviewed(who(author), who(subject), booking, month, stars, entry))
        return self

    def vouch(self, author: object, subject: object) -> Story:
        self.vouched.add(Vouched(who(author), who(subject), NOW))
        return self

    def seen_by(self, home: object, subject: object, month: int = NOW) -> Score:
        return self.opinion_of(home).score(who(subject), month)

    def opinion_of(self, home: object) -> Reputation:
        evidence = Evidence(frozenset(self.completed), frozenset(self.vouched), frozenset(self.reviewed))
        return Reputation(evidence, who(home), SECRET, WALKS)


def with_fifty_fakes(story: Story, host: object) -> Story:
    """50 fresh keys, all with mutual receipts, that rate a host five stars."""
    for n in range(50):
        story.booking(("fake", n), host, 5)
        story.booking(("fake", n), ("fake", (n + 1) % 50), 5)
        story.booking(("fake", n), ("fake", (n + 7) % 50), 5)
        story.vouch(("fake", n), host)
    return story


def test_a_newcomer_stands_at_the_floor_and_says_so() -> None:
    score = Story().booking("me", "friend", 5).seen_by("me", "newcomer")
    assert (score.number, score.standing, score.completions) == (0, 0, 0)
    assert "newcomers" in score.sentence()


def test_fifty_fakes_gain_a_bad_host_exactly_nothing_with_a_stranger() -> None:
    honest = Story().booking("me", "anna").booking("anna", "bad host", 1).booking("anna", "good host", 5)
    before = {name: honest.seen_by("me", name) for name in ("anna", "bad host", "good host")}
    faked = with_fifty_fakes(honest, "bad host")
    for name, score in before.items():
        now = faked.seen_by("me", name)
        assert (now.number, now.mean_stars, now.reviews) == (score.number, score.mean_stars, score.reviews)
    bad = faked.seen_by("me", "bad host")
    assert bad.number == 0
    assert bad.weightless == 50
    assert bad.completions == 51
    assert bad.sentence().startswith(
        "0 of 1000: 1.0 stars on average in 1 review by 1 person, reached through"
    )
    assert "50 reviews by people your node has no path to, which weigh nothing" in bad.sentence()


def test_a_ring_that_nobody_real_knows_changes_no_score_at_all() -> None:
    honest = Story().booking("me", "anna").booking("anna", "good host", 5)
    before = [honest.seen_by("me", name) for name in ("anna", "good host")]
    faked = with_fifty_fakes(honest, "hollow host")
    assert [faked.seen_by("me", name) for name in ("anna", "good host")] == before
    hollow = faked.seen_by("me", "hollow host")
    assert (hollow.number, hollow.standing, hollow.weightless) == (0, 0, 50)
    assert faked.seen_by("me", ("fake", 3)).number == 0


def test_a_good_review_lifts_and_a_bad_one_lowers_again() -> None:
    story = Story().vouch("observer", "driver").booking("driver", "host")
    assert story.seen_by("observer", "host").number == 0
    first = story.review("driver", "host", 5).seen_by("observer", "host")
    assert first.number == 183  # (sqrt(0.05) - 0.05) / 0.95
    second = story.booking("driver", "host", 1, n=1).seen_by("observer", "host")
    assert 0 < second.number < first.number
    assert (second.reviewers, second.reviews, second.mean_stars) == (1, 2, 30)


def test_a_review_without_a_completion_weighs_nothing() -> None:
    story = Story().vouch("me", "slanderer").vouch("me", "fan").booking("fan", "host", 5)
    before = story.seen_by("me", "host")
    after = story.review("slanderer", "host", 1).review("fan", "host", 5, n=9).seen_by("me", "host")
    assert (after.number, after.reviews, after.unproven) == (before.number, before.reviews, 2)
    assert "2 reviews without a completed booking" in after.sentence()


def test_one_reviewer_is_one_voice_however_often_they_book() -> None:
    story = Story().vouch("me", "fan").booking("fan", "host", 5)
    once = story.seen_by("me", "host")
    for n in range(1, 20):
        story.booking("fan", "host", 5, n=n)
    often = story.seen_by("me", "host")
    assert often.number == once.number
    assert (often.reviewers, often.reviews) == (1, 20)


def test_a_second_review_of_the_same_booking_does_not_count() -> None:
    story = Story().vouch("me", "fan").booking("fan", "host", 5)
    before = story.seen_by("me", "host")
    late = story.review("fan", "host", 1, month=NOW + 1).seen_by("me", "host")
    assert late.number == before.number


def test_an_erased_review_no_longer_counts() -> None:
    story = Story().vouch("me", "fan").booking("fan", "host").review("fan", "host", None)
    assert story.seen_by("me", "host").number == 0


def test_old_reviews_fade() -> None:
    story = Story().vouch("me", "fan").booking("fan", "host", 5, month=NOW - 24)
    fresh, later = (story.seen_by("me", "host", month) for month in (NOW - 24, NOW))
    assert fresh.number > later.number > 0


def test_starting_over_never_pays() -> None:
    story = Story().vouch("me", "anna").vouch("me", "ben")
    story.booking("anna", "host", 1).booking("ben", "host", 2)
    assert story.seen_by("me", "host").number >= story.seen_by("me", "the host under a new name").number


def test_my_own_experience_outweighs_an_acquaintance() -> None:
    story = Story().vouch("me", "fan").booking("fan", "host", 5)
    before = story.seen_by("me", "host").number
    mine = story.booking("me", "host", 1).seen_by("me", "host")
    assert mine.number < before
    assert mine.own_completions == 1
    assert "1 of them with you" in mine.sentence()


def test_the_sentence_names_people_as_their_node_knows_them() -> None:
    story = Story()
    for n in range(5):
        story.vouch("me", n).booking(n, "host", 5)
    score = story.seen_by("me", "host")
    names = {who(n): f"neighbour {n}" for n in range(5)}
    assert score.reviewers == 5
    sentence = score.sentence(names.__getitem__)
    assert "5.0 stars on average in 5 reviews by 5 people, reached through neighbour" in sentence
    assert "and 2 more" in sentence
    assert "5 completed bookings on record" in sentence


def test_a_vouch_counts_of_whom_i_know_and_of_nobody_else() -> None:
    story = Story().booking("me", "anna", None).vouch("me", "otto")
    for voucher, subject in (("anna", "bert"), ("otto", "cora"), ("stranger", "dora"), ("bert", "emil")):
        story.vouch(voucher, subject)
    mine = story.opinion_of("me")
    found = {name for name in ("otto", "bert", "cora", "dora", "emil") if mine.vouched(who(name))}
    assert found == {"otto", "bert", "cora"}
