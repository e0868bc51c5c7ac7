"""Walk-ins: the link in a charger's QR code, and the proof that a request comes from somebody who read it.

    chargemesh:walk-in/BASE64URL      deterministic CBOR {0: version 1, 1: network id, 2: host, 3: charger,
                                      4: Contact, 5: secret, 6: region, 7: title, 8: zone}

The proof is bound to one quote and one driver, so that it is good for nothing else; the secret itself never
travels but on paper (specs/05, B33).
"""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass, replace

from ..contact import Contact
from ..encoding import Tree, decode, encode
from ..errors import ExitCode, PersonError, Refused
from ..limits import MAX_NETWORK_ID_CHARS, MAX_TEXT_CHARS
from ..policy import WalkIn
from ..shape import ID, Bytes, Struct, Text, Uint, from_tree, key, shape, to_tree
from .records import Request

SCHEME = "chargemesh:walk-in/"
MAX_LINK_CHARS = 700  # a QR code on paper that a phone reads from an arm's length
_VERSION = 1
_ALPHABET = re.compile(r"[A-Za-z0-9_-]+")


def walk_in_proof(secret: bytes, quote: bytes, driver: bytes) -> bytes:
    """HMAC-SHA-256 over quote and driver, ids of 32 bytes each (specs/05, B33)."""
    return hmac.digest(secret, encode(["chargemesh/walk-in", quote, driver]), "sha256")


def proves_presence(walk_in: WalkIn | None, request: Request) -> bool:
    """Whether the request's author has read this charger's code, as it is now, for this very quote."""
    if walk_in is None or request.walk_in is None:
        return False
    return hmac.compare_digest(request.walk_in, walk_in_proof(walk_in.secret, request.quote, request.author))


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class WalkInLink:
    """What the code says: whose charger it is, where its host answers, and the secret. region, title and zone
    are those of the listing, so that a driver needs no search."""

    network: str = key(1, Text(MAX_NETWORK_ID_CHARS, 1))
    host: bytes = key(2, ID)
    charger: bytes = key(3, Bytes(16))
    contact: Contact = key(4, Struct(Contact))
    secret: bytes = key(5, ID)
    region: int = key(6, Uint())
    title: str = key(7, Text(MAX_TEXT_CHARS))
    zone: str = key(8, Text(64, 1))


def write_link(link: WalkInLink) -> str:
    """The link; addresses at the end of the contact are left out until it is short enough."""
    while True:
        tree: dict[int, Tree] = {0: _VERSION, **to_tree(link)}
        text = SCHEME + base64.urlsafe_b64encode(encode(tree)).rstrip(b"=").decode()
        if len(text) <= MAX_LINK_CHARS:
            return text
        link = _shorter(link)


def read_link(text: str) -> WalkInLink:
    """The link as it was scanned; PersonError says whether it is none, damaged, or of a newer program."""
    link = "".join(text.split())
    if not link.lower().startswith(SCHEME):
        raise _error("This is not the code of a chargemesh charger.", f"It begins with {SCHEME}")
    coded = link[len(SCHEME) :].rstrip("=")
    if len(link) > MAX_LINK_CHARS or not _ALPHABET.fullmatch(coded) or len(coded) % 4 == 1:
        raise _damaged()
    try:
        tree = decode(base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)), max_bytes=MAX_LINK_CHARS)
        if not isinstance(tree, dict):
            raise _damaged()
        version = tree.pop(0, None)
        if type(version) is not int:
            raise _damaged()
        if version != _VERSION:
            raise _error(f"This code has format {version}.", "Update chargemesh to read it.")
        return from_tree(WalkInLink, tree)
    except Refused as error:
        raise _damaged() from error


def _shorter(link: WalkInLink) -> WalkInLink:
    contact = link.contact
    if len(contact.addresses) > 1:
        return replace(link, contact=Contact(contact.peer_id, contact.addresses[:-1]))
    if link.title:
        return replace(link, title="")
    raise PersonError(
        "walk-in-too-long",
        "This node's address is too long for a code on paper.",
        "Listen on a plain one: `run --listen /ip4/0.0.0.0/tcp/4001`.",
    )


def _damaged() -> PersonError:
    return _error("This code is damaged.", "Scan it again, or copy the whole link.")


def _error(message: str, hint: str) -> PersonError:
    return PersonError("bad-walk-in", message, hint, ExitCode.USAGE)
