"""A host's own chargers: what the person set, most of it private, and the listing that strangers see."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .contact import Contact
from .host_rules import Rules, least_trust, parse_rules, plain_rules, takes_known
from .limits import (
    LISTING_SLOTS,
    MAX_CONNECTORS,
    MAX_LIST_ITEMS,
    MAX_LISTING_LIFE_MS,
    MAX_NOTE_CHARS,
    MAX_PHOTOS,
    MAX_RECORD_BYTES,
    MAX_TEXT_CHARS,
    SLOT_MS,
)
from .listing import About, BookingRules, Connector, Listing
from .opening import PLAIN, CalendarRules, open_times
from .place import Point, public_cell
from .policy import NO_POLICY, MembersOnly, Policy
from .schedule import WeeklyHours, bitmap, quarter_hour
from .shape import ID, Bool, Bytes, Int, Seq, Struct, Text, Uint, key, shape
from .tariff import Tariff
from .terms import Terms
from .wall_clock import Interval
from .zones import MINUTE_MS

MAX_SOURCE_CHARS = 2000


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The exact place, as the access record tells it. Microdegrees, WGS 84. photos: their ids."""

    address: str = key(0, Text(200, 1))
    latitude: int = key(1, Int(-90_000_000, 90_000_000))
    longitude: int = key(2, Int(-180_000_000, 180_000_000))
    way: str = key(3, Text(MAX_NOTE_CHARS))
    code: str = key(4, Text(MAX_TEXT_CHARS))
    phone: str = key(5, Text(32))
    photos: tuple[bytes, ...] | None = key(16, Seq(ID, MAX_PHOTOS), optional=True)

    @property
    def point(self) -> Point:
        return Point(self.latitude / 1e6, self.longitude / 1e6)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class DriverOption:
    """One thing that an installed wallbox driver is told about this charger, say where its box answers."""

    name: str = key(0, Text(40, 1))
    value: str = key(1, Text(200))


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class WallboxSettings:
    """How the charger is controlled. driver: "ocpp", "manual", or the name of an installed one, to which
    alone `options` belong."""

    driver: str = key(0, Text(16, 1))
    password: str = key(1, Text(64))
    owner_tags: tuple[str, ...] = key(2, Seq(Text(20, 1), MAX_LIST_ITEMS))
    plug_and_charge: bool = key(3, Bool())  # charges without a tag outside bookings
    options: tuple[DriverOption, ...] | None = key(
        16, Seq(Struct(DriverOption), MAX_LIST_ITEMS), optional=True
    )


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class StrangerRules:
    """Bounds for keys with no completed pair (specs/08, K5). Per-key limits don't stop Sybils;
    the bounds per host do."""

    on_request: bool = key(0, Bool())
    open_bookings: int = key(1, Int(0, 100))
    max_minutes: int = key(2, Int(15, 20_160))
    horizon_minutes: int = key(3, Int(15, 20_160))
    access_records_a_week: int = key(4, Int(0, 1000))
    pending_requests: int = key(5, Int(0, 1000))


DEFAULT_STRANGER_RULES = StrangerRules(
    on_request=True,
    open_bookings=1,
    max_minutes=4 * 60,
    horizon_minutes=48 * 60,
    access_records_a_week=3,
    pending_requests=32,
)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerSettings:
    """Everything a host sets for one charger. Kept at home; `make_listing` is the public part."""

    charger: bytes = key(0, Bytes(16))
    home: Home = key(1, Struct(Home))
    resolution: int = key(2, Int(4, 8))
    connectors: tuple[Connector, ...] = key(3, Seq(Struct(Connector), MAX_CONNECTORS, 1))
    tariff: Tariff = key(4, Struct(Tariff))
    hours: WeeklyHours = key(5, Struct(WeeklyHours))
    rules: BookingRules = key(6, Struct(BookingRules))
    terms: Terms = key(7, Struct(Terms))
    about: About = key(8, Struct(About))
    strangers: StrangerRules = key(9, Struct(StrangerRules))
    access_lead_minutes: int = key(10, Int(0, 20_160))  # the access record is sent this long before
    wallbox: WallboxSettings = key(11, Struct(WallboxSettings))
    paused: bool = key(12, Bool())
    payee_name: str = key(13, Text(70))
    payee_account: str = key(14, Text(64))
    ticket_seconds: int = key(15, Int(1, 3600))  # a ticket at most this often
    calendar: CalendarRules | None = key(16, Struct(CalendarRules), optional=True)
    # A calendar of the host's (.ics: a file's path or an http(s) URL, which may be a secret) whose times are
    # taken too.
    busy_from: str | None = key(17, Text(MAX_SOURCE_CHARS, 1), optional=True)
    policy: Policy | None = key(18, Struct(Policy), optional=True)

    @property
    def calendar_rules(self) -> CalendarRules:
        return self.calendar or PLAIN

    @property
    def host_policy(self) -> Policy:
        return self.policy or NO_POLICY

    @property
    def who_may(self) -> Rules:
        """The host's rules: in its own words, or what the plain settings come to."""
        if self.host_policy.words is not None:
            return parse_rules(self.host_policy.words)
        return plain_rules(
            instant=self.rules.instant,
            min_trust=self.rules.min_trust,
            strangers_on_request=self.strangers.on_request,
        )

    @property
    def shown_rules(self) -> BookingRules:
        """What a listing tells of them."""
        if self.host_policy.words is None:
            return self.rules
        rules = self.who_may
        return replace(self.rules, instant=takes_known(rules), min_trust=least_trust(rules))

    @property
    def cell(self) -> int:
        return public_cell(self.home.point, self.resolution)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class OwnListing:
    """The newest listing or withdrawal of a charger; its sequence never goes back."""

    raw: bytes = key(0, Bytes(0, MAX_RECORD_BYTES))
    sequence: int = key(1, Uint())


def make_listing(
    settings: ChargerSettings,
    *,
    author: bytes,
    sequence: int,
    contact: Contact,
    busy: tuple[Interval, ...],
    now: int,
) -> Listing:
    """The public part: no coordinate finer than the cell, and busy, closed and away all alike.

    Quiet hours are no part of the bitmap: a booking may last through them.
    """
    start, end = shown_span(now)
    rules = settings.calendar_rules
    until = min(end, now + rules.horizon_minutes * MINUTE_MS)
    times = open_times(settings.hours, rules, start, max(start, until))
    return Listing(
        author=author,
        issued=now,
        charger=settings.charger,
        sequence=sequence,
        expires=now + MAX_LISTING_LIFE_MS,
        cell=settings.cell,
        connectors=settings.connectors,
        tariff=settings.tariff,
        slots=bitmap(start, times, busy),
        rules=settings.shown_rules,
        terms=settings.terms,
        contact=contact,
        about=settings.about,
        zone=settings.hours.zone,
        members_only=True if settings.host_policy.members_only is MembersOnly.SHOWN else None,
    )


def shown_span(now: int) -> Interval:
    """The 14 days that a listing of this instant shows."""
    start = quarter_hour(now)
    return start, start + LISTING_SLOTS * SLOT_MS
