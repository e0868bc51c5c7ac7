"""What the node and the network process say to each other, and how it is framed.

A frame is a 4-byte big-endian length and one msgpack value (a tagged struct). Commands go to the
network process, reports come from it; `id` pairs an answer with its question. Both ends check
each frame against these types: the process parses what strangers send, so it isn't trusted with
the node's memory.
"""

from __future__ import annotations

import msgspec

from .limits import MIB, NetworkLimits

LENGTH_BYTES = 4
MAX_FRAME_BYTES = 1 * MIB  # the largest is a 256 KiB body with its envelope


class Peer(msgspec.Struct, frozen=True, array_like=True):
    """A transport PeerId (text) and its multiaddrs (text, without /p2p)."""

    peer_id: str
    addresses: tuple[str, ...]


# --- commands: node -> network process ----------------------------------------------------------
class Configure(msgspec.Struct, frozen=True, tag="configure"):
    """The first frame. `seed` is the transport key's: it goes over the socket, never over argv."""

    seed: bytes
    network_id: str
    listen: tuple[str, ...]
    announce: tuple[str, ...]  # addresses to name instead of those found on the interfaces
    bootstrap: tuple[Peer, ...]
    remembered: tuple[Peer, ...]
    protocols: tuple[str, ...]
    topics: tuple[str, ...]
    blocked: tuple[str, ...]
    lookup_seed: int
    limits: NetworkLimits


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    id: int
    to: Peer
    protocol: str
    body: bytes
    seconds: float


class FindClosest(msgspec.Struct, frozen=True, tag="closest"):
    id: int
    key: bytes
    count: int


class Dial(msgspec.Struct, frozen=True, tag="dial"):
    id: int
    to: Peer


class Publish(msgspec.Struct, frozen=True, tag="publish"):
    id: int
    topic: str
    data: bytes


class Subscribe(msgspec.Struct, frozen=True, tag="subscribe"):
    topic: str


class Unsubscribe(msgspec.Struct, frozen=True, tag="unsubscribe"):
    topic: str


class Block(msgspec.Struct, frozen=True, tag="block"):
    peer_id: str
    blocked: bool


class Reply(msgspec.Struct, frozen=True, tag="reply"):
    """The node's answer to `Asked`; None refuses (the stream is reset)."""

    id: int
    body: bytes | None


class Verdict(msgspec.Struct, frozen=True, tag="verdict"):
    """The node's answer to `Heard`: is the message valid, and so forwarded? None: it is nothing to us."""

    id: int
    valid: bool | None


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    pass


# --- reports: network process -> node -----------------------------------------------------------
class Ready(msgspec.Struct, frozen=True, tag="ready"):
    contact: Peer
    bound: tuple[str, ...]  # what is listened on, with the real ports


class CannotStart(msgspec.Struct, frozen=True, tag="cannot-start"):
    code: str
    message: str


class Answered(msgspec.Struct, frozen=True, tag="answered"):
    id: int
    body: bytes


class Found(msgspec.Struct, frozen=True, tag="found"):
    id: int
    peers: tuple[Peer, ...]


class Done(msgspec.Struct, frozen=True, tag="done"):
    id: int


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """`kind` is unreachable, timed-out or refused."""

    id: int
    kind: str
    message: str


class Asked(msgspec.Struct, frozen=True, tag="asked"):
    id: int
    peer_id: str
    block: str
    protocol: str
    body: bytes


class Heard(msgspec.Struct, frozen=True, tag="heard"):
    id: int
    peer_id: str
    block: str
    topic: str
    data: bytes


class PeerChanged(msgspec.Struct, frozen=True, tag="peer"):
    """`block`: the address block of its connection; empty where it goes."""

    peer: Peer
    connected: bool
    block: str = ""


class Alive(msgspec.Struct, frozen=True, tag="alive"):
    """Sent every second or so: the counters since the start, and resident memory."""

    rss_bytes: int
    connections: int
    streams: int
    routing_table: int
    counters: dict[str, int]


Command = (
    Configure | Ask | FindClosest | Dial | Publish | Subscribe | Unsubscribe | Block | Reply | Verdict | Stop
)
Report = Ready | CannotStart | Answered | Found | Done | Failed | Asked | Heard | PeerChanged | Alive

_encoder = msgspec.msgpack.Encoder()
_commands: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)
_reports: msgspec.msgpack.Decoder[Report] = msgspec.msgpack.Decoder(Report)


# A tag that is not UTF-8 is no MsgspecError.
_NO_FRAME = (msgspec.MsgspecError, UnicodeDecodeError)


class FrameError(ValueError):
    """The other end of the socket sent what no frame can be."""


def pack(frame: Command | Report) -> bytes:
    """A frame's length and bytes. FrameError if it is larger than any frame may be."""
    data = _encoder.encode(frame)
    if len(data) > MAX_FRAME_BYTES:
        raise FrameError(f"a frame of {len(data)} bytes is over {MAX_FRAME_BYTES}")
    return len(data).to_bytes(LENGTH_BYTES, "big") + data


def frame_length(header: bytes) -> int:
    """The length that a header announces; FrameError if no frame is that long."""
    length = int.from_bytes(header, "big")
    if not 0 < length <= MAX_FRAME_BYTES:
        raise FrameError(f"no frame is {length} bytes long")
    return length


def parse_command(data: bytes) -> Command:
    try:
        return _commands.decode(data)
    except _NO_FRAME as error:
        raise FrameError(str(error)) from error


def parse_report(data: bytes) -> Report:
    try:
        return _reports.decode(data)
    except _NO_FRAME as error:
        raise FrameError(str(error)) from error
