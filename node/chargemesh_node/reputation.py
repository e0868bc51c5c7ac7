"""This node's opinion of others: scores made when asked for, kept while the evidence is the same."""

from __future__ import annotations

from chargemesh_protocol.trust.graph import Evidence
from chargemesh_protocol.trust.month import month_of
from chargemesh_protocol.trust.score import Reputation, Score

from .ports import Clock
from .replica import LogReplica


class Opinion:
    """Scores over the replicated log and our own drafts. `secret` makes the walks this node's own."""

    def __init__(self, author: bytes, secret: bytes, replica: LogReplica, clock: Clock) -> None:
        self._author = author
        self._secret = secret
        self._replica = replica
        self._clock = clock
        self._seen: tuple[Evidence, Evidence] | None = None  # of the log and of our drafts
        self._reputation: Reputation | None = None

    def score(self, subject: bytes, drafts: Evidence) -> Score:
        """`drafts`: what waits for its batch; our own scores know it before the world does."""
        return self._now(drafts).score(subject, month_of(self._clock.now()))

    def vouched(self, subject: bytes, drafts: Evidence) -> bool:
        """Whether we, or somebody whom we know, vouch for `subject`."""
        return self._now(drafts).vouched(subject)

    def _now(self, drafts: Evidence) -> Reputation:
        of_log = self._replica.evidence()  # the same object until the log has changed
        if self._reputation is None or self._seen is None or self._seen != (of_log, drafts):
            self._seen = (of_log, drafts)
            self._reputation = Reputation(of_log | drafts, self._author, self._secret)
        return self._reputation

    def proven(self, author: bytes) -> bool:
        """Whether the log holds a completed pair of this author."""
        return self._replica.has_completed(author)
