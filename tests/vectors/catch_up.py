"""catch-up.json: two nodes that catch up, message by message, and what gossip carries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chargemesh_protocol.encoding import encode
from chargemesh_protocol.shape import to_tree
from chargemesh_protocol.trust.news import News
from chargemesh_protocol.trust.sync import FIRST_KEY, LAST_KEY, CatchUp, Cursor, Item, open_catch_up

from ..conformance.fields import to_json
from .answered import answered
from .cast import ALICE, BOB, CARL, NETWORK, Person, hashed
from .forged import ABSENT, Path, edited
from .frame import Case, Json, VectorFile, bad, good
from .log_writer import Writer, bundles

ELSEWHERE = 0x841F8D5FFFFFFFF
STREAM, TOPIC = "/chargemesh/log/1", f"chargemesh/{NETWORK}/log"


def _alices() -> dict[str, Item]:
    alice = Writer(ALICE)
    return {
        "a1": alice.completes(BOB), "a2": alice.reviews(BOB), "a3": alice.invents(), "a4": alice.vouches(),
    }  # fmt: skip


def _bobs() -> dict[str, Item]:
    bob = Writer(BOB)
    return {"b1": bob.vouches(ALICE), "b2": bob.reviews(ALICE)}


def _branches() -> dict[str, Item]:
    """Two histories that Alice's key tells from entry 2 on."""
    one, other = Writer(ALICE), Writer(ALICE)
    begun = {"e1": one.vouches(), "e2": one.vouches(stands=False), "e3": one.vouches()}
    other.vouches()
    return begun | {"f2": other.vouches(BOB, region=ELSEWHERE), "f3": other.vouches(stands=False)}


# name: the entries there are, what the asker holds, what the answerer holds; ? is a node that knows nobody
_Row = tuple[dict[str, Item], str, str]
EXCHANGES: dict[str, _Row] = {
    "nobody-has-anything": ({}, "?", "?"),
    "both-have-the-same": (_alices(), "a1 a2 a3", "a1 a2 a3"),
    "asker-has-nothing": (_alices(), "", "a1 a2 a3"),
    "asker-has-nothing-and-knows-nobody": (_alices(), "?", "a1 a2 a3"),
    "answerer-has-nothing-and-knows-nobody": (_alices(), "a1 a2", "?"),
    "asker-is-behind": (_alices(), "a1 a2", "a1 a2 a3 a4"),
    "answerer-is-behind": (_alices(), "a1 a2 a3 a4", "a1 a2"),
    "each-has-what-the-other-lacks": (_alices() | _bobs(), "a1 a2", "b1 b2"),
    "answerer-has-a-gap": (_alices(), "a1 a2 a3 a4", "a1 a2 a4"),
    "asker-knows-of-a-fork": (_branches(), "e1 e2 e3 f2", "e1 e2 e3"),
    "answerer-knows-of-a-fork": (_branches(), "e1 e2 e3", "e1 e2 e3 f2"),
    "both-know-of-a-fork": (_branches(), "e1 e2 f2", "f2 e2 e1"),
    "each-has-one-branch-of-a-fork": (_branches(), "e1 e2 e3", "e1 f2 f3"),
    "one-branch-is-longer": (_branches(), "e1 e2", "e1 f2 f3"),
}


def _node(holds: str) -> Json:
    return {"introduced": holds != "?", "holds": holds.replace("?", "").split()}


def exchanges() -> list[Case]:
    cases = []
    for name, (items, asker, answerer) in EXCHANGES.items():
        given = {
            "network": NETWORK,
            "bundles": bundles(ALICE, BOB) if items else [],
            "items": {one: to_json(item) for one, item in items.items()},
            "asker": _node(asker),
            "answerer": _node(answerer),
        }
        case = answered(name, "catch-up.exchange", given)
        out = case.answer["out"]
        if out["asker"] != out["answerer"]:
            raise AssertionError(f"{name}: they end apart: {out}")
        cases.append(case)
    return cases


