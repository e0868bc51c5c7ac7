"""Settings: one table, three sources, and a sentence for every mistake."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest

from chargemesh_node.config import (
    Config,
    default_config_text,
    find_setting,
    format_value,
    load_config,
    log_delay_ms,
    overrides_for_api,
    set_setting,
)
from chargemesh_node.settings import SETTINGS, check_type
from chargemesh_protocol.errors import ExitCode, PersonError

DAY_MS = 24 * 3600 * 1000
PEER = "/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def wrong(path: Path, text: str, environ: dict[str, str] | None = None) -> PersonError:
    path.write_text(text)
    with pytest.raises(PersonError) as caught:
        load_config(path, environ or {})
    assert caught.value.exit_code == ExitCode.USAGE
    return caught.value


def test_the_defaults_are_the_design(path: Path) -> None:
    config = load_config(path, {})
    assert config == Config()
    assert config.network.id == "chargemesh-dev-1"
    assert config.network.listen == ("/ip4/0.0.0.0/tcp/0",)
    booking = config.booking
    assert (booking.stranger_open_bookings, booking.stranger_max_hours) == (1, 4)
    assert (booking.stranger_horizon_hours, booking.stranger_access_per_week) == (48, 3)
    assert booking.stranger_on_request and booking.access_lead_minutes == 120
    assert config.phone.address == ""
    assert config.log_delay_ms == (2 * DAY_MS, 14 * DAY_MS)


def test_every_default_passes_its_own_check_and_is_described() -> None:
    for setting in SETTINGS.values():
        assert check_type(setting, setting.default) == setting.default
        assert setting.description.endswith("."), setting.key


def test_flags_beat_the_environment_beats_the_file(path: Path) -> None:
    path.write_text("[api]\nport = 1\n[network]\nmdns = false\n[payee]\nname = 'Ada'\n")
    environ = {"CHARGEMESH_API_PORT": "2", "CHARGEMESH_NETWORK_MDNS": "yes", "CHARGEMESH_HOME": "/x"}
    config = load_config(path, environ, {"api.port": 3})
    assert (config.api.port, config.network.mdns, config.payee.name) == (3, True, "Ada")
    assert config.value("api.port") == 3


def test_lists_come_from_the_environment(path: Path) -> None:
    config = load_config(
        path, {"CHARGEMESH_NETWORK_BOOTSTRAP": f"{PEER}, {PEER}", "CHARGEMESH_NOTIFY_COMMAND": ""}
    )
    assert config.network.bootstrap == (PEER, PEER)
    assert config.notify.command == ()
    config = load_config(path, {"CHARGEMESH_NOTIFY_COMMAND": '["/bin/tell", "a,b"]'})
    assert config.notify.command == ("/bin/tell", "a,b")


def test_an_unknown_setting_names_the_nearest(path: Path) -> None:
    error = wrong(path, "[booking]\nstranger_max_hour = 3\n")
    assert "booking.stranger_max_hour'" in error.message and str(path) in error.message
    assert error.hint == "Did you mean booking.stranger_max_hours?"
    assert wrong(path, "[bookings]\nstranger_max_hours = 3\n").hint == "Did you mean [booking]?"
    assert wrong(path, "iban = 'x'\n").hint == "Did you mean payee.iban?"
    error = wrong(path, "", {"CHARGEMESH_API_PROT": "1"})
    assert "CHARGEMESH_API_PROT" in error.message and "CHARGEMESH_API_PORT" in error.hint


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[api]\nport = '80'\n", "api.port"),
        ("[api]\nport = true\n", "whole number"),
        ("[api]\nport = 70000\n", "not from 0 to 65535"),
        ("[api]\nhost = '192.168.1.2'\n", "not loopback"),
        ("[network]\nmdns = 1\n", "true or false"),
        ("[network]\nid = 'mainnet'\n", "chargemesh-dev-1"),
        ("[network]\nlisten = '/ip4/0.0.0.0/tcp/0'\n", "list of texts"),
        ("[network]\nlisten = ['0.0.0.0:4001']\n", "not an address such as"),
        ("[network]\nlisten = ['/ip4/300.0.0.1/tcp/0']\n", "not an IPv4 address"),
        ("[network]\nlisten = ['/ip6/127.0.0.1/tcp/0']\n", "not an IPv6 address"),
        ("[network]\nbootstrap = ['/ip4/127.0.0.1/tcp/4001']\n", "lacks /p2p/PEERID"),
        ("[booking]\nstranger_max_hours = 337\n", "not from 1 to 336"),
        ("[payee]\niban = 'DE89370400440532013001'\n", "check digits"),
        ("[notify]\nwebhook = 'ftp://x'\n", "https://"),
        ("[phone]\naddress = '192.168.1.2'\n", "HOST:PORT"),
        ("[phone]\naddress = '0.0.0.0:80'\n", "one LAN address"),
        ("[api\n", "not valid TOML"),
    ],
)
def test_wrong_values_are_named(path: Path, text: str, part: str) -> None:
    assert part in wrong(path, text).message


def test_wrong_environment_values_name_the_variable(path: Path) -> None:
    assert "CHARGEMESH_API_PORT" in wrong(path, "", {"CHARGEMESH_API_PORT": "eighty"}).message
    assert "neither true nor false" in wrong(path, "", {"CHARGEMESH_NETWORK_MDNS": "maybe"}).message


def test_an_iban_is_kept_without_spaces(path: Path) -> None:
    path.write_text("[payee]\niban = 'de89 3704 0044 0532 0130 00'\n")
    assert load_config(path, {}).payee.iban == "DE89370400440532013000"


def test_the_written_file_explains_itself_and_changes_nothing(path: Path) -> None:
    path.write_text(default_config_text())
    assert load_config(path, {}) == Config()
    for setting in SETTINGS.values():
        assert setting.description in path.read_text()
    uncommented = default_config_text().replace("\n# ", "\n#: ")
    for key in SETTINGS:
        assert f"#: {key.partition('.')[2]} = {format_value(SETTINGS[key].default)}" in uncommented


def test_set_keeps_comments_and_order(path: Path) -> None:
    path.write_text("# mine\n[api]\nport = 1  # because\n\n[payee]\nname = 'Ada'\n")
    assert set_setting(path, "api.port", "8080") == 8080
    set_setting(path, "network.listen", "/ip4/127.0.0.1/tcp/0,/ip6/::1/tcp/0")
    set_setting(path, "network.mdns", "off")
    text = path.read_text()
    assert text.startswith("# mine\n[api]\nport = 8080  # because\n\n[payee]\nname = 'Ada'\n")
    config = load_config(path, {})
    assert config.network.listen == ("/ip4/127.0.0.1/tcp/0", "/ip6/::1/tcp/0")
    assert not config.network.mdns
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_set_starts_from_the_explained_file(path: Path) -> None:
    set_setting(path, "payee.name", "Ada Lovelace")
    assert SETTINGS["payee.iban"].description in path.read_text()
    assert load_config(path, {}).payee.name == "Ada Lovelace"
    assert tomllib.loads(path.read_text())["payee"] == {"name": "Ada Lovelace"}


def test_a_wrong_set_writes_nothing(path: Path) -> None:
    path.write_text("[api]\nport = 1\n")
    for key, text in [("api.port", "x"), ("api.prt", "1"), ("log.batch_min_seconds", "60")]:
        with pytest.raises(PersonError):
            set_setting(path, key, text)
    assert path.read_text() == "[api]\nport = 1\n"


@pytest.mark.parametrize("content", [b"api = 1\n", b"[api\n", b"\xff\xfe"])
def test_set_refuses_a_file_that_it_cannot_read(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(PersonError, match=r"config\.toml"):
        set_setting(path, "api.port", "80")
    assert path.read_bytes() == content


def test_log_entries_wait_as_long_as_their_network_says(path: Path) -> None:
    assert log_delay_ms("chargemesh-test-1")[1] <= 3_000
    assert log_delay_ms("chargemesh-demo-1", 5, 0) == (5_000, 5_000)
    assert log_delay_ms("chargemesh-dev-1", 3 * 86400, 0) == (3 * DAY_MS, 14 * DAY_MS)
    error = wrong(path, "[log]\nbatch_min_seconds = 10\n")
    assert "at least 2 days" in error.message
    # A name that only resembles a test network's is no way around it.
    wrong(path, "[network]\nid = 'chargemesh-testing'\n[log]\nbatch_max_seconds = 10\n")


def test_the_api_flag_opens_the_phone_page_on_a_lan_address() -> None:
    assert overrides_for_api("127.0.0.1:80") == {"api.host": "127.0.0.1", "api.port": 80}
    assert overrides_for_api("[::1]:80") == {"api.host": "::1", "api.port": 80}
    assert overrides_for_api("192.168.1.2:80") == {"phone.address": "192.168.1.2:80"}
    with pytest.raises(PersonError, match="HOST:PORT"):
        overrides_for_api("8080")


def test_find_setting_suggests_even_without_a_section() -> None:
    with pytest.raises(PersonError) as caught:
        find_setting("webhook")
    assert caught.value.hint == "Did you mean notify.webhook?"


@pytest.mark.parametrize("deep", ["[" * 5_000, "[" * 2_000 + "]" * 2_000])
def test_deep_lists_are_refused_in_a_sentence(path: Path, deep: str) -> None:
    assert wrong(path, f"[network]\nlisten = {deep}\n").code == "bad-config-file"
    path.unlink(missing_ok=True)
    with pytest.raises(PersonError) as refused:
        set_setting(path, "network.listen", deep)
    assert refused.value.hint
