"""The TXT record of libp2p's mDNS discovery: a contact as repeated `dnsaddr=` strings (RFC 6763, section 6).

The attribute is repeated with one key, which DNS-SD libraries' dictionaries can't express, so that the
bytes are made and read here: each string is one length byte and `dnsaddr=/ip4/…/tcp/…/p2p/PEERID`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from chargemesh_protocol.contact import Contact
from chargemesh_protocol.limits import MAX_ADDRESSES

from .addresses import is_loopback, parse_peer_address

SERVICE = "_p2p._udp.local."
MAX_TXT_BYTES = 1300  # with the other records it must fit one packet (RFC 6763, section 6.2)
MAX_TXT_STRINGS = 64  # a stranger's record; 1,300 bytes of real addresses are about 14
_KEY = "dnsaddr="
_MAX_STRING = 255


def write_txt(contact: Contact, *, loopback: bool) -> bytes:
    """The record for what of `contact` neighbours can dial; `loopback` says that they are in this machine."""
    out = bytearray()
    for address in dialable(contact, loopback=loopback):
        string = f"{_KEY}{address}/p2p/{contact.peer_id}".encode()
        if len(string) <= _MAX_STRING and len(out) + 1 + len(string) <= MAX_TXT_BYTES:
            out += bytes((len(string),)) + string
    return bytes(out)


def read_txt(text: bytes, *, loopback: bool) -> Contact:
    """The contact that a record announces; ValueError if it is malformed or nothing in it can be dialled.

    All addresses must be of one peer. Transports that we don't speak, names, and (unless `loopback`) this
    machine's own addresses are passed over.
    """
    peers: dict[str, list[str]] = {}
    for string in _strings(text):
        if not string.lower().startswith(_KEY.encode()):
            continue  # other attributes are other programs' business
        try:
            one = parse_peer_address(string[len(_KEY) :].decode("ascii"))
        except ValueError:
            continue  # /quic-v1, /ws and the like are right, only not for us
        peers.setdefault(one.peer_id, []).extend(dialable(one, loopback=loopback))
    if len(peers) != 1:
        raise ValueError(f"addresses of {len(peers)} peers")
    [(peer_id, addresses)] = peers.items()
    if not addresses:
        raise ValueError("no address that can be dialled from here")
    return Contact(peer_id, tuple(dict.fromkeys(addresses))[:MAX_ADDRESSES])


def dialable(contact: Contact, *, loopback: bool) -> list[str]:
    """The addresses of a contact that a neighbour can dial: IP and TCP, of an interface, not a wildcard."""
    return [a for a in contact.addresses if (host := host_of(a)) and is_loopback(host) <= loopback]


def host_of(address: str) -> str | None:
    """The IP address in /ip4|ip6/ADDRESS/tcp/PORT; None for anything else, and for wildcards and groups."""
    parts = address.split("/")
    if len(parts) != 5 or parts[1] not in ("ip4", "ip6") or parts[3] != "tcp":
        return None
    try:
        ip = ipaddress.ip_address(parts[2])
    except ValueError:
        return None
    return None if ip.is_unspecified or ip.is_multicast else parts[2]


def ports_of(addresses: Iterable[str]) -> list[int]:
    return [int(address.split("/")[4]) for address in addresses]


def _strings(text: bytes) -> Iterator[bytes]:
    """The record's strings; ValueError if a length runs past its end or there are too many."""
    at = 0
    for _ in range(MAX_TXT_STRINGS):
        if at == len(text):
            return
        end = at + 1 + text[at]
        if end > len(text):
            raise ValueError("a string that runs past the record's end")
        yield text[at + 1 : end]
        at = end
    raise ValueError(f"more than {MAX_TXT_STRINGS} strings")
