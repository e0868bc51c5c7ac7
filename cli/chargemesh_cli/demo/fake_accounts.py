"""Fake accounts that praise a bad host: real keys, signatures and completed pairs, and nobody behind them.

The bad host takes part: a completion needs the other side's statement, and nothing stops him from signing one
for each of his own accounts. All of it is valid, and every node takes it into its copy of the log.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from chargemesh_protocol.identity import create_identity, public_key
from chargemesh_protocol.record import sign
from chargemesh_protocol.trust.entries import (
    Completion,
    CompletionStatement,
    Review,
    ReviewContent,
    Stars,
    content_bytes,
    content_hash,
)
from chargemesh_protocol.trust.month import month_of
from chargemesh_protocol.trust.sync import Item

_LIFE_MS = 24 * 3600 * 1000
_PRAISE = "Best charger in town!"


@dataclass(frozen=True, slots=True)
class Praise:
    """What the fake accounts signed: the bundles of their identities, and the entries of their logs."""

    bundles: tuple[bytes, ...]
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class BadHost:
    """Whoever pays for praise. `device` is the seed of his key: he signs along."""

    author: bytes
    device: bytes


def praise(host: BadHost, accounts: int, *, network: str, region: int, now: int) -> Praise:
    """`accounts` fresh identities, each with one completed booking with `host` and five stars for it."""
    bundles: list[bytes] = []
    items: list[Item] = []
    for _ in range(accounts):
        bundle, said = _account(host, network, region, now)
        bundles.append(bundle)
        items += said
    return Praise(tuple(bundles), tuple(items))


def _account(host: BadHost, network: str, region: int, now: int) -> tuple[bytes, list[Item]]:
    device = secrets.token_bytes(32)
    bundle = create_identity(
        root_seed=secrets.token_bytes(32),
        recovery_key=public_key(secrets.token_bytes(32)),
        device_key=public_key(device),
        network=network,
        now=now,
        life_ms=_LIFE_MS,
    )
    booking, month = secrets.token_bytes(32), month_of(now)
    statement = CompletionStatement(
        author=host.author, counterparty=bundle.author, booking=booking, month=month, region=region
    )
    completed = sign(
        Completion(
            author=bundle.author,
            sequence=1,
            previous=bundle.author,
            month=month,
            region=region,
            statement=sign(statement, host.device, network).raw,
        ),
        device,
        network,
    )
    content = content_bytes(ReviewContent(stars=Stars(overall=5), text=_PRAISE, salt=secrets.token_bytes(16)))
    reviewed = sign(
        Review(
            author=bundle.author,
            sequence=2,
            previous=completed.id,
            month=month,
            region=region,
            subject=host.author,
            booking=booking,
            content=content_hash(content),
        ),
        device,
        network,
    )
    return bundle.to_bytes(), [Item(raw=completed.raw), Item(raw=reviewed.raw, content=content)]
