"""Whose charger a quote is asked for: one that a search found, or one before which the driver stands."""

from __future__ import annotations

from dataclasses import dataclass, field

from chargemesh_protocol.booking.walk_in import WalkInLink
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.discovery.search import FoundListing
from chargemesh_protocol.errors import ExitCode, PersonError
from chargemesh_protocol.place import region_of


@dataclass(frozen=True, slots=True)
class Target:
    """What a question for a price, and then a booking, need to know. cell: the public one of its listing,
    by a code that of resolution 4. secret: of the code, where it was read."""

    host: bytes
    charger: bytes
    contact: Contact
    cell: int
    title: str
    zone: str
    secret: bytes | None = field(default=None, repr=False)

    @property
    def region(self) -> int:
        return region_of(self.cell)


def of_listing(found: FoundListing) -> Target:
    body = found.record.body
    return Target(body.author, body.charger, body.contact, body.cell, body.about.title, body.zone)


def of_code(link: WalkInLink, network: str) -> Target:
    """PersonError where the code is of another network than ours."""
    if link.network != network:
        raise PersonError(
            "other-network",
            f"This charger belongs to the network {link.network}, and this node to {network}.",
            "A home of its own can join that one: `chargemesh --home DIR init --network NAME`.",
            ExitCode.USAGE,
        )
    return Target(link.host, link.charger, link.contact, link.region, link.title, link.zone, link.secret)
