"""A charger's advertisement: the listing, the small renewal that keeps it shown, and the withdrawal.

Nothing here is finer than the public cell, and a slot only says offerable or not: booked, closed and
away look alike. Names of connectors, formats, power types and parking are OCPI 2.3.0's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .contact import Contact
from .errors import Refused, Severity
from .limits import (
    CLOCK_TOLERANCE_MS,
    MAX_CONNECTORS,
    MAX_LIST_ITEMS,
    MAX_LISTING_LIFE_MS,
    MAX_TEXT_CHARS,
    RENEWAL_LIFE_MS,
)
from .place import require_public_cell
from .record import Record, kind
from .schedule import SlotMap
from .shape import ID, Bool, Bytes, Int, Name, Seq, Struct, Text, Uint, key, shape
from .tariff import Tariff, TariffDimension, prices, resolve
from .terms import Terms

# OCPI 2.3.0 ConnectorType. A reader meets names of later versions too, so the record holds text.
CONNECTOR_TYPES = (
    "CHADEMO",
    "CHAOJI",
    "DOMESTIC_A",
    "DOMESTIC_B",
    "DOMESTIC_C",
    "DOMESTIC_D",
    "DOMESTIC_E",
    "DOMESTIC_F",
    "DOMESTIC_G",
    "DOMESTIC_H",
    "DOMESTIC_I",
    "DOMESTIC_J",
    "DOMESTIC_K",
    "DOMESTIC_L",
    "DOMESTIC_M",
    "DOMESTIC_N",
    "DOMESTIC_O",
    "GBT_AC",
    "GBT_DC",
    "IEC_60309_2_single_16",
    "IEC_60309_2_three_16",
    "IEC_60309_2_three_32",
    "IEC_60309_2_three_64",
    "IEC_62196_T1",
    "IEC_62196_T1_COMBO",
    "IEC_62196_T2",
    "IEC_62196_T2_COMBO",
    "IEC_62196_T3A",
    "IEC_62196_T3C",
    "MCS",
    "NEMA_5_20",
    "NEMA_6_30",
    "NEMA_6_50",
    "NEMA_10_30",
    "NEMA_10_50",
    "NEMA_14_30",
    "NEMA_14_50",
    "SAE_J3400",
    "TESLA_R",
    "TESLA_S",
)


class ConnectorFormat(Enum):
    """Whether the cable hangs at the charger (OCPI ConnectorFormat)."""

    SOCKET = "SOCKET"
    CABLE = "CABLE"


class PowerType(Enum):
    """OCPI PowerType."""

    AC_1_PHASE = "AC_1_PHASE"
    AC_2_PHASE = "AC_2_PHASE"
    AC_2_PHASE_SPLIT = "AC_2_PHASE_SPLIT"
    AC_3_PHASE = "AC_3_PHASE"
    DC = "DC"


class ParkingType(Enum):
    """OCPI ParkingType, as far as homes have them."""

    ON_DRIVEWAY = "ON_DRIVEWAY"
    ON_STREET = "ON_STREET"
    PARKING_GARAGE = "PARKING_GARAGE"
    PARKING_LOT = "PARKING_LOT"
    UNDERGROUND_GARAGE = "UNDERGROUND_GARAGE"


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """One plug of a charger."""

    type: str = key(0, Text(40, 1))
    format: ConnectorFormat = key(1, Name(ConnectorFormat))
    power_type: PowerType = key(2, Name(PowerType))
    max_power_w: int = key(3, Int(1, 1_000_000))


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRules:
    """Who may book and how. Durations in minutes; trust in per mille of the reader's own scale."""

    instant: bool = key(0, Bool())
    min_minutes: int = key(1, Int(15, 20_160))
    max_minutes: int = key(2, Int(15, 20_160))
    lead_minutes: int = key(3, Int(0, 20_160))
    min_trust: int = key(4, Int(0, 1000))

    def __post_init__(self) -> None:
        if self.min_minutes > self.max_minutes:
            raise ValueError("the shortest booking must not be longer than the longest")


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a stranger may know of the place."""

    title: str = key(0, Text(MAX_TEXT_CHARS))
    parking: ParkingType = key(1, Name(ParkingType))
    access_method: str = key(2, Text(40))  # OCPI-style name: OPEN, TOKEN, LICENSE_PLATE, ACCESS_CODE, …
    amenities: tuple[str, ...] = key(3, Seq(Text(40, 1), MAX_LIST_ITEMS))
    languages: tuple[str, ...] = key(4, Seq(Text(8, 2), MAX_LIST_ITEMS))  # BCP 47


@kind("listing")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One charger as strangers see it; a higher sequence replaces it."""

    author: bytes = key(0, ID)
    issued: int = key(1, Uint())
    charger: bytes = key(2, Bytes(16))
    sequence: int = key(3, Uint())
    expires: int = key(4, Uint())
    cell: int = key(5, Uint())
    connectors: tuple[Connector, ...] = key(6, Seq(Struct(Connector), MAX_CONNECTORS, 1))
    tariff: Tariff = key(7, Struct(Tariff))
    slots: SlotMap = key(8, Struct(SlotMap))
    rules: BookingRules = key(9, Struct(BookingRules))
    terms: Terms = key(10, Struct(Terms))
    contact: Contact = key(11, Struct(Contact))
    about: About = key(12, Struct(About))
    zone: str = key(13, Text(64, 1))  # IANA name, for showing times as the host's clock does
    members_only: bool | None = key(16, Bool(), optional=True)  # true: the host takes nobody else

    def __post_init__(self) -> None:
        require_public_cell(self.cell)
        if not self.issued < self.expires <= self.issued + MAX_LISTING_LIFE_MS:
            raise ValueError("a listing lives up to 24 hours")


