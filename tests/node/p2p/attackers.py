"""What a stranger with a stock py-libp2p, or with bare sockets, can try. trio programs, run in a thread.

They use libp2p as it comes, so they also show that our patched host talks to an unpatched one.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import trio
from libp2p import new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.keys import KeyPair
from libp2p.custom_types import TProtocol
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import PeerInfo
from libp2p.security.insecure.transport import PLAINTEXT_PROTOCOL_ID, InsecureTransport
from libp2p.security.secio import transport as secio
from libp2p.stream_muxer.yamux import yamux
from multiaddr import Multiaddr

from chargemesh_protocol.contact import Contact

T = TypeVar("T")
ATTACK_SECONDS = 40.0


async def attack(what: Callable[..., Awaitable[T]], *args: Any) -> T:
    """Runs a trio program beside the test and returns what it returns."""

    async def bounded() -> T:
        with trio.fail_after(ATTACK_SECONDS):
            return await what(*args)

    return await asyncio.to_thread(trio.run, bounded)


@asynccontextmanager
async def stock_host(victim: Contact, key_pair: KeyPair | None = None, **options: Any) -> AsyncIterator[Any]:
    """A stock py-libp2p host, connected to the victim."""
    host = new_host(key_pair=key_pair or create_new_key_pair(os.urandom(32)), **options)
    async with host.run(listen_addrs=[Multiaddr("/ip4/127.0.0.1/tcp/0")]):
        try:
            await host.connect(PeerInfo(peer_of(victim), [Multiaddr(a) for a in victim.addresses]))
            yield host
        finally:
            with trio.CancelScope(shield=True):  # leaving host.run() alone keeps sockets open
                await host.close()


def peer_of(contact: Contact) -> ID:
    return ID.from_string(contact.peer_id)


async def says(victim: Contact, protocol: str, *pieces: bytes) -> None:
    """Opens a stream for each piece and writes it, then leaves them for a moment."""
    async with stock_host(victim) as host:
        for data in pieces:
            stream = await host.new_stream(peer_of(victim), [TProtocol(protocol)])
            await stream.write(data)
        await trio.sleep(0.3)


async def impersonates(victim: Contact, claimed: bytes, how: str) -> bool:
    """Claims another's public key without its private key; True if the victim lets us in as that peer."""
    claimed_key = create_new_key_pair(claimed)
    own = create_new_key_pair(os.urandom(32))
    false_pair = KeyPair(own.private_key, claimed_key.public_key)
    transport = (
        {TProtocol(PLAINTEXT_PROTOCOL_ID): InsecureTransport(false_pair)}
        if how == "plaintext"
        else {TProtocol(secio.ID): secio.Transport(false_pair)}
    )
    try:
        async with stock_host(victim, false_pair, sec_opt=transport):
            await trio.sleep(0.2)
            return True
    except Exception:  # noqa: BLE001  # however it fails, we are not in
        return False


async def opens_streams(victim: Contact, protocol: str, count: int) -> int:
    """Opens streams and keeps them; how many the victim keeps too."""
    async with stock_host(victim) as host:
        streams: list[Any] = []

        async def open_one() -> None:
            try:
                streams.append(await host.new_stream(peer_of(victim), [TProtocol(protocol)]))
            except Exception:  # noqa: BLE001, S110  # refused
                pass

        for _ in range(0, count, 50):
            async with trio.open_nursery() as nursery:
                for _ in range(50):
                    nursery.start_soon(open_one)
        await trio.sleep(0.5)
        return sum(1 for stream in streams if not stream.is_closed)


async def overruns_the_window(victim: Contact, protocol: str, megabytes: int) -> bool:
    """Sends far more than the victim's window on a stream that it does not read; True if it let us."""
    async with stock_host(victim) as host:
        stream = await host.new_stream(peer_of(victim), [TProtocol(protocol)])
        muxed = stream.muxed_stream
        await stream.write(b"\x04" + b"2.00")  # keeps the handler busy: it does not read on
        chunk = bytes(60 * 1024)
        header = struct.pack(yamux.YAMUX_HEADER_FORMAT, 0, yamux.TYPE_DATA, 0, muxed.stream_id, len(chunk))
        try:
            for _ in range(megabytes * 1024 // 60):
                await muxed.conn._write_frame(header + chunk)
        except Exception:  # noqa: BLE001  # shown out
            return False
        await trio.sleep(0.3)
        return bool(host.get_network().get_connections(peer_of(victim)))


async def talks_to_every_protocol(
    victim: Contact, protocols: Sequence[str], rubbish: Sequence[bytes]
) -> None:
    """Writes each piece of rubbish on a stream of each protocol."""
    async with stock_host(victim) as host:
        for protocol in protocols:
            for data in rubbish:
                try:
                    stream = await host.new_stream(peer_of(victim), [TProtocol(protocol)])
                    await stream.write(data)
                    await stream.close()
                except Exception:  # noqa: BLE001, S110  # reset is a fine answer
                    pass
        await trio.sleep(0.3)


def address_of(contact: Contact) -> tuple[str, int]:
    parts = contact.addresses[0].split("/")
    return parts[2], int(parts[4])


def sends_bytes(victim: Contact, data: bytes) -> None:
    """A bare TCP connection with these bytes."""
    with socket.create_connection(address_of(victim), timeout=5) as sock:
        sock.sendall(data)
        sock.settimeout(0.3)
        try:
            while sock.recv(4096):
                pass
        except OSError:
            return
