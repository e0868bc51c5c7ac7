"""Identity: a genesis record names the keys, delegations let device keys speak for it.

`author` (32 bytes) is the id of the genesis record. The root key (rank 0) and the recovery keys
(rank 1 and up, a higher rank overrides a lower) sign only genesis, delegation, rotation and
revocation; a device key signs everything else under a scoped, expiring delegation. Genesis and
delegations travel together as one small bundle.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

import nacl.bindings as sodium

from .encoding import Tree, decode, encode
from .errors import Refused, Severity
from .limits import (
    MAX_BUNDLE_BYTES,
    MAX_BUNDLE_DELEGATIONS,
    MAX_DELEGATION_MS,
    MAX_KNOWN_AUTHORS,
    MAX_RECORD_BYTES,
    MAX_RECOVERY_KEYS,
)
from .record import Record, kind, open_as, sign
from .shape import ID, Name, Seq, Uint, key, shape


class Scope(Enum):
    """What a device key may sign."""

    LIST = "list"  # listings, renewals, quotes: being a host
    BOOK = "book"  # records of bookings, either side
    LOG = "log"  # entries of the trust log and the statements inside them


ALL_SCOPES = (Scope.LIST, Scope.BOOK, Scope.LOG)


@kind("genesis")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis:
    """The record whose id is the identity; signed by `root`."""

    issued: int = key(1, Uint())
    root: bytes = key(2, ID)
    recovery: tuple[bytes, ...] = key(3, Seq(ID, MAX_RECOVERY_KEYS))

    def __post_init__(self) -> None:
        if len({self.root, *self.recovery}) != 1 + len(self.recovery):
            raise ValueError("root and recovery keys must all differ")


@kind("delegation")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """Lets `device` sign for `author` until `expires`; an entry of the signing key's own log."""

    author: bytes = key(0, ID)
    issued: int = key(1, Uint())
    device: bytes = key(2, ID)
    scopes: tuple[Scope, ...] = key(3, Seq(Name(Scope), len(ALL_SCOPES), 1))
    expires: int = key(4, Uint())
    sequence: int = key(5, Uint())
    previous: bytes = key(6, ID)

    def __post_init__(self) -> None:
        if not self.issued < self.expires <= self.issued + MAX_DELEGATION_MS:
            raise ValueError("a delegation lasts up to 366 days")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A genesis with the delegations that matter now: all a stranger needs to judge an author's records."""

    genesis: Record[Genesis]
    delegations: tuple[Record[Delegation], ...]

    @property
    def author(self) -> bytes:
        return self.genesis.id

    def to_bytes(self) -> bytes:
        """CBOR array of the records' raw bytes, genesis first."""
        return encode([self.genesis.raw, *(one.raw for one in self.delegations)])


# One bundle comes several times in the making of a booking, and costs two verifications each time.
@lru_cache(maxsize=256)
def open_bundle(data: bytes, network: str) -> Bundle:
    """Reads and verifies a bundle; every delegation must be by a key of this genesis."""
    items = decode(data, max_bytes=MAX_RECORD_BYTES)
    if type(items) is not list or not 1 <= len(items) <= 1 + MAX_BUNDLE_DELEGATIONS:
        raise Refused("bundle", "a bundle is a genesis and up to 8 delegations")
    raws = [_raw(item) for item in items]
    genesis = open_as(Genesis, raws[0], network)
    if genesis.kid != genesis.body.root:
        raise Refused("bundle", "a genesis is signed by its own root key", Severity.FORGED)
    delegations = tuple(open_as(Delegation, raw, network) for raw in raws[1:])
    for one in delegations:
        if one.body.author != genesis.id:
            raise Refused("bundle", "a delegation of another author", Severity.FORGED)
        if one.kid != genesis.body.root and one.kid not in genesis.body.recovery:
            raise Refused("bundle", "a delegation by a key that is not this author's", Severity.FORGED)
    return Bundle(genesis, delegations)


def _raw(item: Tree) -> bytes:
    if type(item) is not bytes:
        raise Refused("bundle", "a bundle holds byte strings")
    return item


def create_identity(
    *, root_seed: bytes, recovery_key: bytes, device_key: bytes, network: str, now: int, life_ms: int
) -> Bundle:
    """A new identity with one device. Seeds and keys are 32 bytes; `recovery_key` is the public half."""
    root, _ = sodium.crypto_sign_seed_keypair(root_seed)
    genesis = sign(Genesis(issued=now, root=root, recovery=(recovery_key,)), root_seed, network)
    delegation = sign(
        Delegation(
            author=genesis.id,
            issued=now,
            device=device_key,
            scopes=ALL_SCOPES,
            expires=now + life_ms,
            sequence=1,
            previous=genesis.id,
        ),
        root_seed,
        network,
    )
    return Bundle(genesis, (delegation,))


def renewed(bundle: Bundle, *, root_seed: bytes, device_key: bytes, network: str, now: int) -> Bundle:
    """`bundle` with a delegation of `device_key` from `now` on, for as long as one may last.

    It joins the root key's own log: next sequence, id of the one before.
    """
    newest = max(bundle.delegations, key=lambda one: one.body.sequence)
    delegation = sign(
        Delegation(
            author=bundle.author,
            issued=now,
            device=device_key,
            scopes=ALL_SCOPES,
            expires=now + MAX_DELEGATION_MS,
            sequence=newest.body.sequence + 1,
            previous=newest.id,
        ),
        root_seed,
        network,
    )
    return Bundle(bundle.genesis, (*bundle.delegations, delegation)[-MAX_BUNDLE_DELEGATIONS:])


