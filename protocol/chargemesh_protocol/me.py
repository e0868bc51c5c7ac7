"""Who this node is: the author it speaks for and the device key it signs with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from .clock import NewestSigned
from .encoding import TreeMap
from .record import Record, sign, sign_foreign

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Me:
    """author: 32-byte identity. bundle: its genesis and delegations. device_seed: never shown or logged."""

    author: bytes
    bundle: bytes
    network: str
    device_seed: bytes = field(repr=False)
    newest: NewestSigned = field(default_factory=NewestSigned, compare=False, repr=False)

    def sign(self, body: T) -> Record[T]:
        """Signs with the device key, and remembers the newest instant that it signed."""
        self.newest.note(getattr(body, "issued", 0))
        return sign(body, self.device_seed, self.network)

    def sign_foreign(self, kind: str, beginning: T, more: TreeMap) -> Record[T]:
        """As `record.sign_foreign`, with the device key."""
        return sign_foreign(kind, beginning, more, self.device_seed, self.network)
