"""What is wrong with this node, or could surprise its person: one check a line, with what to do."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING, TypedDict

from chargemesh_protocol.chargers import ChargerSettings
from chargemesh_protocol.clock import SEVERAL_PEERS, differing_clocks
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.errors import PersonError

from ..backup import is_read_only
from ..extensions import installed
from ..node import Node
from ..wallbox.installed import GuardedDriver
from .calendar import busy_view
from .chargers import is_listed, superseded_at

if TYPE_CHECKING:
    from ..app import App

_PORT = re.compile(r"/tcp/([0-9]+)")
_ASKING = "Wait: it is asking its peers, and goes on by itself once one has told all that it knows."
_LITTLE_DISK_BYTES = 200 * 1024 * 1024
_UNANSWERED_MS = 15 * 60_000  # several visits


class Check(TypedDict):
    """ok: true; false where something does not work; null for what is only worth knowing.
    hint: a sentence of what to do, where it is not true."""

    name: str
    ok: bool | None
    text: str
    hint: str


class Doctor(TypedDict):
    """healthy: no check failed."""

    healthy: bool
    checks: list[Check]


def doctor(app: App) -> Doctor:
    checks = [
        *_home(app),
        *_clock(app),
        *_network(app),
        *_mailbox(app.node),
        *_privacy(app),
        *_chargers(app),
        *_extensions(),
        *_phone(app),
    ]
    return {
        "healthy": not any(one["ok"] is False for one in checks),
        "checks": checks,
    }


def _home(app: App) -> Iterator[Check]:
    try:
        app.home.check_private()
        yield _ok("home", f"{app.home.root} can only be read by you.")
    except PersonError as error:
        yield _bad("home", error.message, error.hint or "Give the folder to yourself alone (chmod 700).")
    free = shutil.disk_usage(app.home.root).free
    if free < _LITTLE_DISK_BYTES:
        yield _bad("disk", f"Only {free // 2**20} MB are free on the disk.", "Make room for bookings.")
    if is_read_only(app.home):
        yield _bad(
            "restored",
            "This node was restored: it signs nothing, lists nothing and answers nobody before it has asked "
            "a peer for its own newest entry.",
            _ASKING
            if app.node.network.peers()
            else "Let it meet a peer: `chargemesh join LINK`. With none in reach, stop it, and read what "
            "`chargemesh restore --force` risks.",
        )


def _clock(app: App) -> Iterator[Check]:
    verdict, offsets = app.node.clock_verdict(), app.node.clocks.offsets()
    heard, differing = len(offsets), differing_clocks(offsets)
    if not verdict.trusted:
        yield _bad(
            "clock", verdict.reason, "On Linux `timedatectl` shows whether the clock is kept by the network."
        )
    elif differing:
        yield _note(
            "clock",
            differing,
            "Compare this one with a clock that you trust: a wrong one hides chargers, and quotes seem to "
            "have expired. On Linux `timedatectl` shows whether the network keeps it.",
        )
    elif heard < SEVERAL_PEERS:
        yield _ok("clock", "The clock is not behind what this node has signed; too few peers to compare it.")
    else:
        yield _ok("clock", f"The clock agrees with those of {heard} peers.")


def _network(app: App) -> Iterator[Check]:
    network = app.node.network
    count = len(network.peers())
    if count:
        yield _ok("peers", f"Connected to {count} {'peer' if count == 1 else 'peers'}.")
    else:
        yield _bad(
            "peers",
            "Connected to no peer: nothing can be found and nobody finds you.",
            "Ask somebody for an invitation and run `chargemesh join LINK`.",
        )
    yield from _ports(app)
    if not network.contact.addresses:
        yield _bad(
            "address",
            "Nobody can dial this node: it has no address.",
            "`chargemesh config get network.listen` shows where it should answer: correct that, and start it "
            "again.",
        )


def _ports(app: App) -> Iterator[Check]:
    """What a router may forward; and which ports moved at this start."""
    found = [_PORT.search(address) for address in app.node.network.contact.addresses]
    numbers = " and ".join(dict.fromkeys(one[1] for one in found if one))
    if numbers:
        yield _ok("port", f"Peers dial TCP port {numbers} of this machine: forward that, and no other.")
    for text in app.ports.moved:
        yield _note("port", text, "Change what leads to the old one: a forwarded port, or a wallbox's URL.")


def _mailbox(node: Node) -> Iterator[Check]:
    """Who holds what is sent to us while we are away, and what we hold for others."""
    mail = node.runner.engine.mail
    for one in mail.in_use:
        answered = node.visitor.visited_at.get(one.signer)
        name = f"The mailbox at {one.peer_id[-8:]}"
        if answered is not None and node.clock.now() - answered < _UNANSWERED_MS:
            yield _ok("mailbox", f"{name} holds what others send while this node is away.")
        else:
            yield _bad(
                "mailbox",
                f"{name} does not answer: what was left there can't be collected now.",
                "`chargemesh mailbox use` names another; what lies at the old one is still asked for.",
            )
    if not mail.in_use:
        yield _note(
            "mailbox",
            "This node uses no mailbox: while it is away, others can leave nothing for it.",
            "`chargemesh mailbox use --auto` lets it choose one. Whoever keeps it sees when which addresses "
            "come for this node, and nothing of what is sent.",
        )
    if node.mailbox is not None:
        count, size = len(node.mailbox.places), node.mailbox.places.total_bytes
        yield _note(
            "mailbox-kept",
            f"This node holds {count} sealed {'parcel' if count == 1 else 'parcels'} for others "
            f"({size / 2**20:.1f} MB); it can't read them, and sees which addresses hand in and collect.",
            "`chargemesh config set mailbox.serve false` ends that at the next start.",
        )


def _privacy(app: App) -> Iterator[Check]:
    shown = _public_addresses(app.node.network.contact)
    listed = [
        one for one in app.node.runner.engine.listings.all_settings() if is_listed(app.node, one.charger)
    ]
    if listed and shown:
        yield _note(
            "your-ip-address",
            f"Your listings name {', '.join(shown)}: whoever finds your charger sees your home's IP address.",
            "`chargemesh charger pause ID` withdraws a listing; relays that hide the address come later.",
        )
    yield _note(
        "contacts",
        "Whoever you search, book or exchange logs with directly sees your IP address.",
        "If that must not be, reach the internet through a VPN.",
    )


def _chargers(app: App) -> Iterator[Check]:
    unpaid = []
    for settings in app.node.runner.engine.listings.all_settings():
        yield _wallbox(app, settings)
        yield from _superseded(app, settings)
        yield from _followed(app, settings)
        if not settings.payee_account and settings.tariff.elements:
            unpaid.append(settings)
    if unpaid:
        names = ", ".join(dict.fromkeys(_name(one) for one in unpaid))
        yield _note(
            "payee",
            f"{names}: no account is set, so drivers pay by hand.",
            f"`chargemesh charger edit {_short(unpaid[0])} --iban IBAN --payee-name NAME` sets one.",
        )


def _followed(app: App, settings: ChargerSettings) -> Iterator[Check]:
    """The calendar that keeps bookings away from what its host does."""
    busy = busy_view(settings, app.node.runner.engine.imports.kept(settings.charger))
    if busy is None:
        return
    name, again = _name(settings), f"`chargemesh calendar refresh {_short(settings)}` tries it again."
    if busy["fault"]:
        yield _bad("calendar", f"The calendar that {name} follows can't be read: {busy['fault']}.", again)
    elif busy["read"] is None:
        yield _note("calendar", f"The calendar that {name} follows was not read yet.", again)
    elif busy["skipped"]:
        yield _note(
            "calendar",
            f"{name}: {busy['skipped']} events of the calendar that it follows can't be understood, and "
            "count as free.",
            "Look for them where you keep that calendar.",
        )
    else:
        yield _ok("calendar", f"{name} follows a calendar, read {busy['read']['text']}.")


def _superseded(app: App, settings: ChargerSettings) -> Iterator[Check]:
    nodes = superseded_at(app.node, settings.charger)
    if nodes:
        count = "1 node knows" if len(nodes) == 1 else f"{len(nodes)} nodes know"
        yield _bad(
            "second-node",
            f"Another node signs as this identity: {count} a listing of {_name(settings)} that is newer than "
            "what this node published, and this one is refused.",
            "Such as a restored copy: stop one of the two for good, since their logs would contradict each "
            f"other. On the one that stays, `chargemesh charger resume {_short(settings)}` lists it above "
            "the other's.",
        )


def _wallbox(app: App, settings: ChargerSettings) -> Check:
    name, status = _name(settings), app.node.wallboxes.status(settings.charger)
    if settings.wallbox.driver == "manual":
        return _ok("wallbox", f"{name} needs no wallbox: both of you read its meter.")
    driver = app.node.wallboxes.get(settings.charger)
    if isinstance(driver, GuardedDriver):
        return _by_extension(name, driver, settings)
    if status is None or not status.connected:
        return _bad(
            "wallbox",
            f"The wallbox of {name} is not connected.",
            f"`chargemesh charger pair {_short(settings)}` shows the URL and the password that it needs, and "
            "waits for it.",
        )
    if status.connector_state == "Faulted":
        return _bad("wallbox", f"The wallbox of {name} reports a fault.", "Look at the box itself.")
    return _ok("wallbox", f"The wallbox of {name} is connected.")


def _by_extension(name: str, driver: GuardedDriver, settings: ChargerSettings) -> Check:
    """A charger that a driver of somebody else's runs: what it failed over is told first."""
    if driver.status.connected and not driver.fault:
        return _ok("wallbox", f"{name} is connected by the wallbox driver {driver.name}.")
    why = driver.fault or f"The wallbox driver {driver.name} does not reach {name}."
    text = f"{name}: {why}" if driver.fault else why
    hint = (
        f"`chargemesh charger pair {_short(settings)}` shows what it was told; `chargemesh logs` says more."
    )
    return _note("wallbox", text, hint) if driver.status.connected else _bad("wallbox", text, hint)


