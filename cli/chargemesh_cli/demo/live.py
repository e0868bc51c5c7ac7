"""The live view on a terminal: the map of cells, the booking, and what happens, in 80 columns and 24 rows."""

from __future__ import annotations

import functools
import threading
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from chargemesh_protocol.place import centre, cover, resolution_of
from chargemesh_protocol.units import format_power

from .scene import Card, Light, Scene, energy, position
from .stage import Stopwatch, stamped

_MAP_COLUMNS, _MAP_ROWS = 10, 3  # as far from the middle as the map shows
_MAP_RADIUS_M = 14_000
_TOP_ROWS = 9
_BAR = 24
_FRAMES_A_SECOND = 5
_GLYPHS = {
    Light.DARK: ("⬡", "bright_black"),
    Light.LISTED: ("⬢", "green"),
    Light.BOOKED: ("⬢", "bold yellow"),
    Light.CHARGING: ("⬢", "bold cyan"),
}


class LiveStage:
    """Draws the scene several times a second in a thread of rich's; steps become lines below it."""

    def __init__(self, watch: Stopwatch) -> None:
        self.scene = Scene()
        self._watch = watch
        self._console = Console()
        self._told: list[tuple[float, str]] = []
        self._lock = threading.Lock()
        self._live = Live(
            console=self._console,
            get_renderable=self._draw,
            refresh_per_second=_FRAMES_A_SECOND,
            transient=True,
        )

    def open(self) -> None:
        self._live.start()

    def close(self) -> None:
        """Takes the view away and leaves the whole story as lines, so that it can be read again."""
        self._live.stop()
        for seconds, text in self._told:
            print(stamped(seconds, text, min(self._console.width, 100)))

    def step(self, name: str, text: str, **facts: Any) -> None:
        with self._lock:
            self._told.append((self._watch.seconds, text))

    def progress(self, name: str, text: str, **facts: Any) -> None:
        """The card shows it."""

    def refresh(self) -> None:
        """The next frame shows it."""

    # --- drawing ----------------------------------------------------------------------------------

    def _draw(self) -> RenderableType:
        scene = self.scene
        width = min(self._console.width, 120)
        top = Table.grid(expand=False)
        top.add_column(width=_MAP_COLUMNS * 2 + 7)
        top.add_column(width=width - _MAP_COLUMNS * 2 - 7)
        top.add_row(
            Panel(_map(scene), title="listings by cell", height=_TOP_ROWS),
            Panel(_card(scene.card), title=scene.card.title or "the booking", height=_TOP_ROWS),
        )
        rows = max(4, min(self._console.height, 40) - _TOP_ROWS - 4)
        return Group(
            _head(scene, self._watch.seconds, width),
            top,
            Panel(self._newest(rows, width - 4), title="what happens", height=rows + 2, width=width),
        )

    def _newest(self, rows: int, width: int) -> Text:
        """The last steps as far as they fit; the newest is never cut off at its end."""
        with self._lock:
            told = self._told[-rows:]
        lines = [line for seconds, text in told for line in stamped(seconds, text, width).splitlines()]
        newest = stamped(*told[-1], width).count("\n") + 1 if told else 0
        shown = Text(no_wrap=True)
        for number, line in enumerate(lines[-rows:], 1):
            shown.append(line + "\n", "bright_black" if number <= len(lines[-rows:]) - newest else "")
        return shown


def _head(scene: Scene, seconds: float, width: int) -> Text:
    up = sum(scene.nodes.values())
    nodes = Text("".join("●" if is_up else "○" for is_up in scene.nodes.values()), "green")
    head = Text.assemble((" chargemesh demo ", "bold reverse"), " ", nodes)
    head.append(f" {up} nodes up")
    head.append(f"  {scene.network}", "bright_black")
    clock = f"{seconds:.0f} s "
    head.append(clock.rjust(max(1, width - head.cell_len)), "bright_black")
    return head


def _map(scene: Scene) -> Text:
    """Rows of hexagons; a lit one has listings."""
    columns = 2 * _MAP_COLUMNS + 1
    grid: list[list[tuple[str, str]]] = [[(" ", "")] * columns for _ in range(2 * _MAP_ROWS + 1)]
    if scene.home:
        for cell, (column, row) in _cells(scene.home).items():
            light = scene.lights.get(cell, Light.DARK)
            grid[row + _MAP_ROWS][column + _MAP_COLUMNS] = _GLYPHS[light]
    text = Text(no_wrap=True)
    for line in grid:
        for glyph, style in line:
            text.append(glyph, style)
        text.append("\n")
    return text


@functools.cache
def _cells(home: int) -> dict[int, tuple[int, int]]:
    """Every cell that is on the map, and where."""
    placed = {cell: position(home, cell) for cell in cover(centre(home), _MAP_RADIUS_M, resolution_of(home))}
    return {
        cell: (column, row)
        for cell, (column, row) in placed.items()
        if abs(column) <= _MAP_COLUMNS and abs(row) <= _MAP_ROWS
    }


def _card(card: Card) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{card.state}\n", "bold")
    text.append(f"{card.quote}\n")
    text.append(f"{card.address}\n", "italic")
    full = min(_BAR, _BAR * card.energy_wh // card.expected_wh) if card.expected_wh else 0
    text.append("█" * full, "cyan").append("░" * (_BAR - full), "bright_black")
    text.append(f" {energy(card.energy_wh)}", "bold cyan")
    text.append(f"  {format_power(card.power_w)}\n" if card.power_w else "\n")
    text.append(f"cost so far {card.cost}\n" if card.cost else "\n", "bold")
    if card.by_host:
        text.append(f"meter tickets: {card.by_host} signed by host, {card.by_driver} by driver\n")
    else:
        text.append("\n")
    text.append(card.network_process, "bold white on red" if card.alarm else "bright_black")
    return text
