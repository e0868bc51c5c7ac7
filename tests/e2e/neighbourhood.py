"""A street with no internet: network namespaces on a bridge, made and removed by the test.

Needs root and iproute2. The bridge stands in a namespace of its own: nothing of the machine's is touched.
"""

from __future__ import annotations

import os
import shutil
import subprocess

HOMES = 2


class Neighbourhood:
    """`homes` and `pavement` are names of namespaces; on the pavement one hears what the homes say."""

    def __init__(self) -> None:
        self.pavement = f"cm{os.getpid()}street"
        self.homes = [f"cm{os.getpid()}home{number}" for number in range(HOMES)]

    def build(self) -> None:
        for name in (self.pavement, *self.homes):
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", self.pavement, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
        _ip("-n", self.pavement, "link", "set", "br0", "up")
        _ip("-n", self.pavement, "address", "add", "10.77.0.1/24", "dev", "br0")
        for number, home in enumerate(self.homes):
            port = f"port{number}"
            _ip(
                "-n",
                self.pavement,
                "link",
                "add",
                port,
                "type",
                "veth",
                "peer",
                "name",
                "eth0",
                "netns",
                home,
            )
            _ip("-n", self.pavement, "link", "set", port, "master", "br0", "up")
            _ip("-n", home, "address", "add", f"10.77.0.{10 + number}/24", "dev", "eth0")
            _ip("-n", home, "link", "set", "eth0", "up")

    def remove(self) -> None:
        for name in (*self.homes, self.pavement):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)

    def routes(self, name: str) -> str:
        return _ip("-n", name, "route")


def inside(name: str, *command: str) -> tuple[str, ...]:
    """The command line that runs a command in a namespace."""
    return "ip", "netns", "exec", name, *command


def why_not() -> str:
    """Why no neighbourhood can be built here; empty if it can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "network namespaces need iproute2"
    trial = Neighbourhood()
    try:
        trial.build()
    except subprocess.CalledProcessError as error:
        return f"this machine makes no network namespaces: {error.stderr.strip()}"
    finally:
        trial.remove()
    return ""


def _ip(*words: str) -> str:
    return subprocess.run(["ip", *words], capture_output=True, check=True, text=True).stdout
