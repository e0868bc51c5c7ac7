"""One person of the demo: a home, the node that runs on it, and the requests their commands would make."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from chargemesh_node import offline
from chargemesh_node.home import Home, write_new_private_file
from chargemesh_protocol.errors import ExitCode, PersonError

from ..client import Api, NodeAway
from .cast import Character
from .processes import Child, Processes

T = TypeVar("T")
_POLL_SECONDS = 0.1

# Loopback only, no announcement on the LAN, a free port for wallboxes: nothing that a neighbour could see.
_SETTINGS = """\
[network]
id = "{network}"
listen = ["/ip4/127.0.0.1/tcp/0"]
mdns = false

[wallbox]
host = "127.0.0.1"
port = 0

[mailbox]
serve = {mailbox}
"""


class Neighbour:
    """A character with a home and a node of their own."""

    def __init__(self, character: Character, folder: Path, network: str, processes: Processes) -> None:
        self.character = character
        self.name = character.name
        self.home = Home(folder / character.name.lower().replace(" ", "-"))
        self.network = network
        self.author = ""
        self.charger = ""
        self.api = Api(self.home, timeout=30.0)
        self.child: Child | None = None
        self._processes = processes

    def prepare(self) -> None:
        """What `chargemesh init` does; the recovery phrase of a demo is nobody's to keep."""
        self.home.create()
        mailbox = "true" if self.character.serves_mailbox else "false"
        settings = _SETTINGS.format(network=self.network, mailbox=mailbox)
        write_new_private_file(self.home.config_file, settings.encode())
        self.author = offline.create(self.home, phrase=offline.new_phrase(), network=self.network)

    def start(self, bootstrap: str | None) -> None:
        """Starts `chargemesh run` as a process of its own; `up` says when it answers."""
        known = ["--bootstrap", bootstrap] if bootstrap else []
        arguments = ["--home", str(self.home.root), "--json", "run", *known]
        self.child = self._processes.start(f"{self.name}'s node", arguments, self.home.logs / "start.log")

    def stop(self) -> None:
        """Ends its process, as a laptop that is shut; `start` takes up where it was."""
        if self.child is not None:
            self._processes.end(self.child)
            self.child = None

    @property
    def up(self) -> bool:
        """Whether its API answers; PersonError if its process has ended."""
        if self.child is not None and not self.child.alive:
            raise self.child.ended()
        try:
            self.api.get("id")
        except NodeAway:
            return False
        return True

    @property
    def address(self) -> str:
        """Where its node answers: what the others get as their one bootstrap address."""
        known = self.api.get("id")
        return f"{known['addresses'][0]}/p2p/{known['peer_id']}"

    def peers(self) -> int:
        return len(self.api.get("peers")["peers"])

    def booking(self, booking: str) -> dict[str, Any]:
        return dict(self.api.get(f"bookings/{booking}"))

    def score(self, author: str) -> dict[str, Any]:
        """What this node thinks of somebody."""
        return dict(self.api.get(f"trust/{author}"))


def wait_for(what: str, seconds: float, look: Callable[[], T | None], pause: float = _POLL_SECONDS) -> T:
    """The first thing that `look` finds; PersonError naming `what` if it takes longer than `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise PersonError(
                "demo-slow",
                f"After {seconds:g} seconds there is still no sign of {what}.",
                "This machine may be too busy: try fewer nodes (--nodes 4), or look at the logs.",
                ExitCode.TIMED_OUT,
            )
        time.sleep(pause)
