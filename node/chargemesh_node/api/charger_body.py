"""A charger as clients send it, and its way into the settings that the node keeps.

`views.chargers.settings_as_json` writes the same shape, so that what was read can be changed and sent back.
"""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import Annotated, Any

from msgspec import Meta, Struct, field

from chargemesh_protocol.chargers import (
    DEFAULT_STRANGER_RULES,
    MAX_SOURCE_CHARS,
    ChargerSettings,
    DriverOption,
    Home,
    StrangerRules,
    WallboxSettings,
)
from chargemesh_protocol.errors import ExitCode, PersonError
from chargemesh_protocol.listing import (
    CONNECTOR_TYPES,
    About,
    BookingRules,
    Connector,
    ConnectorFormat,
    ParkingType,
    PowerType,
)
from chargemesh_protocol.money import parse_currency
from chargemesh_protocol.place import DEFAULT_RESOLUTION, Point
from chargemesh_protocol.schedule import parse_hours
from chargemesh_protocol.shape import to_tree
from chargemesh_protocol.tariff import (
    PriceComponent,
    Restrictions,
    Tariff,
    TariffDimension,
    TariffElement,
    simple_tariff,
)
from chargemesh_protocol.terms import CancellationTier, Terms

from ..extensions import BUILT_IN_DRIVERS, installed
from ..payments import check_account
from .bodies import Micro
from .calendar_body import CalendarBody, PricePeriodBody, rules_from, tariff_with
from .policy_body import PolicyBody, policy_from

_SIMPLE_PRICES = ("per_kwh", "per_hour", "parking_per_hour", "flat")
_NAMED_PRICES = (*_SIMPLE_PRICES, "by_period")


class HomeBody(Struct, forbid_unknown_fields=True):
    """The exact place in degrees, WGS 84. Told only to drivers whose booking was accepted."""

    address: str
    latitude: float
    longitude: float
    way: str = ""
    code: str = ""
    phone: str = ""


class ConnectorBody(Struct, forbid_unknown_fields=True):
    """Names are OCPI 2.3.0's."""

    type: str
    max_power_w: int
    format: ConnectorFormat = ConnectorFormat.SOCKET
    power_type: PowerType = PowerType.AC_3_PHASE


class ComponentBody(Struct, forbid_unknown_fields=True):
    dimension: TariffDimension
    price: Micro
    step: int = 1


class RestrictionsBody(Struct, forbid_unknown_fields=True):
    """Times in minutes after midnight; weekdays 1 Monday to 7 Sunday."""

    start_time: int | None = None
    end_time: int | None = None
    weekdays: list[int] | None = None
    min_power_w: int | None = None
    max_power_w: int | None = None


class ElementBody(Struct, forbid_unknown_fields=True):
    components: list[ComponentBody]
    restrictions: RestrictionsBody | None = None


class TariffBody(Struct, forbid_unknown_fields=True):
    """Prices in micro-units that hold always, and of a kWh `by_period`; or elements as OCPI has them.
    max_price 0: no limit."""

    currency: str
    per_kwh: Micro | None = None
    per_hour: Micro | None = None
    parking_per_hour: Micro | None = None
    flat: Micro | None = None
    by_period: list[PricePeriodBody] = []
    elements: list[ElementBody] | None = None
    min_price: Micro = 0
    max_price: Micro = 0
    tax_bp: Annotated[int, Meta(description="basis points: 1900 is 19 %")] = 0
    tax_included: bool = True


class HoursBody(Struct, forbid_unknown_fields=True):
    """text: "always", or "mon-fri 18:00-08:00; sat,sun 00:00-24:00". zone: an IANA name."""

    zone: str
    text: str = "always"


class RulesBody(Struct, forbid_unknown_fields=True):
    """instant: the rules answer, not a person. Durations in minutes; trust per mille."""

    instant: bool = True
    min_minutes: int = 15
    max_minutes: int = 24 * 60
    lead_minutes: int = 0
    min_trust: int = 0


class TierBody(Struct, forbid_unknown_fields=True):
    minutes_before: int
    percent: int = 0
    fixed: Micro = 0


class TermsBody(Struct, forbid_unknown_fields=True):
    """See `terms.Terms`: what it costs when a booking does not happen as agreed."""

    tiers: list[TierBody] = []
    no_show_percent: int = 0
    no_show_after: int = 30
    host_failure_percent: int = 0
    overstay_per_hour: Micro = 0
    overstay_grace: int = 15


class AboutBody(Struct, forbid_unknown_fields=True):
    parking: ParkingType = ParkingType.ON_DRIVEWAY
    access_method: str = "OPEN"
    amenities: list[str] = []
    languages: list[str] = []


