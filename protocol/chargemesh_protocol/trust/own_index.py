"""What a start needs of each entry of the own log: its id, and what must not be said twice.

After years there are tens of thousands of entries, and opening one takes half a millisecond.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

_ID_BYTES = 32


class Says(Enum):
    """What an entry means to whoever writes the next one."""

    NOTHING = 0
    ONCE = 1  # `about` is the name of its draft, of which there will be no second
    STANDS = 2  # for `about`, an author
    STANDS_NO_LONGER = 3


@dataclass(frozen=True, slots=True)
class Indexed:
    """id, about: 32 bytes each."""

    id: bytes
    says: Says
    about: bytes

    def to_bytes(self) -> bytes:
        return self.id + bytes((self.says.value,)) + self.about


def read_index(data: bytes) -> Indexed:
    """ValueError for what `Indexed.to_bytes` can't have written."""
    if len(data) != 2 * _ID_BYTES + 1:
        raise ValueError("no index of an own entry")
    return Indexed(data[:_ID_BYTES], Says(data[_ID_BYTES]), data[_ID_BYTES + 1 :])
