"""A search's own judgement: answers are verified, filtered and united here, on the driver's side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from ..errors import Refused
from ..identity import Directory
from ..listing import Listing, Need, Renewal, matches
from ..place import Point, distance_interval_m
from ..record import Record
from .offers import ChargerKey, Newest, Offer, newer, open_offer
from .wire import FoundItem


def fits(listing: Listing, need: Need) -> bool:
    """`matches`, safe against tariffs, zones and windows that were written to cost time or to fail."""
    try:
        if need.start is not None and need.end is not None:
            # The bitmap bounds the window before a tariff is resolved over it, which can take long.
            return listing.slots.offerable(need.start, need.end) and matches(listing, need)
        return matches(listing, need)
    except ValueError:  # a zone unknown here, a price that depends on more than we were told
        return False


@dataclass(frozen=True, slots=True)
class FoundListing:
    """One charger that a search found. `distance`: (nearest, farthest) metres. `source`: PeerId of who told
    us, empty for our own cache. `proven`: its author has a completed pair. `fits` is False for a charger
    that was found before and no longer is what was looked for: take it off the list."""

    record: Record[Listing]
    renewal: Record[Renewal]
    bundle: bytes
    distance: tuple[int, int]
    source: str
    proven: bool
    fits: bool = True

    @property
    def key(self) -> ChargerKey:
        return self.record.body.author, self.record.body.charger


@dataclass(frozen=True, slots=True)
class Behind:
    """An offer older than the listing of that charger that our own caretaker knows. It is to be accepted
    after that listing was taken; while a change travels, that may not be at hand, and this one stands."""

    offer: Offer
    source: str


@dataclass(slots=True)
class Results:
    """What was found so far. `known` is the newest listing or withdrawal that our own caretaker knows of a
    charger; `refused` counts what was wrong with answers, `left_off` chargers beyond `limit`."""

    point: Point
    radius_m: float
    need: Need
    limit: int
    directory: Directory
    proven: Callable[[bytes], bool]
    known: Callable[[ChargerKey], Newest | None] = lambda charger: None
    found: dict[ChargerKey, FoundListing] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    left_off: int = 0
    _newest: dict[ChargerKey, Offer] = field(default_factory=dict)
    _judged: set[tuple[bytes, bytes]] = field(default_factory=set)

    @property
    def untimely(self) -> int:
        """Answers that a right clock may not refuse: over by our clock, not renewed, or from the future."""
        return sum(self.refused[code] for code in ("expired", "not-renewed", "future"))

    def take(
        self, item: FoundItem, source: str, now: int, *, ours: bool = False
    ) -> FoundListing | Behind | None:
        """Judges one answered item; returns it if it is news for whoever watches the search.

        `ours`: our own caretaker answered it, so that nothing newer is at hand.
        """
        # Several caretakers answer the same bytes, whose signatures need one look.
        proof = (item.listing, item.renewal)
        if proof in self._judged:
            return None
        try:
            offer = open_offer(item.listing, item.renewal, item.bundle, self.directory, now)
        except Refused as fault:
            self.refused[fault.code] += 1
            return None
        newest = self.known(offer.key)
        if newest is not None and newer(newest.version, offer.version):
            if newest.withdrawn:
                return None
            if not ours:
                return Behind(offer, source)
        self._judged.add(proof)
        return self.accept(offer, source)

    def accept(self, offer: Offer, source: str) -> FoundListing | None:
        """As `take`, of an offer whose charger was not withdrawn, as far as we know."""
        before = self._newest.get(offer.key)
        if before is not None and not offer.supersedes(before):
            return None
        body = offer.listing.body
        distance = distance_interval_m(self.point, body.cell)
        fitting = distance[0] <= self.radius_m and fits(body, self.need)
        self._newest[offer.key] = offer
        if fitting and offer.key not in self.found and len(self.found) >= self.limit:
            self.left_off += 1
            return None
        result = FoundListing(
            offer.listing, offer.renewal, offer.bundle, distance, source, self.proven(body.author), fitting
        )
        if fitting:
            self.found[offer.key] = result
            return result
        return result if self.found.pop(offer.key, None) is not None else None
