"""What a wallbox is asked to set up: few things, once, because some boxes reboot over each wish.

Only two measurands are ever asked for: asked for all, some boxes reboot in a loop.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from ocpp.v16 import call

from .errors import WallboxError
from .link import Link

log = logging.getLogger(__name__)

MEASURANDS = "Energy.Active.Import.Register,Power.Active.Import"
REGISTER_ONLY = "Energy.Active.Import.Register"
PROFILE_ID = 1
_VOLTS = 230
_PHASES = 3  # unknown for most boxes; with fewer phases the limit in amperes comes out lower, never higher


async def set_up(
    link: Link,
    sample_s: int,
    owner_tags: Sequence[str],
    plug_and_charge: bool,
    version: int,
    *,
    again: bool,
) -> None:
    """Readings at our pace, and the owner's tags known to the box itself, so that they also work with the
    node down. A box that refuses one wish is asked for the others; raises WallboxError once it is gone.

    `again`: it was set up otherwise before, and may know tags that count no more.
    """
    if await _set(link, "MeterValuesSampledData", MEASURANDS) == "Rejected":
        await _set(link, "MeterValuesSampledData", REGISTER_ONLY)
    await _set(link, "MeterValueSampleInterval", str(sample_s))
    if again:
        await admit(link, owner_tags, plug_and_charge, version)
        return
    if plug_and_charge:
        await _set(link, "AllowOfflineTxForUnknownId", "true")
    if owner_tags:
        await _know_tags(link, owner_tags, version)


async def admit(link: Link, owner_tags: Sequence[str], plug_and_charge: bool, version: int) -> None:
    """Only who may charge with the node down, after a person changed that: a tag that was taken away is
    taken from the box as well. Raises WallboxError once the box is gone."""
    await _set(link, "AllowOfflineTxForUnknownId", "true" if plug_and_charge else "false")
    await _know_tags(link, owner_tags, version)


async def _know_tags(link: Link, owner_tags: Sequence[str], version: int) -> None:
    await _set(link, "LocalAuthListEnabled", "true")
    await _set(link, "LocalAuthorizeOffline", "true")
    entries = [{"id_tag": tag, "id_tag_info": {"status": "Accepted"}} for tag in owner_tags]
    wish = call.SendLocalList(list_version=version, update_type="Full", local_authorization_list=entries)
    await _wish(link, wish)


async def ask_for_news(link: Link, connector: int, charging: bool) -> None:
    """The state, and while charging a reading, of a box that came back without a boot."""
    await _wish(link, call.TriggerMessage(requested_message="StatusNotification", connector_id=connector))
    if charging:
        await _wish(link, call.TriggerMessage(requested_message="MeterValues", connector_id=connector))


async def limit_power(link: Link, watts: int | None) -> None:
    """At most `watts` from now on, for this session and later ones; None takes the limit away.

    Boxes that know no watts are told amperes. Raises WallboxError if neither is taken.
    """
    if watts is None:
        await link.ask(call.ClearChargingProfile(id=PROFILE_ID))
        return
    amperes = int(watts * 10 / (_VOLTS * _PHASES)) / 10
    for unit, limit in (("W", float(watts)), ("A", amperes)):
        if await _refusable(link, _profile(unit, limit)) == "Accepted":
            return
    raise WallboxError("wallbox-refused", "The wallbox takes no power limit.")


def _profile(unit: str, limit: float) -> Any:
    schedule = {
        "charging_rate_unit": unit,
        "charging_schedule_period": [{"start_period": 0, "limit": limit}],
    }
    profile = {
        "charging_profile_id": PROFILE_ID,
        "stack_level": 0,
        "charging_profile_purpose": "TxDefaultProfile",
        "charging_profile_kind": "Relative",
        "charging_schedule": schedule,
    }
    return call.SetChargingProfile(connector_id=0, cs_charging_profiles=profile)


async def _set(link: Link, key: str, value: str) -> str:
    return await _wish(link, call.ChangeConfiguration(key=key, value=value))


async def _wish(link: Link, request: Any) -> str:
    status = await _refusable(link, request)
    if status not in ("Accepted", "RebootRequired"):
        log.info("wallbox %s: %s was answered %s", link.id, type(request).__name__, status)
    return status


async def _refusable(link: Link, request: Any) -> str:
    """The box's answer, "Rejected" where it is an error; raises WallboxError only for a box that is gone."""
    try:
        return await link.ask(request)
    except WallboxError as error:
        if error.code in ("wallbox-offline", "wallbox-timeout"):
            raise
        return "Rejected"
