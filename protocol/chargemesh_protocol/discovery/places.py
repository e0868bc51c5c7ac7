"""The places of a caretaker: which listings it keeps, and what must give way when there are too many.

What is shown of a charger is a function of the set of listings, renewals and withdrawals that arrived, in
whatever order, as long as no bound is reached: the highest sequence counts, of equals the lower id. A place
outlives what it shows until nothing older can be valid any more, so that neither a withdrawn listing nor an
earlier sequence comes back. specs/07, "The caretaker".
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

from ..errors import Refused, Severity
from ..limits import (
    MAX_CARETAKER_PLACES,
    MAX_CELL_PLACES,
    MAX_LISTING_LIFE_MS,
    MAX_PLACES_OF_AUTHOR,
    MAX_PLACES_OF_BLOCK,
    MAX_PLACES_OF_FORWARDER,
    UNPROVEN_SHARE,
)
from ..listing import Listing, Renewal, Withdrawal
from ..place import region_of
from ..record import Record
from .offers import ChargerKey, Newest, Offer, Version, newer, shown_until

T = TypeVar("T")
SUPERSEDED = "superseded"  # the code for a record older than what is known (specs/errors.json)


class Hand(IntEnum):
    """How we came by a listing; the lower, the nearer to its author."""

    OWN = 0
    DIRECT = 1
    FORWARDED = 2


@dataclass(frozen=True, slots=True)
class Source:
    """Whose quota a listing counts to: the address block of who stored it, or who passed it on."""

    hand: Hand
    block: str


OURSELVES = Source(Hand.OWN, "")


@dataclass(frozen=True, slots=True)
class Quotas:
    """Bounds on places; tests pass smaller ones."""

    cell: int = MAX_CELL_PLACES
    caretaker: int = MAX_CARETAKER_PLACES
    author: int = MAX_PLACES_OF_AUTHOR
    block: int = MAX_PLACES_OF_BLOCK
    forwarder: int = MAX_PLACES_OF_FORWARDER


@dataclass(slots=True)
class Place:
    """What is known of one charger. `shown_until` is 0 once nothing is shown; `ends` is when the place itself
    is given up (unix ms)."""

    newest: Newest
    root: int
    source: Source
    proven: bool
    renewed: int
    shown_until: int
    ends: int


class Places:
    """Decides; the caretaker's cache holds the bytes. Nothing here reads a clock or draws at random."""

    def __init__(self, quotas: Quotas = Quotas()) -> None:
        self._quotas = quotas
        self._places: dict[ChargerKey, Place] = {}
        self._of_author: Counter[bytes] = Counter()
        self._of_source: Counter[Source] = Counter()
        self._pools: dict[int, _Pool] = {}  # by root
        self._all = _Pool(quotas.caretaker)

    def __len__(self) -> int:
        return len(self._places)

    def get(self, charger: ChargerKey) -> Place | None:
        return self._places.get(charger)

    def shown(self) -> list[ChargerKey]:
        return [charger for charger, place in self._places.items() if place.shown_until]

    def put(self, offer: Offer, source: Source, proven: bool, draw: bytes) -> tuple[bool, list[ChargerKey]]:
        """Takes a listing in. Returns whether what is shown of its charger changed, and which chargers had to
        give way. Refused: "superseded" (STALE), or which bound is reached. `draw`: random bytes."""
        body = offer.listing.body
        newest = Newest(offer.version, withdrawn=False)
        place = self._places.get(offer.key)
        if place is not None and place.newest == newest:
            self._count_again(offer.key, place, source, proven)
            return self._renew(place, body, offer.renewal.body), []
        wanted = Place(
            newest,
            region_of(body.cell),
            source,
            proven,
            offer.renewal.body.issued,
            offer.shown_until,
            body.issued + MAX_LISTING_LIFE_MS,
        )
        return True, self._replace(offer.key, place, wanted, draw)

    def remember(self, offer: Offer, source: Source, proven: bool) -> None:
        """Takes back what the cache still held at a start."""
        body = offer.listing.body
        newest = Newest(offer.version, withdrawn=False)
        ends = body.issued + MAX_LISTING_LIFE_MS
        renewed = offer.renewal.body.issued
        place = Place(newest, region_of(body.cell), source, proven, renewed, offer.shown_until, ends)
        self._remember(offer.key, place)

    def remember_withdrawn(
        self, charger: ChargerKey, version: Version, root: int, ends: int, source: Source, proven: bool
    ) -> None:
        """As `remember`, for a withdrawal, that no older listing comes back before `ends`."""
        self._remember(charger, Place(Newest(version, withdrawn=True), root, source, proven, 0, 0, ends))

    def renew(self, listing: Record[Listing], renewal: Renewal) -> bool:
        """As `put`, for a renewal of the listing that is shown; False where it is not newer."""
        place = self._places.get((listing.body.author, listing.body.charger))
        if place is None or place.newest.version[1] != listing.id:
            raise Refused("unknown-listing", "the listing that this renews isn't here", Severity.STALE)
        return self._renew(place, listing.body, renewal)

    def withdraw(
        self, withdrawal: Record[Withdrawal], source: Source, proven: bool, draw: bytes
    ) -> tuple[bool, list[ChargerKey]]:
        """As `put`; also for a charger that was never seen, since the withdrawal may arrive first."""
        body = withdrawal.body
        charger = (body.author, body.charger)
        newest = Newest((body.sequence, withdrawal.id), withdrawn=True)
        place = self._places.get(charger)
        if place is not None and place.newest == newest:
            return False, []
        ends = body.issued + MAX_LISTING_LIFE_MS
        wanted = Place(newest, region_of(body.cell), source, proven, body.issued, 0, ends)
        return True, self._replace(charger, place, wanted, draw)

    def expire(self, now: int) -> list[ChargerKey]:
        """The chargers of which nothing is to be kept any longer; places that have ended are given up."""
        gone: list[ChargerKey] = []
        for charger, place in list(self._places.items()):
            if 0 < place.shown_until <= now:
                place.shown_until = 0
                gone.append(charger)
            if place.ends <= now:
                if place.newest.withdrawn:
                    gone.append(charger)
                self._remove(charger)
        return gone

    # --- inside -----------------------------------------------------------------------------------

    def _remember(self, charger: ChargerKey, place: Place) -> None:
        if charger not in self._places and len(self) < self._quotas.caretaker:
            self._add(charger, place)

    def _renew(self, place: Place, listing: Listing, renewal: Renewal) -> bool:
        if renewal.issued <= place.renewed and place.shown_until:
            return False
        place.renewed = max(place.renewed, renewal.issued)
        place.shown_until = shown_until(listing, renewal)
        return True

    def _replace(
        self, charger: ChargerKey, place: Place | None, wanted: Place, draw: bytes
    ) -> list[ChargerKey]:
        if place is not None:
            if not newer(wanted.newest.version, place.newest.version):
                raise Refused(SUPERSEDED, "a newer listing or withdrawal is known", Severity.STALE)
            wanted.ends = max(wanted.ends, place.ends)
            if place.source.hand <= wanted.source.hand:
                wanted.source = place.source  # what somebody else passes on changes nobody's quota
            self._remove(charger)
        try:
            victims = self._make_room(charger, wanted, draw)
        except Refused:
            if place is not None:  # what was known is not lost to a bound
                self._add(charger, place)
            raise
        self._add(charger, wanted)
        return victims

    def _make_room(self, charger: ChargerKey, wanted: Place, draw: bytes) -> list[ChargerKey]:
        if wanted.source.hand is Hand.OWN:
            return []
        quotas = self._quotas
        if self._of_author[charger[0]] >= quotas.author:
            raise Refused("author-full", "this author has as many places here as anybody gets")
        direct = wanted.source.hand is Hand.DIRECT
        if self._of_source[wanted.source] >= (quotas.block if direct else quotas.forwarder):
            raise Refused("block-full", "this address block has as many places here as any gets")
        victims: list[ChargerKey] = []
        for pool in (self._pools.get(wanted.root), self._all):
            victim = None if pool is None else pool.victim(charger, wanted.proven, draw)
            if victim is not None:
                self._remove(victim)
                victims.append(victim)
        return victims

    def _count_again(self, charger: ChargerKey, place: Place, source: Source, proven: bool) -> None:
        """An author was proven meanwhile, or the listing is our own: it needs no new place for that."""
        self._remove(charger)
        place.proven = proven
        if source.hand is Hand.OWN:
            place.source = source
        self._add(charger, place)

    def _add(self, charger: ChargerKey, place: Place) -> None:
        self._places[charger] = place
        self._of_author[charger[0]] += 1
        self._of_source[place.source] += 1
        pool = self._pools.setdefault(place.root, _Pool(self._quotas.cell))
        for one in (pool, self._all):
            one.places += 1
            if not place.proven and place.source.hand is not Hand.OWN:
                one.unproven[charger] = None

    def _remove(self, charger: ChargerKey) -> None:
        place = self._places.pop(charger)
        _count_down(self._of_author, charger[0])
        _count_down(self._of_source, place.source)
        for one in (self._pools[place.root], self._all):
            one.places -= 1
            one.unproven.pop(charger, None)
        if not self._pools[place.root].places:
            del self._pools[place.root]


def _count_down(counter: Counter[T], key: T) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]


class _Pool:
    """Places that share a bound. Unproven ones have a quarter of them, and whoever comes to a full quarter is
    set against those there by lot, so that being early is no privilege of a flood."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self.places = 0
        self.unproven: dict[ChargerKey, None] = {}

    def victim(self, newcomer: ChargerKey, proven: bool, draw: bytes) -> ChargerKey | None:
        """Who gives way to the newcomer, None if nobody needs to; Refused where the lot falls on them."""
        full = self.places >= self._bound
        if proven and not full:
            return None
        if not proven and not full and len(self.unproven) < self._bound // UNPROVEN_SHARE:
            return None
        drawn = [*self.unproven] if proven else [*self.unproven, newcomer]
        if not drawn:
            raise Refused("cell-full", "every place is taken by a proven author", Severity.STALE)
        chosen = drawn[int.from_bytes(draw, "big") % len(drawn)]
        if chosen == newcomer:
            raise Refused("cell-full", "the places for unproven authors are taken", Severity.STALE)
        return chosen
