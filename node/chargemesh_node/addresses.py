"""Addresses as people and links write them: multiaddrs and HOST:PORT, checked without any network library.

A multiaddr here is `/ip4|ip6|dns|dns4|dns6/HOST/tcp/PORT`, with `/ws` behind it for WebSocket, and with
`/p2p/PEERID` at the end where a node is named and not only a place to listen.
"""

from __future__ import annotations

import ipaddress
import re

from chargemesh_protocol.contact import Contact
from chargemesh_protocol.limits import MAX_ADDRESS_CHARS

_MULTIADDR = re.compile(
    r"/(?P<kind>ip4|ip6|dns4|dns6|dns)/(?P<host>[^/]+)/tcp/(?P<port>[0-9]{1,5})(?:/ws)?"
    r"(?:/p2p/(?P<peer>[^/]+))?"
)
# A PeerId in base58: an Ed25519 one has 52 characters, the older hashed kind 46.
_PEER_ID = re.compile(r"[1-9A-HJ-NP-Za-km-z]{46,64}")
_DNS_NAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9_-]+)*\.?")
_MAX_PORT = 65535
UNKNOWN_BLOCK = "unknown"  # one block for all whose address the transport does not tell


def block_of(host: str | None, peer_id: str) -> str:
    """What limits by address count: an IPv4 /24 or IPv6 /48; on loopback and link-local the peer itself."""
    if host is None:
        return UNKNOWN_BLOCK
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return UNKNOWN_BLOCK
    if address.is_loopback or address.is_link_local:
        return f"peer:{peer_id}"
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False))


def check_listen_address(text: str) -> str:
    """`text` if the node can listen there; ValueError says what is wrong with it."""
    kind, _, _, peer = _split(text)
    if kind.startswith("dns"):
        raise ValueError(f"{text!r} names a host; to listen, give an address such as /ip4/0.0.0.0/tcp/0")
    if peer:
        raise ValueError(f"{text!r} ends in a PeerId; to listen, leave /p2p/… out")
    return text


def check_contact_address(text: str) -> str:
    """`text` if a peer can be dialled there: a multiaddr without /p2p, with a real port; else ValueError."""
    _, _, port, peer = _split(text)
    if peer:
        raise ValueError(f"{text!r} must not contain /p2p/…")
    if port == 0:
        raise ValueError(f"{text!r} has port 0, where nobody answers")
    return text


def check_peer_id(text: str) -> str:
    """`text` if it looks like a PeerId in base58; else ValueError. Dialling tells whether it is real."""
    if not _PEER_ID.fullmatch(text):
        raise ValueError(f"{text[:80]!r} is not a PeerId")
    return text


def parse_peer_address(text: str) -> Contact:
    """The Contact in `…/tcp/PORT/p2p/PEERID`, as given to --bootstrap; else ValueError."""
    _, _, _, peer = _split(text)
    if not peer:
        raise ValueError(f"{text!r} lacks /p2p/PEERID at its end: without it anybody could answer there")
    address = check_contact_address(text[: text.rindex("/p2p/")])
    return Contact(check_peer_id(peer), (address,))


def split_host_port(text: str) -> tuple[str, int]:
    """("::1", 80) for "[::1]:80"; ValueError unless it is HOST:PORT with a port up to 65535."""
    host, colon, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or not bare or (":" in bare and bare == host):
        raise ValueError(f"{text!r} is not HOST:PORT (an IPv6 host stands in brackets)")
    if not port.isascii() or not port.isdigit() or int(port) > _MAX_PORT:
        raise ValueError(f"{text!r}: a port is a number up to {_MAX_PORT}")
    return bare, int(port)


def is_loopback(host: str) -> bool:
    """Whether `host` (an IP address or "localhost") stays on this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(text: str) -> tuple[str, str, int, str]:
    """(kind, host, port, PeerId or "") of a multiaddr; ValueError says what a right one looks like."""
    if len(text) > MAX_ADDRESS_CHARS:
        raise ValueError(f"an address has at most {MAX_ADDRESS_CHARS} characters")
    found = _MULTIADDR.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is not an address such as /ip4/192.168.1.20/tcp/4001")
    kind, host, port = found["kind"], found["host"], int(found["port"])
    if port > _MAX_PORT:
        raise ValueError(f"{text!r}: a port is a number up to {_MAX_PORT}")
    if kind.startswith("dns"):
        if not _DNS_NAME.fullmatch(host):
            raise ValueError(f"{text!r}: {host!r} is not a host name")
    else:
        parse = ipaddress.IPv4Address if kind == "ip4" else ipaddress.IPv6Address
        try:
            parse(host)
        except ValueError as error:
            raise ValueError(f"{text!r}: {host!r} is not an IPv{kind[2]} address") from error
    return kind, host, port, found["peer"] or ""
