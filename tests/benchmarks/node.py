"""An idle node as `chargemesh run` starts it: how soon it answers, what it holds in memory, what it costs.

Two real nodes on loopback, connected to each other; one of them is measured, with its network process. It
has a charger listed, and a wallbox's port open, as a host's node would on most days.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from tests.e2e.houses import House, eventually, street

IDLE_SECONDS = 15.0
STARTS = 3
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def measure() -> dict[str, float]:
    """Milliseconds until the API answers (the fastest of three: what else runs only adds), MB, percent."""
    with tempfile.TemporaryDirectory(prefix="cm-bench-") as folder, street(Path(folder)) as people:
        host, other = people.house("host"), people.house("other")
        host.moves_in()
        starts = [_cold_start(host) for _ in range(STARTS)]
        other.opens()
        other.joins(host)
        host.lists("Idle")
        eventually(lambda: host.api.get("status")["counts"]["peers"] == 1, "they are connected")
        time.sleep(2.0)  # what the listing set in motion is over
        node, network = host.pid, int(host.api.get("status")["network_pid"])
        before, began = _cpu_seconds(node, network), time.perf_counter()
        time.sleep(IDLE_SECONDS)
        busy, took = _cpu_seconds(node, network) - before, time.perf_counter() - began
        return {
            "cold_start_ms": round(min(starts), 1),
            "idle_rss_mb": round(_resident_mb(node) + _resident_mb(network), 1),
            "idle_rss_node_mb": round(_resident_mb(node), 1),
            "idle_rss_network_mb": round(_resident_mb(network), 1),
            "idle_pss_mb": round(_proportional_mb(node) + _proportional_mb(network), 1),
            "idle_cpu_percent": round(100 * busy / took, 2),
        }


def _cold_start(house: House) -> float:
    """From the start of the process until the API has answered; the node is left running."""
    house.closes()
    began = time.perf_counter()
    house.starts()
    house.is_up()
    house.api.get("id")
    return (time.perf_counter() - began) * 1000


def _cpu_seconds(*pids: int) -> float:
    """User and system time, from /proc (Linux)."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


def _resident_mb(pid: int) -> float:
    """Resident memory; what two processes share is counted in both."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1e6


def _proportional_mb(pid: int) -> float:
    """Resident memory in which each process has its share of what is shared."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0
