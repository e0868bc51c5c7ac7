"""`chargemesh run`: the real ports, the node on top of them, and the way out when it is told to stop."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import logging.handlers
import os
import signal
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from io import TextIOWrapper
from typing import Any

from chargemesh_protocol.chargers import ChargerSettings
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.me import Me
from chargemesh_protocol.trust.drafts import BatchDelay

from .addresses import parse_peer_address
from .api.server import ApiServer
from .backup import end_restore, is_forced, was_restored
from .clock import SystemClock, SystemEntropy
from .config import Config
from .disk import disk_told
from .extensions import installed
from .home import Home, HomeLock
from .ics.reader import ProcessReader
from .kept_ports import WALLBOX, KeptPorts
from .keystore import Keys, ensure_api_token, load_keys, renew_delegation
from .mdns import LocalDiscovery
from .node import Node, Ports, RunnerBook
from .notify import Notifier
from .p2p.bridge import Libp2pNetwork
from .ports import WallboxDriver
from .runner import Runner
from .store.cache_db import SqliteCache
from .store.node_db import SqliteStore
from .store.parcel_db import SqliteParcels
from .wallbox.central import CentralSystem
from .wallbox.installed import make_installed
from .wallbox.manual import ManualDriver
from .wallbox.ocpp import OcppDriver, strongest

_log = logging.getLogger(__name__)

CACHE_MAX_BYTES = 256 * 1024 * 1024
LOG_MAX_BYTES = 4 * 1024 * 1024
_MEGABYTE = 1024 * 1024
_CONTACT_EVERY_S = 5.0
_DELEGATED_EVERY_S = 600.0
_OWN_NEWEST_AFTER_S = 30.0  # how long a restored node asks peers for its own newest entry before it writes


@dataclass(slots=True)
class App:
    """A running node with everything real around it; what the API serves."""

    home: Home
    config: Config
    keys: Keys
    node: Node
    network: Libp2pNetwork
    local: LocalDiscovery | None
    central: CentralSystem
    ports: KeptPorts
    stopping: asyncio.Event
    started_at: int
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def open_wallbox_port(self) -> None:
        """Lets wallboxes connect; a node without one opens no port for them. PersonError if it is taken."""
        async with self.opening:
            if self.central.is_open:
                return
            chosen = self.config.wallbox.port == 0
            try:
                try:
                    await self.central.start()
                except OSError:
                    if not chosen:
                        raise
                    await self.central.start(port=0)
                if chosen:
                    self.ports.keep(WALLBOX, self.central.port)
            except OSError as error:
                host, port = self.config.wallbox.host, self.config.wallbox.port
                raise PersonError(
                    "port-taken",
                    f"Wallboxes can't connect: port {port} on {host} is taken or not allowed.",
                    "Choose another with `chargemesh config set wallbox.port PORT`, then restart the node.",
                ) from error

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs something beside the node until it stops."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.critical("a defect in this program", exc_info=error)


async def serve(
    home: Home,
    config: Config,
    *,
    ready: Callable[[App], None] = lambda _: None,
    tap: Callable[[bytes], None] | None = None,
) -> None:
    """Runs a node until SIGTERM, SIGINT or `POST /v1/stop`. PersonError if it can't begin."""
    home.require_initialised()
    home.check_private()
    with HomeLock(home):
        with disk_told(home.log_file):
            _log_to_file(home)
        installed()  # before the first record is read, and what is wrong with one stands in the log
        app = await _build(home, config, tap)
        api = ApiServer(app)
        try:
            await _start(app)
            await api.start()
            _stop_on_signals(app.stopping)
            ready(app)
            await _until_told(app)
        finally:
            await api.close()
            await _close(app)


async def _until_told(app: App) -> None:
    """Returns when the node is to stop; raises what broke it, if something of ours did."""
    told: asyncio.Future[Any] = asyncio.ensure_future(app.stopping.wait())
    failed: asyncio.Future[Any] = app.node.runner.failed
    await asyncio.wait([told, failed], return_when=asyncio.FIRST_COMPLETED)
    if failed.done():
        told.cancel()
        failed.result()


async def _build(home: Home, config: Config, tap: Callable[[bytes], None] | None) -> App:
    clock, entropy = SystemClock(), SystemEntropy()
    keys = load_keys(home, config.network.id)
    keys = renew_delegation(home, keys, network=config.network.id, now=clock.now(), lasting_ms=0)
    ensure_api_token(home, entropy)
    told = [parse_peer_address(address) for address in config.network.bootstrap]
    ports = KeptPorts(home)
    network = Libp2pNetwork(
        seed=keys.transport,
        network_id=config.network.id,
        listen=await ports.listen(config.network.listen),
        bootstrap=told,
        tap=tap,
    )
    central = CentralSystem(config.wallbox.host, config.wallbox.port or ports.get(WALLBOX))
    local: LocalDiscovery | None = None
    runner: Callable[[], Runner] = lambda: node.runner  # noqa: E731 - the drivers are made after the node

    def make_driver(settings: ChargerSettings) -> WallboxDriver:
        return _driver(settings, config, central, clock, RunnerBook(runner))

    notifier = Notifier(config.notify)
    shortest, longest = config.log_delay_ms
    node = Node(
        Me(keys.author, keys.bundle.to_bytes(), config.network.id, keys.device),
        Ports(
            store=SqliteStore(home.node_db, clock),
            cache=SqliteCache(home.cache_db, CACHE_MAX_BYTES, clock),
            network=network,
            clock=clock,
            entropy=entropy,
            make_driver=make_driver,
            notify=notifier.send,
            neighbours=lambda: [] if local is None else local.neighbours,
            told=told,
            read_busy=ProcessReader(),
            parcels=_parcels(home, config),
            max_parcel_bytes=config.mailbox.max_megabytes * _MEGABYTE,
        ),
        delay=BatchDelay(shortest, longest),
        secret=hashlib.blake2b(keys.device, digest_size=32, person=b"walk-secret").digest(),
        read_only=was_restored(home),
    )
    if config.network.mdns:
        local = LocalDiscovery(
            lambda: network.contact,
            lambda contact: app.node.neighbour_found(contact),
            list(config.network.mdns_interfaces) or None,
            config.network.id,
        )
    app = App(home, config, keys, node, network, local, central, ports, asyncio.Event(), clock.now())
    return app


