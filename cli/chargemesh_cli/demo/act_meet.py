"""First act: the nodes come up, meet through one address, and their listings are found cell by cell."""

from __future__ import annotations

import os
import time
from typing import Any

from chargemesh_protocol.place import public_cell

from .cast import CENTRE, DARIO, SEARCH_RADIUS_M
from .neighbour import Neighbour, wait_for
from .play import Play
from .scene import Light

_UP_SECONDS = 40.0
_FOUND_SECONDS = 30.0
_SEARCH_PAUSE_SECONDS = 0.3


def come_up(play: Play) -> None:
    """One node first; its address is all that the others are told."""
    scene, first = play.stage.scene, play.people[0]
    scene.network, scene.home = play.network, public_cell(CENTRE)
    scene.nodes = {one.name: False for one in play.people}
    with play.timed("all_nodes_up_s"):
        for one in play.people:
            one.prepare()
        with play.timed("first_node_up_s"):
            first.start(None)
            wait_for(f"{first.name}'s node", _UP_SECONDS, lambda: first.up)
        scene.nodes[first.name] = True
        address = first.address
        play.stage.step(
            "first-node",
            f"{first.name}'s node is up. The others are told its address and nothing else: "
            f"{address[: address.rindex('/') + 9]}…",
            address=address,
        )
        _start_others(play, address)
    for one in play.people:
        wait_for(f"a peer of {one.name}", _UP_SECONDS, one.peers)
    play.stage.step(
        "nodes-up",
        f"{len(play.people)} nodes are up, each two processes with keys and a database of its own, "
        f"and connected: {', '.join(f'{one.name} {one.peers()}' for one in play.people)} peers.",
        nodes=len(play.people),
        seconds=play.figures["all_nodes_up_s"],
    )


def _start_others(play: Play, bootstrap: str) -> None:
    """As many at once as there are cores, so that none waits for its turn until it looks dead."""
    at_once = max(2, min(4, os.cpu_count() or 2))
    waiting, starting = list(play.people[1:]), list[Neighbour]()
    deadline = time.monotonic() + _UP_SECONDS + 5 * len(waiting)
    while waiting or starting:
        while waiting and len(starting) < at_once:
            one = waiting.pop(0)
            one.start(bootstrap)
            starting.append(one)
        left = max(0.1, deadline - time.monotonic())
        wait_for("the next node", left, lambda: any(one.up for one in starting))
        for one in [one for one in starting if one.up]:
            starting.remove(one)
            _is_up(play, one)


def _is_up(play: Play, one: Neighbour) -> None:
    nodes = play.stage.scene.nodes
    nodes[one.name] = True
    play.stage.progress("node-up", f"{one.name}'s node is up ({sum(nodes.values())} of {len(nodes)}).")


def list_chargers(play: Play) -> None:
    """Everybody with a charger offers it."""
    for host in play.hosts:
        host.charger = host.api.post("chargers", host.character.charger())["id"]
    play.stage.step(
        "chargers-listed",
        f"{len(play.hosts)} hosts offer a charger. Strangers see an H3 cell of about 5 square kilometres, "
        "prices and hours; no address and no coordinate.",
        chargers=len(play.hosts),
    )


def find_chargers(play: Play) -> dict[str, dict[str, Any]]:
    """Dario searches until every charger is found; title -> the listing as his node shows it."""
    found: dict[str, dict[str, Any]] = {}
    wanted = {one.character.title for one in play.hosts if one is not play.dario}

    def search() -> bool:
        for line in play.dario.api.lines(
            "find", lat=DARIO.place.latitude, lon=DARIO.place.longitude, radius_m=SEARCH_RADIUS_M
        ):
            if "id" in line and line["title"] not in found:
                found[line["title"]] = line
                cell = line["cell"]["cell"]
                play.stage.scene.light(int(cell, 16), Light.LISTED, line["title"])
                near, far = (metres / 1000 for metres in line["distance_m"])
                play.stage.step(
                    "listing-found",
                    f"{line['title']}: {line['price']['text']} a kWh, in cell {cell}, "
                    f"{near:.1f} to {far:.1f} km away.",
                    title=line["title"],
                    cell=cell,
                    price=line["price"],
                )
        return wanted <= found.keys()

    with play.timed("all_listings_found_s"):
        wait_for("every listing", _FOUND_SECONDS, search, _SEARCH_PAUSE_SECONDS)
    play.stage.step(
        "search-done",
        f"Dario's search asked the nodes nearest to the cells' keys (Kademlia), and has found all "
        f"{len(found)} chargers {play.figures['all_listings_found_s']:.1f} s after they were offered.",
        found=len(found),
    )
    return found
