"""Who this node is: the author it speaks for and the device key it signs with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from .record import Record, sign

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Me:
    """author: 32-byte identity. bundle: its genesis and delegations. device_seed: never shown or logged."""

    author: bytes
    bundle: bytes
    network: str
    device_seed: bytes = field(repr=False)

    def sign(self, body: T) -> Record[T]:
        """Signs with the device key."""
        return sign(body, self.device_seed, self.network)
