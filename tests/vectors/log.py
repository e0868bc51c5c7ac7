"""log.json: entries on their own, logs in any order, forks, kinds of others, reviews and their hashes."""

from __future__ import annotations

from itertools import permutations
from random import Random
from typing import Any

from chargemesh_protocol.encoding import encode
from chargemesh_protocol.identity import Scope, public_key
from chargemesh_protocol.shape import to_tree
from chargemesh_protocol.trust import entries as t
from chargemesh_protocol.trust.sync import Item

from ..conformance.fields import to_json
from .answered import answered
from .cast import ALICE, BOB, CARL, MONTH, NETWORK, hashed, seed
from .forged import edited, signed
from .frame import Case, Json, VectorFile, bad, good
from .log_writer import SOLAR, Writer, bundles, content, statement
from .samples import CELL, samples

_ALICE, _BOTH, _ALL = bundles(ALICE), bundles(ALICE, BOB), bundles(ALICE, BOB, CARL)
_OF_CARL = CARL.delegation(device=public_key(ALICE.device), sequence=2)  # he lets Alice's device sign, too
CARLS_TOO = CARL.bundle(CARL.delegation(), _OF_CARL).hex()
_OTHER_REGION = 0x841F8D5FFFFFFFF


def _asked(item: Item, known: list[str] = _ALICE) -> Json:
    return {"network": NETWORK, "bundles": known, "item": to_json(item)}


def skips() -> list[Case]:
    targets = {1: None, 2: None, 3: None, 4: None, 5: None, 6: 4, 7: None, 12: 8, 14: 12, 16: None, 22: 20}
    targets |= {1000: 992, 1024: None, 2**31 - 2: 2**31 - 4, 2**31 - 1: None}
    return [
        good(f"skip-of-{at}", "log.skip", {"sequence": at}, {} if to is None else {"target": to})
        for at, to in targets.items()
    ]


def entries() -> list[Case]:
    """Single entries: what each of them is, or why it is refused."""
    alice = Writer(ALICE)
    usual = alice.vouches()
    cases = [
        answered(f"judge-{name}", "log.judge", _asked(item, _BOTH), kind=kind, author=ALICE.author.hex())
        for name, item, kind in (
            ("a-vouch", usual, "vouch"),
            ("a-completion", Writer(ALICE).completes(BOB), "completion"),
            ("a-review", Writer(ALICE).reviews(BOB), "review"),
            ("a-review-without-content", Item(raw=Writer(ALICE).reviews(BOB).raw), "review"),
            ("a-kind-of-others", Writer(ALICE).invents(), SOLAR),
            ("of-the-month-of-the-delegation", Writer(ALICE).vouches(month=MONTH), "vouch"),
            ("of-the-last-month-of-the-delegation", Writer(ALICE).vouches(month=MONTH + 1), "vouch"),
        )
    ]
    kept = _asked(usual)
    faults = [*_unfit(usual), *_false_halves(), *_foreign(usual)]
    return [*cases, *(bad(name, "log.judge", given, code, why, kept) for name, given, code, why in faults)]


_Fault = tuple[str, Json, str, str]


