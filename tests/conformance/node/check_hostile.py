"""What strangers try. Each check ends with the honest ping: whatever came, the node still answers others."""

from __future__ import annotations

import os
from collections.abc import Sequence

import trio

from chargemesh_protocol import identity_wire

from .dialogue import BOOKING, IDENTITY, LISTING, LOG, OURS, say, understood
from .mesh import MESHSUB, Mouth, far_too_much, until
from .peer import IDENTIFY, PING, NoAnswer, Peer, Stream, varint
from .scene import Chapter, Probe, Scene

HOSTILE = Chapter("hostile")
FRAME_SECONDS, HANDSHAKE_SECONDS, SLACK_SECONDS = 10.0, 4.0, 5.0
_ENDED = ("reset", "closed")
# One item of each sort that 01 refuses; none is what a shortest deterministic encoder writes.
_NOT_CBOR = {
    "no bytes": b"",
    "random bytes": b"\xff\xfe\xfd" + bytes(range(40)),
    "a non-minimal integer": bytes.fromhex("a1001801"),
    "an indefinite length": bytes.fromhex("bf0001ff"),
    "a duplicate key": bytes.fromhex("a200010001"),
    "keys in the wrong order": bytes.fromhex("a201010001"),
    "a trailing byte": bytes.fromhex("a1000100"),
    "a float": bytes.fromhex("a100f93c00"),
    "null": bytes.fromhex("a100f6"),
    "a tag": bytes.fromhex("a100c101"),
    "an integer beyond 63 bits": bytes.fromhex("a1001bffffffffffffffff"),
    "text that is not UTF-8": bytes.fromhex("a10062c328"),
    "an array that promises 2^32 items": bytes.fromhex("a1009affffffff"),
    "ten thousand arrays in each other": b"\xa1\x00" + b"\x81" * 10_000 + b"\x00",
    "no map": bytes.fromhex("8100"),
}


@HOSTILE.check("malformed-cbor", "E2", "E6", "N9", "K7", hostile=True)
async def malformed_cbor(scene: Scene, probe: Probe) -> None:
    """Bytes that are not deterministic CBOR are refused in the stream's own way, on every stream."""
    refusals = {BOOKING: "failed: encoding", LISTING: "failed: encoding", IDENTITY: "empty", LOG: "empty"}
    async with scene.peer() as peer:
        for protocol, refusal in refusals.items():
            stream = await peer.open(protocol)
            for name, body in _NOT_CBOR.items():
                expected = {"no map": (refusal, "failed: schema") if refusal != "empty" else (refusal,)}
                await stream.send(body)
                got = understood(protocol, await stream.message()).word
                probe.sees(f"{protocol}: {name}", expected.get(name, (refusal,)), got)


@HOSTILE.check("largest-message", "N8", "E6", hostile=True)
async def largest_message(scene: Scene, probe: Probe) -> None:
    """262,144 bytes are read and answered; one more resets the stream."""
    async with scene.peer() as peer:
        for protocol, expected in ((BOOKING, "failed: encoding"), (LOG, "empty")):
            got = (await say(peer, protocol, b"\xff" * 262_144)).word
            probe.sees(f"{protocol}: 262,144 bytes", expected, got)
            stream = await peer.open(protocol)
            await stream.write(varint(262_145))
            probe.sees(f"{protocol}: a length of 262,145", _ENDED, await stream.ends())


@HOSTILE.check("giant-lengths", "N8", hostile=True)
async def giant_lengths(scene: Scene, probe: Probe) -> None:
    """A length of more than 3 bytes, or of more than a message has, resets the stream at once."""
    lengths = {
        "2^21 - 1": b"\xff\xff\x7f",
        "4 bytes": b"\xff\xff\xff\x7f",
        "2^63": b"\xff" * 8 + b"\x7f",
        "endless": b"\xff" * 70_000,
    }
    async with scene.peer() as peer:
        for protocol in (*OURS, scene.kad):
            for name, length in lengths.items():
                probe.sees(f"{protocol}: a length {name}", _ENDED, await _ends(peer, protocol, length))


async def _ends(peer: Peer, protocol: str, data: bytes) -> str:
    """How the node ends a new stream after these bytes."""
    stream = await peer.open(protocol)
    try:
        await stream.write(data)
    except NoAnswer as none:
        return str(none)
    return await stream.ends()


