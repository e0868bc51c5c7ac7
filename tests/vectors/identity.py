"""identity.json: bundles, and whether a key may sign for an author."""

from __future__ import annotations

from typing import Any

from chargemesh_protocol.encoding import encode
from chargemesh_protocol.identity import Delegation, Scope, open_bundle, public_key
from chargemesh_protocol.listing import Withdrawal
from chargemesh_protocol.record import Record, sign
from chargemesh_protocol.trust.entries import Vouch
from chargemesh_protocol.trust.month import span_of

from ..conformance.fields import to_json
from .answered import answered
from .cast import ALICE, BOB, DAY, HOUR, MONTH, NETWORK, NOW, OTHER_NETWORK, seed
from .forged import edited, signed
from .frame import Case, Json, VectorFile, bad, good
from .samples import CELL, CHARGER, REGION, samples

FIRST = ALICE.delegation()
SECOND = ALICE.delegation(
    issued=NOW + 20 * DAY, expires=NOW + 50 * DAY, sequence=2, previous=FIRST.id, scopes=(Scope.LIST,)
)
PHONE = seed("Alice's phone")
OF_THE_PHONE = ALICE.delegation(device=public_key(PHONE), sequence=2, previous=FIRST.id, scopes=(Scope.BOOK,))
BY_RECOVERY = ALICE.delegation(by=ALICE.recovery)
NINE = [ALICE.delegation(expires=NOW + number * DAY, sequence=number) for number in range(1, 10)]
OF_ONE_EXPIRY = [ALICE.delegation(sequence=number) for number in range(1, 10)]


def _ids(*delegations: Record[Delegation]) -> list[str]:
    return sorted(one.id.hex() for one in delegations)


def _opened(name: str, *delegations: Record[Delegation]) -> Case:
    raw = encode([ALICE.genesis.raw, *(one.raw for one in delegations)])
    told = [{"id": one.id.hex(), "kid": one.kid.hex(), "fields": to_json(one.body)} for one in delegations]
    out = {"author": ALICE.author.hex(), "genesis": to_json(ALICE.genesis.body), "delegations": told}
    return good(name, "bundle.open", {"network": NETWORK, "bundle": raw.hex()}, out)


def _padded(bundle_bytes: int, number: int = 1) -> bytes:
    """A bundle of exactly so many bytes: a key that readers leave alone fills its delegation up."""
    body = ALICE.delegation(sequence=number, expires=NOW + number * DAY).body

    def filled(size: int) -> bytes:
        delegation = signed(edited(body, (16,), bytes(size)), "delegation", seed=ALICE.root)
        return encode([ALICE.genesis.raw, delegation])

    size = bundle_bytes - len(filled(1_000)) + 1_000
    return filled(size)


def _of(*bundles: bytes) -> list[str]:
    return _ids(*(one for bundle in bundles for one in open_bundle(bundle, NETWORK).delegations))


def sizes() -> list[Case]:
    """How long a bundle may be, and how much of it is kept."""
    largest, genesis = _padded(16_384), ALICE.genesis
    longer_genesis = signed(edited(genesis.body, (16,), bytes(4_097)), "genesis", seed=ALICE.root)
    fat, fatter, later = _padded(4_096), _padded(4_097), _padded(4_000, 40)
    small, long = ALICE.bundle(), _padded(3_500, 40)
    opened = {"network": NETWORK, "bundle": largest.hex()}
    united = {"network": NETWORK, "bundles": [encode([longer_genesis]).hex()]}
    return [
        answered("bundle-of-16384-bytes", "bundle.open", opened, author=ALICE.author.hex()),
        bad(
            "bundle-of-16385-bytes", "bundle.open", opened | {"bundle": _padded(16_385).hex()},
            "too-large", "a bundle has at most 16,384 bytes", opened,
        ),
        _known("unite-4096-bytes", [fat], _of(fat)),
        _known("unite-4097-bytes-keep-the-genesis", [fatter], []),
        _known("unite-what-is-too-long-together", [later, fat], _of(later)),
        _known("unite-what-is-too-long-together-in-another-order", [fat, later], _of(later)),
        _known("unite-what-fits-beside-a-long-one", [long, fat, small], _of(long, small)),
        bad(
            "unite-a-genesis-that-is-too-long", "bundle.unite", united,
            "too-large", "nothing could be passed on beside over 4,096 bytes", {"bundles": [small.hex()]},
        ),
    ]  # fmt: skip


