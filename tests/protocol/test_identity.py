"""Who may sign for whom: bundles, scopes, expiry by the record's time, and what many strangers can't do."""

from __future__ import annotations

from typing import Any

import pytest

from chargemesh_protocol import identity_wire
from chargemesh_protocol.encoding import encode
from chargemesh_protocol.errors import Refused, Severity
from chargemesh_protocol.identity import (
    ALL_SCOPES,
    Bundle,
    Delegation,
    Directory,
    Genesis,
    Scope,
    create_identity,
    open_bundle,
    public_key,
)
from chargemesh_protocol.limits import MAX_BUNDLE_BYTES, MAX_BUNDLE_DELEGATIONS, MAX_DELEGATION_MS
from chargemesh_protocol.listing import Renewal
from chargemesh_protocol.record import Record, sign
from chargemesh_protocol.shape import to_tree

from . import forge

NETWORK = "chargemesh-test-identity"
NOW = 1_804_500_000_000
DAY = 24 * 3600 * 1000
ROOT, RECOVERY, DEVICE = b"r" * 32, b"v" * 32, b"d" * 32


def person(number: int = 0, life_ms: int = 30 * DAY, network: str = NETWORK) -> Bundle:
    """Root, recovery and device seeds differ by their first byte."""
    tail = number.to_bytes(4, "big") + bytes(27)
    return create_identity(
        root_seed=b"r" + tail,
        recovery_key=public_key(b"v" + tail),
        device_key=public_key(b"d" + tail),
        network=network,
        now=NOW,
        life_ms=life_ms,
    )


ALICE = create_identity(
    root_seed=ROOT,
    recovery_key=public_key(RECOVERY),
    device_key=public_key(DEVICE),
    network=NETWORK,
    now=NOW,
    life_ms=30 * DAY,
)


def delegation(seed: bytes = ROOT, **changes: Any) -> Record[Delegation]:
    fields: dict[str, Any] = {
        "author": ALICE.author,
        "issued": NOW,
        "device": public_key(DEVICE),
        "scopes": ALL_SCOPES,
        "expires": NOW + DAY,
        "sequence": 2,
        "previous": ALICE.delegations[0].id,
    }
    return sign(Delegation(**(fields | changes)), seed, NETWORK)


def refusal(data: bytes) -> str:
    with pytest.raises(Refused) as refused:
        open_bundle(data, NETWORK)
    return refused.value.code


def with_delegations(*delegations: Record[Delegation]) -> bytes:
    return Bundle(ALICE.genesis, delegations).to_bytes()


def renewal(at: int, seed: bytes = DEVICE) -> Record[Renewal]:
    return sign(Renewal(issued=at, listing=b"l" * 32), seed, NETWORK)


def test_an_identity_is_the_id_of_its_genesis() -> None:
    assert ALICE.author == ALICE.genesis.id
    assert open_bundle(ALICE.to_bytes(), NETWORK) == ALICE
    body = ALICE.genesis.body
    assert body == Genesis(issued=NOW, root=public_key(ROOT), recovery=(public_key(RECOVERY),))


def test_a_recovery_key_may_delegate_too() -> None:
    one = delegation(RECOVERY)
    assert open_bundle(with_delegations(one), NETWORK).delegations == (one,)


@pytest.mark.parametrize("seed", [DEVICE, b"x" * 32])
def test_nobody_else_may_delegate(seed: bytes) -> None:
    assert refusal(with_delegations(delegation(seed))) == "bundle"


def test_a_genesis_is_signed_by_its_own_root() -> None:
    by_another = sign(ALICE.genesis.body, RECOVERY, NETWORK)
    assert refusal(Bundle(by_another, ()).to_bytes()) == "bundle"


def test_a_delegation_of_somebody_else_is_refused() -> None:
    assert refusal(with_delegations(*person(1).delegations)) == "bundle"
    # Signed by our own root, but for another author.
    assert refusal(with_delegations(delegation(author=b"a" * 32))) == "bundle"


def test_a_bundle_of_another_network_is_refused() -> None:
    assert refusal(person(network="chargemesh-test-other").to_bytes()) == "bad-signature"


@pytest.mark.parametrize(
    ("tree", "code"),
    [
        ([], "bundle"),
        ([5], "bundle"),
        ({0: ALICE.genesis.raw}, "bundle"),
        ([ALICE.delegations[0].raw, ALICE.genesis.raw], "wrong-kind"),
        ([ALICE.genesis.raw, ALICE.genesis.raw], "wrong-kind"),
        ([ALICE.genesis.raw] + [ALICE.delegations[0].raw] * (MAX_BUNDLE_DELEGATIONS + 1), "bundle"),
    ],
)
def test_a_bundle_is_a_genesis_and_some_delegations(tree: Any, code: str) -> None:
    assert refusal(encode(tree)) == code


def test_root_and_recovery_keys_all_differ() -> None:
    for recovery in ((public_key(ROOT),), (public_key(RECOVERY),) * 2):
        with pytest.raises(ValueError, match="differ"):
            Genesis(issued=NOW, root=public_key(ROOT), recovery=recovery)


@pytest.mark.parametrize("life", [0, -1, MAX_DELEGATION_MS + 1])
def test_a_delegation_ends(life: int) -> None:
    with pytest.raises(ValueError, match="366 days"):
        delegation(expires=NOW + life)


