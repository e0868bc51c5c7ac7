"""Everything that a simulated neighbourhood sends, sorted by the rule of the CDDL that describes it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import cbor2

from chargemesh_node.sim.people import Person
from chargemesh_protocol import identity_wire
from chargemesh_protocol.booking import wire as booking
from chargemesh_protocol.booking.records import Access
from chargemesh_protocol.booking.sealing import unseal
from chargemesh_protocol.discovery import wire as discovery
from chargemesh_protocol.encoding import encode
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.mailbox import wire as mailbox
from chargemesh_protocol.record import KINDS, parts
from chargemesh_protocol.shape import Int, Kind, Seq, Struct, keys_of, to_tree
from chargemesh_protocol.trust import sync
from tests.protocol.write_specs import MESSAGES, shapes

# How the rules of a stream begin; the log has no operations.
_OF_STREAM = {
    booking.PROTOCOL: "booking-",
    discovery.PROTOCOL: "listing-",
    identity_wire.PROTOCOL: "identity-",
    mailbox.PROTOCOL: "mailbox-",
}


class Emitted:
    """`bodies`: what was sent, by rule, each once. `shapes`: names of all maps in it, also the inner ones."""

    def __init__(self) -> None:
        self.bodies: dict[str, set[bytes]] = defaultdict(set)
        self.shapes: set[str] = set()
        self._names = {cls: name for name, cls in shapes().items()}

    def heard(self, _sender: str, _receiver: str, protocol: str, body: bytes) -> None:
        """A tap on the simulated internet."""
        if not body:
            return  # an empty body refuses
        if protocol == sync.PROTOCOL:
            self._take("log-catch-up", sync.CatchUp, body)
        elif protocol.endswith("/log"):
            self._take("log-news", MESSAGES["log-news"], body)
        else:
            stream = protocol if protocol in _OF_STREAM else discovery.PROTOCOL
            self._take_operation(_OF_STREAM[stream], body)

    def unsealed(self, driver: Person, booking_id: bytes) -> None:
        """What was sealed in a booking, opened by its driver's key."""
        held = driver.booking(booking_id)
        for record in held.set:
            if isinstance(record.body, Access):
                self._record(unseal(record.body.sealed, held.their_key, held.file.secret))
        for body in list(self.bodies["booking-exchange"]):
            for sealed in cbor2.loads(body)[6]:
                try:
                    plain = unseal(sealed, held.their_key, held.file.secret)
                except Refused:
                    continue  # of another booking
                self._take("sealed-message", MESSAGES["sealed-message"], plain)

    def opened(self, person: Person) -> None:
        """What was handed in for this person, opened by its key."""
        desk = person.node.runner.engine.mail
        for body in list(self.bodies["mailbox-deposit"]):
            deposit = cbor2.loads(body)
            for one in desk.in_use:
                if one.recipient == deposit[1]:
                    self._take("letter", MESSAGES["letter"], encode(to_tree(desk.open(one, deposit[2]))))

    def _take_operation(self, prefix: str, body: bytes) -> None:
        operation = cbor2.loads(body)[0]
        for name, cls in MESSAGES.items():
            kind = keys_of(cls)[0][2]
            if name.startswith(prefix) and isinstance(kind, Int) and kind.low == operation:
                self._take(name, cls, body)
                return
        raise AssertionError(f"{prefix} has no operation {operation}")

    def _take(self, name: str, cls: type[Any], body: bytes) -> None:
        if body not in self.bodies[name]:
            self.bodies[name].add(body)
            self._walk(name, cls, cbor2.loads(body))

    def _walk(self, name: str, cls: type[Any], tree: dict[int, Any]) -> None:
        self.shapes.add(name)
        for number, field, kind, _ in keys_of(cls):
            if number in tree:
                self._field(field, kind, tree[number])

    def _field(self, field: str, kind: Kind, value: Any) -> None:
        if isinstance(kind, Seq):
            for one in value:
                self._field(field, kind.item, one)
        elif isinstance(kind, Struct):
            self._walk(self._names[kind.cls], kind.cls, value)
        elif field in ("bundle", "bundles"):
            self.bodies["bundle"].add(value)
            for raw in cbor2.loads(value):
                self._record(raw)
        elif isinstance(value, bytes) and value[:2] == b"\xd2\x84":
            self._record(value)
        elif field == "content" and len(value) != 32:
            self._take("review-content", MESSAGES["review-content"], value)

    def _record(self, raw: bytes) -> None:
        if raw in self.bodies["cose-record"]:
            return
        self.bodies["cose-record"].add(raw)
        protected, payload, _ = parts(raw)
        kind = cbor2.loads(protected)[16]
        self.bodies[kind].add(payload)
        self._walk(kind, KINDS[kind], cbor2.loads(payload))