class StrangersBody(Struct, forbid_unknown_fields=True):
    """What drivers may do whom this host has not dealt with; a field left out is as configured."""

    on_request: bool | None = None
    open_bookings: int | None = None
    max_minutes: int | None = None
    horizon_minutes: int | None = None
    access_records_a_week: int | None = None
    pending_requests: int | None = None


class WallboxBody(Struct, forbid_unknown_fields=True):
    """driver: ocpp, manual (people read the meter), or the name of an installed one, which is told `options`.
    password: made by the node where none is given. An option that is empty is taken away."""

    driver: str = "ocpp"
    password: str | None = None
    options: dict[str, str] = {}
    owner_tags: list[str] = []
    plug_and_charge: bool = True


class PayeeBody(Struct, forbid_unknown_fields=True):
    """account: an IBAN for SEPA transfers, or what an installed payment rail pays into; empty for payment
    by hand."""

    name: str = ""
    account: str = ""


class ChargerBody(Struct, forbid_unknown_fields=True):
    """One charger. What is left out has a default, or is as the configuration says."""

    home: HomeBody
    connectors: list[ConnectorBody]
    tariff: TariffBody
    hours: HoursBody
    title: str = ""
    resolution: Annotated[int, Meta(description="H3 resolution of the public cell, 4 to 8")] = (
        DEFAULT_RESOLUTION
    )
    rules: RulesBody = field(default_factory=RulesBody)
    terms: TermsBody = field(default_factory=TermsBody)
    about: AboutBody = field(default_factory=AboutBody)
    strangers: StrangersBody | None = None
    access_lead_minutes: int | None = None
    wallbox: WallboxBody = field(default_factory=WallboxBody)
    payee: PayeeBody | None = None
    ticket_seconds: int = 15
    paused: bool = False
    calendar: CalendarBody = field(default_factory=CalendarBody)
    policy: PolicyBody = field(default_factory=PolicyBody)
    busy_from: Annotated[
        str,
        Meta(
            max_length=MAX_SOURCE_CHARS,
            description="a calendar (.ics) whose times are taken: the path of a file on the node's machine, "
            "or an http(s) URL; empty for none",
        ),
    ] = ""


class Defaults(Struct, frozen=True):
    """What a new charger takes from the configuration. kept: the charger as it is, whose driver and account
    stand also while the extension that knows them is not installed."""

    strangers: StrangersBody
    access_lead_minutes: int
    payee: PayeeBody
    password: str
    secret: bytes  # of the code at a charger that has had none
    kept: ChargerSettings | None = None


def settings_from(body: ChargerBody, charger: bytes, defaults: Defaults) -> ChargerSettings:
    """The settings, checked whole; PersonError says which part can't be and why."""
    try:
        settings = _build(body, charger, defaults)
        to_tree(settings)  # every bound of every field
    except ValueError as error:
        reason = str(error).replace("ChargerSettings.", "").replace("schema: ", "")
        raise PersonError("bad-charger", f"This charger can't be: {reason}.", "", ExitCode.USAGE) from error
    return settings