def test_expiry_is_compared_with_the_time_of_the_record() -> None:
    directory = Directory(NETWORK)
    directory.learn(ALICE.to_bytes())
    for at in (NOW, NOW + 30 * DAY - 1):
        directory.authorise(renewal(at), ALICE.author, Scope.LIST)
    for at in (NOW - 1, NOW + 30 * DAY):
        with pytest.raises(Refused) as refused:
            directory.authorise(renewal(at), ALICE.author, Scope.LIST)
        assert (refused.value.code, refused.value.severity) == ("not-delegated", Severity.FORGED)


def test_a_record_without_an_exact_time_needs_a_part_of_its_month() -> None:
    directory = Directory(NETWORK)
    directory.learn(ALICE.to_bytes())
    record, end = renewal(5), NOW + 30 * DAY
    for start, past in ((NOW - DAY, NOW + 1), (end - 1, end + DAY), (0, 2 * NOW)):
        directory.authorise_span(record, ALICE.author, Scope.LOG, start, past)
    for start, past in ((NOW - DAY, NOW), (end, end + DAY)):
        with pytest.raises(Refused, match="delegation"):
            directory.authorise_span(record, ALICE.author, Scope.LOG, start, past)


def test_a_key_signs_only_within_its_scopes() -> None:
    directory = Directory(NETWORK)
    directory.learn(with_delegations(delegation(scopes=(Scope.BOOK,))))
    directory.authorise(renewal(NOW), ALICE.author, Scope.BOOK)
    for scope in (Scope.LIST, Scope.LOG):
        with pytest.raises(Refused, match="delegation"):
            directory.authorise(renewal(NOW), ALICE.author, scope)


@pytest.mark.parametrize("seed", [ROOT, RECOVERY, b"x" * 32])
def test_no_other_key_signs_for_an_author_not_even_the_root(seed: bytes) -> None:
    directory = Directory(NETWORK)
    directory.learn(ALICE.to_bytes())
    with pytest.raises(Refused, match="delegation"):
        directory.authorise(renewal(NOW, seed), ALICE.author, Scope.LIST)


def test_an_unknown_author_is_no_crime() -> None:
    directory = Directory(NETWORK)
    for judge in (
        lambda: directory.authorise(renewal(NOW), ALICE.author, Scope.LIST),
        lambda: directory.authorise_span(renewal(NOW), ALICE.author, Scope.LIST, 0, NOW),
    ):
        with pytest.raises(Refused) as refused:
            judge()
        assert (refused.value.code, refused.value.severity) == ("unknown-author", Severity.STALE)


def test_bundles_of_an_author_unite() -> None:
    directory = Directory(NETWORK)
    old, new = ALICE.to_bytes(), with_delegations(delegation(expires=NOW + 90 * DAY))
    directory.learn(old)
    united = directory.learn(new)
    assert {one.id for one in united.delegations} == {
        ALICE.delegations[0].id,
        delegation(expires=NOW + 90 * DAY).id,
    }
    # Whoever learned them the other way round knows the same.
    other = Directory(NETWORK)
    other.learn(new)
    assert other.learn(old) == united == directory.get(ALICE.author)


def test_of_many_delegations_the_longest_lived_are_kept() -> None:
    directory = Directory(NETWORK)
    for day in range(1, 2 * MAX_BUNDLE_DELEGATIONS):
        directory.learn(with_delegations(delegation(expires=NOW + day * DAY)))
    bundle = directory.get(ALICE.author)
    assert bundle is not None
    days = [(one.body.expires - NOW) // DAY for one in bundle.delegations]
    assert days == list(range(2 * MAX_BUNDLE_DELEGATIONS - 1, MAX_BUNDLE_DELEGATIONS - 1, -1))


def padded(number: int, size: int) -> bytes:
    """A bundle whose delegation is that much longer, by a key that readers leave alone."""
    tree = dict(to_tree(delegation(expires=NOW + number * DAY).body)) | {16: bytes(size)}
    header = forge.header("delegation", ALICE.genesis.kid)
    fat = forge.record(encode(tree), seed=ROOT, protected=header, network=NETWORK)
    return encode([ALICE.genesis.raw, fat])


def test_whatever_is_known_of_an_author_fits_into_every_message() -> None:
    directory = Directory(NETWORK)
    for number in range(1, 10):
        directory.learn(padded(number, 15_000))
        directory.learn(padded(number, 1_000))
    bundle = directory.get(ALICE.author)
    assert bundle is not None and 1 <= len(bundle.delegations) < 4
    assert bundle.delegations[0].body.expires == NOW + 9 * DAY
    assert len(bundle.to_bytes()) <= MAX_BUNDLE_BYTES
    given = identity_wire.answer(directory, identity_wire.Get(authors=(ALICE.author,)))
    assert identity_wire.read(identity_wire.write(given)) == given


def test_strangers_drive_out_whoever_was_not_needed_for_longest_but_nobody_kept() -> None:
    directory = Directory(NETWORK, capacity=3)
    directory.learn(ALICE.to_bytes(), keep=True)
    people = [person(number) for number in range(1, 6)]
    for one in people[:3]:
        directory.learn(one.to_bytes())
    assert directory.get(people[0].author) is not None  # used again
    for one in people[3:]:
        directory.learn(one.to_bytes())
    assert [directory.knows(one.author) for one in people] == [True, False, False, True, True]
    assert directory.knows(ALICE.author)
    directory.learn(ALICE.to_bytes())
    assert directory.get(ALICE.author) == ALICE
