"""A host's own chargers."""

from __future__ import annotations

from typing import Any, TypedDict

from chargemesh_protocol.booking.imported import source_of
from chargemesh_protocol.chargers import ChargerSettings
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.errors import ExitCode, PersonError
from chargemesh_protocol.events import PauseCharger, PutCharger, RemoveCharger

from ..addresses import is_loopback
from ..views.chargers import (
    ChargerLine,
    ChargerView,
    Preview,
    WallboxState,
    WallboxView,
    charger_line,
    charger_view,
    preview,
    settings_as_json,
    wallbox_state,
)
from ..wallbox.central import new_password
from ..wallbox.errors import WallboxError
from ..wallbox.manual import ManualDriver
from .charger_body import ChargerBody, Defaults, PayeeBody, StrangersBody, merged, settings_from
from .context import Call
from .reading import convert

_CHARGER_BYTES, _SECRET_BYTES = 16, 32


class Chargers(TypedDict):
    chargers: list[ChargerLine]


class Removed(TypedDict):
    id: str
    removed: bool


async def get_chargers(call: Call) -> Chargers:
    settings = call.node.runner.engine.listings.all_settings()
    return {"chargers": [charger_line(call.node, one) for one in settings]}


async def add_charger(call: Call) -> ChargerView:
    charger = call.node.ports.entropy.bytes(_CHARGER_BYTES)
    settings = settings_from(call.body, charger, _defaults(call))
    await _keep(call, settings)
    return _view(call, charger)


async def preview_new(call: Call) -> Preview:
    """What a charger would look like, before it is one; refused where it couldn't be listed then."""
    call.node.runner.engine.require_signing(call.node.clock.now())
    return preview(call.node, settings_from(call.body, bytes(_CHARGER_BYTES), _defaults(call)))


async def preview_changed(call: Call) -> Preview:
    """What a charger would look like with these changes, or as it is."""
    return preview(call.node, _changed(call))


async def get_charger(call: Call) -> ChargerView:
    return charger_view(call.node, call.charger())


async def change_charger(call: Call) -> ChargerView:
    settings = _changed(call)
    await _keep(call, settings)
    return _view(call, settings.charger)


async def remove_charger(call: Call) -> Removed:
    charger = call.charger().charger
    await call.node.command(RemoveCharger(charger))
    return {"id": charger.hex(), "removed": True}


async def pause_charger(call: Call) -> ChargerView:
    return await _pause(call, True)


async def resume_charger(call: Call) -> ChargerView:
    return await _pause(call, False)


async def get_wallbox(call: Call) -> WallboxView:
    settings = call.charger()
    id = settings.charger.hex()
    ocpp = settings.wallbox.driver == "ocpp"
    state = wallbox_state(call.node.wallboxes.status(settings.charger), settings.hours.zone)
    return {
        "charger": id,
        "driver": settings.wallbox.driver,
        "url": call.app.central.url(id, _host(call)) if ocpp else "",
        "id": id if ocpp else "",
        "password": settings.wallbox.password,
        "options": {one.name: one.value for one in settings.wallbox.options or ()},
        "state": state,
    }


async def enter_reading(call: Call) -> WallboxState:
    """What a person read on the meter of a charger that has no wallbox to say it."""
    settings = call.charger()
    driver = call.node.wallboxes.get(settings.charger)
    if not isinstance(driver, ManualDriver):
        raise PersonError(
            "not-manual",
            "The wallbox of this charger reads its meter itself.",
            "Readings are typed in for chargers with the manual driver only.",
            ExitCode.USAGE,
        )
    at = call.node.clock.now() if call.body.at is None else call.body.at
    try:
        await driver.enter_reading(call.body.register_wh, at, sure=call.body.sure)
    except WallboxError as error:
        if error.code != "unlikely-reading":
            raise
        hint = "Look at the digits again: it gets signed. If they are right, add `--sure`."
        raise PersonError(error.code, error.message, hint, ExitCode.USAGE) from error
    state = wallbox_state(driver.status, settings.hours.zone)
    assert state is not None
    return state


async def _keep(call: Call, settings: ChargerSettings) -> None:
    if settings.wallbox.driver == "ocpp":
        await call.app.open_wallbox_port()  # before anything is promised that needs it
    busy = None
    known = call.node.runner.engine.imports.kept(settings.charger)
    if settings.busy_from is not None and (known is None or known.source != source_of(settings)):
        busy = await call.node.busy.fetch(settings)  # before anybody can book what is taken
    await call.node.command(PutCharger(settings, busy))


async def _pause(call: Call, paused: bool) -> ChargerView:
    charger = call.charger().charger
    await call.node.command(PauseCharger(charger, paused))
    return _view(call, charger)


def _view(call: Call, charger: bytes) -> ChargerView:
    return charger_view(call.node, call.node.runner.engine.listings.require(charger))


def _changed(call: Call) -> ChargerSettings:
    settings = call.charger()
    before: dict[str, Any] = settings_as_json(settings, with_password=True)
    body = convert(merged(before, call.body), ChargerBody)
    return settings_from(body, settings.charger, _defaults(call, settings))


def _defaults(call: Call, kept: ChargerSettings | None = None) -> Defaults:
    booking, payee = call.app.config.booking, call.app.config.payee
    return Defaults(
        strangers=StrangersBody(
            on_request=booking.stranger_on_request,
            open_bookings=booking.stranger_open_bookings,
            max_minutes=booking.stranger_max_hours * 60,
            horizon_minutes=booking.stranger_horizon_hours * 60,
            access_records_a_week=booking.stranger_access_per_week,
        ),
        access_lead_minutes=booking.access_lead_minutes,
        payee=PayeeBody(payee.name, payee.iban),
        password=new_password(call.node.ports.entropy),
        secret=call.node.ports.entropy.bytes(_SECRET_BYTES),
        kept=kept,
    )


def _host(call: Call) -> str | None:
    """This machine as a wallbox on the LAN sees it; None leaves it to what the port is bound to."""
    bound = call.app.config.wallbox.host
    if bound not in ("0.0.0.0", "::"):
        return None
    return _lan_address(call.node.network.contact) or "127.0.0.1"


def _lan_address(contact: Contact) -> str | None:
    for address in contact.addresses:
        parts = address.split("/")
        if len(parts) > 2 and parts[1] == "ip4" and not is_loopback(parts[2]):
            return parts[2]
    return None
