"""What one node thinks of somebody, and why: a number per mille with the evidence that made it.

The number is the 5 % quantile of a Beta posterior over reviews, shifted so that a newcomer stands at the
floor 0 and nobody below: starting over never pays. A review weighs as much as the share of walks that reach
its author *without passing the person reviewed*; the fifth that one first-hop neighbour may bring counts as
one full review, the node's own review as five. specs/06, "What is made of it".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import fsum
from operator import mul

from .beta import quantile
from .graph import Evidence, Reviewed, TrustGraph
from .walks import FIRST_HOP_SHARE, WALKS, Walks

QUANTILE = 0.05
PRIOR = 1.0  # of both sides: nothing known
HALF_LIFE_MONTHS = 12
_FLOOR = quantile(QUANTILE, PRIOR, PRIOR)
_SHOWN_NEIGHBOURS = 3


@dataclass(frozen=True, slots=True)
class Score:
    """`number`: per mille, 0 is the floor. `standing`: per mille of the node's walks that reach the subject.
    `mean_stars`: weighted mean in tenths of a star, None without a review that weighs. `reviewers` and
    `reviews` weigh something, `weightless` reviews come from people no walk reaches, `unproven` ones name no
    completed booking. `completions`: distinct completed bookings; `through`: the first hops that brought the
    reviewers, most first."""

    subject: bytes
    number: int
    standing: int
    mean_stars: int | None
    reviewers: int
    reviews: int
    weightless: int
    unproven: int
    completions: int
    own_completions: int
    through: tuple[bytes, ...]

    def sentence(self, name: Callable[[bytes], str] = lambda author: author.hex()[:8]) -> str:
        """The score explained to a person; `name` gives the name under which they know an author."""
        return explain(self, name)


class Reputation:
    """Scores of everybody as `home` sees them; a function of the evidence and the secret alone."""

    def __init__(self, evidence: Evidence, home: bytes, secret: bytes, walks: int = WALKS) -> None:
        self.home = home
        self.graph = TrustGraph(evidence.completed, evidence.vouched)
        self.walks = Walks(self.graph, home, secret, walks)
        self._vouchers: dict[bytes, set[bytes]] = {}
        for vouch in evidence.vouched:
            self._vouchers.setdefault(vouch.subject, set()).add(vouch.author)
        self._about: dict[bytes, list[Reviewed]] = {}
        for review in evidence.reviewed:
            if review.author != review.subject:
                self._about.setdefault(review.subject, []).append(review)

    def score(self, subject: bytes, month: int) -> Score:
        """The score of `subject` as of `month` (months since January 1970)."""
        proven = _one_for_each_booking(
            review
            for review in self._about.get(subject, ())
            if self.graph.has_completed(review.author, subject, review.booking)
        )
        by_author: dict[bytes, list[Reviewed]] = {}
        for review in proven:
            if review.stars is not None:
                by_author.setdefault(review.author, []).append(review)
        voices = [
            voice
            for author in sorted(by_author)
            if (voice := self._voice(author, subject, by_author[author], month)).weight > 0
        ]
        heard = sum(voice.reviews for voice in voices)
        bookings = self.graph.counterparties(subject)
        return Score(
            subject=subject,
            number=_number(voices),
            standing=round(1000 * self.walks.reach(subject) / self.walks.count),
            mean_stars=_mean_stars(voices),
            reviewers=len(voices),
            reviews=heard,
            weightless=sum(len(reviews) for reviews in by_author.values()) - heard,
            unproven=len(self._about.get(subject, ())) - len(proven),
            completions=len(bookings),
            own_completions=sum(1 for other in bookings.values() if other == self.home),
            through=self._through([voice.author for voice in voices]),
        )

    def vouched(self, subject: bytes) -> bool:
        """Whether home vouches for `subject`, or somebody does whom home knows: by a completed booking, or by
        a vouch of its own."""
        vouchers = self._vouchers.get(subject, set())
        known = {self.home, *self.graph.counterparties(self.home).values()}
        return any(one in known or self.home in self._vouchers.get(one, ()) for one in vouchers)

    def _voice(self, author: bytes, subject: bytes, reviews: list[Reviewed], month: int) -> _Voice:
        # However often two people book with each other, one reviewer is one voice: the decayed mean of what
        # they said, as strong as their newest word.
        decays = [0.5 ** (max(0, month - review.month) / HALF_LIFE_MONTHS) for review in reviews]
        praise = [((review.stars or 1) - 1) / 4 for review in reviews]
        mean = fsum(map(mul, decays, praise)) / fsum(decays)
        reach = self.walks.reach_before(author, subject)
        full = self.walks.count // FIRST_HOP_SHARE
        return _Voice(author, reach / full * max(decays), mean, len(reviews))

    def _through(self, authors: list[bytes]) -> tuple[bytes, ...]:
        brought: dict[bytes, int] = {}
        for author in authors:
            hops = {self.home: self.walks.count} if author == self.home else self.walks.through(author)
            for hop, count in hops.items():
                brought[hop] = brought.get(hop, 0) + count
        return tuple(sorted(brought, key=lambda hop: (-brought[hop], hop)))


@dataclass(frozen=True, slots=True)
class _Voice:
    author: bytes
    weight: float
    praise: float  # 0 (one star) to 1 (five)
    reviews: int


def _one_for_each_booking(reviews: Iterable[Reviewed]) -> list[Reviewed]:
    """A side has one review for each completed booking; of several the oldest month and lowest id counts."""
    first: dict[tuple[bytes, bytes], Reviewed] = {}
    for review in sorted(reviews, key=lambda one: (one.month, one.entry)):
        first.setdefault((review.author, review.booking), review)
    return list(first.values())


def _number(voices: list[_Voice]) -> int:
    good = fsum(voice.weight * voice.praise for voice in voices)
    bad = fsum(voice.weight * (1.0 - voice.praise) for voice in voices)
    low = quantile(QUANTILE, PRIOR + good, PRIOR + bad)
    return max(0, round(1000 * (low - _FLOOR) / (1.0 - _FLOOR)))


def _mean_stars(voices: list[_Voice]) -> int | None:
    if not voices:
        return None
    total = fsum(voice.weight for voice in voices)
    return round(10 + 40 * fsum(voice.weight * voice.praise for voice in voices) / total)


def explain(score: Score, name: Callable[[bytes], str]) -> str:
    """One sentence on where the number comes from; it claims nothing that the counts don't show."""
    parts = [_heard(score, name)]
    parts.append(f"{_count(score.completions, 'completed booking')} on record")
    if score.own_completions:
        parts[-1] += f", {score.own_completions} of them with you"
    if score.weightless:
        reviews = _count(score.weightless, "review")
        parts.append(f"{reviews} by people your node has no path to, which weigh nothing")
    if score.unproven:
        parts.append(f"{_count(score.unproven, 'review')} without a completed booking, which weigh nothing")
    return f"{score.number} of 1000: {'; '.join(parts)}."


def _heard(score: Score, name: Callable[[bytes], str]) -> str:
    if score.mean_stars is None:
        return "no review by anybody your node has a path to, so they stand where newcomers stand"
    stars = f"{score.mean_stars // 10}.{score.mean_stars % 10} stars"
    people = "1 person" if score.reviewers == 1 else f"{score.reviewers} people"
    shown = [name(hop) for hop in score.through[:_SHOWN_NEIGHBOURS]]
    more = len(score.through) - len(shown)
    through = ", ".join(shown) + (f" and {more} more" if more else "")
    return f"{stars} on average in {_count(score.reviews, 'review')} by {people}, reached through {through}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