def _united(name: str, bundles: list[list[Record[Delegation]]], kept: list[str]) -> Case:
    return _known(name, [ALICE.bundle(*one) for one in bundles], kept)


def _known(name: str, bundles: list[bytes], kept: list[str]) -> Case:
    given = {"network": NETWORK, "bundles": [one.hex() for one in bundles]}
    return good(name, "bundle.unite", given, {"author": ALICE.author.hex(), "delegations": kept})


def _asked(record: Record[Any], *bundles: bytes) -> Json:
    return {"network": NETWORK, "bundles": [one.hex() for one in bundles], "record": record.raw.hex()}


def withdrawal(at: int, by: bytes = ALICE.device) -> Record[Any]:
    """A small record under scope `list`."""
    body = Withdrawal(author=ALICE.author, issued=at, charger=CHARGER, sequence=2, cell=CELL)
    return sign(body, by, NETWORK)


def _vouch(month: int) -> Record[Any]:
    where: dict[str, Any] = {"month": month, "region": REGION}
    first: dict[str, Any] = {"author": ALICE.author, "sequence": 1, "previous": ALICE.author}
    return ALICE.sign(Vouch(**first, **where, subject=BOB.author, stands=True))


def _covering(start: int, end: int) -> bytes:
    return ALICE.bundle(ALICE.delegation(issued=start, expires=end))


def bundles() -> list[Case]:
    cases = [
        _opened("genesis-alone"),
        _opened("one-delegation", FIRST),
        _opened("renewed-delegation", FIRST, SECOND),
        _opened("second-device", FIRST, OF_THE_PHONE),
        _opened("delegation-by-a-recovery-key", BY_RECOVERY),
        _opened("eight-delegations", *NINE[:8]),
        _united("unite-two-delegations", [[FIRST], [SECOND]], _ids(FIRST, SECOND)),
        _united("unite-what-is-known", [[FIRST, SECOND], [FIRST]], _ids(FIRST, SECOND)),
        _united("unite-nine-keep-those-that-expire-last", [NINE[:8], NINE[8:]], _ids(*NINE[1:])),
        _united("unite-in-another-order", [NINE[8:], NINE[:8]], _ids(*NINE[1:])),
        _united(
            "unite-nine-of-one-expiry-keep-the-lower-ids",
            [OF_ONE_EXPIRY[:5], OF_ONE_EXPIRY[5:]],
            _ids(*OF_ONE_EXPIRY)[:8],
        ),
    ]
    genesis, good_bundle = ALICE.genesis, {"bundle": ALICE.bundle().hex()}
    with_critical = signed(edited(FIRST.body, (7,), 1), "delegation", seed=ALICE.root)
    foreign = sign(genesis.body, ALICE.root, OTHER_NETWORK)
    faults: dict[str, tuple[bytes, str, str]] = {
        "no-record": (encode([]), "bundle", "a bundle begins with a genesis"),
        "map": (encode({0: genesis.raw}), "bundle", "a bundle is an array"),
        "bare-genesis": (encode(genesis.raw), "bundle", "a bundle is an array"),
        "text-in-it": (encode([genesis.raw, "x"]), "bundle", "a bundle holds byte strings"),
        "nine-delegations": (
            encode([genesis.raw, *(one.raw for one in NINE)]), "bundle", "a bundle has up to 8 delegations",
        ),
        "delegation-first": (encode([FIRST.raw, genesis.raw]), "wrong-kind", "the genesis comes first"),
        "two-geneses": (encode([genesis.raw, genesis.raw]), "wrong-kind", "the rest are delegations"),
        "with-a-withdrawal": (
            encode([genesis.raw, withdrawal(NOW).raw]), "wrong-kind", "the rest are delegations",
        ),
        "genesis-by-a-recovery-key": (
            encode([sign(genesis.body, ALICE.recovery, NETWORK).raw]), "bundle", "a genesis is by its root",
        ),
        "genesis-by-a-device": (
            encode([sign(genesis.body, ALICE.device, NETWORK).raw]), "bundle", "a genesis is by its root",
        ),
        "genesis-of-another-network": (encode([foreign.raw]), "bad-signature", "another network"),
        "delegation-by-the-device-itself": (
            ALICE.bundle(ALICE.delegation(by=ALICE.device)), "bundle", "root or recovery keys delegate",
        ),
        "delegation-by-a-stranger": (
            ALICE.bundle(ALICE.delegation(by=BOB.root)), "bundle", "root or recovery keys delegate",
        ),
        "delegation-of-another-author": (
            ALICE.bundle(ALICE.delegation(author=BOB.author)), "bundle", "every delegation is of this author",
        ),
        "delegation-with-an-unknown-critical-key": (
            encode([genesis.raw, with_critical]), "unknown-critical-key", "key 7 is unknown",
        ),
        "delegation-with-a-bad-signature": (
            encode([genesis.raw, FIRST.raw[:-1] + bytes([FIRST.raw[-1] ^ 1])]),
            "bad-signature",
            "every record in a bundle is verified",
        ),
        "trailing-byte": (ALICE.bundle() + b"\0", "encoding", "nothing stands behind the array"),
        "indefinite-array": (b"\x9f" + ALICE.bundle()[1:] + b"\xff", "encoding", "lengths are definite"),
    }  # fmt: skip
    for name, (raw, code, why) in faults.items():
        given = {"network": NETWORK, "bundle": raw.hex()}
        cases.append(bad(f"bundle-{name}", "bundle.open", given, code, why, good_bundle))
    return cases