def merged(before: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`before` with `changes` laid over it: objects field by field, everything else as a whole."""
    after = dict(before)
    for name, value in changes.items():
        if isinstance(value, dict) and isinstance(after.get(name), dict):
            kept = after[name]
            if name == "tariff":
                kept = _without_other_prices(kept, value)
            after[name] = merged(kept, value)
        else:
            after[name] = value
    return after


def _without_other_prices(tariff: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A tariff is written in one of two ways; the one that is sent ends the other."""
    gone = _NAMED_PRICES if "elements" in changes else ("elements",)
    if not changes.keys() & {*_NAMED_PRICES, "elements"}:
        return tariff
    return {name: value for name, value in tariff.items() if name not in gone}


def _stranger_rules(*said: StrangersBody | None) -> StrangerRules:
    """Of each field the first that says anything; in the end what the protocol has."""
    rules = DEFAULT_STRANGER_RULES
    for one in reversed(said):
        given = {} if one is None else _fields(one)
        rules = replace(rules, **{name: value for name, value in given.items() if value is not None})
    return rules


def _build(body: ChargerBody, charger: bytes, defaults: Defaults) -> ChargerSettings:
    payee = body.payee or defaults.payee
    lead = defaults.access_lead_minutes if body.access_lead_minutes is None else body.access_lead_minutes
    if not body.connectors:
        raise ValueError("it has no connector")
    return ChargerSettings(
        charger=charger,
        home=_home(body.home),
        resolution=body.resolution,
        connectors=tuple(_connector(one) for one in body.connectors),
        tariff=_tariff(body.tariff),
        hours=parse_hours(body.hours.text, body.hours.zone),
        rules=BookingRules(**_fields(body.rules)),
        terms=_terms(body.terms),
        about=About(
            title=body.title,
            parking=body.about.parking,
            access_method=body.about.access_method,
            amenities=tuple(body.about.amenities),
            languages=tuple(body.about.languages),
        ),
        strangers=_stranger_rules(body.strangers, defaults.strangers),
        access_lead_minutes=lead,
        wallbox=_wallbox(body.wallbox, defaults),
        paused=body.paused,
        payee_name=payee.name,
        payee_account=_account(payee, body.tariff.currency, defaults.kept),
        ticket_seconds=body.ticket_seconds,
        calendar=rules_from(body.calendar),
        policy=policy_from(body.policy, defaults.kept.policy if defaults.kept else None, defaults.secret),
        busy_from=body.busy_from or None,
    )


def _home(body: HomeBody) -> Home:
    if not body.address.strip():
        raise PersonError(
            "no-address", "The address is missing.", "Drivers need it to find the plug.", ExitCode.USAGE
        )
    try:
        Point(body.latitude, body.longitude)
    except ValueError as error:
        raise PersonError(
            "bad-place",
            f"{body.latitude:g}, {body.longitude:g} is no place: {error}.",
            "Write latitude before longitude, for example 52.52, 13.405.",
            ExitCode.USAGE,
        ) from None
    return Home(
        address=body.address.strip(),
        latitude=round(body.latitude * 1e6),
        longitude=round(body.longitude * 1e6),
        way=body.way,
        code=body.code,
        phone=body.phone,
    )


def _connector(body: ConnectorBody) -> Connector:
    if body.type not in CONNECTOR_TYPES:
        near = difflib.get_close_matches(body.type.upper(), CONNECTOR_TYPES, n=1, cutoff=0.4)
        hint = f"Did you mean {near[0]}?" if near else "IEC_62196_T2 is the usual Type 2 plug."
        raise PersonError("bad-connector", f"There is no connector {body.type[:40]!r}.", hint, ExitCode.USAGE)
    return Connector(
        type=body.type, format=body.format, power_type=body.power_type, max_power_w=body.max_power_w
    )


def _tariff(body: TariffBody) -> Tariff:
    currency = parse_currency(body.currency)
    limits: dict[str, Any] = {
        "min_price": body.min_price,
        "max_price": body.max_price,
        "tax_bp": body.tax_bp,
        "tax_included": body.tax_included,
    }
    simple = {name: getattr(body, name) for name in _SIMPLE_PRICES}
    if body.elements is None:
        return tariff_with(simple_tariff(currency, **simple, **limits), body.by_period)
    if body.by_period or any(value is not None for value in simple.values()):
        raise ValueError("a tariff has either prices by name or elements")
    return Tariff(currency=currency, elements=tuple(_element(one) for one in body.elements), **limits)


def _element(body: ElementBody) -> TariffElement:
    components = tuple(PriceComponent(one.dimension, one.price, one.step) for one in body.components)
    if body.restrictions is None:
        return TariffElement(components)
    fields = _fields(body.restrictions)
    days = fields.pop("weekdays")
    return TariffElement(
        components, Restrictions(**fields, weekdays=None if days is None else tuple(sorted(set(days))))
    )


def _terms(body: TermsBody) -> Terms:
    fields = _fields(body)
    tiers = [CancellationTier(one.minutes_before, one.percent, one.fixed) for one in fields.pop("tiers")]
    return Terms(tiers=tuple(sorted(tiers, key=lambda one: -one.minutes_before)), **fields)


def _wallbox(body: WallboxBody, defaults: Defaults) -> WallboxSettings:
    kept = "" if defaults.kept is None else defaults.kept.wallbox.driver
    known = (*BUILT_IN_DRIVERS, *installed().drivers)
    if body.driver not in (*known, kept):
        raise PersonError(
            "bad-driver",
            f"Wallboxes aren't controlled by {body.driver[:20]!r}.",
            f"Choose one of: {', '.join(known)}.",
            ExitCode.USAGE,
        )
    options = tuple(
        DriverOption(name=name, value=value) for name, value in sorted(body.options.items()) if value
    )
    password = defaults.password if body.password is None else body.password
    return WallboxSettings(
        driver=body.driver,
        password=password if body.driver == "ocpp" else "",
        owner_tags=tuple(body.owner_tags),
        plug_and_charge=body.plug_and_charge,
        options=None if not options or body.driver in BUILT_IN_DRIVERS else options,
    )


def _account(payee: PayeeBody, currency: str, kept: ChargerSettings | None) -> str:
    if not payee.account.strip() or (kept is not None and payee.account == kept.payee_account):
        return payee.account.strip()
    try:
        return check_account(payee.account, payee.name, parse_currency(currency))
    except ValueError as error:
        raise PersonError(
            "bad-iban",
            f"{payee.account[:40]!r} can't be an account: {error}.",
            "Leave it empty if drivers pay you by hand.",
            ExitCode.USAGE,
        ) from None


def _fields(body: Struct) -> dict[str, Any]:
    return {name: getattr(body, name) for name in body.__struct_fields__}
