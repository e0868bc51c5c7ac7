"""What the command line does without a running node: the one module of this package that it calls, beside
`home` and the API.

Thin on purpose, and each part imported when it is used: the keys' libraries take longer to load than a
command may take to start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chargemesh_protocol.errors import ExitCode, PersonError

from .clock import SystemClock, SystemEntropy
from .home import Home, running_pid, write_new_private_file

if TYPE_CHECKING:
    from .config import Config
    from .settings import Value


@dataclass(frozen=True, slots=True)
class SettingView:
    """One setting as `config get` shows it."""

    key: str
    value: Any
    default: Any
    description: str


def now() -> int:
    """Unix ms by this machine's clock."""
    return SystemClock().now()


# --- a new home -----------------------------------------------------------------------------------


def require_fresh(home: Home) -> None:
    """PersonError if `home` holds a node already: before a phrase is shown that nothing would come of."""
    if home.is_initialised:
        raise PersonError(
            "already-initialised",
            f"{home.root} already holds a node.",
            "Use it as it is, or name an empty folder with --home.",
        )


def check_network(network: str) -> None:
    """PersonError (a usage error) unless a network can be called so."""
    from .settings import SETTINGS

    try:
        SETTINGS["network.id"].check(network)
    except ValueError as error:
        raise PersonError(
            "bad-network", f"--network: {error}.", "Leave it out for the usual one.", ExitCode.USAGE
        ) from error


def new_phrase() -> str:
    """24 fresh words, to be shown once."""
    from .keystore import new_recovery_phrase

    return new_recovery_phrase(SystemEntropy())


def check_phrase(text: str) -> None:
    """PersonError that names the wrong word."""
    from .phrase import decode_phrase

    decode_phrase(text)


def create(home: Home, *, phrase: str, network: str) -> str:
    """Makes config.toml and the keys of a new identity; returns its author id in hex."""
    from .config import default_config_text, set_setting
    from .keystore import create_keys
    from .settings import SETTINGS

    require_fresh(home)
    check_network(network)
    home.create()
    if not home.config_file.exists():
        write_new_private_file(home.config_file, default_config_text().encode())
    if network != SETTINGS["network.id"].default:
        set_setting(home.config_file, "network.id", network)
    keys = create_keys(
        home, recovery_phrase=phrase, network=network, entropy=SystemEntropy(), now=SystemClock().now()
    )
    return keys.author.hex()


# --- settings -------------------------------------------------------------------------------------


def load(home: Home, environ: Mapping[str, str], overrides: Mapping[str, Value] | None = None) -> Config:
    """The settings of `home` as a node there would have them."""
    from .config import load_config

    return load_config(home.config_file, environ, overrides)


def run_overrides(
    *,
    listen: tuple[str, ...],
    bootstrap: tuple[str, ...],
    no_mdns: bool,
    api: str | None,
    network: str | None,
) -> dict[str, Value]:
    """What the flags of `run` set."""
    from .config import overrides_for_api

    overrides: dict[str, Value] = {}
    if listen:
        overrides["network.listen"] = listen
    if bootstrap:
        overrides["network.bootstrap"] = bootstrap
    if no_mdns:
        overrides["network.mdns"] = False
    if network:
        overrides["network.id"] = network
    return overrides | (overrides_for_api(api) if api else {})


def settings(home: Home, environ: Mapping[str, str]) -> list[SettingView]:
    """Every setting with its value there."""
    from .settings import SETTINGS

    config = load(home, environ)
    return [
        SettingView(key, config.value(key), one.default, one.description) for key, one in SETTINGS.items()
    ]


def setting(home: Home, environ: Mapping[str, str], key: str) -> Any:
    """One setting's value; PersonError naming the nearest for a key that doesn't exist."""
    return load(home, environ).value(key)


def read_setting(key: str, text: str) -> Any:
    """What `change_setting` would keep; PersonError for what can't be."""
    from .config import read_value

    return read_value(key, text)


def change_setting(home: Home, key: str, text: str) -> Any:
    """Writes one setting into config.toml and returns the value kept."""
    from .config import set_setting

    home.require_initialised()
    return set_setting(home.config_file, key, text)


def overriding_variable(environ: Mapping[str, str], key: str) -> str:
    """The environment variable that is set and goes before `key` in config.toml; empty if none is."""
    from .config import find_setting

    variable = find_setting(key).variable
    return variable if variable in environ else ""


def saved_places(home: Home, environ: Mapping[str, str]) -> dict[str, str]:
    """Name -> place as text; empty where there is no home."""
    places = load(home, environ).find.places if home.is_initialised else ()
    return dict(one.split("=", 1) for one in places)


# --- backup and restore ---------------------------------------------------------------------------


def backup(home: Home, out: Path, passphrase: str) -> int:
    """Writes a sealed backup; returns its size in bytes. The node may be running."""
    from .backup import write_backup

    write_backup(home, out, passphrase)
    return out.expanduser().stat().st_size


def check_passphrase(passphrase: str) -> str:
    """The passphrase, if it is good enough to seal keys with; PersonError otherwise."""
    from .sealed_file import check_passphrase as check

    check(passphrase)
    return passphrase


def restore(file: Path, home: Home, passphrase: str, *, force: bool) -> int:
    """Unpacks a backup into an empty home; returns when it was made (unix ms)."""
    from .backup import restore_backup

    return restore_backup(file, home, passphrase, force=force).made


def risk_of_force() -> str:
    """What `restore --force` risks, in sentences."""
    from .backup import RISK_OF_FORCE

    return RISK_OF_FORCE


def force(home: Home) -> bool:
    """Lets a restored node sign without having asked its peers; False if it could anyway."""
    from .backup import force as lift

    home.require_initialised()
    if running_pid(home) is not None:
        raise PersonError(
            "running",
            "The node must not run while this changes.",
            "Stop it with `chargemesh stop` first.",
            ExitCode.FAILURE,
        )
    return lift(home)


# --- extensions ----------------------------------------------------------------------------------


def wallbox_drivers() -> tuple[str, ...]:
    """Names of the wallbox drivers that other packages bring."""
    from .extensions import WALLBOX_DRIVERS, names

    return names(WALLBOX_DRIVERS)


def load_record_kinds() -> None:
    """Makes the record kinds of other packages known to this process; a broken one is in the log."""
    from .extensions import installed

    installed()


# --- small things ---------------------------------------------------------------------------------


def network_of_invite(link: str) -> str:
    """The network id that an invitation names; PersonError if it is none."""
    from .invite import read_link

    return read_link(link).network


def doctor(home: Home, environ: Mapping[str, str]) -> list[dict[str, Any]]:
    """What can be checked while no node runs on `home`, as the API's doctor tells it."""
    from .views.doctor_offline import doctor_offline

    return [dict(one) for one in doctor_offline(home, environ)]


def running(home: Home) -> int | None:
    """The process id of the node on `home`, if one runs."""
    return running_pid(home)


def serve(home: Home, config: Config, ready: Callable[[Any], None]) -> None:
    """Runs the node until it is told to stop. `ready` gets the running `app.App`."""
    import asyncio

    from .app import serve as serve_app

    asyncio.run(serve_app(home, config, ready=ready))