def public_key(seed: bytes) -> bytes:
    """The Ed25519 public key of a 32-byte seed."""
    pk, _ = sodium.crypto_sign_seed_keypair(seed)
    return bytes(pk)


class Directory:
    """The bundles a node knows, and the one place that says whether a key may speak for an author."""

    def __init__(self, network: str, capacity: int = MAX_KNOWN_AUTHORS) -> None:
        self.network = network
        self._capacity = capacity
        self._bundles: OrderedDict[bytes, Bundle] = OrderedDict()  # the longest unused first
        self._kept: dict[bytes, bytes] = {}  # as bytes: most are of people with whom all is over

    def learn(self, data: bytes, *, keep: bool = False) -> Bundle:
        """Verifies and remembers a bundle, united with what was known of that author; Refused otherwise.

        What is remembered is at most MAX_BUNDLE_BYTES long, whatever came, so that it can be passed on.
        `keep` is for ourselves and for parties of our bookings: no crowd of strangers drives them out.
        """
        bundle = open_bundle(data, self.network)
        known = self.get(bundle.author)
        bundle = _fitting(bundle if known is None else _united(known, bundle))
        if keep or bundle.author in self._kept:
            self._kept[bundle.author] = bundle.to_bytes()
        self._remember(bundle)
        return bundle

    def keep(self, bundles: Mapping[bytes, bytes]) -> None:
        """Bundles by author that `learn` has kept once: each is verified again when it is first needed."""
        for author, data in bundles.items():
            if not self.knows(author):
                self._kept[author] = data
            else:
                self.learn(data, keep=True)

    def release(self, author: bytes) -> None:
        """We have nothing to do with this author any more: it is known like any stranger."""
        data = self._kept.pop(author, None)
        if data is not None and author not in self._bundles:
            self._remember(open_bundle(data, self.network))

    def get(self, author: bytes) -> Bundle | None:
        """What is known of an author, who counts as used by this."""
        if author in self._bundles:
            self._bundles.move_to_end(author)
            return self._bundles[author]
        if author not in self._kept:
            return None
        bundle = open_bundle(self._kept[author], self.network)
        self._remember(bundle)
        return bundle

    def knows(self, author: bytes) -> bool:
        return author in self._bundles or author in self._kept

    def authorise(self, record: Record[Any], author: bytes, scope: Scope, issued: int | None = None) -> None:
        """Returns if `record.kid` may sign for `author` in `scope` at the record's own issued time.

        `issued` is given for kinds that carry no exact time; a reader's clock plays no part.
        Raises Refused("unknown-author") if no bundle is known, Refused("not-delegated") otherwise.
        """
        at = record.body.issued if issued is None else issued
        self.authorise_span(record, author, scope, at, at + 1)

    def authorise_span(self, record: Record[Any], author: bytes, scope: Scope, start: int, end: int) -> None:
        """As `authorise` for a record that only names a month: its delegation covers part of [start, end)."""
        bundle = self.get(author)
        if bundle is None:
            raise Refused("unknown-author", "no bundle of this author is known", Severity.STALE)
        for one in bundle.delegations:
            body = one.body
            if (
                body.device == record.kid
                and scope in body.scopes
                and body.issued < end
                and start < body.expires
            ):
                return
        raise Refused("not-delegated", "the signing key has no delegation for this", Severity.FORGED)

    def _remember(self, bundle: Bundle) -> None:
        self._bundles[bundle.author] = bundle
        self._bundles.move_to_end(bundle.author)
        if len(self._bundles) > self._capacity:
            self._bundles.popitem(last=False)


def _united(known: Bundle, new: Bundle) -> Bundle:
    """Union of the delegations, the latest to expire first."""
    unique: Iterable[Record[Delegation]] = {
        one.id: one for one in (*known.delegations, *new.delegations)
    }.values()
    return Bundle(known.genesis, tuple(_latest_first(unique)))


def _fitting(bundle: Bundle) -> Bundle:
    """As much of a bundle as every message can carry on, the latest to expire first (specs/03, I9)."""
    if _fits(bundle):
        return bundle
    kept = Bundle(bundle.genesis, ())
    if not _fits(kept):
        raise Refused("too-large", f"no message carries a genesis of over {MAX_BUNDLE_BYTES} bytes")
    for one in _latest_first(bundle.delegations):
        more = Bundle(bundle.genesis, (*kept.delegations, one))
        kept = more if _fits(more) else kept
    return kept


def _fits(bundle: Bundle) -> bool:
    return len(bundle.delegations) <= MAX_BUNDLE_DELEGATIONS and len(bundle.to_bytes()) <= MAX_BUNDLE_BYTES


def _latest_first(delegations: Iterable[Record[Delegation]]) -> list[Record[Delegation]]:
    return sorted(delegations, key=lambda one: (-one.body.expires, one.id))
