"""Reading what strangers say of chargers: nothing is kept, shown or passed on before it went through here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import Refused, Severity
from ..identity import Directory, Scope
from ..limits import CLOCK_TOLERANCE_MS, MAX_LISTING_LIFE_MS, RENEWAL_LIFE_MS
from ..listing import Listing, Renewal, Withdrawal, require_fresh
from ..record import Record, open_as, open_record

ChargerKey = tuple[bytes, bytes]  # author and charger id: what a listing replaces another of
Version = tuple[int, bytes]  # sequence and record id of a listing or withdrawal


@dataclass(frozen=True, slots=True)
class Offer:
    """A listing that stands at the instant it was opened for: signed, delegated, renewed.

    `bundle` are the bytes of what we know of the author, not those that came.
    """

    listing: Record[Listing]
    renewal: Record[Renewal]
    bundle: bytes

    @property
    def key(self) -> ChargerKey:
        return self.listing.body.author, self.listing.body.charger

    @property
    def version(self) -> Version:
        return self.listing.body.sequence, self.listing.id

    @property
    def shown_until(self) -> int:
        """From when on it must not be shown without a newer renewal (unix ms)."""
        return shown_until(self.listing.body, self.renewal.body)

    def supersedes(self, other: Offer) -> bool:
        """Whether this is to be shown instead of `other`, of the same charger."""
        if self.listing.id == other.listing.id:
            return self.renewal.body.issued > other.renewal.body.issued
        return newer(self.version, other.version)


@dataclass(frozen=True, slots=True)
class Newest:
    """The last word on a charger that is known: its listing, or that it was withdrawn."""

    version: Version
    withdrawn: bool


def newer(one: Version, other: Version) -> bool:
    """Whether `one` replaces `other`; of two with one sequence the lower id counts."""
    return one[0] > other[0] or (one[0] == other[0] and one[1] < other[1])


def shown_until(listing: Listing, renewal: Renewal) -> int:
    return min(listing.expires, renewal.issued + RENEWAL_LIFE_MS)


def open_offer(listing: bytes, renewal: bytes, bundle: bytes, directory: Directory, now: int) -> Offer:
    """The offer in these bytes, if it may be shown at `now`; Refused otherwise."""
    advertised = open_as(Listing, listing, directory.network)
    author = advertised.body.author
    _introduced(advertised, author, bundle, directory)
    renewed = _open_renewal(renewal, advertised, directory.network)
    # The delegation may have been renewed between the two: what covers the listing need not cover this.
    known = _introduced(renewed, author, bundle, directory)
    require_fresh(advertised, renewed, now)
    return Offer(advertised, renewed, known)


def open_renewal(raw: bytes, listing: Record[Listing], directory: Directory) -> Record[Renewal]:
    """A renewal of `listing` by its own key, which must still have been delegated then."""
    renewal = _open_renewal(raw, listing, directory.network)
    directory.authorise(renewal, listing.body.author, Scope.LIST)
    return renewal


def _open_renewal(raw: bytes, listing: Record[Listing], network: str) -> Record[Renewal]:
    renewal = open_as(Renewal, raw, network)
    if renewal.body.listing != listing.id or renewal.kid != listing.kid:
        raise Refused("renewal", "a renewal of another listing or by another key")
    return renewal


def open_withdrawal(raw: bytes, bundle: bytes, directory: Directory, now: int) -> Record[Withdrawal]:
    """A withdrawal that may still matter at `now`; Refused otherwise."""
    withdrawal = open_as(Withdrawal, raw, directory.network)
    _introduced(withdrawal, withdrawal.body.author, bundle, directory)
    if withdrawal.body.issued > now + CLOCK_TOLERANCE_MS:
        raise Refused("future", "issued in the future", Severity.STALE)
    if withdrawal.body.issued + MAX_LISTING_LIFE_MS <= now:
        raise Refused("expired", "what this withdraws has expired", Severity.STALE)
    return withdrawal


def open_newest(raw: bytes, bundle: bytes, directory: Directory, now: int) -> tuple[ChargerKey, Newest]:
    """The last word on a charger that a caretaker says it has; Refused unless it is the author's own and may
    still count at `now`."""
    record: Record[Any] = open_record(raw, directory.network)
    body = record.body
    if not isinstance(body, Listing | Withdrawal):
        raise Refused("wrong-kind", f"neither listing nor withdrawal, but {record.kind}")
    _introduced(record, body.author, bundle, directory)
    if body.issued > now + CLOCK_TOLERANCE_MS:
        raise Refused("future", "issued in the future", Severity.STALE)
    if body.issued + MAX_LISTING_LIFE_MS <= now:
        raise Refused("expired", "nothing older can be valid any more", Severity.STALE)
    return (body.author, body.charger), Newest((body.sequence, record.id), isinstance(body, Withdrawal))


def _introduced(record: Record[Any], author: bytes, bundle: bytes, directory: Directory) -> bytes:
    """The author's bundle, under which `record` is authorised; the one that came is opened only if needed."""
    try:
        directory.authorise(record, author, Scope.LIST)
    except Refused:
        if directory.learn(bundle).author != author:
            raise Refused("bundle", "the bundle of another author", Severity.FORGED) from None
        directory.authorise(record, author, Scope.LIST)
    known = directory.get(author)
    if known is None:
        raise Refused("unknown-author", "no bundle of this author is known", Severity.STALE)
    return known.to_bytes()
