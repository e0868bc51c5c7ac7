"""Local discovery over real multicast on loopback, and the record it writes and reads."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from zeroconf import ServiceInfo, ServiceStateChange, Zeroconf, _core
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from chargemesh_node import mdns
from chargemesh_node.mdns import LocalDiscovery
from chargemesh_node.mdns_record import MAX_TXT_BYTES, SERVICE, read_txt, write_txt
from chargemesh_protocol.contact import Contact

LOOPBACK = ["127.0.0.1"]
NETWORK = "chargemesh-test-mdns"
WAIT_SECONDS = 60.0


OURS = f"12D3KooW{os.getpid():010d}".replace("0", "A")  # other tests may use the same multicast group


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """On loopback nobody needs the seconds that zeroconf leaves to others, in milliseconds here."""
    monkeypatch.setattr(_core, "_CHECK_TIME", 60)
    monkeypatch.setattr(_core, "_REGISTER_TIME", 40)
    monkeypatch.setattr(_core, "_UNREGISTER_TIME", 20)


def peer(n: int) -> str:
    return OURS + f"{n:034d}".replace("0", "A")


def contact(n: int, *ports: int) -> Contact:
    return Contact(peer(n), tuple(f"/ip4/127.0.0.1/tcp/{port}" for port in ports or (4000 + n,)))


def txt(*strings: bytes) -> bytes:
    return b"".join(bytes((len(string),)) + string for string in strings)


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while not true():  # noqa: ASYNC110 - the network has no event to wait for
            await asyncio.sleep(0.02)


class Neighbourhood:
    """Nodes of one test, found contacts included; all are closed at the end."""

    def __init__(self) -> None:
        self._open: list[LocalDiscovery] = []
        self.contacts: dict[int, Contact] = {}

    async def node(self, n: int, *ports: int) -> tuple[LocalDiscovery, list[Contact]]:
        found: list[Contact] = []
        self.contacts[n] = contact(n, *ports)

        def note(neighbour: Contact) -> None:
            if neighbour.peer_id.startswith(OURS):
                found.append(neighbour)

        discovery = LocalDiscovery(lambda: self.contacts[n], note, LOOPBACK, NETWORK)
        self._open.append(discovery)
        await discovery.start()
        return discovery, found

    async def close(self) -> None:
        await asyncio.gather(*(discovery.close() for discovery in self._open))


@pytest_asyncio.fixture
async def street() -> AsyncIterator[Neighbourhood]:
    neighbourhood = Neighbourhood()
    yield neighbourhood
    await neighbourhood.close()


@pytest_asyncio.fixture
async def stranger() -> AsyncIterator[AsyncZeroconf]:
    """An independent mDNS implementation's user: plain zeroconf, none of our code."""
    zeroconf = AsyncZeroconf(interfaces=LOOPBACK)
    yield zeroconf
    await zeroconf.async_close()


async def announce(zeroconf: AsyncZeroconf, label: str, text: bytes) -> None:
    label = f"{label}-{os.getpid()}"
    info = ServiceInfo(SERVICE, f"{label}.{SERVICE}", port=1, properties=text, server=f"{label}.local.")
    await (await zeroconf.async_register_service(info))


@pytest.mark.asyncio
async def test_two_nodes_find_each_other_and_not_themselves(street: Neighbourhood) -> None:
    (_, by_alice), (_, by_bob) = await street.node(1), await street.node(2)
    await until(lambda: by_alice and by_bob)
    assert by_alice == [contact(2)]
    assert by_bob == [contact(1)]


