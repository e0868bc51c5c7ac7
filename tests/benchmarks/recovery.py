"""A host with five years of bookings: how soon its node serves again after kill -9, and in how much memory.

A real node on loopback with a charger listed. Its node.db is filled with bookings that two parties have
signed each (see `years`); before each start the node is killed, not stopped.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

from chargemesh_cli.client import NodeAway
from chargemesh_node.clock import SystemClock
from chargemesh_node.keystore import load_keys
from chargemesh_protocol.me import Me
from tests.benchmarks.node import _PAGE, _cpu_seconds
from tests.benchmarks.years import Years
from tests.e2e.houses import House, street

COUNTS = (0, 1_000, 10_000)
STARTS = 3


def measure() -> dict[str, Any]:
    """Milliseconds until the API answers (the fastest of three: what else runs only adds) and of CPU, MB, and
    what a person then waits for a page of the past and for one old booking."""
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="cm-bench-") as folder, street(Path(folder)) as people:
        host = people.house("host")
        host.opens()
        host.lists("Years")
        keys = load_keys(host.home, host.network)
        me = Me(keys.author, keys.bundle.to_bytes(), host.network, keys.device)
        years = Years(me, SystemClock().now(), most=max(COUNTS))
        for count in COUNTS:
            host.closes()
            years.fill(host.home.node_db, count)
            host.starts()
            host.is_up()
            figures[f"{count}_bookings"] = _measured(host, count)
        figures["records"] = years.records
        figures["node_db_mb"] = round(host.home.node_db.stat().st_size / 1e6)
    return figures


def _measured(host: House, count: int) -> dict[str, float]:
    serving, busy = map(min, zip(*(_killed_and_started(host) for _ in range(STARTS)), strict=True))
    resident = _resident_mb(host.pid)
    assert host.api.get("status")["counts"]["bookings"] == count
    figures = {
        "serving_again_ms": round(serving, 1),
        "serving_again_cpu_ms": round(busy, 1),
        "rss_at_start_mb": round(resident, 1),
    }
    if count:
        figures["page_of_50_ms"] = _timed(lambda: host.api.get("bookings", open="false"))
        figures["page_of_50_again_ms"] = _timed(lambda: host.api.get("bookings", open="false"))
        page = host.api.get("bookings", open="false", limit=2)["bookings"]
        figures["old_booking_ms"] = _timed(lambda: host.api.get(f"bookings/{page[1]['id']}"))
        time.sleep(1.0)
        figures["rss_after_mb"] = round(_resident_mb(host.pid), 1)
    return figures


def _killed_and_started(host: House) -> tuple[float, float]:
    """From the start of the process until the API has answered, and its CPU time in that."""
    os.kill(host.pid, signal.SIGKILL)
    host.closes()
    began = time.perf_counter()
    host.starts()
    while not _answers(host):
        time.sleep(0.01)
    return (time.perf_counter() - began) * 1000, _cpu_seconds(host.pid) * 1000


def _answers(host: House) -> bool:
    try:
        host.api.get("id")
    except NodeAway:
        return False
    return True


def _timed(work: Any) -> float:
    began = time.perf_counter()
    work()
    return round((time.perf_counter() - began) * 1000, 1)


def _resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1e6


if __name__ == "__main__":
    for name, value in measure().items():
        print(name, value)
