"""The settings of one node: config.toml, then the environment, then flags; each overrides the one before.

The table of settings is in settings.py. Reading uses tomllib; `set_setting` edits with tomlkit, so that a
person's comments and order stay. A wrong or unknown setting is a PersonError that names the file or
variable and the nearest right key, and the node does not start on a guess.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import tomlkit

from chargemesh_protocol.errors import ExitCode, PersonError

from .addresses import is_loopback, split_host_port
from .home import replace_private_file
from .settings import (
    DAY_SECONDS,
    SECTIONS,
    SETTINGS,
    ApiSettings,
    BookingSettings,
    FindSettings,
    LogSettings,
    MailboxSettings,
    NetworkSettings,
    NotifySettings,
    PayeeSettings,
    PhoneSettings,
    Setting,
    Value,
    WallboxSettings,
    check_type,
)

_MAX_CONFIG_BYTES = 256 * 1024
_TEST_NETWORKS = ("chargemesh-test-", "chargemesh-demo-")
_TEST_LOG_DELAY_MS = (500, 2_000)
_LOG_DELAY_SECONDS = (2 * DAY_SECONDS, 14 * DAY_SECONDS)
_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


@dataclass(frozen=True, slots=True)
class Config:
    """All settings with their types; made by `load_config`, or by hand in tests."""

    network: NetworkSettings = field(default_factory=NetworkSettings)
    api: ApiSettings = field(default_factory=ApiSettings)
    phone: PhoneSettings = field(default_factory=PhoneSettings)
    wallbox: WallboxSettings = field(default_factory=WallboxSettings)
    notify: NotifySettings = field(default_factory=NotifySettings)
    booking: BookingSettings = field(default_factory=BookingSettings)
    mailbox: MailboxSettings = field(default_factory=MailboxSettings)
    find: FindSettings = field(default_factory=FindSettings)
    payee: PayeeSettings = field(default_factory=PayeeSettings)
    log: LogSettings = field(default_factory=LogSettings)

    @property
    def log_delay_ms(self) -> tuple[int, int]:
        """Shortest and longest delay before an event is cut into the public log (see `log_delay_ms`)."""
        return log_delay_ms(self.network.id, self.log.batch_min_seconds, self.log.batch_max_seconds)

    def value(self, key: str) -> Value:
        """The value of "section.name"; PersonError for a key that doesn't exist."""
        section, _, name = find_setting(key).key.partition(".")
        return cast(Value, getattr(getattr(self, section), name))


def load_config(
    path: Path, environ: Mapping[str, str], overrides: Mapping[str, Value] | None = None
) -> Config:
    """The settings in `path` (if it exists), overridden by CHARGEMESH_… variables and then by `overrides`.

    `overrides` maps keys such as "network.listen" to values, for flags. PersonError says what is wrong where.
    """
    values: dict[str, Value] = {}
    for key, raw in _parse(_read_text(path), path).items():
        values[key] = _checked(find_setting(key, f" in {path}"), raw, f"in {path}")
    for key, setting in SETTINGS.items():
        if setting.variable in environ:
            where = f"in the environment ({setting.variable})"
            values[key] = _checked(
                setting, _parse_or_refuse(setting, environ[setting.variable], where), where
            )
    _refuse_unknown_variables(environ)
    for key, raw in (overrides or {}).items():
        values[key] = _checked(find_setting(key), raw, "on the command line")
    return _build(values)


def find_setting(key: str, where: str = "") -> Setting:
    """The table's row for `key`; PersonError naming the nearest one."""
    if key in SETTINGS:
        return SETTINGS[key]
    raise PersonError(
        "unknown-setting", f"There is no setting {key!r}{where}.", _nearest(key), ExitCode.USAGE
    )


