"""Counts the connections of our processes that lead anywhere but to this machine, from Linux's /proc.

A sampler looks several times a second while the story runs: also what is open only for a moment is seen, if
it is open for longer than that.
"""

from __future__ import annotations

import ipaddress
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

_TABLES = ("tcp", "tcp6", "udp", "udp6")
_PAUSE_SECONDS = 0.4


class ConnectionCounter:
    """Which addresses beyond loopback any of `pids()` was seen connected to."""

    def __init__(self, pids: Callable[[], Iterable[int]]) -> None:
        self._pids = pids
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="connection counter", daemon=True)
        self.foreign: set[str] = set()
        self.seen = 0
        self.looks = 0

    @property
    def possible(self) -> bool:
        """Whether this system shows it."""
        return Path("/proc/net/tcp").exists()

    def start(self) -> None:
        if self.possible:
            self._thread.start()

    def stop(self) -> None:
        """One last look, and the end."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while True:
            remotes = remote_addresses(self._pids())
            self.seen = max(self.seen, len(remotes))
            self.foreign |= {one for one in remotes if not is_loopback(one.rpartition(":")[0])}
            self.looks += 1
            if self._stop.wait(_PAUSE_SECONDS):
                return


def is_loopback(address: str) -> bool:
    """Whether an IP address stays on this machine; IPv4 in IPv6 is judged as IPv4."""
    one = ipaddress.ip_address(address)
    mapped = one.ipv4_mapped if isinstance(one, ipaddress.IPv6Address) else None
    return (mapped or one).is_loopback


def remote_addresses(pids: Iterable[int]) -> list[str]:
    """`ADDRESS:PORT` at the other end of every connected TCP or UDP socket of these processes."""
    inodes = {inode for pid in pids for inode in _socket_inodes(pid)}
    found = []
    for table in _TABLES:
        try:
            lines = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        except FileNotFoundError:  # no IPv6 here
            continue
        for fields in map(str.split, lines):
            if fields[9] in inodes:
                address, port = _endpoint(fields[2])
                if port:
                    found.append(f"{address}:{port}")
    return found


def _socket_inodes(pid: int) -> Iterator[str]:
    folder = f"/proc/{pid}/fd"
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, PermissionError, ProcessLookupError):
        return
    for name in names:
        try:
            target = os.readlink(f"{folder}/{name}")
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            continue
        if target.startswith("socket:["):
            yield target[8:-1]


def _endpoint(text: str) -> tuple[str, int]:
    """As the kernel writes it: 32-bit words in the machine's byte order, then the port, all in hex."""
    words, _, port = text.partition(":")
    raw = b"".join(_word(words[at : at + 8]) for at in range(0, len(words), 8))
    return str(ipaddress.ip_address(raw)), int(port, 16)


def _word(text: str) -> bytes:
    return int(text, 16).to_bytes(4, sys.byteorder)
