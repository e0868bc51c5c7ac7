"""What there is to see of the demo at one moment; the story changes it, the live view draws it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from chargemesh_protocol.place import grid_position


class Light(Enum):
    """How bright a cell is."""

    DARK = "dark"
    LISTED = "listed"
    BOOKED = "booked"
    CHARGING = "charging"


@dataclass(slots=True)
class Card:
    """The booking. Energy in Wh, power in W; signatures are counted in meter tickets."""

    title: str = ""
    state: str = "nothing is booked yet"
    quote: str = ""
    address: str = ""
    energy_wh: int = 0
    expected_wh: int = 0
    power_w: int = 0
    cost: str = ""
    by_host: int = 0
    by_driver: int = 0
    network_process: str = ""
    alarm: bool = False


@dataclass(slots=True)
class Scene:
    """`home`: the cell in the middle of the map. `nodes`: name -> whether it is up."""

    network: str = ""
    home: int = 0
    nodes: dict[str, bool] = field(default_factory=dict)
    lights: dict[int, Light] = field(default_factory=dict)
    titles: dict[int, list[str]] = field(default_factory=dict)
    card: Card = field(default_factory=Card)

    def light(self, cell: int, how: Light, title: str = "") -> None:
        """Lights a cell; a listing's title is kept with it."""
        self.lights[cell] = how
        if title and title not in self.titles.setdefault(cell, []):
            self.titles[cell].append(title)


def position(home: int, cell: int) -> tuple[int, int]:
    """(column, row) of a cell on the map: `home` at (0, 0), east to the right, north up, neighbours of a row
    2 columns apart. ValueError if `cell` is too far away, or of another resolution.
    """
    column, row = grid_position(home, cell)
    for _ in range(_TURNS_TO_EAST):
        column, row = (column + 3 * row) // 2, (row - column) // 2
    return column, row


# H3's grid of resolution 7 lies askew; in Europe so many turns of 60 degrees set it upright.
_TURNS_TO_EAST = 2


def energy(wh: int) -> str:
    """As people read it on a display that runs: always kWh, two places."""
    return f"{wh / 1000:.2f} kWh"