def parse_value(setting: Setting, text: str) -> Value:
    """What a person typed, as the setting's kind, checked; ValueError says what is wrong.

    A list is written with commas, or as TOML (`["a", "b,c"]`) where an item holds one.
    """
    stripped = text.strip()
    if setting.kind == "number":
        try:
            return check_type(setting, int(stripped))
        except ValueError as error:
            if stripped.lstrip("+-").isdigit():
                raise
            raise ValueError(f"{text!r} is not a whole number") from error
    if setting.kind == "yes or no":
        if stripped.lower() not in _YES + _NO:
            raise ValueError(f"{text!r} is neither true nor false")
        return check_type(setting, stripped.lower() in _YES)
    if setting.kind == "list":
        return check_type(setting, _parse_list(stripped))
    return check_type(setting, text)


def read_value(key: str, text: str) -> Value:
    """The value that `text` means for `key`; PersonError that says what can be."""
    setting = find_setting(key)
    try:
        return parse_value(setting, text)
    except ValueError as error:
        raise _wrong(setting, "on the command line", error) from error


def set_setting(path: Path, key: str, text: str) -> Value:
    """Write `key` into config.toml and return the value kept; a file that would be wrong isn't written."""
    value = read_value(key, text)
    before = _read_text(path) or default_config_text()
    _parse(before, path)
    document = tomlkit.parse(before)
    section, _, name = key.partition(".")
    if section not in document:
        document.add(section, tomlkit.table())
    cast(dict[str, Any], document[section])[name] = list(value) if isinstance(value, tuple) else value
    after = tomlkit.dumps(document)
    _build(
        {
            one: _checked(find_setting(one, f" in {path}"), raw, f"in {path}")
            for one, raw in _parse(after, path).items()
        }
    )
    replace_private_file(path, after.encode())
    return value


def default_config_text() -> str:
    """A config.toml in which every setting stands as a comment with its description and default."""
    lines = ["# Settings of this chargemesh node. Take the # from a line to change it."]
    for section in SECTIONS:
        lines += ["", f"[{section}]"]
        for setting in SETTINGS.values():
            if setting.key.startswith(section + "."):
                name = setting.key.partition(".")[2]
                lines += [f"# {setting.description}", f"# {name} = {format_value(setting.default)}"]
    return "\n".join(lines) + "\n"


def format_value(value: Value) -> str:
    """`value` as TOML writes it."""
    return tomlkit.item(list(value) if isinstance(value, tuple) else value).as_string()


def overrides_for_api(text: str) -> dict[str, Value]:
    """What `run --api HOST:PORT` sets: the API's address on loopback, or the phone page's on the LAN."""
    try:
        host, port = split_host_port(text)
    except ValueError as error:
        raise PersonError(
            "bad-address", f"--api: {error}.", "Such as 127.0.0.1:8080.", ExitCode.USAGE
        ) from error
    if is_loopback(host):
        return {"api.host": host, "api.port": port}
    return {"phone.address": text}


def log_delay_ms(network_id: str, min_seconds: int = 0, max_seconds: int = 0) -> tuple[int, int]:
    """Bounds of the random delay of log entries, in ms; it belongs to the network id (specs/06, G5).

    Networks of tests and the demo wait about a second; elsewhere 2 to 14 days hide when somebody charged,
    and a shorter delay is refused. Zero means the network's own bound.
    """
    if network_id.startswith(_TEST_NETWORKS):
        low, high = _TEST_LOG_DELAY_MS
        return (min_seconds * 1000 or low, max(max_seconds * 1000 or high, min_seconds * 1000))
    low, high = min_seconds or _LOG_DELAY_SECONDS[0], max_seconds or _LOG_DELAY_SECONDS[1]
    if low < _LOG_DELAY_SECONDS[0] or high < low:
        raise PersonError(
            "log-delay",
            f"log: events must wait at least 2 days and at most log.batch_max_seconds on {network_id}.",
            "Sooner, the public log would tell when you charge. "
            f"Remove the setting, or choose {_LOG_DELAY_SECONDS[0]} or more.",
            ExitCode.USAGE,
        )
    return low * 1000, high * 1000


