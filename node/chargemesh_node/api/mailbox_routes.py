"""Mailboxes: which ones this node uses, and the link to the one that it keeps."""

from __future__ import annotations

from chargemesh_protocol.contact import Contact
from chargemesh_protocol.errors import ExitCode, PersonError, Refused
from chargemesh_protocol.events import UseMailboxes

from ..errors import NetworkError
from ..mailbox.link import read_link
from ..mailbox.visits import ask_terms
from ..node import Node
from ..views.mailbox import MailboxLinkView, MailboxView, mailbox_link, mailbox_view
from .context import Call


async def get_mailbox(call: Call) -> MailboxView:
    return mailbox_view(call.node)


async def get_link(call: Call) -> MailboxLinkView:
    found = mailbox_link(call.node)
    if found is None:
        raise PersonError(
            "no-mailbox",
            "This node keeps no mailbox for others.",
            "`chargemesh config set mailbox.serve true`, then restart the node: for one that is always on.",
            ExitCode.NOT_FOUND,
        )
    return found


async def use_mailbox(call: Call) -> MailboxView:
    """Each must answer now, so that nobody is sent to a mailbox that isn't there."""
    if call.body.auto:
        if call.body.links:
            raise PersonError(
                "both-ways", "A link and a choice of the node's own don't go together.", "", ExitCode.USAGE
            )
        await call.node.visitor.choose()
        return mailbox_view(call.node)
    chosen = [await _volunteer(call.node, link) for link in call.body.links]
    await call.node.command(UseMailboxes(tuple(chosen)))
    call.node.visitor.hurry()
    return mailbox_view(call.node)


async def _volunteer(node: Node, text: str) -> tuple[Contact, bytes]:
    link = read_link(text, node.me.network)
    if link.contact.peer_id == node.network.contact.peer_id:
        raise PersonError(
            "own-mailbox",
            "This is this node's own mailbox: while it is away, so is that.",
            "Use the one of somebody whose node is always on.",
            ExitCode.USAGE,
        )
    try:
        terms = await ask_terms(node.network, link.contact)
    except (NetworkError, Refused) as error:
        raise PersonError(
            "mailbox-away",
            f"That mailbox does not answer: {error}.",
            "Ask its keeper for a fresh link (`chargemesh mailbox link`).",
        ) from error
    if terms.signer != link.signer:
        raise PersonError(
            "other-mailbox",
            "The node there keeps another mailbox than the link names.",
            "Ask its keeper for a fresh link (`chargemesh mailbox link`).",
        )
    return link.contact, link.signer
