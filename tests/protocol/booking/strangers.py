"""Fresh keys, as cheap as they come: no engine, only what a host gets to see."""

from __future__ import annotations

from typing import Any

from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.records import Request
from chargemesh_protocol.booking.sealing import one_time_keypair
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.identity import create_identity, public_key
from chargemesh_protocol.record import sign

from ..neighbours import DAY, HOUR, NETWORK, Person, Street


class Stranger:
    """A fresh key, as cheap as they come: no engine."""

    def __init__(self, number: int) -> None:
        tail = number.to_bytes(4, "big") + bytes(27)
        self._device = b"d" + tail
        bundle = create_identity(
            root_seed=b"r" + tail,
            recovery_key=b"v" + tail,
            device_key=public_key(self._device),
            network=NETWORK,
            now=1_800_000_000_000,
            life_ms=300 * DAY,
        )
        self.author, self.bundle = bundle.author, bundle.to_bytes()

    def request(self, quote: bytes, now: int, wait_ms: int = HOUR) -> Any:
        body = Request(
            author=self.author,
            issued=now,
            quote=quote,
            one_time_key=one_time_keypair(self._device)[0],
            contact=Contact("12D3KooStranger", ()),
            expires=now + wait_ms,
        )
        return sign(body, self._device, NETWORK)


def ask_by_hand(street: Street, host: Person, quote: Any, raw: bytes, by: Stranger, block: str = "") -> Any:
    request = by.request(quote.id, street.now)
    body = wire.write(
        wire.Exchange(booking=request.id, records=(request.raw,), opening=raw, bundle=by.bundle)
    )
    return wire.read(host.answers(body, block or f"block:{by.author.hex()[:8]}"))


def refusal_of(answer: Any) -> tuple[str, str]:
    assert isinstance(answer, wire.Failed), answer
    return answer.code, answer.message
