"""Addresses as people and links write them."""

from __future__ import annotations

import pytest

from chargemesh_node.addresses import check_contact_address, check_listen_address, parse_peer_address
from chargemesh_protocol.contact import Contact

PEER_ID = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"


@pytest.mark.parametrize("address", ["/ip4/192.0.2.1/tcp/4001", "/ip6/2001:db8::1/tcp/4001/ws"])
def test_a_node_listens_and_is_dialled_on_tcp_and_websocket(address: str) -> None:
    assert check_listen_address(address) == address
    assert check_contact_address(address) == address
    assert parse_peer_address(f"{address}/p2p/{PEER_ID}") == Contact(PEER_ID, (address,))


@pytest.mark.parametrize("end", ["/wss", "/ws/ws", "/ws/tcp/1", "/quic-v1"])
def test_other_transports_are_refused_by_name(end: str) -> None:
    with pytest.raises(ValueError, match="is not an address"):
        check_listen_address(f"/ip4/192.0.2.1/tcp/4001{end}")