def _unfit(usual: Item) -> list[_Fault]:
    body = samples()["vouch"]
    review = Writer(ALICE).reviews(BOB)

    def edit(key: int, value: Any) -> Json:
        return _asked(Item(raw=signed(edited(body, (key,), value), "vouch")))

    solar = {**to_tree(body), 7: bytes(1_000)}
    no_month = {key: value for key, value in to_tree(body).items() if key != 5}
    return [
        ("about-its-author", edit(7, ALICE.author), "schema", "an entry is about somebody else"),
        ("first-that-names-another", edit(3, hashed("entry")), "schema", "entry 1 names its author"),
        ("number-zero", edit(2, 0), "schema", "numbers begin at 1"),
        ("skip-where-there-is-none", edit(4, hashed("entry")), "schema", "entry 1 has no skip link"),
        ("no-skip-where-there-is-one", edit(2, 6), "schema", "entry 6 names entry 4"),
        ("region-of-resolution-7", edit(6, CELL), "schema", "a region has resolution 4"),
        ("entry-of-over-1024-bytes", _asked(Item(raw=signed(solar, SOLAR))), "too-large", "at most 1,024"),
        ("kind-of-others-without-a-month", _asked(Item(raw=signed(no_month, SOLAR))), "schema", "key 5"),
        ("no-entry", _asked(Item(raw=ALICE.sign(samples()["renewal"]).raw)), "wrong-kind", "a renewal"),
        ("a-bare-statement", _asked(Item(raw=statement(BOB, ALICE).raw)), "wrong-kind", "it is no entry"),
        ("altered", _asked(Item(raw=usual.raw[:-1] + bytes([usual.raw[-1] ^ 1]))), "bad-signature", "a bit"),
        ("content-of-another-review", _asked(Item(raw=review.raw, content=content("bad"))), "content",
         "it does not hash to the entry's"),
        ("content-beside-a-vouch", _asked(Item(raw=usual.raw, content=content())), "content",
         "only a review has a content"),
    ]  # fmt: skip


def _false_halves() -> list[_Fault]:
    """Completions that embed something else than the other side's statement about them."""

    def half(raw: bytes, **fields: Any) -> Json:
        return _asked(Writer(ALICE).writes(t.Completion, statement=raw, **fields), _BOTH)

    of_bob = statement(BOB, ALICE).raw
    flipped = of_bob[:-1] + bytes([of_bob[-1] ^ 1])
    by_carl = CARL.sign(statement(BOB, ALICE).body).raw
    return [
        ("statement-about-somebody-else", half(statement(BOB, CARL).raw), "completion", "about Carl"),
        ("statement-of-its-own", half(statement(ALICE, BOB).raw), "completion", "it is Alice's own"),
        ("statement-of-another-month", half(of_bob, month=MONTH + 1), "completion", "months differ"),
        ("statement-of-another-region", half(of_bob, region=_OTHER_REGION), "completion", "regions differ"),
        ("statement-with-a-bad-signature", half(flipped), "bad-signature", "the statement is verified"),
        ("statement-signed-by-another", half(by_carl), "not-delegated", "Carl can't sign for Bob"),
        ("statement-of-another-kind", half(ALICE.sign(samples()["stop"]).raw), "wrong-kind", "a stop"),
    ]


def _foreign(usual: Item) -> list[_Fault]:
    """Keys that may not sign, or that nobody has introduced."""
    for_books = ALICE.bundle(ALICE.delegation(scopes=(Scope.BOOK,))).hex()
    by_phone = Writer(ALICE, seed("Alice phone")).vouches()
    before, after = Writer(ALICE).vouches(month=MONTH - 1), Writer(ALICE).vouches(month=MONTH + 2)
    completed = Writer(ALICE).completes(BOB)
    return [
        ("by-nobody-known", _asked(usual, []), "unknown-author", "Alice's bundle is missing"),
        ("of-a-statement-by-nobody-known", _asked(completed), "unknown-author", "Bob's is missing"),
        ("by-an-unknown-phone", _asked(by_phone), "not-delegated", "nobody delegated this key"),
        ("by-a-device-for-books", _asked(usual, [for_books]), "not-delegated", "it needs the scope log"),
        ("of-a-month-before-the-delegation", _asked(before), "not-delegated", "it began in March"),
        ("of-a-month-after-the-delegation", _asked(after), "not-delegated", "it ends in April"),
    ]


