"""Ports that a setting of 0 leaves to the system: chosen once and kept, so that peers, wallboxes, forwarded
ports and invitations still lead here after a restart.

`ports.json` in the home holds them by name: "wallbox", "api", and "peers:" with the address that is set. It
is in no backup: a copy of the node beside the original must take ports of its own.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
from collections.abc import Iterable

from chargemesh_protocol.errors import PersonError

from .home import Home, read_private_file, replace_private_file

_log = logging.getLogger(__name__)

WALLBOX, API = "wallbox", "api"
_MAX_BYTES = 16 * 1024
_MAX_PORT = 65535
_FREE_AGAIN_TRIES, _FREE_AGAIN_SECONDS = 5, 0.2  # a node that was killed a moment ago still lets go
_LISTEN = re.compile(r"(?P<before>/ip[46]/(?P<host>[^/]+)/tcp/)(?P<port>[0-9]+)(?P<after>.*)")


class KeptPorts:
    """`get` before listening, `keep` with the port that was taken. `moved`: a sentence for each that was kept
    and could not be had again."""

    def __init__(self, home: Home) -> None:
        self._file = home.ports_file
        self._ports = _read(home)
        self.moved: list[str] = []

    def get(self, name: str) -> int:
        """0 before the first start."""
        return self._ports.get(name, 0)

    def keep(self, name: str, port: int) -> None:
        before = self._ports.get(name)
        if before == port:
            return
        self._ports[name] = port
        if before is not None:
            whose = name.partition(":")[0]
            text = f"Port {before} ({whose}) was taken at this start: it is {port} from now on."
            self.moved.append(text)
            _log.warning("%s", text)
        text = json.dumps(self._ports, indent=1, sort_keys=True)
        try:
            replace_private_file(self._file, f"{text}\n".encode())
        except PersonError as error:  # a full disk: a node that runs is worth more than one at the same port
            _log.warning("the port %d is not kept: %s", port, error)

    async def listen(self, addresses: Iterable[str]) -> tuple[str, ...]:
        """The multiaddrs of `network.listen`, each port 0 in them replaced by the kept one if it is free."""
        return tuple([await self._listen(address) for address in addresses])

    async def _listen(self, address: str) -> str:
        found, kept = _LISTEN.fullmatch(address), self.get(_peers(address))
        if found is None or found["port"] != "0" or not kept:
            return address
        for _ in range(_FREE_AGAIN_TRIES):
            if _is_free(found["host"], kept):
                return f"{found['before']}{kept}{found['after']}"
            await asyncio.sleep(_FREE_AGAIN_SECONDS)
        return address

    def keep_listening(self, addresses: Iterable[str], bound: Iterable[str]) -> None:
        """`bound`: the multiaddrs that `addresses` became, with their real ports."""
        left = [found for one in bound if (found := _LISTEN.fullmatch(one))]
        for address in addresses:
            wanted = _LISTEN.fullmatch(address)
            if wanted is None or wanted["port"] != "0":
                continue
            for one in left:
                if (one["before"], one["after"]) == (wanted["before"], wanted["after"]):
                    self.keep(_peers(address), int(one["port"]))
                    left.remove(one)
                    break


def _peers(address: str) -> str:
    return f"peers:{address}"


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _read(home: Home) -> dict[str, int]:
    """Empty where there is no such file, or a hand has spoilt it: then ports are chosen anew."""
    try:
        found = json.loads(read_private_file(home.ports_file, _MAX_BYTES))
    except FileNotFoundError:
        return {}
    except (ValueError, PersonError) as error:
        _log.warning("%s can't be read (%s): ports are chosen anew", home.ports_file, error)
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: port for name, port in found.items() if type(port) is int and 0 < port <= _MAX_PORT}
