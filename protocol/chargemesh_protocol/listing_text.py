"""What a listing shows, in words for people: a plug, and the place as strangers see it."""

from __future__ import annotations

from . import place
from .units import format_power

# Usual names of OCPI's ConnectorType.
_PLUGS = {
    "IEC_62196_T2": "Type 2",
    "IEC_62196_T2_COMBO": "CCS",
    "IEC_62196_T1": "Type 1",
    "IEC_62196_T1_COMBO": "CCS 1",
    "CHADEMO": "CHAdeMO",
    "DOMESTIC_F": "Schuko",
    "SAE_J3400": "NACS",
}


def describe_plug(type: str, format: str, max_power_w: int) -> str:
    """ "11 kW Type 2 (socket)", from OCPI's names of type and format."""
    return f"{format_power(max_power_w)} {plug_name(type)} ({format.lower()})"


def plug_name(type: str) -> str:
    """ "Type 2" for OCPI's IEC_62196_T2; its own name where there is no usual one."""
    return _PLUGS.get(type, type)


def describe_place(cell: int) -> str:
    """What the public cell gives away: "a hexagon about 2.8 km across, around 52.473, 13.395"."""
    centre = place.centre(cell)
    across = 2 * max(place.distance_m(centre, place.Point(*corner)) for corner in place.boundary(cell))
    return (
        f"a hexagon about {across / 1000:.1f} km across, around {centre.latitude:.3f}, {centre.longitude:.3f}"
    )