def _extensions() -> Iterator[Check]:
    for one in installed().found:
        name = f"The {one.what} {one.name} of {one.source}"
        if one.fault:
            yield _bad(
                "extension",
                f"{name} can't be used: {one.fault}.",
                f"Update {one.package}, or uninstall it; until then the node goes on without it.",
            )
        else:
            yield _ok("extension", f"{name} is there.")


def _name(settings: ChargerSettings) -> str:
    return settings.about.title or _short(settings)


def _short(settings: ChargerSettings) -> str:
    """Enough of the charger's id to name it by."""
    return settings.charger.hex()[:8]


def _phone(app: App) -> Iterator[Check]:
    address = app.config.phone.address
    if address:
        yield _note(
            "phone",
            f"The phone page is on http://{address}: who reads along on that network sees what it shows.",
            "Away from home, reach it through a VPN of your own.",
        )


def _public_addresses(contact: Contact) -> list[str]:
    """IP addresses of the contact that mean something outside the house."""
    found = []
    for address in contact.addresses:
        parts = address.split("/")
        if (len(parts) > 2 and parts[1] in ("ip4", "ip6") and not ip_address(parts[2]).is_loopback) or (
            len(parts) > 2 and parts[1].startswith("dns")
        ):
            found.append(parts[2])
    return list(dict.fromkeys(found))


def _ok(name: str, text: str) -> Check:
    return {"name": name, "ok": True, "text": text, "hint": ""}


def _note(name: str, text: str, hint: str) -> Check:
    return {"name": name, "ok": None, "text": text, "hint": hint}


def _bad(name: str, text: str, hint: str) -> Check:
    return {"name": name, "ok": False, "text": text, "hint": hint}
