"""The checks' way to libp2p: a stock py-libp2p host, made for one purpose, that is connected to the node.

Nothing of chargemesh's own network code is used, so that what is checked is the node's and not ours twice.
Beside this file only `mesh.py` knows libp2p.
"""

from __future__ import annotations

import logging
import os
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import trio
from libp2p import new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.custom_types import TProtocol
from libp2p.identity.identify.identify import parse_identify_response
from libp2p.kad_dht.pb.kademlia_pb2 import Message as KadMessage
from libp2p.network import swarm
from libp2p.network.stream.exceptions import StreamEOF
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import PeerInfo
from libp2p.security.noise.exceptions import PeerIDMismatchesPubkey
from libp2p.stream_muxer.mplex.mplex import MPLEX_PROTOCOL_ID, Mplex
from multiaddr import Multiaddr

logging.getLogger("libp2p").setLevel(logging.CRITICAL)  # what it would tell are the very faults we look for
swarm._HAPPY_EYEBALLS_DELAY = (
    0.0  # libp2p waits 250 ms after each dial, also one that worked; we have one address
)
ANSWER_SECONDS = 10.0  # an answer that takes longer is none; a busy Raspberry Pi needs 1
MPLEX_ALONE = {"muxer_opt": {MPLEX_PROTOCOL_ID: Mplex}}  # for `connected`
PING, IDENTIFY = "/ipfs/ping/1.0.0", "/ipfs/id/1.0.0"
_READ_BYTES = 65_536


class NoAnswer(Exception):
    """What came in place of an answer, in a few words: `reset`, `closed`, `silence`, `not supported`."""


@dataclass(frozen=True, slots=True)
class Target:
    """The node under test, as its multiaddr says."""

    peer_id: str
    address: str
    host: str
    port: int

    @classmethod
    def of(cls, text: str) -> Target:
        """`/ip4/HOST/tcp/PORT[/ws]/p2p/PEERID`; ValueError otherwise."""
        address, separator, peer_id = text.rpartition("/p2p/")
        parts = address.split("/")
        if not separator or len(parts) < 5 or parts[3] != "tcp":
            raise ValueError(f"expected /ip4/HOST/tcp/PORT/p2p/PEERID, got {text!r}")
        ID.from_string(peer_id)
        Multiaddr(address)
        return cls(peer_id, address, parts[2], int(parts[4]))

    @property
    def is_websocket(self) -> bool:
        return "/ws" in self.address


@dataclass(frozen=True, slots=True)
class Identified:
    """What the node says of itself."""

    agent: str
    protocols: frozenset[str]
    addresses: tuple[str, ...]
    peer_id: str  # of the public key that it names


class Stream:
    """One stream to the node, negotiated; bytes out, messages (a varint length in front) in."""

    def __init__(self, stream: Any) -> None:
        self.raw = stream
        self._buffer = bytearray()

    async def write(self, data: bytes) -> None:
        """NoAnswer if the node has ended the stream."""
        try:
            with trio.fail_after(ANSWER_SECONDS):
                await self.raw.write(data)
        except trio.TooSlowError:
            raise NoAnswer("silence") from None
        except Exception as error:  # libp2p has several for a stream that was reset
            raise NoAnswer("reset") from error

    async def send(self, body: bytes) -> None:
        """A whole message: its length, then the bytes."""
        await self.write(varint(len(body)) + body)

    async def message(self, seconds: float = ANSWER_SECONDS) -> bytes:
        """The next message; NoAnswer."""
        with trio.move_on_after(seconds):
            length, start = await self._length()
            while len(self._buffer) < start + length:
                await self._fill()
            body = bytes(self._buffer[start : start + length])
            del self._buffer[: start + length]
            return body
        raise NoAnswer("silence")

    async def exactly(self, count: int, seconds: float = ANSWER_SECONDS) -> bytes:
        """So many bytes without a length; NoAnswer."""
        with trio.move_on_after(seconds):
            while len(self._buffer) < count:
                await self._fill()
            body = bytes(self._buffer[:count])
            del self._buffer[:count]
            return body
        raise NoAnswer("silence")

    async def everything(self, seconds: float = ANSWER_SECONDS) -> bytes:
        """All up to the end of the stream; NoAnswer("silence") if it doesn't end."""
        with trio.move_on_after(seconds):
            while True:
                try:
                    await self._fill()
                except NoAnswer:
                    return bytes(self._buffer)
        raise NoAnswer("silence")

    async def ends(self, seconds: float = ANSWER_SECONDS) -> str:
        """How the node ends the stream: `reset` or `closed`; `silence` if it doesn't, `bytes` if it talks."""
        with trio.move_on_after(seconds):
            try:
                await self._fill()
            except NoAnswer as answer:
                return str(answer)
            return f"{len(self._buffer)} bytes"
        return "silence"

    async def announce_frame(self, length: int) -> None:
        """The head of a Yamux frame of `length` bytes on this stream, and the first thousand of them."""
        muxed = self.raw.muxed_stream
        await muxed.conn._write_frame(struct.pack("!BBHII", 0, 0, 0, muxed.stream_id, length) + bytes(1000))

    @property
    def is_open(self) -> bool:
        """Neither side has ended it, as far as we were told."""
        return not self.raw.is_closed and not getattr(self.raw.muxed_stream, "reset_received", False)

    async def close_writing(self) -> None:
        await self._quietly(self.raw.close_write)

    async def reset(self) -> None:
        await self._quietly(self.raw.reset)

    async def _quietly(self, what: Callable[[], Any]) -> None:
        with trio.move_on_after(2):
            try:
                await what()
            except Exception:  # noqa: BLE001, S110  # it is over already
                pass

    async def _length(self) -> tuple[int, int]:
        value, at = 0, 0
        while True:
            while len(self._buffer) <= at:
                await self._fill()
            value |= (self._buffer[at] & 0x7F) << (7 * at)
            at += 1
            if self._buffer[at - 1] < 0x80:
                return value, at
            if at > 4:
                raise NoAnswer("a length of more than 4 bytes")

    async def _fill(self) -> None:
        try:
            data = await self.raw.read(_READ_BYTES)
        except StreamEOF:
            raise NoAnswer("closed") from None
        except Exception as error:  # libp2p has several for a stream that was reset
            raise NoAnswer("reset") from error
        if not data:
            raise NoAnswer("closed")
        self._buffer += data


