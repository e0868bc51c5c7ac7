"""Invitations: short, pasteable, and read with care."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_node.invite import MAX_LINK_CHARS, SCHEME, Invite, make_link, qr_text, read_link
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.encoding import Tree, encode
from chargemesh_protocol.errors import ExitCode, PersonError

PEER_ID = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"
PEER = Contact(PEER_ID, ("/ip4/192.0.2.1/tcp/4001", "/ip6/2001:db8::1/tcp/4001"))
INVITE = Invite("chargemesh-dev-1", (PEER, PEER))


def coded(tree: Tree) -> str:
    return SCHEME + base64.urlsafe_b64encode(encode(tree)).rstrip(b"=").decode()


def message_of(link: str) -> str:
    with pytest.raises(PersonError) as caught:
        read_link(link)
    assert caught.value.exit_code == ExitCode.USAGE
    return caught.value.message


def test_a_link_comes_back() -> None:
    assert read_link(make_link(INVITE)) == INVITE


def test_a_link_needs_no_quotes_and_survives_a_mail() -> None:
    link = make_link(INVITE)
    assert re.fullmatch(r"[A-Za-z0-9:/_-]+", link)
    broken = "\r\n ".join(link[at : at + 60] for at in range(0, len(link), 60))
    assert read_link(f"  {broken}\n") == INVITE
    assert read_link(link.replace("chargemesh:", "CHARGEMESH:")) == INVITE


def test_long_lists_are_cut_to_what_a_code_can_show() -> None:
    host = "x" * 200
    peer = Contact(PEER_ID, tuple(f"/dns4/{host}{n}.example/tcp/4001" for n in range(8)))
    link = make_link(Invite("chargemesh-dev-1", (peer, peer)))
    assert len(link) <= MAX_LINK_CHARS
    (kept,) = read_link(link).peers
    assert kept.addresses == peer.addresses[: len(kept.addresses)] and kept.addresses


@pytest.mark.parametrize("text", ["", "https://example.org", "chargemesh:pay/AAAA", "12D3KooW"])
def test_other_texts_are_no_invitation(text: str) -> None:
    assert "not a chargemesh invitation" in message_of(text)


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 50, 1000])
def test_a_cut_link_is_damaged(cut: int) -> None:
    assert "damaged" in message_of(make_link(INVITE)[:-cut] if cut < 1000 else SCHEME)


def test_a_newer_format_is_named() -> None:
    assert "format 2" in message_of(coded({0: 2, 1: "chargemesh-dev-1", 5: True}))


@pytest.mark.parametrize(
    "tree",
    [
        {0: 1, 1: "chargemesh-dev-1"},
        {0: 1, 1: "chargemesh-dev-1", 2: []},
        {0: 1, 1: "somebody-else", 2: [{0: PEER_ID, 1: ["/ip4/192.0.2.1/tcp/1"]}]},
        {0: 1, 1: "chargemesh-dev-1", 2: [{0: PEER_ID, 1: []}]},
        {0: 1, 1: "chargemesh-dev-1", 2: [{0: "not a peer id", 1: ["/ip4/192.0.2.1/tcp/1"]}]},
        {0: 1, 1: "chargemesh-dev-1", 2: [{0: PEER_ID, 1: ["/ip4/192.0.2.1/tcp/0"]}]},
        {0: 1, 1: "chargemesh-dev-1", 2: [{0: PEER_ID, 1: ["/ip4/192.0.2.1/tcp/1/p2p/" + PEER_ID]}]},
        {0: 1, 1: "chargemesh-dev-1", 2: [{0: PEER_ID, 1: ["javascript:alert(1)"]}]},
        {0: 1, 1: "chargemesh-dev-1", 2: [{0: PEER_ID, 1: ["/ip4/192.0.2.1/tcp/1"]}] * 5},
        {1: "chargemesh-dev-1", 2: [{0: PEER_ID, 1: ["/ip4/192.0.2.1/tcp/1"]}]},
        [1, 2],
    ],
)
def test_what_the_link_holds_is_checked(tree: Tree) -> None:
    assert "damaged" in message_of(coded(tree))


@given(st.binary(max_size=900))
def test_any_bytes_are_a_sentence(data: bytes) -> None:
    message_of(SCHEME + base64.urlsafe_b64encode(data).decode())


@given(st.text(max_size=200))
def test_any_text_is_a_sentence(text: str) -> None:
    message_of(text)
    message_of(SCHEME + text)


def test_the_code_is_square_text() -> None:
    lines = qr_text(make_link(INVITE)).splitlines()
    assert {len(line) for line in lines} == {len(lines[0])}
    assert set("".join(lines)) <= set(" ▀▄█")
    assert len(lines[0]) // 2 <= len(lines) <= len(lines[0]) // 2 + 1
