"""Neighbours on the local network, found by libp2p's mDNS with no internet and nobody's help.

Announces and browses `_p2p._udp.local.` with zeroconf itself: py-libp2p's own discovery writes addresses
that others ignore, can't read js-libp2p's answers, and binds all interfaces. An announcement proves
nothing: it is a hint whom to dial, and Noise says who answers. libp2p's record has no place for a
network id, so nodes of other networks are found too; having no protocol in common, they part at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import ifaddr
from zeroconf import (  # type: ignore[attr-defined]  # not in its __all__
    DNSOutgoing,
    DNSQuestion,
    DNSText,
    NotRunningException,
    RecordUpdate,
    RecordUpdateListener,
    ServiceInfo,
    ServiceStateChange,
    Zeroconf,
)
from zeroconf.asyncio import AsyncServiceBrowser, AsyncZeroconf

from chargemesh_protocol.contact import Contact

from .mdns_record import SERVICE, dialable, host_of, ports_of, read_txt, write_txt

logger = logging.getLogger(__name__)

MAX_REMEMBERED = 256  # announcements; the one heard longest ago goes first
MAX_NEW_PER_MINUTE = 60  # a flood of invented neighbours costs us this many dials a minute, no more
LOOK_EVERY_SECONDS = 10.0  # for changed addresses and interfaces
REPEAT_SECONDS = 60.0  # a neighbour is reported again, for whoever lost the connection
ASK_AGAIN_SECONDS = 1.0  # for the TXT record, where an answer came without it
PRIVATE_NETWORKS = ("chargemesh-demo-",)  # networks of one machine: never announced beyond it

_TXT, _IN = 16, 1  # DNS type and class
_QUERY = 0


@dataclass(slots=True)
class _Neighbour:
    text: bytes
    contact: Contact


class LocalDiscovery:
    """Announces `contact()` on the chosen interfaces and calls `found` with each neighbour's contact.

    `interfaces` are IP addresses or names such as eth0; None means all that are up, without loopback.
    `found` is called again for a known neighbour about once a minute, and must not raise or block.
    """

    def __init__(
        self,
        contact: Callable[[], Contact],
        found: Callable[[Contact], None],
        interfaces: list[str] | None,
        network: str,
    ) -> None:
        self._contact = contact
        self._found = found
        self._interfaces = ["127.0.0.1"] if interfaces is None and _private(network) else interfaces
        # At least 32 characters, random, new at each start: the record, not its name, says who we are.
        self._name = f"{secrets.token_hex(20)}.{SERVICE}"
        self._zeroconf: AsyncZeroconf | None = None
        self._browser: AsyncServiceBrowser | None = None
        self._listener = _Listener(self._heard, self._gone)
        self._bound: list[str | int] = []
        self._info: ServiceInfo | None = None
        self._announcing: set[asyncio.Task[None]] = set()
        self._keeper: asyncio.Task[None] | None = None
        self._refreshing = asyncio.Lock()
        self._neighbours: OrderedDict[str, _Neighbour] = OrderedDict()
        self._may_be_new = MAX_NEW_PER_MINUTE
        self.malformed = 0  # announcements that were ignored
        self.dropped = 0  # neighbours beyond MAX_NEW_PER_MINUTE
        self.problem: str | None = None  # why nothing is announced, for `doctor`

    @property
    def neighbours(self) -> list[Contact]:
        """Who has announced itself and has not said goodbye."""
        return [neighbour.contact for neighbour in self._neighbours.values()]

    async def start(self) -> None:
        """Begins; with no usable interface it only notes the `problem` and tries again every few seconds."""
        await self.refresh()
        self._keeper = asyncio.create_task(self._keep(), name="mdns")

    async def refresh(self) -> None:
        """Follows what has changed: interfaces that came or went, addresses of ours. Runs by itself every
        few seconds; call it to have it at once."""
        async with self._refreshing:
            try:
                await self._follow()
            except (OSError, NotRunningException) as error:
                self._note(f"multicast DNS does not start: {error}")

    async def close(self) -> None:
        """Says goodbye and closes the sockets."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        for task in self._announcing:
            task.cancel()
        await asyncio.gather(*self._announcing, return_exceptions=True)
        if self._browser is not None:
            await self._browser.async_cancel()
        if self._zeroconf is not None:
            self._zeroconf.zeroconf.async_remove_listener(self._listener)
            await self._zeroconf.async_close()
        self._zeroconf = self._browser = self._keeper = None

    # --- announcing

    async def _keep(self) -> None:
        waited = 0.0
        while True:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            await self.refresh()
            waited += LOOK_EVERY_SECONDS
            if waited >= REPEAT_SECONDS:
                waited = 0.0
                self._may_be_new = MAX_NEW_PER_MINUTE
                for contact in self.neighbours:
                    self._found(contact)

    async def _follow(self) -> None:
        interfaces = _resolve(self._interfaces)
        if not interfaces:
            self._note("no network interface is up")
            return
        changed, self._bound = interfaces != self._bound, interfaces
        if self._zeroconf is None:
            self._open(interfaces)
        elif changed:
            await self._zeroconf.async_update_interfaces(interfaces)
        await self._announce()
        self._note(None)

    def _note(self, problem: str | None) -> None:
        if problem != self.problem:
            logger.log(logging.WARNING if problem else logging.INFO, "mDNS: %s", problem or "announcing")
        self.problem = problem

    def _open(self, interfaces: list[str | int]) -> None:
        self._zeroconf = AsyncZeroconf(interfaces=interfaces)
        zeroconf = self._zeroconf.zeroconf
        zeroconf.async_add_listener(self._listener, None)
        self._browser = AsyncServiceBrowser(zeroconf, SERVICE, handlers=[self._ask_for_text])

    async def _announce(self) -> None:
        """Registers our record, or registers it anew if our addresses are others than before."""
        assert self._zeroconf is not None
        info = self._make_info(self._contact())
        if info is None or (self._info is not None and info.text == self._info.text):
            return
        if self._info is None:
            sent = await self._zeroconf.async_register_service(info)
        else:
            sent = await self._zeroconf.async_update_service(info)
        self._info = info
        task = asyncio.ensure_future(sent)
        self._announcing.add(task)  # its three broadcasts go out over half a second
        task.add_done_callback(self._announcing.discard)

    def _make_info(self, contact: Contact) -> ServiceInfo | None:
        loopback = self._on_loopback()
        addresses = dialable(contact, loopback=loopback)
        text = write_txt(contact, loopback=loopback)
        if not text:
            return None
        return ServiceInfo(
            SERVICE,
            self._name,
            port=ports_of(addresses)[0],
            properties=text,
            server=f"{self._name.split('.')[0]}.p2p.local.",
            parsed_addresses=sorted({host for a in addresses if (host := host_of(a))}),
        )

    def _on_loopback(self) -> bool:
        return all(isinstance(i, str) and ipaddress.ip_address(i).is_loopback for i in self._bound)

    # --- browsing

    def _heard(self, name: str, text: bytes) -> None:
        known = self._neighbours.get(name)
        if name == self._name or (known is not None and known.text == text):
            return
        try:
            contact = read_txt(text, loopback=self._on_loopback())
        except ValueError as error:
            self.malformed += 1
            logger.debug("ignored an announcement: %s", error)
            return
        if contact.peer_id == self._contact().peer_id:
            return
        if self._may_be_new == 0:
            self.dropped += 1
            return
        self._may_be_new -= 1
        for other, neighbour in list(self._neighbours.items()):
            if neighbour.contact.peer_id == contact.peer_id:
                del self._neighbours[other]  # started again, under another name
        self._neighbours[name] = _Neighbour(text, contact)
        while len(self._neighbours) > MAX_REMEMBERED:
            self._neighbours.popitem(last=False)
        self._found(contact)

    def _gone(self, name: str) -> None:
        self._neighbours.pop(name, None)

    def _ask_for_text(
        self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        """Some answer with the name alone: asks once for the record (zeroconf itself would want SRV too)."""
        if state_change is ServiceStateChange.Added:
            asyncio.get_running_loop().call_later(ASK_AGAIN_SECONDS, self._ask_if_unknown, name)

    def _ask_if_unknown(self, name: str) -> None:
        if self._zeroconf is None or name in self._neighbours or name == self._name:
            return
        zeroconf = self._zeroconf.zeroconf
        if not zeroconf.done and zeroconf.cache.get_by_details(name, _TXT, _IN) is None:
            out = DNSOutgoing(_QUERY)
            out.add_question(DNSQuestion(name, _TXT, _IN))
            zeroconf.async_send(out)


class _Listener(RecordUpdateListener):
    """Hands on the TXT records of our service as they come, whether or not SRV and A come with them."""

    def __init__(self, heard: Callable[[str, bytes], None], gone: Callable[[str], None]) -> None:
        self._heard = heard
        self._gone = gone

    def async_update_records(self, zc: Zeroconf, now: float, records: list[RecordUpdate]) -> None:
        for update in records:
            record = update.new
            if isinstance(record, DNSText) and record.name.lower().endswith(f".{SERVICE}"):
                if record.is_expired(now):
                    self._gone(record.name)
                else:
                    self._heard(record.name, record.text)

    def async_update_records_complete(self) -> None:
        """Nothing waits for the cache: the records themselves are enough."""


def _private(network: str) -> bool:
    return network.startswith(PRIVATE_NETWORKS)


def _resolve(chosen: list[str] | None) -> list[str | int]:
    """The IPv4 addresses to bind, in a fixed order; IPv6 by interface index where there is no IPv4."""
    ipv4: set[str] = set()
    ipv6: set[int] = set()
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            text = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            address = ipaddress.ip_address(text.split("%")[0])
            if chosen is None:
                wanted = not address.is_loopback
            else:
                wanted = str(address) in chosen or adapter.nice_name in chosen
            if wanted and address.version == 4:
                ipv4.add(str(address))
            elif wanted and adapter.index is not None:
                ipv6.add(adapter.index)
    return [*sorted(ipv4)] if ipv4 else [*sorted(ipv6)]