class Peer:
    """Somebody with a transport key of their own and a connection to the node."""

    def __init__(self, host: Any, target: Target) -> None:
        self.host = host
        self.target = target
        self._node = ID.from_string(target.peer_id)

    @property
    def peer_id(self) -> str:
        return str(self.host.get_id())

    @property
    def is_connected(self) -> bool:
        return any(not one.is_closed for one in self.connections())

    def connections(self) -> list[Any]:
        return list(self.host.get_network().get_connections(self._node))

    async def open(self, protocol: str) -> Stream:
        """A new stream of `protocol`; NoAnswer if the node doesn't speak it or takes no more streams."""
        try:
            with trio.fail_after(ANSWER_SECONDS):
                return Stream(await self.host.new_stream(self._node, [TProtocol(protocol)]))
        except trio.TooSlowError:
            raise NoAnswer("silence") from None
        except Exception as error:  # libp2p has one for each layer
            refused = "response='na'" in str(error.__cause__)
            raise NoAnswer("not supported" if refused else "reset") from error

    async def ask(self, protocol: str, body: bytes, seconds: float = ANSWER_SECONDS) -> bytes:
        """One request on a stream of its own (09, N7); NoAnswer."""
        stream = await self.open(protocol)
        try:
            await stream.send(body)
            return await stream.message(seconds)
        finally:
            await stream.reset()

    async def ping(self) -> str:
        """`pong`, or what came instead."""
        sent = os.urandom(32)
        try:
            stream = await self.open(PING)
            await stream.write(sent)
            answer = await stream.exactly(32)
            await stream.reset()
        except NoAnswer as none:
            return str(none)
        return "pong" if answer == sent else "other bytes"

    async def identify(self) -> Identified:
        """NoAnswer, or ValueError for an answer that is none of identify's."""
        stream = await self.open(IDENTIFY)
        said = parse_identify_response(await stream.everything())
        return Identified(
            said.agent_version,
            frozenset(said.protocols),
            tuple(str(Multiaddr(raw)) for raw in said.listen_addrs),
            str(ID(b"\x00" + bytes([len(said.public_key)]) + said.public_key)),
        )


def kad_message(kind: int, key: bytes) -> bytes:
    """A request of Kademlia; 4 is FIND_NODE, 5 PING, 0 to 3 values and providers."""
    return bytes(KadMessage(type=kind, key=key).SerializeToString())


def closer_peers(reply: bytes) -> list[tuple[bytes, tuple[str, ...]]]:
    """PeerIds (bytes) and addresses of a FIND_NODE's answer, as they stand there."""
    message = KadMessage()
    message.ParseFromString(reply)
    return [(one.id, tuple(str(Multiaddr(raw)) for raw in one.addrs)) for one in message.closerPeers]


def peer_bytes(peer_id: str) -> bytes:
    return bytes(ID.from_string(peer_id).to_bytes())


def peer_text(peer_id: bytes) -> str:
    return str(ID(peer_id))


@asynccontextmanager
async def connected(
    target: Target, before: Callable[[Any], None] = lambda host: None, **options: Any
) -> AsyncIterator[Peer]:
    """A new peer, connected for as long as the block lasts; NoAnswer("no connection…") if that fails.

    `before` is called with the host before it connects; `options` are those of libp2p's new_host.
    """
    host = new_host(
        key_pair=create_new_key_pair(os.urandom(32)), enable_websocket=target.is_websocket, **options
    )
    before(host)
    try:
        async with host.run(listen_addrs=[]):
            try:
                await _connect(host, target)
                yield Peer(host, target)
            finally:
                with trio.CancelScope(shield=True):  # leaving host.run() alone keeps sockets open
                    await _closed(host)
    except ExceptionGroup as group:  # the host's nursery wraps what comes through it
        error: Exception = group
        while isinstance(error, ExceptionGroup):
            error = error.exceptions[0]
        raise error from None


async def _connect(host: Any, target: Target) -> None:
    try:
        with trio.fail_after(ANSWER_SECONDS):
            await host.connect(PeerInfo(ID.from_string(target.peer_id), [Multiaddr(target.address)]))
    except Exception as error:  # whatever layer it is that fails, or the time
        for one in _behind(error):
            if isinstance(one, PeerIDMismatchesPubkey):
                answering = str(one).rpartition("=")[2]
                raise NoAnswer(f"no connection: another PeerId answers there, {answering}") from error
        raise NoAnswer("no connection") from error


def _behind(error: BaseException) -> Iterator[BaseException]:
    """The error and all that led to it; libp2p bundles those of several addresses."""
    yield error
    causes = (*getattr(error, "errors", ()), error.__cause__)
    for one in causes:
        if isinstance(one, BaseException):
            yield from _behind(one)


async def _closed(host: Any) -> None:
    with trio.move_on_after(2):
        await host.close()


def varint(value: int) -> bytes:
    """Unsigned LEB128."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
