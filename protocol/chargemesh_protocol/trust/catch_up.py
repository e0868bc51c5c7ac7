"""The two sides of a catch-up: `answer` keeps nothing between messages, `Session` is the asker's machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import islice

from ..encoding import decode_map
from ..errors import Refused
from ..limits import MAX_CATCH_UP_BUNDLES, MAX_CATCH_UP_ITEMS, MAX_CATCH_UP_ROUNDS, MAX_CURSORS, MAX_LOGS
from ..record import parts
from .log import Unauthorised
from .logset import LogSet
from .sync import (
    FIRST_KEY,
    LAST_KEY,
    Budget,
    CatchUp,
    Cursor,
    Item,
    cursors_between,
    missing_at,
    pack,
    pack_bundles,
)

_KID = 4  # of the protected header
_MAX_PUSHES = 4  # of one entry; again after the other side has asked for the bundles it lacked
_MAX_DECLINED = 256


@dataclass(slots=True)
class Taken:
    """What came of one message: values for the shell to store, pass on, count and report.

    bundles: verified, as received. fresh: entries or contents that we did not have. aside: items whose
    authors (`wanting`) must be asked for first. refused: the peer's faults, with the key that signed.
    displaced: items that we had, and dropped for others. strange: how many logs began of authors whom our
    trust does not reach.
    """

    bundles: list[bytes] = field(default_factory=list)
    fresh: list[Item] = field(default_factory=list)
    aside: list[tuple[Item, bytes]] = field(default_factory=list)
    refused: list[tuple[Refused, bytes | None]] = field(default_factory=list)
    displaced: list[Item] = field(default_factory=list)
    strange: int = 0

    @property
    def wanting(self) -> tuple[bytes, ...]:
        """Authors to ask for, each once, as many as one message may name."""
        return tuple(dict.fromkeys(author for _, author in self.aside))[:MAX_CATCH_UP_BUNDLES]


def take(
    logs: LogSet, bundles: Iterable[bytes], items: Iterable[Item], block: str = "", strangers: int = MAX_LOGS
) -> Taken:
    """Offers all that a message from that address block holds to our logs; a peer's fault is a value here and
    stops nothing. At most `strangers` logs may begin of authors whom our trust does not reach."""
    taken = Taken()
    for data in bundles:
        try:
            logs.directory.learn(data)
            taken.bundles.append(data)
        except Refused as fault:
            taken.refused.append((fault, None))
    for item in items:
        try:
            offered = logs.offer(item.raw, item.content, block, strangers=taken.strange < strangers)
            taken.strange += offered.strange
            if offered.displaced:
                gone = [Item(raw=raw, content=content) for raw, content in offered.displaced]
                taken.fresh = [one for one in taken.fresh if all(one.raw != other.raw for other in gone)]
                taken.displaced += gone
            if offered.fresh:
                taken.fresh.append(item)
        except Unauthorised as fault:
            taken.aside.append((item, fault.author))
        except Refused as fault:
            taken.refused.append((fault, _signing_key(item.raw)))
    return taken


def answer(
    logs: LogSet, question: CatchUp, block: str = "", strangers: int = MAX_LOGS
) -> tuple[CatchUp, Taken]:
    """What to answer, and what the question, which came from that address block, brought us."""
    taken = take(logs, question.bundles, question.items, block, strangers)
    cursors, last = cursors_between(logs, question.first, question.last)
    budget = Budget()
    bundles = pack_bundles(logs, question.wanted, budget)
    items = pack(logs, missing_at(logs, question.cursors, question.first, last), budget)
    reply = CatchUp(
        first=question.first, last=last, cursors=cursors, items=items, wanted=taken.wanting, bundles=bundles
    )
    return reply, taken


class Session:
    """Asks one peer until neither has anything new for the other.

        while (question := session.question()) is not None:
            taken = session.receive(answer to question)

    `brought` counts fresh entries and contents; `done` says that every range was gone through (false after
    the bound on rounds). `unknown` are the authors whose bundle the peer could not give.
    """

    def __init__(self, logs: LogSet, block: str = "") -> None:
        self._block = block  # of the peer's address
        self.brought = 0
        self.done = False
        self.unknown: set[bytes] = set()
        self._logs = logs
        self._first = FIRST_KEY
        self._rounds = 0
        self._asked: CatchUp | None = None
        self._pushes: tuple[Item, ...] = ()
        self._pushed: Counter[bytes] = Counter()
        self._bundles: tuple[bytes, ...] = ()
        self._introduced: set[bytes] = set()  # authors whose bundle the peer was given; each once
        self._aside: list[tuple[Item, bytes]] = []
        self._requested: set[bytes] = set()  # authors asked for; each once
        self._declined: set[bytes] = set()  # keys whose entries we won't take, so they needn't be sent again

    def question(self) -> CatchUp | None:
        """The next thing to ask, or None at the end."""
        if self.done or self._rounds >= MAX_CATCH_UP_ROUNDS:
            return None
        self._rounds += 1
        cursors, last = self._cursors()
        wanted = self._unrequested()[:MAX_CATCH_UP_BUNDLES]
        self._requested.update(wanted)
        self._asked = CatchUp(
            first=self._first,
            last=last,
            cursors=cursors,
            items=self._pushes,
            wanted=wanted,
            bundles=self._bundles,
        )
        return self._asked

    def receive(self, reply: CatchUp, strangers: int = MAX_LOGS) -> Taken:
        """Takes the answer to the last question, as `take`; Refused where it answers another one."""
        asked, self._asked = self._asked, None
        if asked is None or reply.first != asked.first or not asked.first <= reply.last <= asked.last:
            raise Refused("catch-up", "the answer is about another range than the question")
        items = [*(item for item, _ in self._aside), *reply.items]
        taken = take(self._logs, reply.bundles, items, self._block, strangers)
        self.brought += len(taken.fresh)
        self._set_aside(taken)
        self._prepare(reply)
        if not (taken.fresh or self._pushes or self._bundles or self._unrequested()):
            # What we don't take (a flood of strangers') may have cut off what is behind it.
            self._advance(_last_said(reply) if taken.refused else reply.last)
        return taken

    def _cursors(self) -> tuple[tuple[Cursor, ...], bytes]:
        cursors, last = cursors_between(self._logs, self._first, LAST_KEY)
        # To somebody who says "forked" nothing more of that log is sent, which is just what is wanted here.
        ours = [replace(one, forked=True) if one.log in self._declined else one for one in cursors]
        unknown = {key for key in self._declined if self._logs.log(key) is None}
        ours += [Cursor(log=key, next=1, head=None, forked=True) for key in sorted(unknown)]
        return tuple(ours[:MAX_CURSORS]), last

    def _unrequested(self) -> tuple[bytes, ...]:
        return tuple(dict.fromkeys(author for _, author in self._aside if author not in self._requested))

    def _set_aside(self, taken: Taken) -> None:
        self._aside = [one for one in taken.aside if one[1] not in self._requested]
        for item, author in taken.aside:
            if author in self._requested:
                self.unknown.add(author)
                self._decline(_signing_key(item.raw))
        for _, key in taken.refused:
            self._decline(key)

    def _decline(self, key: bytes | None) -> None:
        if key is not None and len(self._declined) < _MAX_DECLINED:
            self._declined.add(key)

    def _prepare(self, reply: CatchUp) -> None:
        """What the next question brings the peer: entries its cursors lack, and the bundles it asked for."""
        budget = Budget()
        wanted = [author for author in reply.wanted if author not in self._introduced]
        self._introduced.update(wanted)
        self._bundles = pack_bundles(self._logs, wanted, budget)
        lacking = missing_at(self._logs, reply.cursors, reply.first, reply.last)
        pushable = (entry for entry in lacking if self._pushed[entry.id] < _MAX_PUSHES)
        entries = list(islice(pushable, MAX_CATCH_UP_ITEMS))
        self._pushes = pack(self._logs, entries, budget)
        self._pushed.update(entry.id for entry in entries[: len(self._pushes)])

    def _advance(self, last: bytes) -> None:
        if last == LAST_KEY:
            self.done = True
        else:
            self._first = (int.from_bytes(last, "big") + 1).to_bytes(32, "big")


def _last_said(reply: CatchUp) -> bytes:
    """The key of the last log that an answer speaks of; of those behind it nothing may have fitted."""
    key = _signing_key(reply.items[-1].raw) if reply.items else None
    return reply.last if key is None or not reply.first <= key <= reply.last else key


def _signing_key(raw: bytes) -> bytes | None:
    """The key an item names as its signer, unverified; None where not even that can be read."""
    try:
        key = decode_map(parts(raw)[0]).get(_KID)
    except Refused:
        return None
    return key if type(key) is bytes and len(key) == 32 else None
