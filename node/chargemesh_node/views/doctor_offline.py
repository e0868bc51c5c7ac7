"""What can be checked on a home while no node runs there: files, clock, ports."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from typing import TypedDict

from chargemesh_protocol.clock import judge_clock
from chargemesh_protocol.errors import PersonError

from ..clock import SystemClock
from ..config import load_config
from ..extensions import installed
from ..home import Home, check_private_folder, read_private_file
from ..store.newest import newest_signed

_MAX_KEY_FILE_BYTES = 1024 * 1024


class OfflineCheck(TypedDict):
    """As a running node's checks (doctor.Check): ok is false where something does not work."""

    name: str
    ok: bool | None
    text: str
    hint: str


def doctor_offline(home: Home, environ: Mapping[str, str]) -> list[OfflineCheck]:
    """One check a line; never raises for what it finds."""
    if not home.is_initialised:
        return [_told("home", f"There is no node in {home.root}.", "Run `chargemesh init` first.")]
    return [*_files(home), _clock(home), *_ports(home, environ), *_extensions()]


def _extensions() -> Iterator[OfflineCheck]:
    for one in installed().broken:
        yield _told(
            "extension",
            f"The {one.what} {one.name} of {one.source} can't be used: {one.fault}.",
            f"Update {one.package}, or uninstall it; until then the node goes on without it.",
        )


def _files(home: Home) -> Iterator[OfflineCheck]:
    try:
        for folder in (home.root, home.keys):
            check_private_folder(folder)
        yield _told("home", f"{home.root} can only be read by you.")
    except PersonError as error:
        yield _told("home", error.message, error.hint or "Look at that folder.")
    try:
        for one in sorted(os.listdir(home.keys)):
            read_private_file(home.keys / one, _MAX_KEY_FILE_BYTES)
        yield _told("keys", "The keys are there, and can only be read by you.")
    except PersonError as error:
        yield _told("keys", error.message, error.hint or "Look at that file.")
    except OSError as error:
        yield _told("keys", f"Cannot read the keys: {error.strerror}.", "Look at the folder keys.")


def _clock(home: Home) -> OfflineCheck:
    verdict = judge_clock(SystemClock().now(), newest_signed(home.node_db))
    if verdict.trusted:
        return _told("clock", "The clock can be right; a running node compares it with its peers' too.")
    return _told("clock", verdict.reason, "Set the clock (on Linux `timedatectl` shows how it is kept).")


def _ports(home: Home, environ: Mapping[str, str]) -> Iterator[OfflineCheck]:
    try:
        config = load_config(home.config_file, environ)
    except PersonError as error:
        yield _told("settings", error.message, error.hint or f"Correct {home.config_file}.")
        return
    yield _told("settings", "The settings can be read.")
    wanted = [
        ("wallbox", "wallbox.port", config.wallbox.host, config.wallbox.port),
        ("api", "api.port", config.api.host, config.api.port),
    ]
    for address in config.network.listen:
        parts = address.split("/")  # /ip4/HOST/tcp/PORT
        if len(parts) > 4 and parts[4].isdigit():
            wanted.append(("network", "network.listen", parts[2], int(parts[4])))
    for name, setting, host, port in wanted:
        if port == 0:
            continue  # the system chooses a free one
        reason = _taken(host, port)
        if reason:
            hint = f"End the program that has it, or choose another with `chargemesh config set {setting} …`."
            yield _told(f"{name}-port", f"Port {port} on {host} can't be used: {reason}.", hint)
        else:
            yield _told(f"{name}-port", f"Port {port} on {host} is free.")


def _taken(host: str, port: int) -> str:
    """Why nothing could listen there; empty if it can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return str(error.strerror or error)
    return ""


def _told(name: str, text: str, hint: str = "") -> OfflineCheck:
    """A check that failed has a hint, one that is well has none."""
    return {"name": name, "ok": not hint, "text": text, "hint": hint}
