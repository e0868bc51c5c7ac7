"""One connection of a wallbox: answers its calls through its Station, and asks it what the node wants.

Traps of the `ocpp` package that this module deals with: `call()` hides CALLERRORs unless told not to, and
deadlocks inside an `@on` handler (the handler runs in the loop that reads the answer); a clean close raises;
unmatched answers pile up without end; validation hops to a thread; unknown actions get the wrong code.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import ocpp.messages
from ocpp.exceptions import InternalError, OCPPError, ProtocolError
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result
from ocpp.v16.enums import Action
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from chargemesh_protocol.charging.ledger import StartFacts, StopFacts
from chargemesh_protocol.charging.samples import Sample, read_number, read_samples, read_time
from chargemesh_protocol.limits import (
    MAX_OCPP_BAD_FRAMES,
    MAX_OCPP_BURST_MESSAGES,
    MAX_OCPP_CONNECTORS,
    MAX_OCPP_MESSAGES_PER_SECOND,
    MAX_TAG_CHARS,
)

from .errors import WallboxError
from .frames import CALL, BadFrame, call_error, read_frame

log = logging.getLogger(__name__)

# Messages are small: checking one takes less than handing it to a thread.
ocpp.messages.ASYNC_VALIDATION = False


VIRTUAL_VENDOR = "chargemesh"
_VIRTUAL_METER = re.compile(r"virtual x([1-9]\d{0,4})")


class Station(Protocol):
    """What stands behind a connection. An IdTagInfo is a map with `status` and perhaps `expiry_date`."""

    def now(self) -> int: ...

    def heard(self) -> None: ...

    async def room(self) -> None:
        """Returns when a start or an end can be taken in."""
        ...

    async def connected(self, link: Link) -> None: ...

    def disconnected(self, link: Link) -> None: ...

    async def booted(self, fingerprint: str, speed: int) -> int:
        """The heartbeat interval in seconds. `speed` is how many times too fast the box counts energy."""
        ...

    async def status_changed(self, connector: int, state: str) -> None: ...

    async def tag_held_up(self, tag: str) -> dict[str, str]: ...

    async def session_started(self, facts: StartFacts) -> tuple[int, dict[str, str]]: ...

    async def meter_read(
        self, connector: int, transaction: int | None, samples: Sequence[Sample]
    ) -> None: ...

    async def session_stopped(self, facts: StopFacts) -> dict[str, str] | None: ...


class Link(ChargePoint):
    """One WebSocket. `serve` runs until it closes; `ask` may be called from anywhere but a handler."""

    def __init__(
        self, charger_id: str, connection: ServerConnection, station: Station, call_timeout_s: float
    ) -> None:
        super().__init__(charger_id, connection, response_timeout=call_timeout_s, logger=_WireLog())
        self._station = station
        self._awaited: set[str] = set()
        self._bad_frames = 0
        self._allowance, self._allowance_at = (
            float(MAX_OCPP_BURST_MESSAGES),
            asyncio.get_running_loop().time(),
        )
        self._asked = 0

    async def serve(self) -> None:
        """Reads and answers until the connection ends, however it ends."""
        await self._station.connected(self)
        try:
            await self.start()
        except ConnectionClosed:
            log.debug("wallbox %s: connection closed", self.id)
        finally:
            self._station.disconnected(self)

    async def hang_up(self, reason: str) -> None:
        await self._connection.close(1000, reason)

    async def ask(self, request: Any) -> str:
        """The `status` of the box's answer (empty where it has none). Raises WallboxError."""
        self._asked += 1
        unique_id = f"cm-{self._asked}"
        what = type(request).__name__
        self._awaited.add(unique_id)
        try:
            answer = await self.call(request, suppress=False, unique_id=unique_id)
        except TimeoutError:
            raise WallboxError("wallbox-timeout", f"The wallbox did not answer {what} in time.") from None
        except ConnectionClosed:
            raise WallboxError("wallbox-offline", "The wallbox went offline.") from None
        except (OCPPError, TypeError) as error:
            # A CALLERROR, or an answer that is none: TypeError comes from fields that don't belong there.
            raise WallboxError("wallbox-refused", f"The wallbox can't do {what}: {error}") from None
        finally:
            self._awaited.discard(unique_id)
        return str(getattr(answer, "status", ""))

    async def route_message(self, raw_msg: str | bytes) -> None:
        await self._pace()
        self._station.heard()
        try:
            frame = read_frame(raw_msg)
        except BadFrame as bad:
            await self._refuse(bad)
            return
        if frame.kind != CALL:
            if frame.unique_id in self._awaited:
                self._awaited.discard(frame.unique_id)
                await super().route_message(raw_msg)
        elif frame.action not in self.route_map:
            # OCPP-J 1.6, 4.2.3: an action that is not known is NotImplemented; the package has it reversed.
            await self._send(call_error(frame.unique_id, "NotImplemented", "This action is not known here."))
        else:
            await super().route_message(raw_msg)

    async def _refuse(self, bad: BadFrame) -> None:
        self._bad_frames += 1
        log.debug("wallbox %s: a message was dropped: %s", self.id, bad)
        if bad.answer is not None:
            await self._send(bad.answer)
        if self._bad_frames > MAX_OCPP_BAD_FRAMES:
            await self._connection.close(1008, "too many messages that are not OCPP")

    async def _pace(self) -> None:
        """Reads a flood more slowly; a backlog of days passes, only not at once."""
        now = asyncio.get_running_loop().time()
        earned = (now - self._allowance_at) * MAX_OCPP_MESSAGES_PER_SECOND
        self._allowance = min(float(MAX_OCPP_BURST_MESSAGES), self._allowance + earned) - 1
        self._allowance_at = now
        if self._allowance < 0:
            await asyncio.sleep(-self._allowance / MAX_OCPP_MESSAGES_PER_SECOND)

    async def _room(self) -> None:
        """Until a start or an end can be taken in. Meanwhile nothing else is read from this connection; a box
        that gives it up has had no answer, and says it again on the next one."""
        room = asyncio.ensure_future(self._station.room())
        gone = asyncio.ensure_future(self._connection.wait_closed())
        try:
            await asyncio.wait((room, gone), return_when=asyncio.FIRST_COMPLETED)
            if not room.done():
                raise InternalError(details={"cause": "the connection ended before this could be taken in"})
        finally:
            room.cancel()
            gone.cancel()

    # The schemas are left out where boxes are known to break them: a reading with one unknown unit, or a
    # stop without a reason, must not be lost over it. What is needed is checked here.

    @on(Action.boot_notification, skip_schema_validation=True)
    async def on_boot_notification(self, /, **facts: Any) -> Any:
        parts = (facts.get(key) for key in ("charge_point_vendor", "charge_point_model", "firmware_version"))
        fingerprint = "/".join(str(part)[:50] for part in parts)
        interval = await self._station.booted(fingerprint, virtual_speed(facts))
        return call_result.BootNotification(
            current_time=_iso(self._station.now()), interval=interval, status="Accepted"
        )

    @on(Action.heartbeat, skip_schema_validation=True)
    async def on_heartbeat(self, /, **facts: Any) -> Any:
        return call_result.Heartbeat(current_time=_iso(self._station.now()))

    @on(Action.status_notification, skip_schema_validation=True)
    async def on_status_notification(self, /, **facts: Any) -> Any:
        connector, state = _connector(facts), facts.get("status")
        if isinstance(state, str) and 0 < len(state) <= 20:
            await self._station.status_changed(connector, state)
        return call_result.StatusNotification()

    @on(Action.authorize, skip_schema_validation=True)
    async def on_authorize(self, /, **facts: Any) -> Any:
        return call_result.Authorize(id_tag_info=await self._station.tag_held_up(_tag(facts)))

    @on(Action.start_transaction, skip_schema_validation=True)
    async def on_start_transaction(self, /, **facts: Any) -> Any:
        start = StartFacts(
            connector=_connector(facts),
            tag=_tag(facts),
            meter_start_wh=_whole(facts.get("meter_start")) or 0,
            at=read_time(facts.get("timestamp")),
        )
        await self._room()
        number, info = await self._station.session_started(start)
        return call_result.StartTransaction(transaction_id=number, id_tag_info=info)

    @on(Action.meter_values, skip_schema_validation=True)
    async def on_meter_values(self, /, **facts: Any) -> Any:
        samples = read_samples(facts.get("meter_value"))
        await self._station.meter_read(_connector(facts), _whole(facts.get("transaction_id")), samples)
        return call_result.MeterValues()

    @on(Action.stop_transaction, skip_schema_validation=True)
    async def on_stop_transaction(self, /, **facts: Any) -> Any:
        reason = facts.get("reason")
        stop = StopFacts(
            transaction=_whole(facts.get("transaction_id")),
            tag=_tag(facts) if facts.get("id_tag") else None,
            meter_stop_wh=_whole(facts.get("meter_stop")),
            at=read_time(facts.get("timestamp")),
            reason=reason if isinstance(reason, str) and 0 < len(reason) <= 20 else "Local",
            samples=tuple(read_samples(facts.get("transaction_data"))),
        )
        await self._room()
        info = await self._station.session_stopped(stop)
        return call_result.StopTransaction(id_tag_info=info)

    @on(Action.data_transfer, skip_schema_validation=True)
    async def on_data_transfer(self, /, **facts: Any) -> Any:
        return call_result.DataTransfer(status="UnknownVendorId")

    @on(Action.diagnostics_status_notification, skip_schema_validation=True)
    async def on_diagnostics_status_notification(self, /, **facts: Any) -> Any:
        return call_result.DiagnosticsStatusNotification()

    @on(Action.firmware_status_notification, skip_schema_validation=True)
    async def on_firmware_status_notification(self, /, **facts: Any) -> Any:
        return call_result.FirmwareStatusNotification()

    @on(Action.security_event_notification, skip_schema_validation=True)
    async def on_security_event_notification(self, /, **facts: Any) -> Any:
        return call_result.SecurityEventNotification()


