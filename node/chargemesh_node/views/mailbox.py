"""Mailboxes: those that hold parcels for this node, and the one that it keeps for others."""

from __future__ import annotations

from typing import TypedDict

from ..invite import qr_text
from ..mailbox.link import make_link
from ..node import Node
from .values import UTC, Instant, instant


class UsedMailbox(TypedDict):
    """A volunteer who holds parcels for us. answered: when it last did, null if not since the start."""

    peer_id: str
    addresses: list[str]
    answered: Instant | None


class KeptMailbox(TypedDict):
    """What this node holds for others, of whom it knows a key and no more."""

    parcels: int
    bytes: int
    max_bytes: int


class MailboxView(TypedDict):
    """uses: named in our listings and requests. auto: chosen by the node. keeps: null if we keep none."""

    uses: list[UsedMailbox]
    auto: bool
    keeps: KeptMailbox | None


class MailboxLinkView(TypedDict):
    """link: for `chargemesh mailbox use`. qr_terminal: the same as a QR code in characters."""

    link: str
    qr_terminal: str


def mailbox_view(node: Node) -> MailboxView:
    mail = node.runner.engine.mail
    return {
        "uses": [
            {
                "peer_id": one.peer_id,
                "addresses": list(one.addresses),
                "answered": instant(at, UTC) if (at := node.visitor.visited_at.get(one.signer)) else None,
            }
            for one in mail.in_use
        ],
        "auto": mail.auto,
        "keeps": _kept(node),
    }


def mailbox_link(node: Node) -> MailboxLinkView | None:
    """None if this node keeps no mailbox; PersonError if nobody could dial it."""
    if node.mailbox is None:
        return None
    link = make_link(node.me.network, node.network.contact, node.mailbox.signer)
    return {"link": link, "qr_terminal": qr_text(link)}


def _kept(node: Node) -> KeptMailbox | None:
    if node.mailbox is None:
        return None
    return {
        "parcels": len(node.mailbox.places),
        "bytes": node.mailbox.places.total_bytes,
        "max_bytes": node.ports.max_parcel_bytes,
    }
