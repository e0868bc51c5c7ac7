"""The virtual wallbox's connection: boots once, says what its outbox holds, comes back when it is lost."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any

from ocpp.exceptions import OCPPError
from ocpp.v16 import call
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.headers import build_authorization_basic
from websockets.typing import Subprotocol

from .faults import Faults
from .link import VIRTUAL_VENDOR
from .tasks import cancel_all
from .virtual_link import Box, BoxLink
from .virtual_outbox import Item, Outbox, Start, State, Stop, VirtualSession

Tell = Callable[[str, dict[str, Any]], None]

ANSWER_TIMEOUT_S = 15.0
_RECONNECT_S = 0.5
_LOST = (OSError, TimeoutError, InvalidHandshake, ConnectionClosed, OCPPError)


class VirtualConnection:
    """`state` gives the state to announce; `refused` hears of sessions whose tag was not accepted."""

    def __init__(
        self,
        url: str,
        charger_id: str,
        password: str | None,
        *,
        box: Box,
        outbox: Outbox,
        faults: Faults,
        speed: float,
        tell: Tell,
        state: Callable[[], str],
        refused: Callable[[VirtualSession], None],
    ) -> None:
        self._url = url
        self._charger_id = charger_id
        self._headers = {} if password is None else {
            "Authorization": build_authorization_basic(charger_id, password)
        }  # fmt: skip
        self._box = box
        self._outbox = outbox
        self._faults = faults
        self._speed = speed
        self._tell = tell
        self._state = state
        self._refused = refused
        self._socket: ClientConnection | None = None
        self._link: BoxLink | None = None
        self._booted = False
        self._away_until = 0.0
        self.boots = 0
        self.online = asyncio.Event()

    @property
    def connected(self) -> bool:
        """Whether it has booted and can be talked to."""
        return self._link is not None

    async def run(self) -> None:
        """Connects, and connects again, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(max(0.0, self._away_until - loop.time()))
            try:
                await self._connect_once()
            except _LOST as error:
                self._tell("offline", {"why": str(error) or type(error).__name__})
            self._away_until = max(self._away_until, loop.time() + _RECONNECT_S)

    def vanish(self, seconds: float) -> None:
        """The socket is gone without a word, and for so long."""
        self._away_until = asyncio.get_running_loop().time() + seconds
        if self._socket is not None:
            self._socket.transport.abort()

    def reboot(self) -> None:
        self._booted = False
        self.vanish(0)

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()

    async def authorise(self, tag: str) -> str | None:
        """The central system's word on a tag; None where it can't be asked."""
        link = self._link
        if link is None:
            return None
        try:
            answer = await link.call(call.Authorize(id_tag=tag), suppress=False)
        except _LOST:
            return None
        return str(answer.id_tag_info["status"])

    async def _connect_once(self) -> None:
        async with connect(
            self._url,
            additional_headers=self._headers,
            subprotocols=None if self._faults.no_subprotocol else [Subprotocol("ocpp1.6")],
            compression=None,
            proxy=None,
            close_timeout=1.0,
            user_agent_header=None,
        ) as socket:
            self._socket = socket
            link = BoxLink(self._charger_id, socket, self._box, ANSWER_TIMEOUT_S)
            tasks = {asyncio.create_task(link.start()), asyncio.create_task(self._speak(link))}
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._link = self._socket = None
                self.online.clear()
                self._outbox.forget_states()
                await cancel_all(tasks)
            for task in done:
                task.result()

    async def _speak(self, link: BoxLink) -> None:
        heartbeat_s = 60
        if not self._booted:
            boot = call.BootNotification(
                charge_point_vendor=VIRTUAL_VENDOR,
                charge_point_model="virtual",
                meter_type=f"virtual x{max(1, math.ceil(self._speed))}",
            )
            answer = await link.call(boot, suppress=False)
            self._booted, heartbeat_s = True, max(1, answer.interval)
            self.boots += 1
        self._link = link
        self.online.set()
        self._tell("online", {})
        self._outbox.put(State(self._state()))
        while True:
            try:
                async with asyncio.timeout(heartbeat_s):
                    item = await self._outbox.head()
            except TimeoutError:
                await link.call(call.Heartbeat(), suppress=False)
                continue
            await self._say(link, item)
            if self._faults.duplicates and not isinstance(item, State):
                await self._say(link, item)
            self._outbox.drop(item)

    async def _say(self, link: BoxLink, item: Item) -> None:
        try:
            answer = await link.call(item.request(self._outbox.number_of(item)), suppress=False)
        except OCPPError as error:
            # A CALLERROR: said again, it would be refused again.
            self._tell("message refused", {"why": str(error)})
            return
        if isinstance(item, Start):
            item.session.number = answer.transaction_id
            if answer.id_tag_info["status"] != "Accepted":
                self._refused(item.session)
        elif isinstance(item, Stop) and item.session.number is not None:
            self._outbox.previous_number = item.session.number
