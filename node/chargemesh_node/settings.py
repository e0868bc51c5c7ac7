"""Every setting of a node: its type, default, check and description, in one table.

`config get/set`, the commented config.toml that `init` writes and docs/settings all read it. A check
returns the value as it is kept, or raises ValueError with the end of the sentence "KEY: …".
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast, get_type_hints
from urllib.parse import urlsplit

from chargemesh_protocol.limits import MAX_NETWORK_ID_CHARS, MAX_TEXT_CHARS

from .addresses import check_listen_address, is_loopback, parse_peer_address, split_host_port

Value: TypeAlias = str | int | bool | tuple[str, ...]
Kind = Literal["text", "number", "yes or no", "list"]
Check: TypeAlias = Callable[[Any], Value]

_MAX_LIST_ITEMS = 64
_NETWORK_ID = re.compile(r"chargemesh(-[a-z0-9]+)+")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
DAY_SECONDS = 24 * 3600


def _keep(value: Value) -> Value:
    return value


def _network_id(value: str) -> str:
    if len(value) > MAX_NETWORK_ID_CHARS or not _NETWORK_ID.fullmatch(value):
        raise ValueError("a network id looks like chargemesh-dev-1 (small letters, digits, hyphens)")
    return value


def _listen(value: tuple[str, ...]) -> Value:
    if not value:
        raise ValueError("at least one address is needed, such as /ip4/0.0.0.0/tcp/0")
    return tuple(check_listen_address(one) for one in value)


def _bootstrap(value: tuple[str, ...]) -> Value:
    for one in value:
        parse_peer_address(one)
    return value


def _loopback(value: str) -> Value:
    if not is_loopback(value):
        raise ValueError(
            f"{value!r} is not loopback; the API is for this machine (for a phone set phone.address)"
        )
    return value


def _phone_address(value: str) -> Value:
    if value:
        host, _ = split_host_port(value)
        if host in ("0.0.0.0", "::"):
            raise ValueError("name the one LAN address that the phone uses, such as 192.168.1.20:8080")
    return value


def _webhook(value: str) -> Value:
    if value:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("a webhook is a URL that begins with https:// or http://")
    return value


def _command(value: tuple[str, ...]) -> Value:
    if value and not value[0].strip():
        raise ValueError("the first item is the program to run")
    return value


def _iban(value: str) -> Value:
    """ISO 13616: the two check digits make the whole number leave 1 when divided by 97."""
    plain = value.replace(" ", "").upper()
    if not plain:
        return plain
    if not _IBAN.fullmatch(plain):
        raise ValueError("an IBAN begins with two letters and two digits and has 15 to 34 characters")
    if int("".join(str(int(sign, 36)) for sign in plain[4:] + plain[:4])) % 97 != 1:
        raise ValueError("the IBAN's check digits don't fit: a digit is wrong or two are swapped")
    return plain


def _name(value: str) -> Value:
    if len(value) > MAX_TEXT_CHARS:
        raise ValueError(f"at most {MAX_TEXT_CHARS} characters")
    return value


def _places(value: tuple[str, ...]) -> Value:
    for one in value:
        name, equals, place = one.partition("=")
        if not (name.strip() and equals and place.strip()):
            raise ValueError(f'{one[:60]!r} is not a saved place: write ["work=52.5200,13.4050"]')
    return tuple("=".join(part.strip() for part in one.split("=", 1)) for one in value)


def _from_to(low: int, high: int) -> Check:
    def check(value: int) -> int:
        if not low <= value <= high:
            raise ValueError(f"{value} is not from {low} to {high}")
        return value

    return check


def _setting(default: Value, description: str, check: Check = _keep) -> Any:
    return dataclasses.field(default=default, metadata={"description": description, "check": check})


_PORT = _from_to(0, 65535)


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    id: str = _setting(
        "chargemesh-dev-1", "The network to take part in; an identity is bound to one.", _network_id
    )
    listen: tuple[str, ...] = _setting(
        ("/ip4/0.0.0.0/tcp/0",),
        "Where peers can reach this node; port 0 chooses a free one once and keeps it.",
        _listen,
    )
    bootstrap: tuple[str, ...] = _setting(
        (), "Addresses of nodes to begin with, each ending in /p2p/PEERID.", _bootstrap
    )
    mdns: bool = _setting(True, "Find nodes on the local network, and be found there.")
    mdns_interfaces: tuple[str, ...] = _setting(
        (), "IP addresses of the interfaces to use for that; empty means all."
    )


@dataclass(frozen=True, slots=True)
class ApiSettings:
    host: str = _setting("127.0.0.1", "Loopback address of the local API.", _loopback)
    port: int = _setting(0, "Port of the local API; 0 chooses a free one once and keeps it.", _PORT)


@dataclass(frozen=True, slots=True)
class PhoneSettings:
    address: str = _setting(
        "", "HOST:PORT on the LAN where the phone page is served; empty means off.", _phone_address
    )


@dataclass(frozen=True, slots=True)
class WallboxSettings:
    host: str = _setting("0.0.0.0", "Address where wallboxes connect by OCPP.")
    port: int = _setting(
        9310, "Port where wallboxes connect by OCPP; 0 chooses a free one once and keeps it.", _PORT
    )


@dataclass(frozen=True, slots=True)
class NotifySettings:
    webhook: str = _setting("", "URL that gets each event as JSON by POST; empty means none.", _webhook)
    command: tuple[str, ...] = _setting(
        (),
        "Program (and its arguments) that gets each event as JSON on its input; empty means none.",
        _command,
    )
    timeout_seconds: int = _setting(10, "How long a webhook or command may take.", _from_to(1, 120))


@dataclass(frozen=True, slots=True)
class BookingSettings:
    """Bounds of one host (specs/08, K5). A stranger is a key with no completed pair with this host."""

    stranger_on_request: bool = _setting(True, "Ask you before a stranger's request is accepted.")
    stranger_open_bookings: int = _setting(1, "Open bookings that one stranger may have.", _from_to(0, 100))
    stranger_max_hours: int = _setting(4, "Longest booking of a stranger.", _from_to(1, 14 * 24))
    stranger_horizon_hours: int = _setting(48, "How far ahead a stranger may book.", _from_to(1, 14 * 24))
    stranger_access_per_week: int = _setting(
        3, "Strangers who get your address in any 7 days.", _from_to(0, 1000)
    )
    access_lead_minutes: int = _setting(
        120, "How long before the start the address is sent.", _from_to(0, 48 * 60)
    )


@dataclass(frozen=True, slots=True)
class FindSettings:
    places: tuple[str, ...] = _setting(
        (), "Places to search near by name, each NAME=LAT,LON, a geo: URI or a Plus Code.", _places
    )


@dataclass(frozen=True, slots=True)
class PayeeSettings:
    name: str = _setting("", "Name of the account that drivers pay into.", _name)
    iban: str = _setting("", "Its IBAN, for the SEPA QR code; empty means payment by hand.", _iban)


@dataclass(frozen=True, slots=True)
class LogSettings:
    batch_min_seconds: int = _setting(
        0,
        "Shortest delay before events enter the public log; 0: as the network has it.",
        _from_to(0, 14 * DAY_SECONDS),
    )
    batch_max_seconds: int = _setting(
        0, "Longest such delay; 0: as the network has it.", _from_to(0, 14 * DAY_SECONDS)
    )


@dataclass(frozen=True, slots=True)
class MailboxSettings:
    """Holding sealed parcels for others (specs/15); which mailbox this node uses itself is `mailbox use`."""

    serve: bool = _setting(
        False, "Hold sealed parcels for nodes that are away; for a node that is always on."
    )
    max_megabytes: int = _setting(256, "Most disk that they may take.", _from_to(16, 65_536))


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table. `key` is "section.name", as in config.toml."""

    key: str
    kind: Kind
    default: Value
    description: str
    check: Check = dataclasses.field(repr=False, compare=False)

    @property
    def variable(self) -> str:
        """The environment variable that overrides it."""
        return "CHARGEMESH_" + self.key.upper().replace(".", "_")


