"""bookings.json: sets of records and their states: every prefix, every gap, every class of order."""

from __future__ import annotations

from itertools import permutations
from random import Random
from typing import Any

from chargemesh_protocol.booking.records import Accept, Stop
from chargemesh_protocol.booking.set import BookingSet
from chargemesh_protocol.identity import Scope, public_key
from chargemesh_protocol.record import Record, sign

from .answered import answered
from .booking_pairs import pairs
from .booking_stories import LONG_AFTER, STORIES, tell
from .cast import ALICE, BOB, CARL, DAY, NETWORK, NOW, hashed, seed
from .forged import of as made_by_hand
from .frame import Case, Json, VectorFile, bad, good
from .story import START, Story
from .story import quote as usual_quote

_PERMUTED_WHOLE = 4  # sets up to this size come in every order
_SHUFFLES = 4


def orders(names: list[str], by_host: set[str]) -> list[list[str]]:
    """Every order of a small set; of a larger one each way in which orders can differ.

    As told, backwards, one side first, each record last, everything twice, and a few that are drawn.
    """
    if len(names) <= _PERMUTED_WHOLE:
        return [list(one) for one in permutations(names)]
    hosts = [one for one in names if one in by_host]
    drivers = [one for one in names if one not in by_host]
    found = [names, names[::-1], [*hosts, *drivers], [*drivers, *hosts], [*names, *names]]
    for one in names:
        found.append([*(other for other in names if other != one), one])
    chance = Random(len(names))
    found += [chance.sample(names, len(names)) for _ in range(_SHUFFLES)]
    return [list(one) for one in dict.fromkeys(map(tuple, found))]


def instants(booking: BookingSet, last: int, *, before: bool = False) -> list[int]:
    """When the last record was signed, and each deadline from there on; `before`: also the ms before it."""
    found = [last]
    while (deadline := booking.state(found[-1]).next_deadline) is not None:
        found += [deadline - 1, deadline] if before else [deadline]
    return list(dict.fromkeys(found))


def story(name: str, told: Story, end: tuple[Any, ...], asked: set[frozenset[bytes]]) -> Case:
    """Every prefix, every set that lacks one record, and the whole; `asked`: sets of stories before this."""
    names = list(told.named)
    by_host = {one for one in names if told.named[one].body.author == ALICE.author}
    questions: list[Json] = []

    def is_new(some: list[str]) -> bool:
        key = frozenset((told.request.id, *(told.named[one].id for one in some)))
        known = key in asked
        asked.add(key)
        return not known

    for count in range(len(names)):
        if is_new(names[:count]):
            begun = [told.named[one] for one in names[:count]]
            last = begun[-1].body.issued if begun else told.request.body.issued
            as_of = instants(BookingSet(told.quote, told.request, begun), last)
            questions.append({"orders": [names[:count]], "as_of": as_of})
    for one in names:
        others = [other for other in names if other != one]
        if is_new(others):
            questions.append({"orders": [others], "as_of": [LONG_AFTER]})
    as_of = [
        *instants(BookingSet(told.quote, told.request, told.named.values()), told.now, before=True),
        LONG_AFTER,
    ]
    questions.append({"orders": orders(names, by_host), "as_of": as_of})
    records = {one: record.raw.hex() for one, record in told.named.items()}
    case = answered(name, "booking.states", {**told.begun, "records": records, "questions": questions})
    answers = case.answer["out"]["answers"]
    state = answers[-1]["states"][-1]
    parts = (*(state[part] for part in ("reservation", "session", "settlement")),)
    if (*parts, state.get("cost", 0), state.get("compensation", 0)) != end:
        raise AssertionError(f"{name}: expected {end}, ours says {state}")
    if not all(one["same"] for one in answers):
        raise AssertionError(f"{name}: the order plays a part")
    return case


def beginnings() -> list[Case]:
    """Quote and request, and what makes no booking."""
    told = Story()
    usual = told.begun
    other = ALICE.sign(usual_quote(energy_wh=19_999))
    of_host = told.request.body
    own = ALICE.sign(type(of_host)(**_fields(of_host) | {"author": ALICE.author}))
    cases = [good("begins", "booking.open", usual, {"booking": told.request.id.hex()})]
    for name, given, code, why in (
        ("request-for-another-quote", {"quote": other.raw.hex()}, "other-quote", "it names another one"),
        ("request-by-the-host", {"request": own.raw.hex()}, "same-author", "a booking has two parties"),
        ("quote-is-a-request", {"quote": usual["request"]}, "wrong-kind", "a quote stands there"),
        ("request-is-a-quote", {"request": usual["quote"]}, "wrong-kind", "a request stands there"),
    ):
        cases.append(bad(name, "booking.open", {**usual, **given}, code, why, usual))
    return cases


