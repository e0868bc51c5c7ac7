"""The charger of a usual household, for simulations."""

from __future__ import annotations

from dataclasses import replace

from chargemesh_protocol.chargers import DEFAULT_STRANGER_RULES, ChargerSettings, Home, WallboxSettings
from chargemesh_protocol.listing import (
    About,
    BookingRules,
    Connector,
    ConnectorFormat,
    ParkingType,
    PowerType,
)
from chargemesh_protocol.place import Point
from chargemesh_protocol.schedule import always_open
from chargemesh_protocol.tariff import simple_tariff
from chargemesh_protocol.terms import Terms

BERLIN = Point(52.52, 13.405)


def charger_settings(charger: bytes, at: Point) -> ChargerSettings:
    """A usual home charger: 11 kW, type 2, 0.35 EUR a kWh, always open, instant for everybody."""
    return ChargerSettings(
        charger=charger,
        home=Home(
            address="12 Hidden Lane, 10115 Berlin",
            latitude=round(at.latitude * 1e6),
            longitude=round(at.longitude * 1e6),
            way="Second drive on the left.",
            code="4711",
            phone="+49 30 000000",
        ),
        resolution=7,
        connectors=(
            Connector(
                type="IEC_62196_T2",
                format=ConnectorFormat.SOCKET,
                power_type=PowerType.AC_3_PHASE,
                max_power_w=11_000,
            ),
        ),
        tariff=simple_tariff("EUR", per_kwh=350_000),
        hours=always_open("Europe/Berlin"),
        rules=BookingRules(instant=True, min_minutes=15, max_minutes=1440, lead_minutes=0, min_trust=0),
        terms=Terms(),
        about=About(
            title="Driveway",
            parking=ParkingType.ON_DRIVEWAY,
            access_method="OPEN",
            amenities=(),
            languages=("de", "en"),
        ),
        strangers=replace(DEFAULT_STRANGER_RULES, on_request=False, access_records_a_week=1000),
        access_lead_minutes=120,
        wallbox=WallboxSettings(driver="sim", password="", owner_tags=(), plug_and_charge=False),
        paused=False,
        payee_name="",
        payee_account="",
        ticket_seconds=60,
    )