@HOSTILE.check("unknown-protocols", "N8", hostile=True)
async def unknown_protocols(scene: Scene, probe: Probe) -> None:
    """Streams of protocols that nobody speaks are refused, and cost nothing else."""
    names = ("/chargemesh/booking/2", "/nothing/1.0.0", "/" + "x" * 900, "/ipfs/bitswap/1.2.0")
    async with scene.peer() as peer:
        for name in names:
            try:
                await peer.open(name)
                got = "opened"
            except NoAnswer as none:
                got = str(none)
            probe.sees(f"a stream of {name[:40]}", ("not supported", *_ENDED), got)
        probe.sees("the same connection: ping", "pong", await peer.ping())


@HOSTILE.check("garbage-protobuf", "N13", "N18", hostile=True)
async def garbage_protobuf(scene: Scene, probe: Probe) -> None:
    """Bytes that are no protobuf, on every protocol that has it, end no more than their stream."""
    rubbish = (b"\xff" * 64, b"\x05\xff\xff\xff\xff\xff", b"\x7f" + os.urandom(127), b"\x00", os.urandom(300))
    async with scene.peer() as peer:
        for protocol in (scene.kad, MESHSUB, IDENTIFY, "/ipfs/id/push/1.0.0", PING):
            await _throws(peer, protocol, rubbish)
        probe.sees("the same connection: ping", ("pong", *_ENDED), await peer.ping())


async def _throws(peer: Peer, protocol: str, pieces: Sequence[bytes]) -> None:
    for data in pieces:
        try:
            stream = await peer.open(protocol)
            await stream.write(data)
            await stream.close_writing()
        except NoAnswer:
            continue  # refused, which is a fine answer


@HOSTILE.check("gossip-floods", "N18", hostile=True)
async def gossip_floods(scene: Scene, probe: Probe) -> None:
    """RPCs with too many entries, ids or bytes, and topics that nobody follows, cost only their sender."""
    async with scene.peer() as peer:
        for rpc in far_too_much(scene.log_topic):
            mouth = await Mouth.open(peer, scene.log_topic)
            await mouth.rpc(rpc)
        stream = await peer.open(MESHSUB)
        probe.sees("an RPC of 2^28 bytes", _ENDED, await _after(stream, varint(2**28) + bytes(1000)))


async def _after(stream: Stream, data: bytes) -> str:
    try:
        await stream.write(data)
    except NoAnswer as none:
        return str(none)
    return await stream.ends()


@HOSTILE.check("300-streams", "N7", hostile=True)
async def many_streams(scene: Scene, probe: Probe) -> None:
    """A peer that opens 300 streams and says nothing keeps nobody else out, and doesn't keep them all."""
    async with scene.peer() as peer:
        opened: list[Stream] = []

        async def one(protocol: str) -> None:
            try:
                opened.append(await peer.open(protocol))
            except NoAnswer:
                return

        for _ in range(10):
            async with trio.open_nursery() as nursery:
                for number in range(30):
                    nursery.start_soon(one, OURS[number % len(OURS)])
        probe.sees("meanwhile: the honest ping", "pong", await scene.greets())
        await trio.sleep(0.3)
        kept = sum(stream.is_open for stream in opened)
        probe.holds("300 streams of one peer", "bounded", kept < 300, f"all {kept} kept")


@HOSTILE.check("questions-without-waiting", "N7", hostile=True)
async def without_waiting(scene: Scene, probe: Probe) -> None:
    """Requests sent on one stream without waiting are answered in order, or the stream is reset."""
    known = identity_wire.write(identity_wire.Get(authors=(os.urandom(32),)))
    async with scene.peer() as peer:
        stream = await peer.open(IDENTITY)
        got = []
        try:
            await stream.write(b"".join(varint(len(one)) + one for one in [known, b"\x00"] * 25))
            for _ in range(50):
                got.append(understood(IDENTITY, await stream.message()).word)
        except NoAnswer as none:
            got.append(str(none))
        whole = got == ["given", "empty"] * 25
        probe.holds(
            "50 requests at once", "their answers in order", whole or got[-1] in _ENDED, str(got[-3:])
        )


