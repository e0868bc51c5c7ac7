"""The virtual wallbox's end of a connection: what a charge point answers to a central system."""

from __future__ import annotations

import logging
from typing import Any, Protocol

import ocpp.messages
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result
from ocpp.v16.enums import Action
from websockets.asyncio.client import ClientConnection

log = logging.getLogger(__name__)

ocpp.messages.ASYNC_VALIDATION = False


class Box(Protocol):
    """What a charge point can be asked. Statuses are OCPP's."""

    def start_asked(self, tag: str, connector: int | None) -> str: ...

    def stop_asked(self, number: int) -> str: ...

    def limit_asked(self, watts: float | None) -> str: ...

    def setting_asked(self, key: str, value: str) -> str: ...

    def settings_shown(self) -> dict[str, str]: ...

    def tags_asked(self, tags: list[str]) -> str: ...

    def message_asked(self, message: str) -> str: ...

    def unlock_asked(self) -> str: ...

    def reset_asked(self) -> str: ...


class BoxLink(ChargePoint):
    """One connection of the virtual wallbox."""

    def __init__(self, charger_id: str, connection: ClientConnection, box: Box, timeout_s: float) -> None:
        quiet = logging.getLogger(f"{__name__}.wire")
        quiet.setLevel(logging.ERROR)
        super().__init__(charger_id, connection, response_timeout=timeout_s, logger=quiet)
        self._box = box

    @on(Action.remote_start_transaction)
    def on_remote_start_transaction(self, /, **facts: Any) -> Any:
        status = self._box.start_asked(facts["id_tag"], facts.get("connector_id"))
        return call_result.RemoteStartTransaction(status=status)

    @on(Action.remote_stop_transaction)
    def on_remote_stop_transaction(self, /, **facts: Any) -> Any:
        return call_result.RemoteStopTransaction(status=self._box.stop_asked(facts["transaction_id"]))

    @on(Action.set_charging_profile)
    def on_set_charging_profile(self, /, **facts: Any) -> Any:
        schedule = facts["cs_charging_profiles"]["charging_schedule"]
        limit = float(schedule["charging_schedule_period"][0]["limit"])
        watts = limit if schedule["charging_rate_unit"] == "W" else limit * 230 * 3
        return call_result.SetChargingProfile(status=self._box.limit_asked(watts))

    @on(Action.clear_charging_profile)
    def on_clear_charging_profile(self, /, **facts: Any) -> Any:
        return call_result.ClearChargingProfile(status=self._box.limit_asked(None))

    @on(Action.change_configuration)
    def on_change_configuration(self, /, **facts: Any) -> Any:
        return call_result.ChangeConfiguration(status=self._box.setting_asked(facts["key"], facts["value"]))

    @on(Action.get_configuration)
    def on_get_configuration(self, /, **facts: Any) -> Any:
        known = self._box.settings_shown()
        wanted = facts.get("key") or list(known)
        shown = [{"key": key, "readonly": False, "value": known[key]} for key in wanted if key in known]
        return call_result.GetConfiguration(
            configuration_key=shown, unknown_key=[key for key in wanted if key not in known]
        )

    @on(Action.send_local_list)
    def on_send_local_list(self, /, **facts: Any) -> Any:
        tags = [entry["id_tag"] for entry in facts.get("local_authorization_list", [])]
        return call_result.SendLocalList(status=self._box.tags_asked(tags))

    @on(Action.trigger_message)
    def on_trigger_message(self, /, **facts: Any) -> Any:
        return call_result.TriggerMessage(status=self._box.message_asked(facts["requested_message"]))

    @on(Action.unlock_connector)
    def on_unlock_connector(self, /, **facts: Any) -> Any:
        return call_result.UnlockConnector(status=self._box.unlock_asked())

    @on(Action.reset)
    def on_reset(self, /, **facts: Any) -> Any:
        return call_result.Reset(status=self._box.reset_asked())

    @on(Action.change_availability)
    def on_change_availability(self, /, **facts: Any) -> Any:
        return call_result.ChangeAvailability(status="Accepted")

    @on(Action.clear_cache)
    def on_clear_cache(self, /, **facts: Any) -> Any:
        return call_result.ClearCache(status="Accepted")
