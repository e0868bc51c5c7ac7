"""Hosts with real keys whose listings are real records: `host.lists(HERE)`, `host.withdraws(listing)`."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from chargemesh_protocol.contact import Contact
from chargemesh_protocol.discovery.offers import Offer, open_offer
from chargemesh_protocol.discovery.wire import FoundItem, Store, Withdraw
from chargemesh_protocol.identity import Directory
from chargemesh_protocol.limits import MAX_LISTING_LIFE_MS
from chargemesh_protocol.listing import (
    About,
    BookingRules,
    Connector,
    ConnectorFormat,
    Listing,
    ParkingType,
    PowerType,
    Renewal,
    Withdrawal,
)
from chargemesh_protocol.place import Point, public_cell, region_of
from chargemesh_protocol.record import Record, sign
from chargemesh_protocol.schedule import SlotMap, always_open, quarter_hour, slot_map
from chargemesh_protocol.tariff import simple_tariff
from chargemesh_protocol.terms import Terms

from ..trust.people import BORN, NETWORK, Person, seed

HERE = Point(52.52, 13.405)
NOW = BORN + 30 * 24 * 3600 * 1000
MINUTE = 60_000
HOUR = 60 * MINUTE
CHARGER = seed("charger")[:16]


@lru_cache
def open_from(start: int) -> SlotMap:
    return slot_map(always_open("Europe/Berlin"), start)


def listing_of(author: bytes, cell: int, *, issued: int = NOW, **changes: Any) -> Listing:
    """A type 2 socket of 11 kW at 0.30 EUR, open day and night; `changes` name what differs."""
    usual = Listing(
        author=author,
        issued=issued,
        charger=CHARGER,
        sequence=1,
        expires=issued + MAX_LISTING_LIFE_MS,
        cell=cell,
        connectors=(
            Connector(
                type="IEC_62196_T2",
                format=ConnectorFormat.SOCKET,
                power_type=PowerType.AC_3_PHASE,
                max_power_w=11_000,
            ),
        ),
        tariff=simple_tariff("EUR", per_kwh=300_000),
        slots=open_from(quarter_hour(issued)),
        rules=BookingRules(instant=True, min_minutes=15, max_minutes=1440, lead_minutes=0, min_trust=0),
        terms=Terms(),
        contact=Contact("host", ("/ip4/127.0.0.1/tcp/1",)),
        about=About(
            title="In the yard",
            parking=ParkingType.ON_DRIVEWAY,
            access_method="OPEN",
            amenities=(),
            languages=("de",),
        ),
        zone="Europe/Berlin",
    )
    return replace(usual, **changes)


class Host(Person):
    """A person who offers chargers."""

    def lists(
        self, where: Point = HERE, *, resolution: int = 7, seed: bytes | None = None, **changes: Any
    ) -> Record[Listing]:
        """Signs a listing; `seed` of another device than the host's own forges it."""
        body = listing_of(self.author, public_cell(where, resolution), **changes)
        return sign(body, seed or self.device, self.network)

    def renews(
        self, listing: Record[Listing], at: int | None = None, seed: bytes | None = None
    ) -> Record[Renewal]:
        body = Renewal(issued=listing.body.issued if at is None else at, listing=listing.id)
        return sign(body, seed or self.device, self.network)

    def withdraws(
        self, listing: Record[Listing], at: int = NOW, sequence: int | None = None
    ) -> Record[Withdrawal]:
        body = Withdrawal(
            author=self.author,
            issued=at,
            charger=listing.body.charger,
            sequence=listing.body.sequence + 1 if sequence is None else sequence,
            cell=listing.body.cell,
        )
        return sign(body, self.device, self.network)

    def offers(self, listing: Record[Listing], at: int | None = None, now: int | None = None) -> Offer:
        """The listing with a renewal, as one who knows us reads it."""
        renewal = self.renews(listing, at)
        directory = Directory(self.network)
        now = renewal.body.issued if now is None else now
        return open_offer(listing.raw, renewal.raw, self.bundle.to_bytes(), directory, now)

    def stores(self, listing: Record[Listing], at: int | None = None) -> Store:
        """The message to a caretaker."""
        renewal = self.renews(listing, at).raw
        cell = region_of(listing.body.cell)
        return Store(listing=listing.raw, renewal=renewal, bundle=self.bundle.to_bytes(), cell=cell)

    def retracts(self, listing: Record[Listing], at: int = NOW) -> Withdraw:
        """The message that takes a listing back."""
        return Withdraw(withdrawal=self.withdraws(listing, at).raw, bundle=self.bundle.to_bytes())

    def item(self, listing: Record[Listing], at: int | None = None) -> FoundItem:
        """The listing as a caretaker answers it."""
        bundle = self.bundle.to_bytes()
        return FoundItem(listing=listing.raw, renewal=self.renews(listing, at).raw, bundle=bundle)


__all__ = ["CHARGER", "HERE", "HOUR", "MINUTE", "NETWORK", "NOW", "Host", "listing_of", "seed"]
