"""Who appears in the vectors: a host and a driver from fixed seeds, at a fixed time, on one network."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from chargemesh_protocol.identity import ALL_SCOPES, Bundle, Delegation, Genesis, public_key
from chargemesh_protocol.record import Record, sign

NETWORK = "chargemesh-test-vectors"
OTHER_NETWORK = "chargemesh-test-other"
NOW = 1_804_500_000_000  # Mon 2027-03-08 10:00 UTC, a quarter hour
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
MONTH = (2027 - 1970) * 12 + 2  # March 2027


def seed(name: str) -> bytes:
    """The 32-byte seed of a key of the vectors."""
    return sha256(f"chargemesh vectors: {name}".encode()).digest()


def hashed(name: str) -> bytes:
    """32 bytes that stand for an id of something that isn't there."""
    return sha256(f"chargemesh vectors, an id: {name}".encode()).digest()


@dataclass(frozen=True, slots=True)
class Person:
    """An identity whose root signed one delegation, of 30 days, for one device key."""

    name: str

    @property
    def root(self) -> bytes:
        return seed(f"{self.name} root")

    @property
    def recovery(self) -> bytes:
        return seed(f"{self.name} recovery")

    @property
    def device(self) -> bytes:
        return seed(f"{self.name} device")

    @property
    def genesis(self) -> Record[Genesis]:
        keys = (public_key(self.recovery),)
        return sign(Genesis(issued=NOW - DAY, root=public_key(self.root), recovery=keys), self.root, NETWORK)

    @property
    def author(self) -> bytes:
        return self.genesis.id

    def delegation(self, by: bytes | None = None, **changes: Any) -> Record[Delegation]:
        """A delegation of the device, with other fields or by another seed than the root's if so told."""
        fields: dict[str, Any] = {
            "author": self.author,
            "issued": NOW - DAY,
            "device": public_key(self.device),
            "scopes": ALL_SCOPES,
            "expires": NOW + 29 * DAY,
            "sequence": 1,
            "previous": self.author,
        }
        return sign(Delegation(**(fields | changes)), self.root if by is None else by, NETWORK)

    def bundle(self, *delegations: Record[Delegation]) -> bytes:
        """The bundle with these delegations, or with the usual one."""
        return Bundle(self.genesis, delegations or (self.delegation(),)).to_bytes()

    def sign(self, body: Any) -> Record[Any]:
        """By the device."""
        return sign(body, self.device, NETWORK)


ALICE = Person("Alice")  # the host
BOB = Person("Bob")  # the driver
CARL = Person("Carl")  # nobody of the others knows him
