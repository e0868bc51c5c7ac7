"""How long a look-up takes with 25 real nodes: cold, warm, and with a quarter of the nodes stopped.

The nodes are hosts in four processes on loopback, each told the address of the first one. Cold is a node's
first look-up, knowing nobody else (two dozen handshakes); warm are later ones, one at a time from all nodes
in turn. Then one process is stopped (SIGSTOP), which no connection notices, and the others look up again.

    python -m tests.benchmarks.lookup
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

WANTED = 8
FROZEN_ROUNDS = 95
ADOPTED_SECONDS = 2.0  # by then the first node has taken each that connected into its table


def measure(nodes: int = 25, processes: int = 4, warm: int = 100) -> dict[str, Any]:
    """Milliseconds and recall (1.0: each of the 8 truly nearest living nodes, always); takes a minute."""
    with _workers(nodes, processes) as workers:
        ids = [peer for worker in workers for peer in worker.ids]
        bootstrap = workers[0].addresses[0]
        askers = [(worker, at) for worker in workers for at in range(len(worker.ids))]
        for worker, at in askers[1:]:
            worker.ask(connect=at, to=bootstrap)
        time.sleep(ADOPTED_SECONDS)
        cold = [worker.look(at, f"cold {n}", ids) for n, (worker, at) in enumerate(askers)]
        hot = [worker.look(at, f"warm {n}", ids) for n, (worker, at) in _turns(askers, warm)]
        last = workers[-1]
        left = [peer for worker in workers[:-1] for peer in worker.ids]
        last.stop()
        living = [asker for asker in askers if asker[0] is not last]
        first = [worker.look(at, f"first {n}", left) for n, (worker, at) in enumerate(living)]
        later = [worker.look(at, f"later {n}", left) for n, (worker, at) in _turns(living, FROZEN_ROUNDS)]
        cpu = sum(worker.ask(cpu=True)["seconds"] for worker in workers[:-1])
    return {
        "nodes": nodes,
        "processes": processes,
        "cold": _summary(cold),
        "warm": _summary(hot),
        "stopped": len(last.ids),
        "first_with_stopped": _summary(first),
        "later_with_stopped": _summary(later),
        "cpu_seconds_of_the_living": round(cpu, 1),
    }


@dataclass(frozen=True, slots=True)
class _Look:
    ms: float
    recall: float


def _turns(askers: list[Any], times: int) -> Iterator[tuple[int, Any]]:
    return ((n, askers[n % len(askers)]) for n in range(times))


def _summary(looks: list[_Look]) -> dict[str, float]:
    ms = sorted(look.ms for look in looks)
    return {
        "p50_ms": round(statistics.median(ms), 1),
        "p99_ms": round(ms[min(len(ms) - 1, int(len(ms) * 0.99))], 1),
        "recall": round(statistics.mean(look.recall for look in looks), 3),
    }


def _place(raw: bytes) -> int:
    return int.from_bytes(hashlib.sha256(raw).digest(), "big")


class _Worker:
    """A process with some of the nodes; answers one JSON line for each."""

    def __init__(self, first: int, count: int) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.lookup", "worker", str(first), str(count)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._stopped = False
        self.ids: list[str] = []
        self.addresses: list[str] = []

    def wait_until_ready(self) -> None:
        ready = self._read()
        self.ids, self.addresses = ready["ids"], ready["addresses"]

    def ask(self, **command: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._read()

    def look(self, at: int, name: str, living: list[str]) -> _Look:
        """One look-up of node `at`, compared with the truly nearest among `living`."""
        target = hashlib.sha256(name.encode()).digest()
        answer = self.ask(look=at, key=target.hex())
        far = {peer: _place(bytes.fromhex(peer)) ^ _place(target) for peer in living}
        nearest = set(sorted(living, key=lambda peer: far[peer])[:WANTED])
        return _Look(answer["ms"], len(nearest & set(answer["found"])) / len(nearest))

    def stop(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)
        self._stopped = True

    def close(self) -> None:
        if self._stopped:
            self._process.kill()
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=20)

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a worker ended early")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def _workers(nodes: int, processes: int) -> Iterator[list[_Worker]]:
    share = [nodes // processes + (n < nodes % processes) for n in range(processes)]
    workers = [_Worker(sum(share[:n]), share[n]) for n in range(processes)]
    try:
        for worker in workers:
            worker.wait_until_ready()
        yield workers
    finally:
        for worker in workers:
            worker.close()


def _serve(first: int, count: int) -> None:
    """The worker's side."""
    import logging

    import trio
    from libp2p.peer.id import ID
    from libp2p.peer.peerinfo import PeerInfo
    from multiaddr import Multiaddr

    from chargemesh_node.p2p.kad_limits import DEFAULT_LOOKUP_LIMITS

    from ..node.p2p.lookup_street import Street

    # Joining would warm up what is measured cold.
    limits = replace(DEFAULT_LOOKUP_LIMITS, join_jitter_s=3600.0)
    logging.disable(logging.ERROR)  # libp2p tells of every stream that the stopped nodes don't answer

    def say(**answer: Any) -> None:
        print(json.dumps(answer), flush=True)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            street = Street(nursery)
            houses = [await street.open(first + n, limits=limits) for n in range(count)]
            say(
                ids=[house.id.to_bytes().hex() for house in houses],
                addresses=[f"{house.address}/p2p/{house.id}" for house in houses],
            )
            while line := await trio.to_thread.run_sync(sys.stdin.readline):
                command = json.loads(line)
                if "connect" in command:
                    at, _, peer = command["to"].rpartition("/p2p/")
                    info = PeerInfo(ID.from_string(peer), [Multiaddr(at)])
                    await houses[command["connect"]].host.connect(info)
                    say()
                elif "look" in command:
                    began = time.perf_counter()
                    lookup = houses[command["look"]].lookup
                    found = await lookup.closest(bytes.fromhex(command["key"]), WANTED)
                    ms = (time.perf_counter() - began) * 1000
                    say(ms=ms, found=[peer.to_bytes().hex() for peer, _ in found])
                else:
                    say(seconds=time.process_time())
            nursery.cancel_scope.cancel()

    trio.run(main)


if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        _serve(int(sys.argv[2]), int(sys.argv[3]))
    else:
        print(json.dumps(measure(), indent=2))
