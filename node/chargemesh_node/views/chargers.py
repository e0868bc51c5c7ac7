"""A host's own chargers: the settings as they were given, what strangers see of them, and the wallbox."""

from __future__ import annotations

from typing import Any, TypedDict

from chargemesh_protocol.chargers import ChargerSettings, make_listing
from chargemesh_protocol.charging.reports import WallboxStatus
from chargemesh_protocol.listing_text import describe_place
from chargemesh_protocol.price_periods import split_periods
from chargemesh_protocol.schedule import format_hours
from chargemesh_protocol.tariff import Tariff
from chargemesh_protocol.tariff_text import describe_tariff
from chargemesh_protocol.terms import describe_terms
from chargemesh_protocol.units import format_duration

from ..node import Node
from . import policy
from .calendar import Busy, busy_view, periods_as_json, rules_as_json
from .listings import (
    Cell,
    ConnectorView,
    Prices,
    Rules,
    cell_view,
    connector_view,
    prices_view,
    rules_view,
)
from .values import Instant, instant

_SIMPLE = {"ENERGY": "per_kwh", "TIME": "per_hour", "PARKING_TIME": "parking_per_hour", "FLAT": "flat"}


class Offered(TypedDict):
    """The listing as it was last signed; sequence grows with every change."""

    sequence: int
    issued: Instant
    expires: Instant


class WallboxState(TypedDict):
    """How the box stands. state: OCPP 1.6's ChargePointStatus. owner: the session is the owner's own.
    session: the box's name of the running session; held_back: values that could not be believed."""

    connected: bool
    state: str
    session: str | None
    owner: bool
    register_wh: int | None
    power_w: int | None
    seen_at: Instant | None
    held_back: int


class ChargerLine(TypedDict):
    """One charger in a list. listed: strangers can find it. superseded: other nodes know a newer listing
    than ours, signed by another node as this identity. sentence: what it offers."""

    id: str
    title: str
    paused: bool
    listed: bool
    superseded: bool
    sentence: str
    driver: str
    wallbox: WallboxState | None
    reserved: int


class ChargerView(ChargerLine):
    """settings: as `POST /v1/chargers` takes them, without the wallbox's password and options and without
    `busy_from`. who_may: its rules for bookings, in words. busy: how it stands with the calendar that is read
    there, null for none."""

    settings: dict[str, Any]
    who_may: policy.RulesView
    busy: Busy | None
    listing: Offered | None
    cell: Cell


class Preview(TypedDict):
    """What strangers would see: nothing else of these settings leaves the node before an address is due."""

    sentence: str
    place: str
    cell: Cell
    title: str
    connectors: list[ConnectorView]
    prices: Prices
    rules: Rules
    terms: str
    parking: str
    access_method: str
    hours: str
    contact: list[str]


class WallboxView(TypedDict):
    """How to connect the wallbox: url and id go into the box, with the password. driver: ocpp, manual or an
    installed one, which was told `options`."""

    charger: str
    driver: str
    url: str
    id: str
    password: str
    options: dict[str, str]
    state: WallboxState | None


def charger_line(node: Node, settings: ChargerSettings) -> ChargerLine:
    engine = node.runner.engine
    return {
        "id": settings.charger.hex(),
        "title": settings.about.title,
        "paused": settings.paused,
        "listed": is_listed(node, settings.charger),
        "superseded": bool(superseded_at(node, settings.charger)),
        "sentence": sentence(settings),
        "driver": settings.wallbox.driver,
        "wallbox": wallbox_state(node.wallboxes.status(settings.charger), settings.hours.zone),
        "reserved": len(engine.calendar.busy(settings.charger, node.clock.now())),
    }


def is_listed(node: Node, charger: bytes) -> bool:
    """Whether strangers can find it, as far as this node knows."""
    engine = node.runner.engine
    offered = engine.listings.listing(charger) is not None
    return offered and not engine.keeper.read_only and not superseded_at(node, charger)


def superseded_at(node: Node, charger: bytes) -> list[str]:
    """Nodes (PeerIds) that know a newer listing of it, which this one never signed."""
    announcement = node.announcer.announcements.get(charger)
    if announcement is None or announcement.record is None:
        return []
    # What was gossiped to our own caretaker tells at once, others only when they are told of a change.
    newest = node.caretaker.newest((node.me.author, charger))
    heard = newest is not None and newest.version[0] > announcement.sequence
    return list(dict.fromkeys([node.network.contact.peer_id] * heard + announcement.superseded_at()))


def charger_view(node: Node, settings: ChargerSettings) -> ChargerView:
    listing = node.runner.engine.listings.listing(settings.charger)
    zone = settings.hours.zone
    offered: Offered | None = None
    if listing is not None:
        body = listing.body
        offered = {
            "sequence": body.sequence,
            "issued": instant(body.issued, zone),
            "expires": instant(body.expires, zone),
        }
    return {
        **charger_line(node, settings),
        "settings": settings_as_json(settings),
        "who_may": policy.rules_view(settings),
        "busy": busy_view(settings, node.runner.engine.imports.kept(settings.charger)),
        "listing": offered,
        "cell": cell_view(settings.cell),
    }


def preview(node: Node, settings: ChargerSettings) -> Preview:
    """From the very listing that would be signed, so that it can't promise another."""
    listing = make_listing(
        settings,
        author=node.me.author,
        sequence=1,
        contact=node.network.contact,
        busy=(),
        now=node.clock.now(),
    )
    return {
        "sentence": sentence(settings),
        "place": _place_sentence(listing.cell),
        "cell": cell_view(listing.cell),
        "title": listing.about.title,
        "connectors": [connector_view(one) for one in listing.connectors],
        "prices": prices_view(listing),
        "rules": rules_view(listing),
        "terms": describe_terms(listing.terms, listing.tariff.currency),
        "parking": listing.about.parking.value,
        "access_method": listing.about.access_method,
        "hours": format_hours(settings.hours),
        "contact": list(listing.contact.addresses),
    }


