"""09: how the node may be spoken to, who it says it is, and look-ups."""

from __future__ import annotations

import ipaddress
import os
from hashlib import sha256

import trio

from .dialogue import OURS
from .peer import IDENTIFY, MPLEX_ALONE, PING, NoAnswer, Peer, closer_peers, kad_message, peer_bytes, varint
from .scene import Chapter, NotHere, Probe, Scene

TRANSPORT = Chapter("transport")
FIND_NODE, KAD_PING = 4, 5
_OTHERS = {0: "PUT_VALUE", 1: "GET_VALUE", 2: "ADD_PROVIDER", 3: "GET_PROVIDERS"}
_GONE = ("reset", "closed", "no connection", "not supported")


@TRANSPORT.check("noise-alone", "N1")
async def noise_alone(scene: Scene, probe: Probe) -> None:
    """A connection is secured by Noise, and nothing that proves no key is on offer."""
    if scene.target.is_websocket:
        raise NotHere("negotiation is looked at on plain TCP")
    for protocol in ("/plaintext/2.0.0", "/secio/1.0.0", "/tls/1.0.0"):
        probe.sees(f"{protocol} on TCP", ("na", "closed"), await _negotiates(scene, protocol))
    probe.sees("/noise on TCP", "/noise", await _negotiates(scene, "/noise"))


async def _negotiates(scene: Scene, protocol: str) -> str:
    """The answer to multistream's header and one protocol on bare TCP."""
    said = b"".join(varint(len(one) + 1) + one + b"\n" for one in (b"/multistream/1.0.0", protocol.encode()))
    heard = b""
    with trio.move_on_after(10):
        async with await trio.open_tcp_stream(scene.target.host, scene.target.port) as tcp:
            try:
                await tcp.send_all(said)
                while heard.count(b"\n") < 2 and (data := await tcp.receive_some(1024)):
                    heard += data
            except trio.BrokenResourceError:
                pass  # a reset in place of an answer, or behind it
    lines = heard.split(b"\n")
    return lines[1][1:].decode(errors="replace") if len(lines) > 2 else "closed"


@TRANSPORT.check("yamux-alone", "N2")
async def yamux_alone(scene: Scene, probe: Probe) -> None:
    """Who can only multiplex by Mplex gets no connection."""
    try:
        async with scene.peer(**MPLEX_ALONE) as peer:
            got = await peer.ping()
    except NoAnswer as none:
        got = str(none)
    probe.sees("a connection with Mplex alone", _GONE, got)


@TRANSPORT.check("identify", "N3", "N4", "N12")
async def identify(scene: Scene, probe: Probe) -> None:
    """Identify names the key of the PeerId, every protocol of 09, and addresses that can be dialled."""
    said = await scene.honest.identify()
    probe.sees("identify: whose key?", scene.target.peer_id, said.peer_id)
    wanted = {*OURS, scene.kad, PING, IDENTIFY}
    missing = wanted - said.protocols
    probe.holds("identify: protocols", "all of 09", not missing, f"without {', '.join(sorted(missing))}")
    gossip = {"/meshsub/1.1.0", "/meshsub/1.2.0"} & said.protocols
    probe.holds("identify: gossip", "GossipSub 1.1 or 1.2", bool(gossip), "neither")
    agent = said.agent.isprintable() and len(said.agent) <= 128
    probe.holds("identify: agent", "one short line", agent, repr(said.agent[:200]))
    far = reach(scene.target.address)
    bad = [one for one in said.addresses if reach(one) < min(far, 1) or "/0.0.0.0/" in one or "/::/" in one]
    probe.holds("identify: addresses", "none that only the node itself can dial", not bad, ", ".join(bad))


def reach(address: str) -> int:
    """2 for an address that everybody can dial (or a name), 1 in a private network, 0 for loopback."""
    parts = address.split("/")
    if parts[1] not in ("ip4", "ip6"):
        return 2
    ip = ipaddress.ip_address(parts[2])
    return 0 if ip.is_loopback or ip.is_link_local else 2 if ip.is_global else 1


