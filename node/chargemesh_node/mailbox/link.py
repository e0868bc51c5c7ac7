"""A volunteer's mailbox as a link, for those who shall use it.

    chargemesh:mailbox/BASE64URL      deterministic CBOR {0: version 1, 1: network id, 2: Contact, 3: signer}

Not secret and not signed: whoever passes it on chooses who holds your parcels, and those are sealed.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from chargemesh_protocol.contact import Contact
from chargemesh_protocol.encoding import Tree, decode, encode
from chargemesh_protocol.errors import ExitCode, PersonError, Refused
from chargemesh_protocol.limits import MAX_MAILBOX_ADDRESSES, MAX_NETWORK_ID_CHARS
from chargemesh_protocol.shape import ID, Struct, Text, from_tree, key, shape, to_tree

from ..addresses import check_contact_address, check_peer_id
from ..invite import MAX_LINK_CHARS

SCHEME = "chargemesh:mailbox/"
_VERSION = 1
_ALPHABET = re.compile(r"[A-Za-z0-9_-]+")


@shape
@dataclass(frozen=True, slots=True)
class MailboxLink:
    """The network, where the volunteer answers, and the key by which it signs deposits."""

    network: str = key(1, Text(MAX_NETWORK_ID_CHARS, 1))
    contact: Contact = key(2, Struct(Contact))
    signer: bytes = key(3, ID)

    def __post_init__(self) -> None:
        check_peer_id(self.contact.peer_id)
        if not self.contact.addresses:
            raise ValueError("a mailbox without an address can't be reached")
        for address in self.contact.addresses:
            check_contact_address(address)


def make_link(network: str, contact: Contact, signer: bytes) -> str:
    """The link; PersonError if nobody could dial this node."""
    contact = Contact(contact.peer_id, contact.addresses[:MAX_MAILBOX_ADDRESSES])
    try:
        named = MailboxLink(network, contact, signer)
    except ValueError as error:
        raise PersonError(
            "no-address",
            f"There is no link to this mailbox yet: {error}.",
            "`chargemesh doctor` says why nobody can dial this node.",
        ) from error
    tree: dict[int, Tree] = {0: _VERSION, **to_tree(named)}
    return SCHEME + base64.urlsafe_b64encode(encode(tree)).rstrip(b"=").decode()


def read_link(text: str, network: str) -> MailboxLink:
    """The mailbox in a link; PersonError if it is no such link, damaged, or of another network."""
    link = "".join(text.split())  # mail programs break long lines
    if not link.lower().startswith(SCHEME):
        raise _error("This is no link to a mailbox.", f"Such a link begins with {SCHEME}")
    coded = link[len(SCHEME) :].rstrip("=")
    if len(link) > 2 * MAX_LINK_CHARS or not _ALPHABET.fullmatch(coded) or len(coded) % 4 == 1:
        raise _damaged()
    try:
        tree = decode(base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)))
        version = tree.pop(0, None) if isinstance(tree, dict) else None
        if isinstance(version, int) and version != _VERSION:
            raise _error(f"This link has format {version}.", "Update chargemesh to read it.")
        if version is None:
            raise _damaged()
        named = from_tree(MailboxLink, tree)
    except Refused as error:
        raise _damaged() from error
    if named.network != network:
        raise _error(
            f"This mailbox is on the network {named.network}, and this node on {network}.",
            "Ask for one on yours.",
        )
    return named


def _damaged() -> PersonError:
    return _error("This link is damaged.", "Copy the whole link again, from chargemesh: to its end.")


def _error(message: str, hint: str) -> PersonError:
    return PersonError("bad-link", message, hint, ExitCode.USAGE)
