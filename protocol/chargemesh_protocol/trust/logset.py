"""All logs that a node keeps: what it takes in, what it can say of somebody, and the evidence for scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..errors import Refused, Severity
from ..identity import Directory
from ..limits import MAX_LOG_ENTRIES, MAX_LOGS, MAX_WAITING_ENTRIES
from .entries import Completion, Review, Vouch, content_hash, open_content
from .graph import Completed, Evidence, Reviewed, Vouched
from .log import Judged, Log, Standing, judge
from .room import Room


@dataclass(frozen=True, slots=True)
class Offered:
    """What became of an offered entry; `fresh` is true where it (or its content) was not kept before, so that
    it is worth storing and passing on. `displaced`: entries with their contents that were dropped for it.
    `strange`: it began the log of an author whom our trust does not reach."""

    entry: Judged
    standing: Standing
    fresh: bool
    displaced: tuple[tuple[bytes, bytes | None], ...] = ()
    strange: bool = False


class LogSet:
    """A function of the set of entries and contents offered to it (within its bounds), not of their order.

    `seeds`: authors from whom our own trust begins; whom it reaches loses no place to strangers (`Room`).
    """

    def __init__(
        self,
        network: str,
        directory: Directory,
        *,
        seeds: Iterable[bytes] = (),
        max_logs: int = MAX_LOGS,
        max_entries: int = MAX_LOG_ENTRIES,
    ) -> None:
        self.network = network
        self.directory = directory
        self.room = Room(seeds, max_logs, max_entries)
        self._logs: dict[bytes, Log] = {}
        self._contents: dict[bytes, bytes] = {}  # by id of the review
        self._stars: dict[bytes, int] = {}  # read from the contents once
        self._waiting = 0
        self._evidence: Evidence | None = None
        self._about: dict[bytes, dict[bytes, Judged]] | None = None

    def offer(
        self, raw: bytes, content: bytes | None = None, block: str = "", *, strangers: bool = True
    ) -> Offered:
        """Takes one entry and what hangs beside it; `block` is the address block of whoever brought it, and
        `strangers` says whether it may begin the log of an author whom our trust does not reach.

        Raises Unauthorised (learn the author's bundle, then offer again) or Refused: "logs-full", "new-logs"
        (both STALE), or what is wrong with the entry or its content, of which nothing is kept then.
        """
        entry = judge(raw, self.network, self.directory)
        stars = None if content is None else _stars_of(entry, content)
        log = self._logs.get(entry.record.kid) or Log(entry.record.kid)
        if self._waiting >= MAX_WAITING_ENTRIES and entry.sequence > log.next:
            return Offered(entry, Standing.TOO_FAR, fresh=False)
        standing = log.passes_over(entry)
        displaced: tuple[tuple[bytes, bytes | None], ...] = ()
        strange = standing is None and self.room.is_of_stranger(entry)
        if strange and not strangers:
            raise Refused("new-logs", "too many new logs from one address block", Severity.STALE)
        if standing is None:
            key = self.room.whose_place(entry, block)
            displaced = () if key is None else self._displace(key)
            standing = self._place(log, entry, block)
        fresh = standing in (Standing.ACCEPTED, Standing.WAITING, Standing.FORK)
        if content is not None and stars is not None and log.holds(entry):
            fresh = fresh or entry.id not in self._contents
            self._contents[entry.id] = content
            self._stars[entry.id] = stars
        if fresh:
            self._evidence = self._about = None
        return Offered(entry, standing, fresh, displaced, strange)

    def _place(self, log: Log, entry: Judged, block: str) -> Standing:
        waiting, kept, following = log.waiting, log.kept, log.next
        lost = tuple(log.accepted_from(entry.sequence))  # only a fork takes these back
        standing = log.offer(entry)
        self._logs[log.key] = log
        self._waiting += log.waiting - waiting
        self.room.keep(entry, block, log.kept - kept)
        self.room.accept(log.accepted_from(following), lost)
        return standing

    def _displace(self, key: bytes) -> tuple[tuple[bytes, bytes | None], ...]:
        log = self._logs.pop(key)
        self._waiting -= log.waiting
        self.room.drop(key, log.accepted)
        self._evidence = self._about = None
        gone = tuple((entry.record.raw, self._contents.pop(entry.id, None)) for entry in log.entries())
        for entry in log.entries():
            self._stars.pop(entry.id, None)
        return gone

    def drop_content(self, entry: bytes) -> None:
        """Erases what hangs beside a review; the entry stays, as links and counts need it."""
        self._contents.pop(entry, None)
        self._stars.pop(entry, None)
        self._evidence = None

    def content(self, entry: bytes) -> bytes | None:
        return self._contents.get(entry)

    def log(self, key: bytes) -> Log | None:
        return self._logs.get(key)

    def between(self, first: bytes, last: bytes) -> list[Log]:
        """The logs with keys in [first, last], in ascending order of their keys."""
        return [self._logs[key] for key in sorted(self._logs) if first <= key <= last]

    def accepted(self) -> Iterator[Judged]:
        """Every accepted entry, log by log."""
        for log in self._logs.values():
            yield from log.accepted

    def entries_about(self, subject: bytes) -> tuple[Judged, ...]:
        """Accepted entries by others that name `subject`, oldest month first."""
        if self._about is None:
            self._about = {}
            for entry in self.accepted():
                self._about.setdefault(entry.subject, {})[entry.id] = entry
        found = self._about.get(subject, {}).values()
        return tuple(sorted(found, key=lambda entry: (entry.record.body.month, entry.id)))

    def forks(self) -> list[tuple[Judged, Judged]]:
        """The proof for each forked key."""
        return [proof for key in sorted(self._logs) if (proof := self._logs[key].fork) is not None]

    def evidence(self) -> Evidence:
        """What the accepted entries prove, for `Reputation`."""
        if self._evidence is None:
            self._evidence = self._gather()
        return self._evidence

    def _gather(self) -> Evidence:
        completed: set[Completed] = set()
        reviewed: set[Reviewed] = set()
        vouches: dict[tuple[bytes, bytes], tuple[tuple[int, int, bytes], bool]] = {}
        for entry in self.accepted():
            body = entry.record.body
            match body:
                case Completion():
                    completed.add(_completed(entry))
                case Review():
                    reviewed.add(self._reviewed(entry, body))
                case Vouch():
                    pair, order = (body.author, body.subject), (body.month, body.sequence, entry.id)
                    if pair not in vouches or vouches[pair][0] < order:
                        vouches[pair] = (order, body.stands)
        vouched = {
            Vouched(author, subject, order[0])
            for (author, subject), (order, stands) in vouches.items()
            if stands
        }
        return Evidence(frozenset(completed), frozenset(vouched), frozenset(reviewed))

    def _reviewed(self, entry: Judged, body: Review) -> Reviewed:
        stars = self._stars.get(entry.id)
        return Reviewed(body.author, body.subject, body.booking, body.month, stars, entry.id)


def _completed(entry: Judged) -> Completed:
    body = entry.record.body
    one, other = sorted((body.author, entry.subject))
    # A completion always names a booking; both halves of a pair come to the same value here.
    return Completed(one, other, entry.booking or b"", body.month)


def _stars_of(entry: Judged, content: bytes) -> int:
    """The stars in a content; Refused unless it is the one that the entry names."""
    body = entry.record.body
    if not isinstance(body, Review) or content_hash(content) != body.content:
        raise Refused("content", "the content is not what this entry committed to", Severity.FORGED)
    return open_content(content).stars.overall
