"""People with real keys who write real log entries, so that tests read like a story: `alice.reviews(bob)`."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from chargemesh_protocol import place
from chargemesh_protocol.identity import Bundle, Directory, create_identity, public_key
from chargemesh_protocol.record import Record, sign
from chargemesh_protocol.trust.entries import (
    Completion,
    CompletionStatement,
    Review,
    ReviewContent,
    Stars,
    Vouch,
    booking_hash,
    content_bytes,
    content_hash,
    skip_target,
)
from chargemesh_protocol.trust.month import month_of
from chargemesh_protocol.trust.sync import Item

NETWORK = "chargemesh-test-trust"
BORN = 1_790_000_000_000  # 2026-09
MONTH = month_of(BORN) + 2
REGION = place.public_cell(place.Point(48.2, 16.37), 4)


def seed(name: str) -> bytes:
    return sha256(name.encode()).digest()


class Person:
    """One identity with one device, and the log of that device's key as it writes it."""

    def __init__(self, name: str, network: str = NETWORK) -> None:
        self.name = name
        self.network = network
        self.device = seed(f"{name} device")
        self.bundle: Bundle = create_identity(
            root_seed=seed(f"{name} root"),
            recovery_key=public_key(seed(f"{name} recovery")),
            device_key=public_key(self.device),
            network=network,
            now=BORN,
            life_ms=300 * 24 * 3600 * 1000,
        )
        self.log: list[Item] = []
        self.ids: list[bytes] = []

    @property
    def author(self) -> bytes:
        return self.bundle.author

    @property
    def key(self) -> bytes:
        return public_key(self.device)

    def states(self, other: Person, booking: str, month: int = MONTH, region: int = REGION) -> Record[Any]:
        """The completion statement that this side signs at the receipt."""
        body = CompletionStatement(
            author=self.author,
            counterparty=other.author,
            booking=hashed(booking),
            month=month,
            region=region,
        )
        return sign(body, self.device, self.network)

    def completes(self, other: Person, booking: str, month: int = MONTH) -> Item:
        """Our half of a completed pair."""
        statement = other.states(self, booking, month)
        return self.writes(Completion, month=month, statement=statement.raw)

    def reviews(
        self, other: Person, booking: str, stars: int, month: int = MONTH, text: str = "thanks"
    ) -> Item:
        salt = seed(f"{self.name} {booking}")[:16]
        content = content_bytes(ReviewContent(stars=Stars(overall=stars), text=text, salt=salt))
        return self.writes(
            Review,
            month=month,
            beside=content,
            subject=other.author,
            booking=hashed(booking),
            content=content_hash(content),
        )

    def vouches(self, other: Person, stands: bool = True, month: int = MONTH) -> Item:
        return self.writes(Vouch, month=month, subject=other.author, stands=stands)

    def writes(self, kind: type[Any], *, month: int, beside: bytes | None = None, **fields: Any) -> Item:
        """Signs the next entry of the log."""
        return self.signs(kind, len(self.log) + 1, month=month, beside=beside, **fields)

    def signs(
        self,
        kind: type[Any],
        sequence: int,
        *,
        month: int = MONTH,
        beside: bytes | None = None,
        **fields: Any,
    ) -> Item:
        """Signs entry `sequence` on top of those before it, forgetting what this log had from there on: so a
        second call with the same sequence makes a fork."""
        del self.log[sequence - 1 :], self.ids[sequence - 1 :]
        target = skip_target(sequence)
        body = kind(
            author=self.author,
            sequence=sequence,
            previous=self.ids[-1] if self.ids else self.author,
            skip=None if target is None else self.ids[target - 1],
            month=month,
            region=REGION,
            **fields,
        )
        record = sign(body, self.device, self.network)
        item = Item(raw=record.raw, content=beside)
        self.log.append(item)
        self.ids.append(record.id)
        return item


def hashed(booking: str) -> bytes:
    return booking_hash(seed(booking), seed(f"{booking} receipt"))


def directory_of(*people: Person) -> Directory:
    directory = Directory(NETWORK)
    for person in people:
        directory.learn(person.bundle.to_bytes())
    return directory
