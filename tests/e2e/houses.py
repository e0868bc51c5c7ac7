"""Houses on one street: each a home folder with a node of its own, everything a process of its own.

    with street(tmp_path) as people:
        hanna = people.house("hanna")
        hanna.opens()
        hanna.says("status")            # `chargemesh --home … --json status`, exit code 0, its JSON
        hanna.is_told("book", "1", …)   # a call that fails: its sentence and exit code

All of it is on loopback, on a network of this test, without mDNS; what was started is ended by its pid.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from chargemesh_cli.client import Api
from chargemesh_node.home import Home

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "chargemesh_cli")
START_SECONDS = 60.0  # a loaded machine imports slowly
STOP_SECONDS = 20.0
CALL_SECONDS = 60.0
# What a street needs and a person's machine doesn't: no port and no interface but loopback's. The bounds
# on strangers are wide because every test books as one; those that are about them set their own.
SETTINGS = {
    "NETWORK_LISTEN": "/ip4/127.0.0.1/tcp/0",
    "NETWORK_MDNS": "false",
    "WALLBOX_HOST": "127.0.0.1",
    "WALLBOX_PORT": "0",
    "BOOKING_STRANGER_OPEN_BOOKINGS": "100",
    "BOOKING_STRANGER_ACCESS_PER_WEEK": "1000",
}
_networks = itertools.count(1)


@dataclass(frozen=True)
class Said:
    """What a call printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        """stdout as the one JSON value that --json promises."""
        return json.loads(self.out)

    @property
    def values(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def sentence(self) -> str:
        """What a person reads on stderr, on one line."""
        return " ".join(self.err.split())

    @property
    def code_word(self) -> str:
        """The error's name, with --json."""
        return str(self.value["error"]["code"])


class Wallbox:
    """A virtual wallbox in a process of its own; lines can be typed into it."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self._log = log

    def types(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def events(self) -> list[dict[str, Any]]:
        """All that it told so far, oldest first."""
        return [json.loads(line) for line in self._log.read_text().splitlines() if line.startswith("{")]

    def heard(self, event: str) -> list[dict[str, Any]]:
        return [one for one in self.events() if one["event"] == event]

    def waits_for(self, event: str, count: int = 1) -> dict[str, Any]:
        return eventually(lambda: (self.heard(event) + [{}] * count)[count - 1], f"the box's {event}")


class House:
    """One home folder and its node. `program`: what is started in place of `python -m chargemesh_cli`."""

    def __init__(
        self, name: str, folder: Path, network: str, settings: dict[str, str], program: Sequence[str]
    ) -> None:
        self.name = name
        self.home = Home(folder / name)
        self.network = network
        self.api = Api(self.home, CALL_SECONDS)
        self.environment = _plain_environment(folder, settings)
        self._program = tuple(program)
        self._node: subprocess.Popen[bytes] | None = None
        self._boxes: list[Wallbox] = []

    # --- the node -------------------------------------------------------------------------------

    def moves_in(self) -> None:
        """`init`, with the recovery phrase in a file beside the home."""
        phrase = self.home.root.with_suffix(".phrase")
        self.says("init", "--network", self.network, "--phrase-file", str(phrase))

    def starts(self, *flags: str) -> None:
        """Starts `run`; `is_up` waits for it, so that several can start at once."""
        log = self.home.root.with_suffix(".log")
        with log.open("ab") as output:
            self._node = subprocess.Popen(
                [*self._program, "--home", str(self.home.root), "--json", "run", *flags],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.environment,
                cwd=ROOT,
            )

    def is_up(self) -> None:
        assert self._node is not None
        log, node = self.home.root.with_suffix(".log"), self._node

        def ready() -> bool:
            assert node.poll() is None, f"{self.name}'s node ended: {log.read_text()[-2000:]}"
            return '"ready": true' in log.read_text().rpartition("Stopped.")[2]

        eventually(ready, f"{self.name}'s node", START_SECONDS)

    def opens(self, *flags: str) -> None:
        """A home and a running node."""
        self.moves_in()
        self.starts(*flags)
        self.is_up()

    def closes(self) -> None:
        """Ends the node as a service manager does; what a wallbox of this house says goes nowhere then."""
        if self._node is not None:
            _end(self._node)
            self._node = None

    @property
    def pid(self) -> int:
        assert self._node is not None, f"{self.name}'s node is off"
        return self._node.pid

    # --- the command line -----------------------------------------------------------------------

    def call(self, *words: str, answers: str | None = None, **environment: str) -> Said:
        """One command in a process of its own. `answers`: its standard input."""
        done = subprocess.run(
            [*self._program, "--home", str(self.home.root), *words],
            input=answers or "",
            capture_output=True,
            text=True,
            timeout=CALL_SECONDS,
            env=self.environment | environment,
            cwd=ROOT,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Said(done.returncode, done.stdout, done.stderr)

    def says(self, *words: str) -> Any:
        """A command that works, with --json: its value."""
        said = self.call("--json", *words)
        assert said.code == 0, f"{self.name}: {' '.join(words)}: {said}"
        return said.value

    def reads(self, *words: str) -> str:
        """A command that works, in the words that a person sees, on one line."""
        said = self.call(*words)
        assert said.code == 0, f"{self.name}: {' '.join(words)}: {said}"
        return " ".join((said.out + said.err).split())

    def is_told(self, *words: str, **environment: str) -> Said:
        """A command that can't work: one sentence on stderr, the same in JSON on stdout."""
        said = self.call("--json", *words, **environment)
        assert said.code != 0, f"{self.name}: {' '.join(words)} should have failed: {said.out}"
        error = said.value["error"]
        assert error["message"] in said.err and error["message"][-1] in ".?!", said
        return said

    # --- a host ---------------------------------------------------------------------------------

    def lists(self, title: str, *flags: str) -> str:
        """Lists a charger that takes strangers at once and is free to cancel; its id. Flags come on top."""
        usual = {
            "--at": "52.5200,13.4050",
            "--address": "12 Hidden Lane, Berlin",
            "--price": "0.35/kWh",
            "--power": "11kW",
            "--zone": "Europe/Berlin",
            "--strangers": "instant",
            "--cancel-free": "0m",
        }
        words = [part for flag in usual.items() for part in flag]  # of a flag given twice the last counts
        made = self.says("charger", "add", "--yes", "--no-wait", "--title", title, *words, *flags)
        self.api.patch(f"chargers/{made['id']}", {"ticket_seconds": 1})
        return str(made["id"])

    def plugs_in(self, charger: str, *flags: str, car: bool = True) -> Wallbox:
        """Pairs a virtual wallbox with a charger, whose car charges 60 times too fast, and waits for it."""
        paired = self.says("charger", "pair", charger, "--no-wait")
        number = len(self._boxes)
        secret = self.home.root.with_suffix(f".{number}.password")
        secret.write_text(paired["password"])
        log = self.home.root.with_suffix(f".{number}.box.log")
        words = ["--url", paired["url"], "--id", paired["id"], "--password-file", str(secret)]
        words += ["--speed", "60", "--sample", "0.5", *(() if car else ("--no-plug-in",)), *flags]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*self._program, "--json", "wallbox", *words],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                env=self.environment,
                cwd=ROOT,
            )
        box = Wallbox(process, log)
        self._boxes.append(box)
        wanted = "Preparing" if car else "Available"
        eventually(lambda: self._sees_box(charger, wanted), f"the wallbox of {self.name} is {wanted}")
        return box

    def _sees_box(self, charger: str, state: str) -> bool:
        view = self.api.get(f"chargers/{charger}/wallbox")["state"]
        return bool(view) and view["connected"] and view["state"] == state

    # --- a driver -------------------------------------------------------------------------------

    def joins(self, other: House) -> None:
        assert self.says("join", other.says("invite")["link"])["connected"] == 1

    def finds(self, title: str, *flags: str) -> dict[str, Any]:
        """The listing of that title, searched for until it is there."""

        def look() -> dict[str, Any]:
            said = self.call("--json", "find", "--near", "52.5200,13.4050", *flags)
            assert said.code == 0, said
            return next((one for one in said.values if one.get("title") == title), {})

        return eventually(look, f"{self.name} finds {title}")

    def books(self, title: str, *flags: str) -> str:
        """Books two hours from now, or as the flags say; the booking's id, whatever the host answers."""
        when = () if "--from" in flags else ("--from", "now", "--for", "2h")
        listing = self.finds(title)
        return str(self.says("book", listing["id"], *when, "--yes", *flags)["id"])

    def sees(self, booking: str, state: str, within_s: float = 30.0) -> dict[str, Any]:
        """The booking once `state` (see WaitQuery) is reached."""
        view = self.api.get(f"bookings/{booking}", wait_until=state, timeout_s=within_s)
        assert view["waited"]["reached"], f"{self.name} waits for {state}: {story(view)}"
        return dict(view)

    def until(self, booking: str, what: Callable[[dict[str, Any]], T]) -> T:
        """Looks at the booking until `what` is true of it."""
        return eventually(lambda: what(self.api.get(f"bookings/{booking}")), f"{self.name} sees it")

    def end(self) -> None:
        for box in self._boxes:
            _end(box.process)
        self.closes()