def sentence(settings: ChargerSettings) -> str:
    """The listing in a few: "Garage: 11 kW Type 2 (socket). 0.35 EUR per kWh. Always offered …"."""
    plugs = ", ".join(connector_view(one)["text"] for one in settings.connectors)
    hours = format_hours(settings.hours)
    offered = "Always offered" if hours == "always" else f"Offered {hours}"
    rules = settings.shown_rules
    lengths = (
        f"{format_duration(rules.min_minutes * 60_000)} to {format_duration(rules.max_minutes * 60_000)}"
    )
    if settings.host_policy.words is not None:
        answer = " ".join(policy.rules_view(settings)["sentences"])
    elif not rules.instant:
        answer = "You answer each request yourself."
    elif settings.strangers.on_request:
        answer = "Drivers you know are accepted at once; you answer first-timers yourself."
    else:
        answer = "Every request that keeps the rules is accepted at once."
    title = settings.about.title or "Your charger"
    return (
        f"{title}: {plugs}. {describe_tariff(settings.tariff)} {offered} ({settings.hours.zone}), "
        f"for {lengths}. {answer}"
    )


def wallbox_state(status: WallboxStatus | None, zone: str) -> WallboxState | None:
    if status is None:
        return None
    return {
        "connected": status.connected,
        "state": status.connector_state,
        "session": status.session,
        "owner": status.owner,
        "register_wh": status.register_wh,
        "power_w": status.power_w,
        "seen_at": instant(status.seen_at, zone) if status.seen_at else None,
        "held_back": status.held_back,
    }


def settings_as_json(settings: ChargerSettings, *, with_password: bool = False) -> dict[str, Any]:
    """What `POST /v1/chargers` would take to make this charger again (see `api.charger_body`)."""
    home, rules, terms, strangers = settings.home, settings.rules, settings.terms, settings.strangers
    return {
        "title": settings.about.title,
        "home": {
            "address": home.address,
            "latitude": home.latitude / 1e6,
            "longitude": home.longitude / 1e6,
            "way": home.way,
            "code": home.code,
            "phone": home.phone,
        },
        "resolution": settings.resolution,
        "connectors": [
            {
                "type": one.type,
                "format": one.format.value,
                "power_type": one.power_type.value,
                "max_power_w": one.max_power_w,
            }
            for one in settings.connectors
        ],
        "tariff": _tariff_as_json(settings.tariff),
        "hours": {"zone": settings.hours.zone, "text": format_hours(settings.hours)},
        "rules": {name: getattr(rules, name) for name in rules.__slots__},
        "terms": {
            **{name: getattr(terms, name) for name in terms.__slots__ if name != "tiers"},
            "tiers": [
                {"minutes_before": one.minutes_before, "percent": one.percent, "fixed": one.fixed}
                for one in terms.tiers
            ],
        },
        "about": {
            "parking": settings.about.parking.value,
            "access_method": settings.about.access_method,
            "amenities": list(settings.about.amenities),
            "languages": list(settings.about.languages),
        },
        "strangers": {name: getattr(strangers, name) for name in strangers.__slots__},
        "access_lead_minutes": settings.access_lead_minutes,
        "wallbox": {
            "driver": settings.wallbox.driver,
            **(_secrets(settings) if with_password else {}),
            "owner_tags": list(settings.wallbox.owner_tags),
            "plug_and_charge": settings.wallbox.plug_and_charge,
        },
        "payee": {"name": settings.payee_name, "account": settings.payee_account},
        "ticket_seconds": settings.ticket_seconds,
        "paused": settings.paused,
        "calendar": rules_as_json(settings.calendar_rules),
        "policy": policy.policy_as_json(settings.host_policy),
        **({"busy_from": settings.busy_from or ""} if with_password else {}),
    }


def _secrets(settings: ChargerSettings) -> dict[str, Any]:
    """The password, and options, which may hold another."""
    options = {one.name: one.value for one in settings.wallbox.options or ()}
    return {"password": settings.wallbox.password, "options": options}


def _tariff_as_json(tariff: Tariff) -> dict[str, Any]:
    """Prices by name where they hold always or by period; the elements otherwise."""
    plain = {
        "currency": tariff.currency,
        "min_price": tariff.min_price,
        "max_price": tariff.max_price,
        "tax_bp": tariff.tax_bp,
        "tax_included": tariff.tax_included,
    }
    split = split_periods(tariff)
    if split is not None and len(split[0].elements) <= 1:
        components = split[0].elements[0].components if split[0].elements else ()
        if all(one.step == 1 for one in components):
            named = {_SIMPLE[one.dimension.value]: one.price for one in components}
            return {**plain, **named, "by_period": periods_as_json(split[1])}
    elements = []
    for element in tariff.elements:
        priced: dict[str, Any] = {
            "components": [
                {"dimension": one.dimension.value, "price": one.price, "step": one.step}
                for one in element.components
            ]
        }
        if element.restrictions is not None:
            limits = {name: getattr(element.restrictions, name) for name in element.restrictions.__slots__}
            priced["restrictions"] = {name: value for name, value in limits.items() if value is not None}
        elements.append(priced)
    return {**plain, "elements": elements}


def _place_sentence(cell: int) -> str:
    return f"Strangers see {describe_place(cell)}. Your address goes only to a driver you accepted."
