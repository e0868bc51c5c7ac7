"""Multiaddrs: what we listen on, and what we name."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

import ifaddr
from multiaddr import Multiaddr

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_loopback(host: str | None) -> bool:
    try:
        return host is not None and ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(address: Multiaddr) -> str | None:
    """The IP address in a multiaddr, None if it names its host otherwise (or not at all)."""
    parts = str(address).split("/")
    return parts[2] if len(parts) > 2 and parts[1] in ("ip4", "ip6") else None


def parse_addresses(texts: Iterable[str]) -> list[Multiaddr]:
    """The multiaddrs among `texts`, without a trailing /p2p; what is no multiaddr is left out."""
    found = []
    for text in texts:
        try:
            found.append(without_peer(Multiaddr(text)))
        except ValueError:  # multiaddr's own errors derive from it
            continue
    return found


def without_peer(address: Multiaddr) -> Multiaddr:
    text = str(address)
    head, separator, _ = text.rpartition("/p2p/")
    return Multiaddr(head) if separator and "/p2p-circuit" not in text else address


def reachable(bound: Iterable[Multiaddr]) -> list[Multiaddr]:
    """Bound addresses with each wildcard replaced by the addresses of our interfaces.

    Loopback and link-local stand in only where nothing else does: others can't dial them.
    """
    named: list[Multiaddr] = []
    for address in bound:
        host = host_of(address)
        if host is None or not ipaddress.ip_address(host).is_unspecified:
            named.append(address)
            continue
        version = ipaddress.ip_address(host).version
        rest = str(address).split("/", 3)[3]
        named += [Multiaddr(f"/ip{version}/{ip}/{rest}") for ip in _interfaces(version)]
    return list(dict.fromkeys(named))


def _interfaces(version: int) -> list[str]:
    found: list[Address] = []
    for adapter in ifaddr.get_adapters():
        for entry in adapter.ips:
            text = entry.ip if isinstance(entry.ip, str) else entry.ip[0]
            address = ipaddress.ip_address(text.split("%")[0])
            if address.version == version:
                found.append(address)
    far = [a for a in found if not (a.is_loopback or a.is_link_local)]
    return [str(a) for a in far or [a for a in found if a.is_loopback]]