def _may_sign() -> dict[str, tuple[Record[Any], bytes]]:
    first_day, next_month = span_of(MONTH)
    sample = samples()
    said = {
        f"scope-of-{name}": (ALICE.sign(sample[name]), ALICE.bundle())
        for name in (
            "listing",
            "quote",
            "accept",
            "receipt",
            "access-record",
            "completion",
            "review",
            "vouch",
        )
    }
    return {
        **said,
        "scope-of-request": (BOB.sign(sample["request"]), BOB.bundle()),
        "at-the-first-instant": (withdrawal(NOW - DAY), ALICE.bundle()),
        "at-the-last-instant": (withdrawal(NOW + 29 * DAY - 1), ALICE.bundle()),
        "under-the-renewed-delegation": (withdrawal(NOW + 29 * DAY), ALICE.bundle(FIRST, SECOND)),
        "under-the-older-delegation": (withdrawal(NOW), ALICE.bundle(FIRST, SECOND)),
        "under-a-recovery-keys-delegation": (withdrawal(NOW), ALICE.bundle(BY_RECOVERY)),
        "second-device": (sign(sample["accept"], PHONE, NETWORK), ALICE.bundle(FIRST, OF_THE_PHONE)),
        "month-covered-from-its-last-millisecond": (
            _vouch(MONTH),
            _covering(next_month - 1, next_month + DAY),
        ),
        "month-covered-to-its-first-millisecond": (_vouch(MONTH), _covering(first_day - DAY, first_day + 1)),
        "month-covered-in-the-middle": (_vouch(MONTH), _covering(NOW, NOW + HOUR)),
    }