def _parcels(home: Home, config: Config) -> SqliteParcels | None:
    """The disk for others' parcels, where this node is to keep a mailbox."""
    if not config.mailbox.serve:
        return None
    return SqliteParcels(home.mailbox_db, config.mailbox.max_megabytes * _MEGABYTE)


def _driver(
    settings: ChargerSettings, config: Config, central: CentralSystem, clock: SystemClock, book: RunnerBook
) -> WallboxDriver:
    charger_id = settings.charger.hex()
    if settings.wallbox.driver == "manual":
        power = max(one.max_power_w for one in settings.connectors)
        return ManualDriver(charger_id, clock, max_power_w=power, book=book)
    if settings.wallbox.driver != "ocpp":
        return make_installed(settings, clock, book)
    return OcppDriver(
        central,
        charger_id,
        settings.wallbox.password or None,
        settings.wallbox.owner_tags,
        settings.wallbox.plug_and_charge,
        clock,
        book=book,
        max_power_w=strongest(settings),
    )


async def _start(app: App) -> None:
    await app.node.start()
    app.ports.keep_listening(app.config.network.listen, app.network.listens)
    if any(one.wallbox.driver == "ocpp" for one in app.node.runner.engine.listings.all_settings()):
        await app.open_wallbox_port()
    if app.local is not None:
        await app.local.start()
    app.spawn(_watch_contact(app))
    app.spawn(_keep_delegated(app))
    if was_restored(app.home) and not (is_forced(app.home) and await _signs_again(app)):
        app.spawn(_become_writable(app))


async def _close(app: App) -> None:
    if app.local is not None:
        await app.local.close()
    for task in list(app.tasks):
        task.cancel()
    await asyncio.gather(*app.tasks, return_exceptions=True)
    await app.node.close()
    await app.central.close()


async def _watch_contact(app: App) -> None:
    """Listings follow our addresses: a laptop moves, a router hands out another one."""
    told = app.node.contact
    while True:
        await asyncio.sleep(_CONTACT_EVERY_S)
        contact = app.network.contact
        if contact == told:
            continue
        try:
            await app.node.contact_changed(contact)
            told = contact
        except PersonError as error:
            _log.error("our new address could not be published yet: %s", error)


async def _keep_delegated(app: App) -> None:
    """Renews the delegation in good time by a clock that can be believed, also if a node runs for years."""
    while True:
        await asyncio.sleep(_DELEGATED_EVERY_S)
        if not app.node.clock_verdict().trusted:
            continue
        try:
            keys = renew_delegation(
                app.home, app.keys, network=app.config.network.id, now=app.node.clock.now()
            )
            if keys is not app.keys:
                app.keys = keys
                await app.node.delegated(keys.bundle.to_bytes())
        except PersonError as error:
            _log.error("the delegation of this node's key could not be renewed yet: %s", error)


async def _become_writable(app: App) -> None:
    """A restored node asks its peers for its own newest entry before it signs another."""
    while True:
        await asyncio.sleep(_OWN_NEWEST_AFTER_S)
        if await _signs_again(app):
            return


async def _signs_again(app: App) -> bool:
    """Whether a restored node could end its silence: peers have told what they know, or its owner said so."""
    try:
        if is_forced(app.home):
            await app.node.go_on_unasked()
        elif not app.network.peers() or not await app.node.adopt_own_log():
            return False
        end_restore(app.home)
    except PersonError as error:
        # A full disk may get room, a clock be set; a history that differs is told again.
        _log.error("this restored node stays read-only: %s", error)
        return False
    _log.info("this restored node signs again")
    return True


def _stop_on_signals(stopping: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)


class _PrivateLog(logging.handlers.RotatingFileHandler):
    """Files of mode 0600 from the first byte, also those that a rotation begins."""

    def _open(self) -> TextIOWrapper:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        descriptor = os.open(self.baseFilename, flags, 0o600)
        os.fchmod(descriptor, 0o600)  # one that an older version made
        return os.fdopen(descriptor, "a", encoding="utf-8")


def _log_to_file(home: Home) -> None:
    handler = _PrivateLog(home.log_file, maxBytes=LOG_MAX_BYTES, backupCount=2)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.INFO)
