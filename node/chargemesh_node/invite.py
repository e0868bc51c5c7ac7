"""Invitations: a link that tells a new node its network and the first peers to dial.

    chargemesh:join/BASE64URL      deterministic CBOR {0: version 1, 1: network id, 2: [Contact, …]}

The link holds none of the characters that a shell treats as its own, so it can be pasted unquoted. It
is not signed and not secret: whoever passes it on chooses whom the new node meets first, and no more.
"""

from __future__ import annotations

import base64
import io
import re
from dataclasses import dataclass

import segno

from chargemesh_protocol.contact import Contact
from chargemesh_protocol.encoding import Tree, decode, encode
from chargemesh_protocol.errors import ExitCode, PersonError, Refused
from chargemesh_protocol.limits import MAX_NETWORK_ID_CHARS
from chargemesh_protocol.shape import Seq, Struct, Text, from_tree, key, shape, to_tree

from .addresses import check_contact_address, check_peer_id
from .settings import SETTINGS

SCHEME = "chargemesh:join/"
# A QR code holds 2,953 bytes at most and is hard to scan from a screen long before that.
MAX_LINK_CHARS = 1200
MAX_INVITE_PEERS = 4
_VERSION = 1
_ALPHABET = re.compile(r"[A-Za-z0-9_-]+")


@shape
@dataclass(frozen=True, slots=True)
class Invite:
    """The network to join, and 1 to 4 peers that answer there."""

    network: str = key(1, Text(MAX_NETWORK_ID_CHARS, 1))
    peers: tuple[Contact, ...] = key(2, Seq(Struct(Contact), MAX_INVITE_PEERS, 1))

    def __post_init__(self) -> None:
        SETTINGS["network.id"].check(self.network)
        for peer in self.peers:
            check_peer_id(peer.peer_id)
            if not peer.addresses:
                raise ValueError("a peer without an address can't be dialled")
            for address in peer.addresses:
                check_contact_address(address)


def make_link(invite: Invite) -> str:
    """The invitation as a link. Peers at the end, then addresses, are left out until it is short enough."""
    peers = list(invite.peers)
    while True:
        link = _encode(Invite(invite.network, tuple(peers)))
        if len(link) <= MAX_LINK_CHARS:
            return link
        if len(peers) > 1:
            peers.pop()
        elif len(peers[0].addresses) > 1:
            peers[0] = Contact(peers[0].peer_id, peers[0].addresses[:-1])
        else:
            raise PersonError(
                "invite-too-long",
                "This node's address is too long for an invitation.",
                "Listen on a plain one: `run --listen /ip4/0.0.0.0/tcp/4001`.",
            )


def read_link(text: str) -> Invite:
    """The invitation in a link; PersonError says whether it is no link, cut, or made by a newer program."""
    link = "".join(text.split())  # mail programs break long lines
    if not link.lower().startswith(SCHEME):
        raise _error("This is not a chargemesh invitation.", f"An invitation begins with {SCHEME}")
    coded = link[len(SCHEME) :].rstrip("=")
    if len(link) > MAX_LINK_CHARS or not _ALPHABET.fullmatch(coded) or len(coded) % 4 == 1:
        raise _damaged()
    try:
        tree = decode(base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)), max_bytes=MAX_LINK_CHARS)
        if not isinstance(tree, dict):
            raise _damaged()
        version = tree.pop(0, None)
        if version != _VERSION and isinstance(version, int):
            raise _error(f"This invitation has format {version}.", "Update chargemesh to read it.")
        if version is None:
            raise _damaged()
        return from_tree(Invite, tree)
    except Refused as error:
        raise _damaged() from error


def qr_text(link: str) -> str:
    """The link as a QR code in half-block characters, for a terminal with light text on dark."""
    out = io.StringIO()
    segno.make(link, error="l", micro=False).terminal(out, border=2, compact=True)
    return out.getvalue()


def _encode(invite: Invite) -> str:
    tree: dict[int, Tree] = {0: _VERSION, **to_tree(invite)}
    return SCHEME + base64.urlsafe_b64encode(encode(tree)).rstrip(b"=").decode()


def _damaged() -> PersonError:
    return _error("This invitation is damaged.", "Copy the whole link again, from chargemesh: to its end.")


def _error(message: str, hint: str) -> PersonError:
    return PersonError("bad-invite", message, hint, ExitCode.USAGE)