def _may_not() -> dict[str, tuple[Record[Any], bytes, str, Record[Any], bytes]]:
    """name: faulty record and bundle, why, and both without the fault."""
    start, end = span_of(MONTH)
    now, bundle = withdrawal(NOW), ALICE.bundle()
    log_only = ALICE.bundle(ALICE.delegation(scopes=(Scope.LOG, Scope.BOOK)))
    accept = ALICE.sign(samples()["accept"])
    list_only = ALICE.bundle(ALICE.delegation(scopes=(Scope.LIST, Scope.LOG)))
    vouch = _vouch(MONTH)
    no_log = ALICE.bundle(ALICE.delegation(scopes=(Scope.LIST, Scope.BOOK)))
    return {
        "a-millisecond-before-it-begins": (
            withdrawal(NOW - DAY - 1), bundle, "the delegation begins later", now, bundle,
        ),
        "at-its-expiry": (withdrawal(NOW + 29 * DAY), bundle, "expires itself is not covered", now, bundle),
        "between-two-delegations": (
            withdrawal(NOW + 2 * HOUR),
            ALICE.bundle(
                ALICE.delegation(expires=NOW + HOUR),
                ALICE.delegation(issued=NOW + 3 * HOUR, expires=NOW + 4 * HOUR, sequence=2),
            ),
            "neither delegation covers this instant", withdrawal(NOW + 3 * HOUR), ALICE.bundle(
                ALICE.delegation(expires=NOW + HOUR),
                ALICE.delegation(issued=NOW + 3 * HOUR, expires=NOW + 4 * HOUR, sequence=2),
            ),
        ),
        "without-the-scope-list": (now, log_only, "a withdrawal needs list", now, bundle),
        "without-the-scope-book": (accept, list_only, "an acceptance needs book", accept, bundle),
        "without-the-scope-log": (vouch, no_log, "a vouch needs log", vouch, bundle),
        "scope-of-the-other-delegation": (
            withdrawal(NOW, PHONE), ALICE.bundle(FIRST, OF_THE_PHONE), "the phone has book only", now, bundle,
        ),
        "by-a-key-nobody-delegated": (withdrawal(NOW, PHONE), bundle, "no delegation names it", now, bundle),
        "by-the-root": (withdrawal(NOW, ALICE.root), bundle, "the root signs no such thing", now, bundle),
        "by-the-recovery-key": (
            withdrawal(NOW, ALICE.recovery), bundle, "a recovery key signs no such thing", now, bundle,
        ),
        "without-a-delegation": (now, encode([ALICE.genesis.raw]), "nothing is delegated", now, bundle),
        "month-after-the-delegation": (
            vouch, _covering(start - DAY, start), "it ends as the month begins", vouch, bundle,
        ),
        "month-before-the-delegation": (
            vouch, _covering(end, end + DAY), "it begins as the month ends", vouch, bundle,
        ),
    }  # fmt: skip


def made() -> VectorFile:
    cases = [*bundles(), *sizes()]
    for name, (record, bundle) in _may_sign().items():
        cases.append(good(f"may-{name}", "record.authorise", _asked(record, bundle), {"authorised": True}))
    for name, (record, bundle, why, mended, its_bundle) in _may_not().items():
        given, repaired = _asked(record, bundle), _asked(mended, its_bundle)
        cases.append(bad(f"not-{name}", "record.authorise", given, "not-delegated", why, repaired))
    alice = _asked(withdrawal(NOW), ALICE.bundle(), BOB.bundle())
    by_bob = _asked(withdrawal(NOW, BOB.device), ALICE.bundle(), BOB.bundle())
    why = "another author delegated this key"
    cases.append(
        bad("not-by-another-authors-device", "record.authorise", by_bob, "not-delegated", why, alice)
    )
    for name, known in (("nobody", ()), ("somebody-else", (BOB.bundle(),))):
        given, why = _asked(withdrawal(NOW), *known), "no bundle of the author is known, which is no fault"
        cases.append(bad(f"known-is-{name}", "record.authorise", given, "unknown-author", why, alice))
    return VectorFile(
        "identity", "Bundles, and whether a key may sign for an author (03-identity.md).", tuple(cases)
    )
