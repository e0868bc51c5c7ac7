"""Listings of our chargers that we did not sign: another node signs as we do, such as a restored copy.

That a caretaker says so proves nothing: it would have us believe that nobody finds our charger. It counts
once one of them has shown the record.
"""

from __future__ import annotations

from collections import Counter

from chargemesh_protocol.discovery import wire
from chargemesh_protocol.discovery.offers import Version, newer, open_newest
from chargemesh_protocol.discovery.places import SUPERSEDED
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.identity import Directory
from chargemesh_protocol.listing import Listing, Withdrawal
from chargemesh_protocol.record import Record

from ..ports import Clock


class Rivals:
    """What was proven. `counters`: unproven:<code>, of records that prove nothing."""

    def __init__(self, directory: Directory, clock: Clock, counters: Counter[str]) -> None:
        self._directory = directory
        self._clock = clock
        self._counters = counters
        self._newest: dict[bytes, Version] = {}  # by charger

    def supersede(self, ours: Record[Listing | Withdrawal], refusal: wire.Failed) -> bool:
        """Whether `ours`, our newest of a charger, was refused for one that is proven to be newer, by this
        refusal or an earlier one. specs/07, D2a."""
        if refusal.code != SUPERSEDED:
            return False
        if refusal.newer is not None:
            self._learn(ours, refusal.newer, refusal.bundle or b"")
        known = self._newest.get(ours.body.charger)
        return known is not None and newer(known, (ours.body.sequence, ours.id))

    def _learn(self, ours: Record[Listing | Withdrawal], raw: bytes, bundle: bytes) -> None:
        author, charger = ours.body.author, ours.body.charger
        try:
            key, found = open_newest(raw, bundle, self._directory, self._clock.now())
        except Refused as fault:
            self._counters[f"unproven:{fault.code}"] += 1
            return
        before = self._newest.get(charger)
        if key == (author, charger) and (before is None or newer(found.version, before)):
            self._newest[charger] = found.version
