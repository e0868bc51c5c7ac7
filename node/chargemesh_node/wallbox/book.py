"""Where a driver keeps what must survive a restart of the node: transaction numbers and last registers."""

from __future__ import annotations

from typing import Protocol


class SessionBook(Protocol):
    """A small blob (a few KiB) for each charger, replaced as a whole.

    Both raise a ChargemeshError where the store can't.
    """

    async def load(self, charger_id: str) -> bytes | None: ...

    async def save(self, charger_id: str, memory: bytes) -> None: ...


class MemoryBook:
    """A SessionBook that lasts as long as the process."""

    def __init__(self) -> None:
        self._memories: dict[str, bytes] = {}

    async def load(self, charger_id: str) -> bytes | None:
        return self._memories.get(charger_id)

    async def save(self, charger_id: str, memory: bytes) -> None:
        self._memories[charger_id] = memory