def answers() -> list[Case]:
    """Single questions: the answer keeps nothing in mind, so each stands alone."""
    items = {name: item for name, item in _alices().items() if name in ("a1", "a2", "a3")}
    key = _key_of(items["a1"])

    def asks(first: bytes = FIRST_KEY, last: bytes = LAST_KEY, *cursors: Cursor, **brings: Any) -> Json:
        rest = {"cursors": cursors, "items": (), "wanted": (), "bundles": ()} | brings
        return {
            "network": NETWORK,
            "bundles": bundles(ALICE, BOB),
            "items": {one: to_json(item) for one, item in items.items()},
            "answerer": _node("a1 a2 a3"),
            "question": CatchUp(first=first, last=last, **rest).to_bytes().hex(),
        }

    def stands(following: int, head: bytes | None, forked: bool = False) -> Cursor:
        return Cursor(log=key, next=following, head=head, forked=forked)

    whole, declined = (FIRST_KEY, LAST_KEY), stands(1, None, forked=True)
    below = (int.from_bytes(key, "big") - 1).to_bytes(32, "big")
    carls = Writer(CARL).vouches()
    rows: dict[str, Json] = {
        "of-a-range-before-the-log": asks(FIRST_KEY, below),
        "of-a-range-that-ends-at-the-log": asks(FIRST_KEY, key),
        "of-a-range-that-begins-at-the-log": asks(key, LAST_KEY),
        "with-a-cursor": asks(*whole, stands(2, _id(items["a1"]))),
        "with-another-head": asks(*whole, stands(3, hashed("entry"))),
        "of-somebody-who-is-ahead": asks(*whole, stands(9, hashed("entry"))),
        "of-somebody-who-declines-the-log": asks(*whole, declined),
        "for-bundles": asks(*whole, declined, wanted=(ALICE.author, CARL.author)),
        "with-news": asks(*whole, declined, items=(_bobs()["b1"],)),
        "with-news-of-somebody-unknown": asks(*whole, declined, items=(carls,)),
        "with-news-and-a-bundle": asks(*whole, declined, items=(carls,), bundles=(CARL.bundle(),)),
        "with-an-entry-that-is-none": asks(*whole, declined, items=(Item(raw=b"\xd2\x84"),)),
    }
    return [answered(f"question-{name}", "catch-up.answer", given) for name, given in rows.items()]


def _question_of_nobody() -> bytes:
    empty: Any = {"cursors": (), "items": (), "wanted": (), "bundles": ()}
    return CatchUp(first=FIRST_KEY, last=LAST_KEY, **empty).to_bytes()


def _judged(item: Item) -> Json:
    given = {"network": NETWORK, "bundles": bundles(ALICE, BOB), "item": to_json(item)}
    out: Json = answered("an entry", "log.judge", given).answer["out"]
    return out


def _key_of(item: Item) -> bytes:
    return bytes.fromhex(_judged(item)["log"])


def _id(item: Item) -> bytes:
    return bytes.fromhex(_judged(item)["id"])


def gossip() -> list[Case]:
    def news(items: list[Item], *people: Person) -> str:
        return News(bundles=tuple(one.bundle() for one in people), items=tuple(items)).to_bytes().hex()

    def given(data: str, *knows: Person) -> Json:
        return {"network": NETWORK, "bundles": bundles(*knows) if knows else [], "bytes": data}

    branches, alices = _branches(), _alices()
    by_carl = Writer(ALICE, CARL.device).vouches()
    completed, review = alices["a1"], alices["a2"]
    halved = Item(raw=review.raw[:-1] + bytes([review.raw[-1] ^ 1]), content=review.content)
    unlike = Item(raw=review.raw, content=completed.raw[:100])
    whole = given(news([completed, review], ALICE, BOB))
    cases = [
        answered(f"news-{name}", "gossip.take", one_given, forward=forward)
        for name, one_given, forward in (
            ("with-all-bundles", whole, True),
            ("of-somebody-known", given(news([completed]), ALICE, BOB), True),
            ("that-waits", given(news([review], ALICE)), True),
            ("twice-the-same", given(news([completed, completed], ALICE, BOB)), True),
            ("of-a-fork", given(news([*branches.values()], ALICE)), True),
            ("of-a-kind-of-others", given(news([alices["a3"]], ALICE)), True),
            ("by-a-key-that-the-bundle-lacks", given(news([by_carl], ALICE)), False),
            ("without-the-author", given(news([branches["e1"]])), False),
            ("without-the-author-of-a-statement", given(news([completed], ALICE)), False),
        )
    ]
    for name, data, code, why in (
        (
            "with-an-altered-entry",
            news([completed, halved], ALICE, BOB),
            "bad-signature",
            "a bit",
        ),
        ("with-a-foreign-content", news([completed, unlike], ALICE, BOB), "content", "it hashes to another"),
    ):
        cases.append(bad(f"news-{name}", "gossip.take", given(data), code, why, whole))
    return cases


