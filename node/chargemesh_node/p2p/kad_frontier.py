"""The candidates of one look-up, nearest first: whom to ask next, and when it is over. No I/O, no clock."""

from __future__ import annotations

import bisect
import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import lru_cache

from libp2p.peer.id import ID
from multiaddr import Multiaddr


class State(Enum):
    NEW = auto()  # told of, not asked
    ASKED = auto()
    ANSWERED = auto()
    FAILED = auto()


@dataclass(slots=True)
class Candidate:
    """A peer that may be among the nearest, with the addresses that others (or our own table) gave for it."""

    peer: ID
    distance: int
    addresses: list[Multiaddr]
    known: bool  # ours, not only told: asking it is on nobody's credit
    state: State = State.NEW
    tellers: list[ID] = field(default_factory=list)
    charged: ID | None = None  # the teller whose credit pays for asking


@lru_cache(maxsize=4096)
def _place(raw: bytes) -> int:
    return int.from_bytes(hashlib.sha256(raw).digest(), "big")


def distance(key: bytes, peer: ID) -> int:
    """XOR distance of Kademlia's key space: both sides are hashed, as the libp2p specification has it."""
    return _place(key) ^ _place(peer.to_bytes())


class Frontier:
    """Kademlia's shortlist: ask the nearest until the `width` nearest that are left have all answered.

    A peer can invent any number of others, as near to the key as it likes. Therefore each teller has a
    credit: at most `credit` of the peers that only it told of may be unanswered or failed at a time; what
    it names beyond that is passed over. An honest teller's peers answer and give the credit back.
    """

    def __init__(
        self, key: bytes, *, width: int, credit: int, max_candidates: int, max_addresses: int
    ) -> None:
        self._key = key
        self._width = width
        self._credit = credit
        self._max_candidates = max_candidates
        self._max_addresses = max_addresses
        self._candidates: dict[ID, Candidate] = {}
        self._by_distance: list[tuple[int, ID]] = []
        self._spent: Counter[ID] = Counter()

    def add_known(self, peer: ID, addresses: Iterable[Multiaddr] = (), *, answered: bool = False) -> None:
        """A peer from our own table, or ourselves (`answered`: nobody has to ask)."""
        candidate = self._add(peer, addresses)
        if candidate is not None:
            candidate.known = True
            if answered:
                candidate.state = State.ANSWERED

    def add_told(self, teller: ID, peer: ID, addresses: Iterable[Multiaddr]) -> None:
        """A peer that `teller` named in its reply."""
        candidate = self._add(peer, addresses)
        if candidate is not None and teller not in candidate.tellers:
            candidate.tellers.append(teller)

    def needs_telling(self, peer: ID) -> bool:
        """Whether another teller's word about `peer` could change anything."""
        candidate = self._candidates.get(peer)
        return candidate is None or (candidate.state is State.NEW and not candidate.known)

    def _add(self, peer: ID, addresses: Iterable[Multiaddr]) -> Candidate | None:
        candidate = self._candidates.get(peer)
        if candidate is None:
            far = distance(self._key, peer)
            if len(self._by_distance) >= self._max_candidates and not self._drop_farther_than(far):
                return None
            candidate = Candidate(peer, far, [], known=False)
            self._candidates[peer] = candidate
            bisect.insort(self._by_distance, (far, peer), key=lambda entry: entry[0])
        for address in addresses:
            if len(candidate.addresses) < self._max_addresses and address not in candidate.addresses:
                candidate.addresses.append(address)
        return candidate

    def _drop_farther_than(self, far: int) -> bool:
        """Makes room for a candidate at `far`; False if the farthest is nearer than that, or is in use."""
        farthest, peer = self._by_distance[-1]
        if farthest <= far or self._candidates[peer].state is State.ASKED:
            return False
        self._by_distance.pop()
        del self._candidates[peer]
        return True

    def next(self) -> Candidate | None:
        """The nearest candidate to ask now (it counts as asked from here on), or None."""
        for candidate in self._window():
            if candidate.state is State.NEW:
                candidate.state = State.ASKED
                if not candidate.known:
                    candidate.charged = self._payer(candidate)
                    self._spent[candidate.charged] += 1
                return candidate
        return None

    @property
    def finished(self) -> bool:
        """Whether each of the nearest that are left has answered."""
        return all(candidate.state is State.ANSWERED for candidate in self._window())

    def answered(self, peer: ID) -> None:
        candidate = self._candidates[peer]
        candidate.state = State.ANSWERED
        if candidate.charged is not None:
            self._spent[candidate.charged] -= 1

    def failed(self, peer: ID) -> None:
        self._candidates[peer].state = State.FAILED

    def nearest(self, count: int) -> list[Candidate]:
        """Up to `count` candidates that answered, nearest first."""
        ordered = (self._candidates[peer] for _, peer in self._by_distance)
        return [candidate for candidate in ordered if candidate.state is State.ANSWERED][:count]

    def _window(self) -> list[Candidate]:
        """The `width` nearest that have not failed and may be asked."""
        window: list[Candidate] = []
        for _, peer in self._by_distance:
            candidate = self._candidates[peer]
            if candidate.state is State.FAILED:
                continue
            if candidate.state is State.NEW and not candidate.known and self._payer(candidate) is None:
                continue
            window.append(candidate)
            if len(window) == self._width:
                break
        return window

    def _payer(self, candidate: Candidate) -> ID | None:
        return next((teller for teller in candidate.tellers if self._spent[teller] < self._credit), None)
