"""Who plays in the worked examples of the specs, where and when; and how an example is shown."""

from __future__ import annotations

from collections.abc import Iterable

from chargemesh_node.p2p.peer_id import peer_id_of
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.identity import Bundle, create_identity, public_key
from chargemesh_protocol.me import Me
from chargemesh_protocol.place import Point, public_cell

NETWORK = "chargemesh-test-example"
NOW = 1_800_000_000_000  # 15 January 2027, 08:00 UTC
HOUR = 3_600_000
PLACE = Point(52.52, 13.405)
CELL = public_cell(PLACE)
TRANSPORT_SEED = b"\x09" * 32
CONTACT = Contact(peer_id_of(TRANSPORT_SEED), ("/ip4/192.0.2.7/tcp/4001",))
Steps = Iterable[tuple[str, str]]


def shown(steps: Steps) -> str:
    return "\n".join(["```", *(f"{name}:\n{_wrapped(value)}" for name, value in steps), "```"])


def _wrapped(value: str) -> str:
    return "\n".join(f"  {value[at : at + 96]}" for at in range(0, len(value), 96))


def person(number: int) -> tuple[Me, Bundle]:
    """Host (1) or driver (2): root, recovery and device seeds are one byte repeated 32 times."""
    root, recovery, device = (bytes([16 * number + part]) * 32 for part in (1, 2, 3))
    bundle = create_identity(
        root_seed=root,
        recovery_key=public_key(recovery),
        device_key=public_key(device),
        network=NETWORK,
        now=NOW - 24 * HOUR,
        life_ms=365 * 24 * HOUR,
    )
    return Me(bundle.author, bundle.to_bytes(), NETWORK, device), bundle
