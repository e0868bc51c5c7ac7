"""What the acts of the demo share: people, stage, processes, and the figures measured on the way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .cast import BORIS, DARIO, HANNA, OLGA
from .neighbour import Neighbour
from .processes import Processes
from .stage import Stage


@dataclass(slots=True)
class Play:
    """`figures` go into the last line of --json: seconds end in _s, energy in _wh."""

    stage: Stage
    processes: Processes
    folder: Path
    network: str
    people: tuple[Neighbour, ...]
    figures: dict[str, Any] = field(default_factory=dict)

    def person(self, name: str) -> Neighbour:
        return next(one for one in self.people if one.name == name)

    @property
    def hanna(self) -> Neighbour:
        """The host of the story."""
        return self.person(HANNA.name)

    @property
    def dario(self) -> Neighbour:
        """The driver."""
        return self.person(DARIO.name)

    @property
    def olga(self) -> Neighbour:
        """The observer: takes no part in the booking."""
        return self.person(OLGA.name)

    @property
    def boris(self) -> Neighbour:
        """The bad host."""
        return self.person(BORIS.name)

    @property
    def hosts(self) -> tuple[Neighbour, ...]:
        """Everybody with a charger."""
        return tuple(one for one in self.people if one.character.driver)

    def keep_record(self, name: str, content: bytes) -> None:
        """Leaves something signed in the folder, for whoever looks into it with --keep."""
        folder = self.folder / "records"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)

    @contextmanager
    def timed(self, figure: str) -> Iterator[None]:
        """Measures what happens inside, in seconds."""
        began = time.monotonic()
        yield
        self.figures[figure] = round(time.monotonic() - began, 3)
