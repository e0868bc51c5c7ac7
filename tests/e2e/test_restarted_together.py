"""A power cut in the street: nodes that restart together meet again at their kept ports, without mDNS."""

from __future__ import annotations

from pathlib import Path

from .houses import eventually, street


def test_two_nodes_that_restart_together_meet_again(tmp_path: Path) -> None:
    with street(tmp_path) as people:
        hanna, dario = people.house("hanna"), people.house("dario")
        people.open_all(hanna, dario)
        charger = hanna.lists("Garage")
        url = hanna.says("charger", "pair", charger, "--no-wait")["url"]
        addresses, api = hanna.says("id")["addresses"], hanna.home.api_port_file.read_text()
        for one in (hanna, dario):
            one.closes()
        for one in (hanna, dario):
            one.starts()
        for one in (hanna, dario):
            one.is_up()
        eventually(lambda: dario.api.get("status")["counts"]["peers"] == 1, "they meet again")
        assert hanna.says("id")["addresses"] == addresses and hanna.home.api_port_file.read_text() == api
        assert hanna.says("charger", "pair", charger, "--no-wait")["url"] == url