def offers() -> list[Case]:
    """Sets of entries and the logs that they make."""
    rows: dict[str, tuple[dict[str, Item], dict[str, list[str]]]] = {
        "one-entry": ({"e1": Writer(ALICE).vouches()}, {"accepted": ["e1"]}),
        "seven-entries": (_seven(), {"accepted": [f"e{n}" for n in range(1, 8)]}),
        "a-gap": (
            {name: item for name, item in _seven().items() if name != "e3"}, {"accepted": ["e1", "e2"]},
        ),
        "no-beginning": (
            {name: item for name, item in _seven().items() if name > "e1"}, {"accepted": []},
        ),
        **_broken(),
        **_forked(),
    }  # fmt: skip
    cases = []
    for name, (items, expected) in rows.items():
        given = {
            "network": NETWORK,
            "bundles": [*_BOTH, *([CARLS_TOO] if "author" in name else [])],
            "items": {one: to_json(item) for one, item in items.items()},
            "orders": _orders(list(items)),
        }
        case = answered(f"offer-{name}", "log.offer", given, same=True)
        log = case.answer["out"]["logs"][0]
        if {part: log.get(part) for part in expected} != expected:
            raise AssertionError(f"{name}: expected {expected}, ours says {log}")
        cases.append(case)
    return [*cases, _two_devices()]


def _orders(names: list[str]) -> list[list[str]]:
    """All of up to four; of more: as told, backwards, each last, everything twice, and some drawn."""
    if len(names) <= 4:
        return [list(one) for one in permutations(names)]
    chance = Random(len(names))
    last = [[*(other for other in names if other != one), one] for one in names]
    drawn = [chance.sample(names, len(names)) for _ in range(8)]
    return [names, names[::-1], *last, [*names, *names], *drawn]


def _seven() -> dict[str, Item]:
    alice = Writer(ALICE)
    return {
        "e1": alice.vouches(), "e2": alice.completes(BOB), "e3": alice.reviews(BOB), "e4": alice.invents(),
        "e5": alice.vouches(stands=False), "e6": alice.completes(BOB, "another"), "e7": alice.vouches(CARL),
    }  # fmt: skip


def _broken() -> dict[str, tuple[dict[str, Item], dict[str, list[str]]]]:
    """Entries whose links name something else: they wait for ever."""
    first, second, third = Writer(ALICE), Writer(ALICE), Writer(ALICE)
    wrong_previous = {"e1": first.vouches(), "e2": first.vouches(previous=hashed("entry"))}
    wrong_previous["e3"] = first.vouches()
    wrong_skip = {f"e{n}": second.vouches(stands=n % 2 == 0) for n in range(1, 6)}
    wrong_skip |= {"e6": second.vouches(skip=hashed("entry")), "e7": second.vouches()}
    other_author = {"e1": third.vouches(), "e2": third.vouches(author=CARL.author), "e3": third.vouches()}
    return {
        "a-wrong-previous": (wrong_previous, {"accepted": ["e1"]}),
        "a-wrong-skip": (wrong_skip, {"accepted": [f"e{n}" for n in range(1, 6)]}),
        "another-author-of-one-key": (other_author, {"accepted": ["e1"]}),
    }