def _read_text(path: Path) -> str:
    """The file's text, empty if there is none."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_CONFIG_BYTES + 1)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise PersonError(
            "cannot-read",
            f"Cannot read {path}: {error.strerror}.",
            "It must be a file that belongs to you: see `ls -l`.",
            ExitCode.NOT_ALLOWED,
        ) from error
    if len(raw) > _MAX_CONFIG_BYTES:
        raise PersonError(
            "config-too-large",
            f"{path} is larger than {_MAX_CONFIG_BYTES} bytes.",
            "Keep only the settings that differ from the defaults in it.",
            ExitCode.USAGE,
        )
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_toml(path, error) from error


def _parse(text: str, path: Path) -> dict[str, Any]:
    """{"section.name": value as TOML gives it}; PersonError for bad TOML and for an unknown section."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _not_toml(path, error) from error
    flat: dict[str, Any] = {}
    for section, values in document.items():
        if not isinstance(values, dict):
            raise PersonError(
                "unknown-setting",
                f"{section!r} in {path} stands outside a section.",
                _nearest(section),
                ExitCode.USAGE,
            )
        if section not in SECTIONS:
            near = difflib.get_close_matches(section, SECTIONS, n=1)
            hint = f"Did you mean [{near[0]}]?" if near else f"Sections are {', '.join(SECTIONS)}."
            raise PersonError(
                "unknown-setting",
                f"There is no section [{section}] in {path}.",
                hint,
                ExitCode.USAGE,
            )
        flat.update({f"{section}.{name}": value for name, value in values.items()})
    return flat


def _build(values: Mapping[str, Value]) -> Config:
    parts: dict[str, dict[str, Value]] = {section: {} for section in SECTIONS}
    for key, value in values.items():
        section, _, name = key.partition(".")
        parts[section][name] = value
    config = Config(**{section: cls(**parts[section]) for section, cls in SECTIONS.items()})
    _ = config.log_delay_ms  # the one rule that spans two sections
    return config


def _checked(setting: Setting, raw: object, where: str) -> Value:
    try:
        return check_type(setting, raw)
    except ValueError as error:
        raise _wrong(setting, where, error) from error


def _parse_or_refuse(setting: Setting, text: str, where: str) -> Value:
    try:
        return parse_value(setting, text)
    except ValueError as error:
        raise _wrong(setting, where, error) from error


def _parse_list(text: str) -> list[str]:
    if not text:
        return []
    if text.startswith("["):
        try:
            return cast(list[str], tomllib.loads(f"list = {text}")["list"])
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise ValueError('a list is written a,b or ["a", "b"]') from error
    return [item.strip() for item in text.split(",")]


def _refuse_unknown_variables(environ: Mapping[str, str]) -> None:
    """Refuses a misspelt CHARGEMESH_SECTION_…; variables outside the sections belong to others."""
    known = {setting.variable for setting in SETTINGS.values()}
    prefixes = tuple(f"CHARGEMESH_{section.upper()}_" for section in SECTIONS)
    for variable in environ:
        if variable.startswith(prefixes) and variable not in known:
            near = difflib.get_close_matches(variable, known, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]}?" if near else "See `chargemesh config get`."
            raise PersonError(
                "unknown-setting", f"The environment's {variable} is no setting.", hint, ExitCode.USAGE
            )


def _nearest(key: str) -> str:
    near = difflib.get_close_matches(key, SETTINGS, n=1, cutoff=0.5)
    if not near:  # people leave the section out: compare with the names alone
        names = {one.partition(".")[2]: one for one in SETTINGS}
        near = [names[name] for name in difflib.get_close_matches(key.rpartition(".")[2], names, n=1)]
    return f"Did you mean {near[0]}?" if near else "`chargemesh config get` lists all settings."


def _wrong(setting: Setting, where: str, error: ValueError) -> PersonError:
    return PersonError(
        "bad-setting",
        f"{setting.key} {where}: {error}.",
        f"{setting.description} Default: {format_value(setting.default)}.",
        ExitCode.USAGE,
    )


def _not_toml(path: Path, error: Exception) -> PersonError:
    return PersonError(
        "bad-config-file",
        f"{path} is not valid TOML: {error}.",
        "Correct that line; texts stand in quotes.",
        ExitCode.USAGE,
    )
