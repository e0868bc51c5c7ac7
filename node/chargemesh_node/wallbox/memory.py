"""What one charger's driver knows of sessions and tags, and how that survives a restart of the node."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from chargemesh_protocol.charging.admission import Admission, Verdict
from chargemesh_protocol.charging.ledger import Ledger
from chargemesh_protocol.errors import ChargemeshError

from .book import SessionBook

log = logging.getLogger(__name__)


async def read_memory(book: SessionBook, charger_id: str) -> dict[str, Any]:
    """The JSON map kept for a charger; an empty one where there is none, or none that can be read."""
    blob = await book.load(charger_id)
    if blob is None:
        return {}
    try:
        memory = json.loads(blob)
    except (ValueError, RecursionError):
        memory = None
    if not isinstance(memory, dict):
        log.warning("wallbox %s: its memory is damaged and begins anew", charger_id)
        return {}
    return memory


async def write_memory(book: SessionBook, charger_id: str, memory: dict[str, Any]) -> None:
    """Keeps it. A store that can't (a full disk) is told of and survived: the owner's car charges anyway."""
    blob = json.dumps(memory, separators=(",", ":")).encode()
    try:
        await book.save(charger_id, blob)
    except ChargemeshError as error:
        log.warning("wallbox %s: its memory could not be kept: %s", charger_id, error)


class ChargerMemory:
    """A charger's ledger, its tags, and what its box was last set up as."""

    def __init__(
        self,
        book: SessionBook,
        charger_id: str,
        owner_tags: Sequence[str],
        plug_and_charge: bool,
        max_power_w: int,
    ) -> None:
        self._book = book
        self._charger_id = charger_id
        self._max_power_w = max_power_w
        self.admission = Admission(owner_tags, plug_and_charge)
        self.ledger = Ledger(max_power_w=max_power_w)
        self.set_up_as = ""
        self._speed = 1

    def believe_speed(self, speed: int) -> None:
        """No register is believed to rise faster than `max_power_w`, times a virtual wallbox's speed."""
        self._speed = speed
        self.ledger.max_power_w = self._max_power_w * speed

    def believe_power(self, max_power_w: int) -> None:
        self._max_power_w = max_power_w
        self.believe_speed(self._speed)

    def admit(self, owner_tags: Sequence[str], plug_and_charge: bool) -> bool:
        """The owner's tags are these from now on; booked ones stay. False where nothing changes."""
        before = self.admission
        if (before.owner_tags, before.plug_and_charge) == (tuple(owner_tags), plug_and_charge):
            return False
        self.admission = Admission(owner_tags, plug_and_charge, before.grants)
        return True

    async def keep(self) -> None:
        memory = {
            "ledger": self.ledger.encode(),
            "grants": list(self.admission.grants),
            "set_up_as": self.set_up_as,
            "speed": self._speed,
        }
        await write_memory(self._book, self._charger_id, memory)

    async def recall(self) -> None:
        """As it was kept; what can't be read begins anew, with numbers that were never given before."""
        memory = await read_memory(self._book, self._charger_id)
        if not memory:
            return
        try:
            self.ledger = Ledger.decode(memory["ledger"], self._max_power_w)
            for tag, until in memory["grants"]:
                self.admission.grant(str(tag), int(until))
            self.set_up_as = str(memory["set_up_as"])
            self.believe_speed(int(memory["speed"]))
        except (KeyError, TypeError, ValueError) as error:
            log.warning("wallbox %s: its memory can't be read (%s) and begins anew", self._charger_id, error)

    def id_tag_info(self, tag: str, verdict: Verdict) -> dict[str, str]:
        """OCPP's IdTagInfo for what was decided about a tag."""
        if verdict is Verdict.EXPIRED:
            return {"status": "Expired"}
        if not verdict.allowed:
            return {"status": "Invalid"}
        until = self.admission.until(tag) if verdict is Verdict.BOOKED else None
        if until is None:
            return {"status": "Accepted"}
        expiry = datetime.fromtimestamp(until / 1000, UTC).isoformat(timespec="seconds")
        return {"status": "Accepted", "expiry_date": expiry.replace("+00:00", "Z")}
