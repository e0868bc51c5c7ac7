"""Who plays: fictional people in a real town, each with a place, a price, and a charger or none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from chargemesh_protocol.place import Point

CENTRE = Point(52.4700, 13.4000)
ZONE = "Europe/Berlin"
SEARCH_RADIUS_M = 12_000
MOST = 24
_KM_A_DEGREE = 111.2
# The account that banks print in their examples: its check digits are right, and it is nobody's.
EXAMPLE_IBAN = "DE89370400440532013000"
# Who may book: what begins now is nobody's question, what is planned is the host's.
RULES = "less than 2 h ahead instantly; others on request"


@dataclass(frozen=True, slots=True)
class Character:
    """`east_km`, `north_km`: from the centre. `driver`: what controls the charger, empty for no charger.
    `serves_mailbox`: their node holds sealed parcels for others."""

    name: str
    title: str
    address: str
    east_km: float
    north_km: float
    per_kwh: int
    driver: str = "manual"
    serves_mailbox: bool = False

    @property
    def place(self) -> Point:
        a_degree_east = _KM_A_DEGREE * math.cos(math.radians(CENTRE.latitude))
        return Point(
            round(CENTRE.latitude + self.north_km / _KM_A_DEGREE, 6),
            round(CENTRE.longitude + self.east_km / a_degree_east, 6),
        )

    def charger(self) -> dict[str, Any]:
        """What `POST /v1/chargers` takes."""
        return {
            "title": self.title,
            "home": {
                "address": self.address,
                "latitude": self.place.latitude,
                "longitude": self.place.longitude,
                "way": "Through the green gate.",
                "code": "2580",
            },
            "connectors": [{"type": "IEC_62196_T2", "max_power_w": 11_000}],
            "tariff": {"currency": "EUR", "per_kwh": self.per_kwh},
            "hours": {"text": "always", "zone": ZONE},
            "strangers": {"on_request": False},
            "policy": {"words": RULES},
            "terms": {"tiers": [{"minutes_before": 48 * 60, "percent": 20}]},
            "wallbox": {"driver": self.driver},
            "payee": {"name": self.name, "account": EXAMPLE_IBAN if self.driver == "ocpp" else ""},
            "ticket_seconds": 1,
        }


HANNA = Character("Hanna", "Hanna's driveway", "Lindenallee 7, 12099 Berlin", 0.4, -0.3, 350_000, "ocpp")
DARIO = Character("Dario", "Dario's carport", "Nelkenweg 21, 12107 Berlin", 2.6, -2.2, 380_000)
OLGA = Character("Olga", "", "", -3.0, 1.5, 0, "", serves_mailbox=True)
BORIS = Character("Boris", "Boris's power place", "Am Kanal 2, 12059 Berlin", 5.5, 3.6, 290_000)
NINA = Character("Nina", "Nina's garage", "Ahornweg 3, 10829 Berlin", -4.6, 2.2, 390_000)

_ROLES = (HANNA, DARIO, OLGA, BORIS)
_NEIGHBOURS = (
    Character("Femi", "Femi's yard", "Rosenstr. 12, 12169 Berlin", -6.8, -1.6, 360_000),
    Character("Greta", "Greta's barn", "Feldweg 1, 12349 Berlin", 4.4, -4.3, 330_000),
    Character("Ivo", "Ivo's court", "Turmgasse 5, 10785 Berlin", -1.8, 4.1, 420_000),
    Character("Jana", "Jana's garden", "Birkenhof 9, 12277 Berlin", -2.4, -4.6, 340_000),
    Character("Karim", "Karim's corner", "Uferzeile 30, 12437 Berlin", 8.2, -0.8, 370_000),
    Character("Lena", "Lena's lane", "Kirschweg 4, 14197 Berlin", -9.0, 0.8, 350_000),
    Character("Milo", "Milo's shed", "Querweg 16, 10969 Berlin", 1.2, 5.2, 400_000),
)


def cast(nodes: int) -> tuple[Character, ...]:
    """As many characters as there are nodes, at least four. The first is whom the others meet first."""
    if nodes <= len(_ROLES):
        return _ROLES
    more = [NINA, *_NEIGHBOURS]
    for number in range(len(more) + len(_ROLES) + 1, MOST + 1):
        more.append(_another(number))
    extras = more[: nodes - len(_ROLES)]
    return (extras[0], *_ROLES, *extras[1:])


def _another(number: int) -> Character:
    """One more neighbour, on a spiral around the centre so that many cells are lit."""
    angle, far = number * 2.4, 2.0 + number * 0.35
    east, north = far * math.cos(angle), 0.6 * far * math.sin(angle)
    price = 300_000 + number * 5_000
    return Character(
        f"Neighbour {number}", f"Charger {number}", f"Ringweg {number}, Berlin", east, north, price
    )