SECTIONS: dict[str, type[Any]] = {
    "network": NetworkSettings,
    "api": ApiSettings,
    "phone": PhoneSettings,
    "wallbox": WallboxSettings,
    "notify": NotifySettings,
    "booking": BookingSettings,
    "mailbox": MailboxSettings,
    "find": FindSettings,
    "payee": PayeeSettings,
    "log": LogSettings,
}

_KINDS: dict[Any, Kind] = {str: "text", int: "number", bool: "yes or no", tuple[str, ...]: "list"}


def _table() -> dict[str, Setting]:
    rows: dict[str, Setting] = {}
    for section, cls in SECTIONS.items():
        hints = get_type_hints(cls)
        for field in dataclasses.fields(cls):
            key = f"{section}.{field.name}"
            rows[key] = Setting(
                key,
                _KINDS[hints[field.name]],
                cast(Value, field.default),
                field.metadata["description"],
                field.metadata["check"],
            )
    return rows


SETTINGS: dict[str, Setting] = _table()


def check_type(setting: Setting, value: object) -> Value:
    """`value` (as TOML gives it) if it has the setting's kind and passes its check; else ValueError."""
    if isinstance(value, list | tuple) and setting.kind == "list":
        if len(value) > _MAX_LIST_ITEMS or not all(isinstance(one, str) for one in value):
            raise ValueError(f"expected a list of up to {_MAX_LIST_ITEMS} texts")
        return setting.check(tuple(value))
    wanted = {"text": str, "number": int, "yes or no": bool, "list": tuple}[setting.kind]
    if type(value) is not wanted:
        raise ValueError(_EXPECTED[setting.kind])
    return setting.check(value)


_EXPECTED: dict[Kind, str] = {
    "text": 'expected a text in quotes, such as "abc"',
    "number": "expected a whole number",
    "yes or no": "expected true or false",
    "list": 'expected a list of texts, such as ["a", "b"]',
}