def arrivals() -> list[Case]:
    """Single records that come to the host or to the driver."""
    told = Story().until("arrived")
    accept, cancel = told.named["accept"], told.at(START).says("cancel")
    stranger = CARL.sign(type(cancel.body)(**_fields(cancel.body) | {"author": CARL.author}))
    for_other = BOB.sign(type(cancel.body)(**_fields(cancel.body) | {"booking": hashed("booking")}))
    host_kind = BOB.sign(Accept(**_fields(accept.body) | {"author": BOB.author}))
    driver_kind = ALICE.sign(Stop(**_fields(told.says("stop").body) | {"author": ALICE.author}))
    last = ALICE.sign(type(accept.body)(**_fields(accept.body) | {"number": 2_048}))
    beyond = ALICE.sign(type(accept.body)(**_fields(accept.body) | {"number": 2_049}))
    phone = sign(cancel.body, seed("Bob phone"), NETWORK)
    late = BOB.sign(type(cancel.body)(**_fields(cancel.body) | {"issued": NOW + 29 * DAY}))
    again = BOB.sign(type(told.request.body)(**_fields(told.request.body) | {"expires": NOW + DAY}))
    bundles = [ALICE.bundle().hex(), BOB.bundle().hex()]
    phones = BOB.delegation(device=public_key(seed("Bob phone")), scopes=(Scope.BOOK,), sequence=2)
    with_phone = [bundles[0], BOB.bundle(BOB.delegation(), phones).hex()]

    def given(came: Record[Any], reader: str, known: list[str] = bundles) -> Json:
        return {**told.begun, "bundles": known, "reader": reader, "came": came.raw.hex()}

    cases = [
        good(f"{reader}-takes-{name}", "booking.take", given(came, reader, known), {"id": came.id.hex()})
        for name, came, reader, known in (
            ("an-acceptance", accept, "driver", bundles),
            ("what-has-no-predecessor-yet", told.named["access"], "driver", bundles),
            ("number-2048", last, "driver", bundles),
            ("a-cancellation", cancel, "host", bundles),
            ("what-a-phone-signed", phone, "host", with_phone),
        )
    ]
    statement = made_by_hand(usual_quote(author=BOB.author), seed=BOB.device)
    kept = {"came": cancel.raw.hex(), "reader": "host", "bundles": bundles}
    for name, one, code, why in (
        ("by-a-stranger", given(stranger, "host"), "not-a-party", "Carl has no part in it"),
        ("own-record-comes-back", given(cancel, "driver"), "not-a-party", "it is not by the other party"),
        ("of-another-booking", given(for_other, "host"), "other-booking", "it names another booking"),
        ("host-kind-by-the-driver", given(host_kind, "host"), "wrong-author", "only the host accepts"),
        ("driver-kind-by-the-host", given(driver_kind, "driver"), "wrong-author", "only the driver stops"),
        ("a-second-request", given(again, "host"), "wrong-kind", "there is one request"),
        ("a-quote-by-the-driver", {**given(cancel, "host"), "came": statement.hex()}, "wrong-kind",
         "it has no place after the request"),
        ("number-2049", given(beyond, "driver"), "booking-full", "host records are numbered up to 2,048"),
        ("by-a-key-nobody-delegated", given(phone, "host"), "not-delegated", "the phone is not known"),
        ("by-a-delegation-that-ended", given(late, "host"), "not-delegated", "it ended just then"),
        ("by-somebody-without-a-bundle", given(cancel, "host", bundles[:1]), "unknown-author",
         "Bob's bundle is missing"),
    ):  # fmt: skip
        cases.append(bad(name, "booking.take", one, code, why, kept))
    return cases


def _fields(body: Any) -> Json:
    return {name: getattr(body, name) for name in type(body).__dataclass_fields__}


def made() -> VectorFile:
    cases = [*beginnings(), *arrivals()]
    asked: set[frozenset[bytes]] = set()
    cases += [story(name, tell(name), end, asked) for name, end in STORIES.items()]
    cases += pairs()
    about = "Sets of records of a booking, and the states that they make (05-booking.md)."
    return VectorFile("bookings", about, tuple(cases))
