"""Key files: made once, whole or not at all, private, and bound to one network."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from chargemesh_node.clock import SeededEntropy
from chargemesh_node.home import Home
from chargemesh_node.keystore import (
    KEY_FILES,
    Keys,
    create_keys,
    ensure_api_token,
    load_keys,
    new_recovery_phrase,
    read_api_token,
    renew_delegation,
)
from chargemesh_node.phrase import decode_phrase
from chargemesh_protocol.errors import ExitCode, PersonError
from chargemesh_protocol.identity import open_bundle, public_key
from chargemesh_protocol.limits import MAX_BUNDLE_DELEGATIONS, MAX_DELEGATION_MS

NETWORK = "chargemesh-test-keystore"
NOW = 1_790_000_000_000
DAY = 24 * 3600 * 1000
PHRASE = new_recovery_phrase(SeededEntropy(b"recovery"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def keys(home: Home) -> Keys:
    return create_keys(home, recovery_phrase=PHRASE, network=NETWORK, entropy=SeededEntropy(b"k"), now=NOW)


def test_keys_come_back_as_they_were_made(home: Home, keys: Keys) -> None:
    assert load_keys(home, NETWORK) == keys
    assert len({keys.root, keys.device, keys.transport}) == 3
    bundle = open_bundle(keys.bundle.to_bytes(), NETWORK)
    assert bundle.author == keys.author
    assert bundle.genesis.body.recovery == (public_key(decode_phrase(PHRASE)),)
    assert bundle.delegations[0].body.device == keys.device_key


def test_files_are_0600_in_a_0700_folder(home: Home, keys: Keys) -> None:
    assert stat.S_IMODE(home.keys.stat().st_mode) == 0o700
    assert sorted(path.name for path in home.keys.iterdir()) == sorted(KEY_FILES)
    for path in home.keys.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_recovery_key_is_nowhere_in_the_home(home: Home, keys: Keys) -> None:
    seed = decode_phrase(PHRASE)
    for path in home.root.rglob("*"):
        if path.is_file():
            assert seed not in path.read_bytes()


def test_a_second_init_is_refused_and_changes_nothing(home: Home, keys: Keys) -> None:
    with pytest.raises(PersonError, match="already holds a node"):
        create_keys(home, recovery_phrase=PHRASE, network=NETWORK, entropy=SeededEntropy(b"x"), now=NOW)
    assert load_keys(home, NETWORK) == keys


def test_an_init_that_was_cut_short_starts_over(home: Home) -> None:
    home.create()
    (home.root / ".keys.new").mkdir()
    (home.root / ".keys.new" / "root").write_bytes(bytes(32))
    assert not home.is_initialised
    made = create_keys(home, recovery_phrase=PHRASE, network=NETWORK, entropy=SeededEntropy(b"k"), now=NOW)
    assert load_keys(home, NETWORK) == made


@pytest.mark.parametrize("name", KEY_FILES)
def test_loose_modes_are_refused(home: Home, keys: Keys, name: str) -> None:
    (home.keys / name).chmod(0o644)
    with pytest.raises(PersonError) as caught:
        load_keys(home, NETWORK)
    assert caught.value.code == "loose-permissions"
    assert caught.value.exit_code == ExitCode.NOT_ALLOWED
    assert f"chmod 600 {home.keys / name}" in caught.value.hint


def test_a_loose_folder_is_refused(home: Home, keys: Keys) -> None:
    home.keys.chmod(0o750)
    with pytest.raises(PersonError, match="Other users can reach"):
        load_keys(home, NETWORK)


def test_no_home_asks_for_init(home: Home) -> None:
    with pytest.raises(PersonError) as caught:
        load_keys(home, NETWORK)
    assert caught.value.exit_code == ExitCode.NOT_FOUND


def test_a_missing_or_short_key_is_named(home: Home, keys: Keys) -> None:
    (home.keys / "device").unlink()
    with pytest.raises(PersonError, match=r"device is missing"):
        load_keys(home, NETWORK)
    (home.keys / "device").write_bytes(b"short")
    (home.keys / "device").chmod(0o600)
    with pytest.raises(PersonError, match="5 bytes, not 32"):
        load_keys(home, NETWORK)


def test_a_foreign_device_key_is_noticed(home: Home, keys: Keys) -> None:
    (home.keys / "device").write_bytes(bytes(32))
    with pytest.raises(PersonError, match="does not belong"):
        load_keys(home, NETWORK)


def test_an_identity_belongs_to_its_network(home: Home, keys: Keys) -> None:
    with pytest.raises(PersonError, match="not valid on the network chargemesh-test-other"):
        load_keys(home, "chargemesh-test-other")


def test_secrets_stay_out_of_logs(keys: Keys) -> None:
    shown = f"{keys!r} {keys}"
    for seed in (keys.root, keys.device, keys.transport):
        assert seed.hex() not in shown and repr(seed) not in shown
    assert keys.author.hex() in shown


def test_a_delegation_is_renewed_before_it_ends(home: Home, keys: Keys) -> None:
    assert renew_delegation(home, keys, network=NETWORK, now=NOW + 300 * DAY) is keys
    now = NOW + MAX_DELEGATION_MS - 30 * DAY
    renewed = renew_delegation(home, keys, network=NETWORK, now=now)
    assert load_keys(home, NETWORK) == renewed
    first, second = renewed.bundle.delegations
    assert (second.body.sequence, second.body.previous) == (first.body.sequence + 1, first.id)
    assert second.body.expires == now + MAX_DELEGATION_MS


def test_a_delegation_that_a_wrong_clock_signed_does_not_stand_in_the_way(home: Home, keys: Keys) -> None:
    assert renew_delegation(home, keys, network=NETWORK, now=NOW - 365 * DAY) is keys
    wrong = renew_delegation(home, keys, network=NETWORK, now=NOW + 20 * 365 * DAY)
    now = NOW + MAX_DELEGATION_MS - 30 * DAY
    right = renew_delegation(home, wrong, network=NETWORK, now=now)
    assert [one.body.issued for one in right.bundle.delegations[-2:]] == [NOW + 20 * 365 * DAY, now]


def test_a_bundle_stays_small_over_the_years(home: Home, keys: Keys) -> None:
    for year in range(1, 12):
        keys = renew_delegation(home, keys, network=NETWORK, now=NOW + year * 340 * DAY)
    assert len(keys.bundle.delegations) == MAX_BUNDLE_DELEGATIONS
    assert load_keys(home, NETWORK) == keys


def test_the_api_token_is_private_and_stays(home: Home) -> None:
    home.create()
    token = ensure_api_token(home, SeededEntropy(b"t"))
    assert len(token) == 64
    assert ensure_api_token(home, SeededEntropy(b"other")) == token == read_api_token(home)
    home.api_token_file.chmod(0o644)
    with pytest.raises(PersonError, match="Other users can reach"):
        read_api_token(home)