@HOSTILE.check("frame-over-the-window", "N2", hostile=True)
async def frame_over_the_window(scene: Scene, probe: Probe) -> None:
    """A Yamux frame above 262,144 bytes closes the connection before it is read."""
    async with scene.peer() as peer:
        stream = await peer.open(LISTING)
        await stream.announce_frame(300_000)
        await until(lambda: not peer.is_connected, SLACK_SECONDS)
        probe.sees(
            "a frame that announces 300,000 bytes", "closed", "open" if peer.is_connected else "closed"
        )


@HOSTILE.check("rubbish-on-tcp", "N1", hostile=True, slow=True)
async def rubbish_on_tcp(scene: Scene, probe: Probe) -> None:
    """Bytes that are no libp2p, and handshakes that break off, get no connection."""
    hello = b"\x13/multistream/1.0.0\n"
    huge = b"\xff" * 8 + b"\x7f"
    pieces = {
        "HTTP": b"GET / HTTP/1.1\r\n\r\n",
        "a protocol name of 2^63 bytes": huge,
        "the same after a header": hello + huge,
        "a name that is not UTF-8": hello + b"\x04\xff\xfe\xfd\n",
        "a Noise message of zeros": hello + b"\x07/noise\n" + b"\xff\xff" + bytes(65_535),
        "random bytes": os.urandom(500),
    }
    if scene.target.is_websocket:
        pieces = {name: data for name, data in pieces.items() if name in ("HTTP", "random bytes")}
    ended: dict[str, str] = {}

    async def knock(name: str, data: bytes) -> None:
        ended[name] = await _knocks(scene, data)

    async with trio.open_nursery() as nursery:
        for name, data in pieces.items():
            nursery.start_soon(knock, name, data)
    for name in pieces:
        probe.sees(name, "closed", ended[name])


async def _knocks(scene: Scene, data: bytes, seconds: float = HANDSHAKE_SECONDS + SLACK_SECONDS) -> str:
    """What comes of bytes on a TCP connection: `closed`, or `open` if the node waits on."""
    with trio.move_on_after(seconds):
        async with await trio.open_tcp_stream(scene.target.host, scene.target.port) as tcp:
            try:
                await tcp.send_all(data)
                while await tcp.receive_some(4096):
                    pass
            except trio.BrokenResourceError:
                return "closed"
            return "closed"
    return "open"


@HOSTILE.check("half-open-sockets", "N1", hostile=True)
async def half_open_sockets(scene: Scene, probe: Probe) -> None:
    """A hundred sockets that say nothing keep nobody out, and are closed when the handshake is overdue."""
    ended: list[str] = []

    async def knock() -> None:
        ended.append(await _knocks(scene, b""))

    async with trio.open_nursery() as nursery:
        for _ in range(100):
            nursery.start_soon(knock)
        await trio.sleep(0.5)
        probe.sees("meanwhile: the honest ping", "pong", await scene.greets())
    probe.sees("sockets that were left open", "0", str(ended.count("open")))


@HOSTILE.check("slow-writers", "N8", hostile=True, slow=True)
async def slow_writers(scene: Scene, probe: Probe) -> None:
    """A message that was begun and isn't whole after 10 s resets the stream, however it trickles."""
    ended: dict[str, str] = {}

    async def trickles(peer: Peer, protocol: str) -> None:
        stream = await peer.open(protocol)
        await stream.write(varint(1000))
        with trio.move_on_after(FRAME_SECONDS + SLACK_SECONDS):
            try:
                while True:
                    await stream.write(b"\xa0")
                    if (end := await stream.ends(0.5)) != "silence":
                        ended[protocol] = end
                        return
            except NoAnswer as none:
                ended[protocol] = str(none)

    async with scene.peer() as peer, trio.open_nursery() as nursery:
        for protocol in (*OURS, scene.kad):
            nursery.start_soon(trickles, peer, protocol)
    for protocol in (*OURS, scene.kad):
        probe.sees(f"{protocol}: a byte each half second", _ENDED, ended.get(protocol, "open"))


@HOSTILE.check("half-open-streams", "N8", hostile=True)
async def half_open_streams(scene: Scene, probe: Probe) -> None:
    """Streams on which nothing, or half a request, is said are nobody's concern but their own."""
    async with scene.peer() as peer:
        for protocol in (*OURS, scene.kad):
            await peer.open(protocol)
            half = await peer.open(protocol)
            await half.write(varint(100) + bytes(10))
            await half.close_writing()
            probe.sees(f"{protocol}: half a message, and the end", _ENDED, await half.ends())
        probe.sees("the same connection: ping", "pong", await peer.ping())