@TRANSPORT.check("ping", "N2")
async def ping(scene: Scene, probe: Probe) -> None:
    """The honest ping, which ends every hostile check."""
    probe.sees("32 bytes on /ipfs/ping/1.0.0", "pong", await scene.greets())


async def _looks_up(peer: Peer, scene: Scene, message: bytes) -> str | list[tuple[bytes, tuple[str, ...]]]:
    try:
        return closer_peers(await peer.ask(scene.kad, message))
    except NoAnswer as none:
        return str(none)


@TRANSPORT.check("find-node", "N12", "N13", "N14", "N15")
async def find_node(scene: Scene, probe: Probe) -> None:
    """FIND_NODE is answered: at most 20, nearest first, without the asker, no address nearer than it."""
    async with scene.peer() as peer:
        key = os.urandom(32)
        found = await _looks_up(peer, scene, kad_message(FIND_NODE, key))
        probe.holds("FIND_NODE for a random key", "closerPeers", not isinstance(found, str), str(found))
        peers = [] if isinstance(found, str) else found
        far = [_distance(key, one) for one, _ in peers]
        probe.holds("its order", "nearest first", far == sorted(far), f"{len(peers)} in another order")
        probe.holds("its length", "at most 20", len(peers) <= 20, str(len(peers)))
        own = peer_bytes(peer.peer_id) in [one for one, _ in peers]
        probe.holds("who asks", "left out", not own, "told of itself")
        near = [a for _, addresses in peers for a in addresses if reach(a) < reach(scene.target.address)]
        probe.holds("its addresses", "none nearer than the asker's", not near, ", ".join(near))


@TRANSPORT.check("find-itself", "N13")
async def find_itself(scene: Scene, probe: Probe) -> None:
    """The node whose PeerId is the key comes first, the answerer itself included."""
    key = peer_bytes(scene.target.peer_id)
    found = await _looks_up(scene.honest, scene, kad_message(FIND_NODE, key))
    first = found[0][0] if found and not isinstance(found, str) else b""
    probe.holds("FIND_NODE for its own PeerId", "itself first", first == key, str(found)[:200])


@TRANSPORT.check("kademlia-ping", "N13")
async def kademlia_ping(scene: Scene, probe: Probe) -> None:
    """PING is answered with PING."""
    try:
        answer = await scene.honest.ask(scene.kad, kad_message(KAD_PING, b""))
        got = "PING" if answer[:2] == bytes([8, KAD_PING]) else answer.hex()
    except NoAnswer as none:
        got = str(none)
    probe.sees("PING", "PING", got)


@TRANSPORT.check("no-values", "N13", "N14")
async def no_values(scene: Scene, probe: Probe) -> None:
    """Values and providers, keys of a wrong length, and requests that are too long get no answer."""
    requests = {name: kad_message(kind, os.urandom(32)) for kind, name in _OTHERS.items()}
    requests["FIND_NODE with no key"] = kad_message(FIND_NODE, b"")
    requests["FIND_NODE with a key of 65 bytes"] = kad_message(FIND_NODE, bytes(65))
    # Field 99, unknown to everybody, fills it up.
    requests["FIND_NODE of 1,100 bytes"] = (
        kad_message(FIND_NODE, bytes(32)) + b"\x9a\x06" + varint(1060) + bytes(1060)
    )
    async with scene.peer() as peer:
        for name, request in requests.items():
            try:
                got = f"{len(await peer.ask(scene.kad, request))} bytes"
            except NoAnswer as none:
                got = str(none)
            probe.sees(name, ("reset", "closed"), got)


@TRANSPORT.check("look-ups-of-another-network", "N12")
async def another_network(scene: Scene, probe: Probe) -> None:
    """Kademlia of another network, and libp2p's own, is not spoken."""
    for protocol in (f"/chargemesh/{scene.network}x/kad/1.0.0", "/ipfs/kad/1.0.0"):
        try:
            await scene.honest.open(protocol)
            got = "opened"
        except NoAnswer as none:
            got = str(none)
        probe.sees(protocol, "not supported", got)


def _distance(key: bytes, peer: bytes) -> int:
    one, other = (int.from_bytes(sha256(data).digest(), "big") for data in (key, peer))
    return one ^ other