class _WireLog:
    """The logger that the `ocpp` package gets: no tags at info level, no stack trace over a box's fault."""

    def info(self, message: str, *values: object) -> None:
        log.debug(message, *values)

    def warning(self, message: str, *values: object) -> None:
        log.debug(message, *values)

    def error(self, message: str, *values: object) -> None:
        log.debug(message, *values)

    def exception(self, message: str, *values: object) -> None:
        fault = sys.exc_info()[1]
        if isinstance(fault, OCPPError):
            log.debug("a wallbox's message was refused: %s", fault)
        else:
            log.exception(message, *values)


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def virtual_speed(boot: dict[str, Any]) -> int:
    """How many times too fast our own virtual wallbox counts, which it says at its boot; 1 for a real one."""
    said = _VIRTUAL_METER.fullmatch(str(boot.get("meter_type", "")))
    return int(said[1]) if said is not None and boot.get("charge_point_vendor") == VIRTUAL_VENDOR else 1


def _connector(facts: dict[str, Any]) -> int:
    connector = _whole(facts.get("connector_id"))
    if connector is None or not 0 <= connector <= MAX_OCPP_CONNECTORS:
        raise ProtocolError(details={"cause": "connectorId is missing or out of range"})
    return connector


def _tag(facts: dict[str, Any]) -> str:
    tag = facts.get("id_tag")
    if not isinstance(tag, str) or len(tag) > MAX_TAG_CHARS:
        raise ProtocolError(details={"cause": "idTag is missing or too long"})
    return tag


def _whole(value: object) -> int | None:
    number = read_number(value)
    return None if number is None else int(number)