def messages() -> list[Case]:
    """The messages of the log's stream and topic, read and written."""
    cursor = Cursor(log=hashed("log"), next=2**53, head=hashed("entry"), forked=True)
    items = tuple(_alices().values())[:2]
    question = CatchUp(
        first=FIRST_KEY,
        last=LAST_KEY,
        cursors=(Cursor(log=hashed("new log"), next=1, forked=False), cursor),
        items=items,
        wanted=(CARL.author,),
        bundles=(ALICE.bundle(),),
    )
    news = News(bundles=(ALICE.bundle(), BOB.bundle()), items=items)
    told = {
        "catch-up": (STREAM, "log-catch-up", question),
        "catch-up-of-nobody": (STREAM, "log-catch-up", open_catch_up(_question_of_nobody())),
        "news": (TOPIC, "log-news", news),
    }
    bare = replace(question, items=(Item(raw=b"\x01"),), bundles=())
    cases = []
    for name, (stream, message, body) in told.items():
        data, about = {"bytes": encode(to_tree(body)).hex()}, {"message": message, "fields": to_json(body)}
        cases.append(good(f"read-{name}", "message.read", {"stream": stream, **data}, about))
        cases.append(good(f"write-{name}", "message.write", about, data))
    faults: dict[str, tuple[str, Path, Any, str, str]] = {
        "catch-up-without-wanted": ("catch-up", (4,), ABSENT, "schema", "key 4 is missing"),
        "catch-up-from-31-bytes": ("catch-up", (0,), bytes(31), "schema", "a key has 32 bytes"),
        "cursor-at-0": ("catch-up", (2, 0, 1), 0, "schema", "sequences begin at 1"),
        "cursor-with-no-head": ("catch-up", (2, 1, 2), ABSENT, "schema", "there is an entry before"),
        "cursor-with-a-head-at-1": ("catch-up", (2, 0, 2), bytes(32), "schema", "no entry is before"),
        "cursor-forked-by-a-number": ("catch-up", (2, 0, 3), 1, "schema", "1 is not true"),
        "item-of-1025-bytes": ("catch-up", (3, 0, 0), bytes(1_025), "schema", "1 to 1024 bytes"),
        "65-wanted": ("catch-up", (4,), [bytes(32)] * 65, "schema", "0 to 64 authors"),
        "unknown-critical-key-of-catch-up": ("catch-up", (6,), 1, "unknown-critical-key", "key 6"),
        "news-of-nothing": ("news", (1,), [], "schema", "1 to 16 items"),
        "news-of-17-items": ("news", (1,), [{0: b"\x01"}] * 17, "schema", "1 to 16 items"),
        "news-with-33-bundles": ("news", (0,), [b"\x01"] * 33, "schema", "0 to 32 bundles"),
    }
    for name, (of, path, value, code, why) in faults.items():
        stream, body = (STREAM, bare) if of == "catch-up" else (TOPIC, replace(news, bundles=()))
        given = {"stream": stream, "bytes": encode(edited(body, path, value)).hex()}
        mended = {"bytes": encode(to_tree(body)).hex()}
        cases.append(bad(name, "message.read", given, code, why, mended))
    for name, stream, body in (("catch-up", STREAM, bare), ("news", TOPIC, replace(news, bundles=()))):
        given, mended = {"stream": stream, "bytes": "80"}, {"bytes": encode(to_tree(body)).hex()}
        cases.append(
            bad(f"array-for-{name}", "message.read", given, "encoding", "a message is a map", mended)
        )
    return cases


def made() -> VectorFile:
    about = "Catch-up between two nodes, and gossip, byte for byte (06-trust-log.md)."
    return VectorFile("catch-up", about, (*exchanges(), *answers(), *gossip(), *messages()))
