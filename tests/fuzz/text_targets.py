"""What comes as text or over another wire: invitations, phrases, amounts, mDNS, wallboxes, our own pipe."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

from chargemesh_node import invite, mdns_record, phrase
from chargemesh_node.addresses import parse_peer_address
from chargemesh_node.p2p import frames
from chargemesh_node.wallbox.frames import BadFrame, read_frame
from chargemesh_protocol import units
from chargemesh_protocol.charging.samples import read_samples
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.encoding import encode
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.payment_text import check_iban

from .target import Target

_PEER = "12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5"
_ADDRESS = "/ip4/192.0.2.1/tcp/4001"


def check_link(data: bytes) -> None:
    """Once as text, once as the bytes behind the link."""
    coded = base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    for text in (data.decode("latin-1"), invite.SCHEME + coded):
        try:
            found = invite.read_link(text)
        except PersonError:
            continue
        assert invite.read_link(invite.make_link(found)).network == found.network


_READERS: tuple[Callable[[str], Any], ...] = (
    phrase.decode_phrase,
    units.parse_distance,
    units.parse_power,
    units.parse_energy,
    units.parse_duration,
    units.parse_clock,
    units.parse_weekday,
    lambda text: units.parse_instant(text, "Europe/Berlin", 1_804_500_000_000),
    lambda text: units.parse_decimal(text, 1_000_000),
    check_iban,
    parse_peer_address,
    lambda text: mdns_record.read_txt(text.encode("latin-1", "replace"), loopback=True),
)


def check_text(data: bytes) -> None:
    """What a person types, and a neighbour's TXT record: an answer, or an error meant for people."""
    if not data:
        return
    read = _READERS[data[0] % len(_READERS)]
    try:
        read(data[1:].decode("utf-8", "replace"))
    except (PersonError, ValueError):  # ValueError is what the callers of the lower ones expect
        return


def check_ocpp(data: bytes) -> None:
    """A frame of a wallbox, and meter values as they stand in it."""
    try:
        frame = read_frame(data)
    except BadFrame as bad:
        assert bad.answer is None or json.loads(bad.answer)[0] == 4
        return
    assert frame.unique_id
    payload = json.loads(data)[-1]
    for value in payload.values() if isinstance(payload, dict) else ():
        for sample in read_samples(value):
            assert sample.register_mwh is not None or sample.power_w is not None


def check_bridge(data: bytes) -> None:
    """Frames between the node and its network process, in both directions."""
    for parse in (frames.parse_command, frames.parse_report):
        try:
            frame = parse(data)
        except frames.FrameError:
            continue
        packed = frames.pack(frame)
        assert frames.frame_length(packed[:4]) == len(packed) - 4
        assert frames.pack(parse(packed[4:])) == packed
    try:
        assert frames.frame_length(data[:4]) > 0
    except frames.FrameError:
        return


def _links() -> Iterator[bytes]:
    for peers in (1, 4):
        contact = Contact(_PEER, (_ADDRESS, "/dns4/home.example/tcp/4001/ws"))
        link = invite.make_link(invite.Invite("chargemesh-dev-1", (contact,) * peers))
        yield link.encode()
        yield base64.urlsafe_b64decode(link[len(invite.SCHEME) :] + "==")


def _texts() -> Iterator[bytes]:
    for number, text in enumerate(
        (
            phrase.encode_phrase(bytes(32)), "1.5 km", "11 kW", "20 kWh", "1h30m", "18:45", "monday",
            "tomorrow 18:00", "0.40", "DE89 3704 0044 0532 0130 00", f"{_ADDRESS}/p2p/{_PEER}",
            chr(8 + len(_ADDRESS) + 5 + len(_PEER)) + f"dnsaddr={_ADDRESS}/p2p/{_PEER}",
        )
    ):  # fmt: skip
        yield bytes([number]) + text.encode()
    yield b"\x072027-03-28T02:30+01:00"


def _ocpp_frames() -> Iterator[bytes]:
    sampled = {"value": "1234.5", "measurand": "Energy.Active.Import.Register", "unit": "kWh"}
    values = [{"timestamp": "2027-03-08T04:00:00Z", "sampled_value": [sampled]}]
    for message in (
        [2, "1", "MeterValues", {"connectorId": 1, "meter_value": values}],
        [2, "2", "StopTransaction", {"transactionId": 1, "meterStop": 5, "transaction_data": values}],
        [2, "3", "BootNotification", {"chargePointVendor": "v", "chargePointModel": "m"}],
        [3, "4", {"status": "Accepted"}],
        [4, "5", "GenericError", "", {}],
        [2, 6, "Heartbeat", {}],
    ):
        yield json.dumps(message).encode()


def _bridge_frames() -> Iterator[bytes]:
    peer = frames.Peer(_PEER, (_ADDRESS,))
    for frame in (
        frames.Ask(1, peer, "/chargemesh/booking/1", b"body", 5.0),
        frames.Dial(2, peer),
        frames.Stop(),
        frames.Publish(3, "topic", b"data"),
        frames.Reply(4, None),
        frames.Found(5, (peer, peer)),
        frames.Heard(6, _PEER, "192.0.2.0/24", "topic", b"data"),
        frames.Alive(1, 2, 3, 4, {"dials": 5}),
    ):
        yield frames.pack(frame)[4:]


def _grown_frame(times: int) -> bytes:
    return frames.pack(frames.Found(1, (frames.Peer(_PEER, (_ADDRESS,)),) * 20 * times))[4:]


def _grown_ocpp(times: int) -> bytes:
    values = [{"sampled_value": [{"value": str(number)}]} for number in range(40 * times)]
    return json.dumps([2, "1", "MeterValues", {"meter_value": values}]).encode()


TARGETS = (
    Target("link", check_link, _links, lambda times: encode({0: 1, 1: "n" * 60 * times}), 1200),
    Target("text", check_text, _texts, lambda times: b"\x00" + b"abandon " * 24 * times, 512),
    Target("ocpp", check_ocpp, _ocpp_frames, _grown_ocpp, 8192),
    Target("bridge", check_bridge, _bridge_frames, _grown_frame),
)
