"""A volunteer's disk that lives in memory, and outlives the node that uses it."""

from __future__ import annotations

from collections.abc import Sequence

from chargemesh_protocol.mailbox.places import HeldRow

from ..errors import StoreFull


class MemoryParcels:
    """ParcelStore of a simulation. `full`: nothing more fits."""

    def __init__(self) -> None:
        self.rows: dict[bytes, tuple[HeldRow, bytes]] = {}
        self.full = False

    async def open(self) -> list[HeldRow]:
        return [row for row, _ in self.rows.values()]

    async def put(self, row: HeldRow, sealed: bytes, replaces: bytes | None) -> None:
        if self.full:
            raise StoreFull("there is no room for more parcels")
        if replaces is not None:
            self.rows.pop(replaces, None)
        self.rows.setdefault(row.hash, (row, sealed))

    async def get(self, parcels: Sequence[bytes]) -> dict[bytes, bytes]:
        return {one: self.rows[one][1] for one in parcels if one in self.rows}

    async def drop(self, parcels: Sequence[bytes]) -> None:
        for one in parcels:
            self.rows.pop(one, None)

    async def close(self) -> None:
        """Nothing to do: the rows outlive the node."""