@kind("renewal")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """`listing` still stands; it is shown for two hours from here. The author is the listing's."""

    issued: int = key(1, Uint())
    listing: bytes = key(2, ID)


@kind("withdrawal")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """The charger is no longer offered; takes a sequence number, so that older listings stay away."""

    author: bytes = key(0, ID)
    issued: int = key(1, Uint())
    charger: bytes = key(2, Bytes(16))
    sequence: int = key(3, Uint())
    cell: int = key(4, Uint())

    def __post_init__(self) -> None:
        require_public_cell(self.cell)


def require_fresh(listing: Record[Listing], renewal: Record[Renewal], now: int) -> None:
    """Returns if the pair may be shown at `now`; Refused (stale) otherwise.

    The reader's clock only decides whether what is valid is still current.
    """
    if renewal.body.listing != listing.id or renewal.kid != listing.kid:
        raise Refused("renewal", "a renewal of another listing or by another key")
    if listing.body.issued > now + CLOCK_TOLERANCE_MS or renewal.body.issued > now + CLOCK_TOLERANCE_MS:
        raise Refused("future", "issued in the future", Severity.STALE)
    if now >= listing.body.expires:
        raise Refused("expired", "this listing has expired", Severity.STALE)
    if now >= renewal.body.issued + RENEWAL_LIFE_MS:
        raise Refused("not-renewed", "not renewed within two hours", Severity.STALE)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a driver looks for; absent means anything. W, micro-units per kWh, unix ms."""

    connector: str | None = key(0, Text(40, 1), optional=True)
    min_power_w: int | None = key(1, Uint(), optional=True)
    max_price: int | None = key(2, Uint(), optional=True)
    currency: str | None = key(3, Text(3, 3), optional=True)
    start: int | None = key(4, Uint(), optional=True)
    end: int | None = key(5, Uint(), optional=True)
    instant: bool | None = key(6, Bool(), optional=True)

    def __post_init__(self) -> None:
        if (self.start is None) != (self.end is None):
            raise ValueError("a time window has a start and an end")
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError("the end must be after the start")


def matches(listing: Listing, need: Need) -> bool:
    """Whether `listing` meets `need`: run by caretakers as a favour and by the driver as the judge."""
    fitting = [
        one
        for one in listing.connectors
        if (need.connector is None or one.type == need.connector)
        and (need.min_power_w is None or one.max_power_w >= need.min_power_w)
    ]
    if not fitting:
        return False
    if need.instant and not listing.rules.instant:
        return False
    if need.max_price is not None:
        if need.currency is not None and need.currency != listing.tariff.currency:
            return False
        if energy_price(listing, need) > need.max_price:
            return False
    if need.start is not None and need.end is not None:
        minutes = (need.end - need.start) // 60_000
        if not listing.rules.min_minutes <= minutes <= listing.rules.max_minutes:
            return False
        return listing.slots.offerable(need.start, need.end)
    return True


def energy_price(listing: Listing, need: Need) -> int:
    """The dearest kWh in the wanted window, or the cheapest at any time where no window is named.

    ValueError where a window has no one price: the tariff asks for the power, or the zone is unknown.
    """
    if need.start is None or need.end is None:
        return prices(listing.tariff, TariffDimension.ENERGY)[0]
    if listing.tariff.depends_on_power:
        raise ValueError("this tariff depends on the power, which only a quote names")
    plan = resolve(listing.tariff, listing.zone, need.start, need.end)
    found = [period.component(TariffDimension.ENERGY) for period in plan.periods]
    return max((one.price for one in found if one is not None), default=0)
