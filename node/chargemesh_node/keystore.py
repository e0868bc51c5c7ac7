"""The keys of a node, one file each: made once, never overwritten, readable by their owner alone.

    keys/root        seed of the identity's root key (rank 0): signs delegations only
    keys/device      seed of this node's key: signs everything else
    keys/transport   seed of the libp2p key; not the identity, may be replaced at any time
    keys/identity    the bundle (genesis and delegations) that others need; not secret
    run/api.token    what a program must show to use the local API

Seeds are 32 raw bytes. The recovery key is never stored: its seed exists as words on the owner's paper
(phrase.py) and only its public half stands in the genesis. Nothing in this version signs with it: the root
key is random and the identity is the genesis' hash, so that only a backup (backup.py) brings one back.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from chargemesh_protocol.errors import ExitCode, PersonError, Refused
from chargemesh_protocol.identity import Bundle, create_identity, open_bundle, public_key, renewed
from chargemesh_protocol.limits import MAX_DELEGATION_MS, MAX_RECORD_BYTES

from .disk import disk_told
from .home import (
    Home,
    check_private_folder,
    read_private_file,
    replace_private_file,
    sync_folder,
    write_new_private_file,
)
from .phrase import SEED_BYTES, decode_phrase, encode_phrase

KEY_FILES = ("root", "device", "transport", "identity")
# A node that is off for a few weeks must not find its own delegation expired.
RENEW_BEFORE_MS = 60 * 24 * 3600 * 1000
_MAX_TOKEN_BYTES = 256
_TOKEN_BYTES = 32


class _Entropy(Protocol):
    def bytes(self, n: int) -> bytes: ...


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """What a running node holds: 32-byte seeds, and the bundle that its author's peers need."""

    root: bytes
    device: bytes
    transport: bytes
    bundle: Bundle

    @property
    def author(self) -> bytes:
        return self.bundle.author

    @property
    def device_key(self) -> bytes:
        """The public half of `device`: the kid of what this node signs."""
        return public_key(self.device)

    def __repr__(self) -> str:
        """Names the identity only: a seed never gets into a log or a traceback."""
        return f"Keys(author={self.author.hex()})"


def new_recovery_phrase(entropy: _Entropy) -> str:
    """24 fresh words for `create_keys`; to be shown once and then forgotten."""
    return encode_phrase(entropy.bytes(SEED_BYTES))


def create_keys(home: Home, *, recovery_phrase: str, network: str, entropy: _Entropy, now: int) -> Keys:
    """Make an identity for `network` with this node as its device; its genesis names the phrase's key.

    The same phrase makes another identity each time: it is for a later version's recovery.

    All files appear at once: after a crash there is either no node or a whole one. PersonError if the
    home has keys already, the phrase is wrong, or the disk refuses.
    """
    if os.path.lexists(home.keys):
        raise PersonError(
            "already-initialised",
            f"{home.root} already holds a node.",
            "Use it as it is, or name an empty folder with --home.",
        )
    root, device, transport = (entropy.bytes(SEED_BYTES) for _ in range(3))
    bundle = create_identity(
        root_seed=root,
        recovery_key=public_key(decode_phrase(recovery_phrase)),
        device_key=public_key(device),
        network=network,
        now=now,
        life_ms=MAX_DELEGATION_MS,
    )
    home.create()
    unfinished = home.root / ".keys.new"
    with disk_told(home.keys):
        if unfinished.exists():
            shutil.rmtree(unfinished)  # an earlier init was cut short; nobody has seen that identity
        unfinished.mkdir(mode=0o700)
        for name, content in zip(KEY_FILES, (root, device, transport, bundle.to_bytes()), strict=True):
            write_new_private_file(unfinished / name, content)
        os.rename(unfinished, home.keys)
        sync_folder(home.root)
    return Keys(root, device, transport, bundle)


def load_keys(home: Home, network: str) -> Keys:
    """The keys of an initialised home, after checking who else could read them.

    PersonError for loose modes, missing or damaged files, and an identity made for another network.
    """
    home.require_initialised()
    home.check_private()
    check_private_folder(home.keys)
    root, device, transport = (_read_seed(home.keys / name) for name in ("root", "device", "transport"))
    raw = _read(home.keys / "identity", MAX_RECORD_BYTES)
    try:
        bundle = open_bundle(raw, network)
    except Refused as error:
        raise PersonError(
            "wrong-network",
            f"The identity in {home.keys} is not valid on the network {network} ({error.code}).",
            "Set network.id to the one that it was made for, or use another folder with --home.",
        ) from error
    keys = Keys(root, device, transport, bundle)
    if bundle.genesis.body.root != public_key(root) or all(
        one.body.device != keys.device_key for one in bundle.delegations
    ):
        raise _damaged(home.keys / "identity", "it does not belong to the keys beside it")
    return keys


def renew_delegation(
    home: Home, keys: Keys, *, network: str, now: int, lasting_ms: int = RENEW_BEFORE_MS
) -> Keys:
    """`keys` with a delegation good for another year if none lasts so long from now, else as they are.

    The new one is on disk on return. A clock from before the first delegation signs none, and one that
    a wrong clock once dated into the future does not pass for one that holds now.
    """
    delegations = [one.body for one in keys.bundle.delegations]
    lasts = max((one.expires for one in delegations if one.issued <= now), default=0)
    if lasts > now + lasting_ms or now < min(one.issued for one in delegations):
        return keys
    bundle = renewed(keys.bundle, root_seed=keys.root, device_key=keys.device_key, network=network, now=now)
    replace_private_file(home.keys / "identity", bundle.to_bytes())
    return Keys(keys.root, keys.device, keys.transport, bundle)


def ensure_api_token(home: Home, entropy: _Entropy) -> str:
    """The API's token, 64 hex characters; made on first use and kept, so that a phone stays paired."""
    try:
        write_new_private_file(home.api_token_file, entropy.bytes(_TOKEN_BYTES).hex().encode())
    except FileExistsError:
        pass  # made by an earlier run
    return read_api_token(home)


def read_api_token(home: Home) -> str:
    """The token for a client of the API; PersonError if there is none or others could have read it."""
    token = _read(home.api_token_file, _MAX_TOKEN_BYTES).decode("ascii", "replace").strip()
    if len(token) != 2 * _TOKEN_BYTES:
        raise _damaged(home.api_token_file, "it holds no token; remove it and start the node again")
    return token


def _read_seed(path: Path) -> bytes:
    seed = _read(path, SEED_BYTES + 1)
    if len(seed) != SEED_BYTES:
        raise _damaged(path, f"it has {len(seed)} bytes, not {SEED_BYTES}")
    return seed


def _read(path: Path, max_bytes: int) -> bytes:
    try:
        return read_private_file(path, max_bytes)
    except FileNotFoundError as error:
        raise PersonError(
            "missing-key-file",
            f"{path} is missing.",
            "Restore your backup into another folder: `chargemesh --home NEW restore FILE`.",
            ExitCode.NOT_FOUND,
        ) from error


def _damaged(path: Path, why: str) -> PersonError:
    return PersonError(
        "damaged-key-file",
        f"{path} is damaged: {why}.",
        "Restore your backup into another folder: `chargemesh --home NEW restore FILE`.",
    )