class Street:
    """Every house of one test network."""

    def __init__(self, folder: Path, program: Sequence[str], settings: dict[str, str]) -> None:
        self.folder = folder
        self.network = f"chargemesh-test-houses-{os.getpid()}-{next(_networks)}"
        self._program = program
        self._settings = SETTINGS | settings
        self._houses: list[House] = []

    def house(self, name: str, **settings: str) -> House:
        """A house whose folder is still empty; settings as BOOKING_STRANGER_MAX_HOURS="8"."""
        house = House(name, self.folder, self.network, self._settings | settings, self._program)
        self._houses.append(house)
        return house

    def open_all(self, *houses: House) -> None:
        """Starts their nodes at the same time, and has each join the first."""
        for house in houses:
            house.moves_in()
            house.starts()
        for house in houses:
            house.is_up()
        for house in houses[1:]:
            house.joins(houses[0])

    def end(self) -> None:
        for house in self._houses:
            house.end()


@contextmanager
def street(folder: Path, program: Sequence[str] = PROGRAM, **settings: str) -> Iterator[Street]:
    people = Street(folder, program, settings)
    try:
        yield people
    finally:
        people.end()


def eventually(what: Callable[[], T], name: str, within_s: float = 30.0) -> T:
    """Waits until `what` gives something true, and returns it."""
    end = time.monotonic() + within_s
    while not (found := what()):
        assert time.monotonic() < end, f"not within {within_s:g} s: {name}"
        time.sleep(0.1)
    return found


def story(view: dict[str, Any]) -> str:
    """A booking in its own sentences, for a failing test."""
    return " ".join([*view["so_far"], *view["next_steps"], *(one["text"] for one in view["messages"])])


def _plain_environment(folder: Path, settings: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CHARGEMESH_", "XDG_"))}
    ours = {f"CHARGEMESH_{name}": value for name, value in settings.items()}
    return kept | ours | {"HOME": str(folder), "TZ": "UTC", "NO_COLOR": "1"}


def _end(process: subprocess.Popen[Any]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)