def _forked() -> dict[str, tuple[dict[str, Item], dict[str, list[str]]]]:
    def line(count: int) -> tuple[Writer, dict[str, Item]]:
        alice = Writer(ALICE)
        return alice, {f"e{n}": alice.vouches(stands=n % 2 == 1) for n in range(1, count + 1)}

    alice, at_three = line(4)
    at_three |= {"f3": alice.vouches(CARL, at=3), "f4": alice.vouches(CARL)}
    alice, at_one = line(2)
    at_one["f1"] = alice.vouches(CARL, at=1)
    alice, twice = line(5)
    twice["f4"] = alice.vouches(CARL, at=4)
    twice["f2"] = alice.vouches(CARL, at=2)
    alice, behind_a_gap = line(5)
    behind_a_gap["f4"] = alice.vouches(CARL, at=4)
    del behind_a_gap["e2"]
    alice, thrice = line(2)
    thrice |= {f"f{n}": alice.vouches(CARL, at=2, stands=n == 1, month=MONTH + n // 3) for n in (1, 2, 3)}
    ids = {name: _id(item) for name, item in thrice.items()}
    proof = sorted(sorted((one for one in ids if one != "e1"), key=lambda one: ids[one])[:2])
    return {
        "a-fork": (at_three, {"accepted": ["e1", "e2"], "fork": ["e3", "f3"]}),
        "a-fork-at-the-beginning": (at_one, {"accepted": [], "fork": ["e1", "f1"]}),
        "two-forks": (twice, {"accepted": ["e1"], "fork": ["e2", "f2"]}),
        "a-fork-behind-a-gap": (behind_a_gap, {"accepted": ["e1"], "fork": ["e4", "f4"]}),
        "four-of-one-number": (thrice, {"accepted": ["e1"], "fork": proof}),
    }


def _id(item: Item) -> str:
    found: str = answered("id", "log.judge", _asked(item)).answer["out"]["id"]
    return found


def _two_devices() -> Case:
    """Each key has its own log."""
    phone = seed("Alice phone")
    delegated = ALICE.delegation(device=public_key(phone), sequence=2, previous=ALICE.delegation().id)
    first, second = Writer(ALICE), Writer(ALICE, phone)
    items = {"home-1": first.vouches(), "home-2": first.vouches(CARL), "phone-1": second.vouches(CARL)}
    given = {
        "network": NETWORK,
        "bundles": [ALICE.bundle(ALICE.delegation(), delegated).hex(), *_ALL[1:]],
        "items": {one: to_json(item) for one, item in items.items()},
        "orders": _orders(list(items)),
    }
    return answered("offer-two-devices", "log.offer", given, same=True)


def reviews() -> list[Case]:
    salt = hashed("salt")[:16]
    usual = t.ReviewContent(stars=t.Stars(overall=5), text="as agreed", salt=salt)
    full = t.ReviewContent(
        stars=t.Stars(overall=1, as_described=2, reliable=3, easy_to_reach=4, kept_clean=5),
        text="Grünes Tor \U0001f50c",
        salt=hashed("salt"),
    )
    cases = []
    for name, one in (("a-review", usual), ("a-review-with-all-stars", full)):
        written = answered(f"write-{name}", "review.write", {"fields": to_json(one)})
        data = written.answer["out"]["content"]
        opened = good(f"open-{name}", "review.open", {"content": data}, {"fields": to_json(one)})
        given = {"booking": hashed("booking").hex(), "content": data}
        cases += [written, opened, answered(f"commit-to-{name}", "review.commit", given)]
    named = {"booking": hashed("booking").hex(), "receipt": hashed("booking receipt").hex()}
    cases.append(answered("name-a-booking", "log.booking", named))
    kept = {"content": cases[0].answer["out"]["content"]}
    for name, path, value, code, why in (
        ("no-stars", (0, 0), 0, "schema", "1 to 5"),
        ("six-stars", (0, 0), 6, "schema", "1 to 5"),
        ("six-stars-for-an-aspect", (0, 16), 6, "schema", "1 to 5"),
        ("a-short-salt", (2,), bytes(15), "schema", "16 to 32 bytes"),
        ("a-long-salt", (2,), bytes(33), "schema", "16 to 32 bytes"),
        ("2001-characters", (1,), "a" * 2_001, "schema", "up to 2000 characters"),
        ("a-later-critical-key", (3,), 1, "unknown-critical-key", "key 3 is unknown"),
    ):
        data = encode(edited(usual, path, value))
        cases.append(bad(f"review-with-{name}", "review.open", {"content": data.hex()}, code, why, kept))
    trailing = {"content": kept["content"] + "00"}
    return [*cases, bad("review-with-a-byte-behind", "review.open", trailing, "encoding", "a byte", kept)]


def made() -> VectorFile:
    about = "Entries of the trust log, the logs that they make, forks, and reviews (06-trust-log.md)."
    return VectorFile("log", about, (*skips(), *entries(), *offers(), *reviews()))