@pytest.mark.asyncio
async def test_an_independent_browser_reads_every_address(
    street: Neighbourhood, stranger: AsyncZeroconf
) -> None:
    names: list[str] = []

    def changed(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        names.append(name)

    def ours() -> list[AsyncServiceInfo]:
        infos = [AsyncServiceInfo(SERVICE, name) for name in names]
        return [i for i in infos if i.load_from_cache(stranger.zeroconf) and OURS.encode() in (i.text or b"")]

    browser = AsyncServiceBrowser(stranger.zeroconf, SERVICE, handlers=[changed])
    await street.node(1, 4001, 4002)
    await until(ours)
    await browser.async_cancel()

    [info] = ours()
    label = info.name.removesuffix("." + SERVICE)
    assert 32 <= len(label) <= 63 and peer(1) not in label
    assert info.text == txt(
        *(f"dnsaddr=/ip4/127.0.0.1/tcp/{port}/p2p/{peer(1)}".encode() for port in (4001, 4002))
    )
    assert info.port == 4001
    assert info.addresses == [socket.inet_aton("127.0.0.1")]


@pytest.mark.asyncio
async def test_other_implementations_announcements_are_read(
    street: Neighbourhood, stranger: AsyncZeroconf
) -> None:
    """As js-libp2p and go-libp2p write them: transports that we don't speak, and attributes of others."""
    _, found = await street.node(1)
    await announce(
        stranger,
        "a" * 40,
        txt(
            f"dnsaddr=/ip4/127.0.0.1/udp/4001/quic-v1/p2p/{peer(7)}".encode(),
            f"dnsaddr=/ip4/127.0.0.1/tcp/4001/ws/p2p/{peer(7)}".encode(),
            b"agent=somebody",
            f"DNSADDR=/ip4/127.0.0.1/tcp/4009/p2p/{peer(7)}".encode(),
        ),
    )
    await until(lambda: found)
    assert found == [Contact(peer(7), ("/ip4/127.0.0.1/tcp/4009",))]


@pytest.mark.asyncio
async def test_malformed_announcements_are_counted_and_change_nothing(
    street: Neighbourhood, stranger: AsyncZeroconf
) -> None:
    node, found = await street.node(1)
    bad = (b"\xff", txt(b"dnsaddr=nonsense"), txt(b"\xff\xfe" * 60), b"\x00" * 200)
    await asyncio.gather(*(announce(stranger, f"{n}" * 40, text) for n, text in enumerate(bad)))
    await until(lambda: node.malformed >= 4)
    await announce(stranger, "z" * 40, write_txt(contact(5), loopback=True))
    await until(lambda: found)
    assert found == [contact(5)]


@pytest.mark.asyncio
async def test_changed_addresses_are_announced_again(street: Neighbourhood) -> None:
    alice, _ = await street.node(1)
    _, found = await street.node(2)
    await until(lambda: found)
    street.contacts[1] = contact(1, 4999)
    await alice.refresh()
    await until(lambda: len(found) > 1)
    assert found[-1] == contact(1, 4999)


@pytest.mark.asyncio
async def test_who_says_goodbye_is_forgotten(street: Neighbourhood) -> None:
    alice, _ = await street.node(1)
    bob, found = await street.node(2)
    await until(lambda: found)
    await alice.close()
    await until(lambda: contact(1) not in bob.neighbours)


@pytest.mark.asyncio
async def test_a_flood_of_invented_neighbours_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mdns, "MAX_REMEMBERED", 5)
    monkeypatch.setattr(mdns, "MAX_NEW_PER_MINUTE", 8)
    found: list[Contact] = []
    node = LocalDiscovery(lambda: contact(1), found.append, LOOPBACK, NETWORK)
    for n in range(2, 40):
        node._heard(f"{n:040d}.{SERVICE}", write_txt(contact(n), loopback=True))
    assert len(found) == 8
    assert node.dropped == 30
    assert len(node.neighbours) == 5


@pytest.mark.asyncio
async def test_a_neighbour_that_starts_again_under_another_name_is_one() -> None:
    node = LocalDiscovery(lambda: contact(1), lambda _: None, LOOPBACK, NETWORK)
    node._heard(f"{'a' * 40}.{SERVICE}", write_txt(contact(2, 4002), loopback=True))
    node._heard(f"{'b' * 40}.{SERVICE}", write_txt(contact(2, 4003), loopback=True))
    assert node.neighbours == [contact(2, 4003)]


@pytest.mark.asyncio
async def test_without_an_interface_it_says_so_and_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    node = LocalDiscovery(lambda: contact(1), lambda _: None, ["no-such-interface"], NETWORK)
    await node.start()
    assert node.problem == "no network interface is up"
    await node.close()


def test_the_networks_of_one_machine_stay_on_it() -> None:
    demo = LocalDiscovery(lambda: contact(1), lambda _: None, None, "chargemesh-demo-1")
    assert demo._interfaces == LOOPBACK
    assert LocalDiscovery(lambda: contact(1), lambda _: None, None, "chargemesh-dev-1")._interfaces is None


def test_only_what_a_neighbour_can_dial_is_announced() -> None:
    mixed = Contact(
        peer(1),
        (
            "/ip4/127.0.0.1/tcp/1",
            "/ip4/0.0.0.0/tcp/2",
            "/ip4/192.168.1.4/tcp/3",
            "/ip6/fd00::4/tcp/4",
            "/dns4/example.org/tcp/5",
            "/ip4/192.168.1.4/tcp/6/p2p-circuit",
        ),
    )
    read = read_txt(write_txt(mixed, loopback=False), loopback=False)
    assert read.addresses == ("/ip4/192.168.1.4/tcp/3", "/ip6/fd00::4/tcp/4")


def test_announced_loopback_addresses_are_passed_over_on_a_real_network() -> None:
    with pytest.raises(ValueError, match="no address"):
        read_txt(write_txt(contact(1), loopback=True), loopback=False)


def test_addresses_of_two_peers_in_one_record_are_refused() -> None:
    two = write_txt(contact(1), loopback=True) + write_txt(contact(2), loopback=True)
    with pytest.raises(ValueError, match="2 peers"):
        read_txt(two, loopback=True)


def test_the_record_stays_within_one_packet() -> None:
    many = contact(1, *range(1000, 1200))
    text = write_txt(many, loopback=True)
    assert len(text) <= MAX_TXT_BYTES
    assert len(read_txt(text, loopback=True).addresses) == 8


@given(st.binary(max_size=400))
def test_no_record_raises_anything_but_a_value_error(text: bytes) -> None:
    try:
        found = read_txt(text, loopback=True)
    except ValueError:
        return
    assert found.addresses


@given(st.lists(st.integers(1, 65535), min_size=1, max_size=8, unique=True))
def test_what_is_written_is_read(ports: list[int]) -> None:
    assert read_txt(write_txt(contact(3, *ports), loopback=True), loopback=True) == contact(3, *ports)
