"""What the virtual wallbox still has to say about its sessions: kept in order while it is offline."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any

from ocpp.v16 import call

from .faults import Faults
from .virtual_meter import iso

MAX_BUFFERED = 20_000  # two weeks at one reading a minute


@dataclass(slots=True)
class VirtualSession:
    """One session of the box; `number` is None until the central system gave one."""

    tag: str
    started_at: int
    start_wh: int
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Start:
    session: VirtualSession

    def request(self, number: int | None) -> Any:
        return call.StartTransaction(
            connector_id=1,
            id_tag=self.session.tag,
            meter_start=self.session.start_wh,
            timestamp=iso(self.session.started_at),
        )


@dataclass(frozen=True, slots=True)
class Values:
    session: VirtualSession | None
    meter_value: list[dict[str, Any]]

    def request(self, number: int | None) -> Any:
        return call.MeterValues(connector_id=1, meter_value=self.meter_value, transaction_id=number)


@dataclass(frozen=True, slots=True)
class Stop:
    session: VirtualSession
    register_wh: int
    at: int
    reason: str

    def request(self, number: int | None) -> Any:
        return call.StopTransaction(
            transaction_id=-1 if number is None else number,
            meter_stop=self.register_wh,
            timestamp=iso(self.at),
            id_tag=self.session.tag,
            reason=self.reason,
        )


@dataclass(frozen=True, slots=True)
class State:
    """A StatusNotification; not kept while offline, since only the present state matters."""

    state: str

    def request(self, number: int | None) -> Any:
        return call.StatusNotification(connector_id=1, error_code="NoError", status=self.state)


Item = Start | Values | Stop | State


class Outbox:
    """First in, first out; `number_of` bends transaction numbers as the faults say."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._items: deque[Item] = deque(maxlen=MAX_BUFFERED)
        self._filled = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.previous_number = 1

    def put(self, item: Item) -> None:
        self._items.append(item)
        self._idle.clear()
        self._filled.set()

    def forget_states(self) -> None:
        kept = [item for item in self._items if not isinstance(item, State)]
        self._items = deque(kept, maxlen=MAX_BUFFERED)

    async def head(self) -> Item:
        """The oldest item, left in place until `drop`."""
        while not self._items:
            self._idle.set()
            self._filled.clear()
            await self._filled.wait()
        return self._items[0]

    def drop(self, item: Item) -> None:
        if self._items and self._items[0] is item:
            self._items.popleft()

    async def emptied(self) -> None:
        """Until everything was sent and answered."""
        await self._idle.wait()

    def dead_number(self) -> int:
        return self.previous_number

    def number_of(self, item: Item) -> int | None:
        if isinstance(item, (Start, State)) or item.session is None:
            return None
        if isinstance(item, Stop) and self._faults.stop_minus_one:
            return -1
        return self.dead_number() if self._faults.dead_transaction else item.session.number
