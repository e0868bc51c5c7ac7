"""overlaps.json: pairs of bookings, and whether they prove that the host promised one plug to two."""

from __future__ import annotations

from typing import Any

from chargemesh_protocol.booking.records import Accept, Request
from chargemesh_protocol.contact import Contact

from .cast import BOB, CARL, HOUR, MINUTE, NETWORK, hashed
from .frame import Case, Json, VectorFile, good
from .story import DRIVER_KEY, END, NO_SHOW_FROM, START, Story
from .story import quote as usual_quote

ASKED = START - 2 * HOUR  # the second time
ACCEPTED = ASKED + 1_000


def told(story: Story) -> Json:
    """The whole set of a booking."""
    begun = {"quote": story.quote.raw.hex(), "request": story.request.raw.hex()}
    return {**begun, "records": [one.raw.hex() for one in story.named.values()]}


def _first() -> Story:
    return Story().until("reserved")


def _second(requested: int = ASKED, **changes: Any) -> Story:
    return Story(requested, **changes).until("reserved")


def _of_carl() -> Json:
    """A booking of the same time at another host, who calls its charger by the same id."""
    quote = CARL.sign(usual_quote(author=CARL.author))
    asks = Request(
        author=BOB.author,
        issued=ASKED,
        quote=quote.id,
        one_time_key=DRIVER_KEY,
        contact=Contact("12D3KooWMadeUpForTheVectors", ()),
        expires=ASKED + 5 * MINUTE,
    )
    request = BOB.sign(asks)
    head: Json = {"author": CARL.author, "issued": ACCEPTED, "booking": request.id, "includes": ()}
    accept = CARL.sign(Accept(number=1, previous=request.id, access_due=START, **head))
    return {"quote": quote.raw.hex(), "request": request.raw.hex(), "records": [accept.raw.hex()]}


def _cancelled(acknowledged: int | None) -> Story:
    """The first booking, cancelled by the driver long before, and taken in by the host at that instant."""
    story = _first()
    story.says("cancel")
    if acknowledged is not None:
        story.at(acknowledged - 1_000).says("acknowledge")
    return story


def _cancelled_by_the_host(at: int = ASKED - HOUR) -> Story:
    story = _first()
    story.at(at).says("host-cancel")
    return story


def _amended(at: int, start: int, end: int) -> Story:
    """The first booking, moved to another time by both sides, the host's word issued at that instant."""
    story = _first()
    story.at(at - 2_000).asks(start=start, end=end)
    story.says("amend")
    return story


def _nobody_came() -> Story:
    story = Story().until("arrived")
    story.at(NO_SHOW_FROM).says("no-show")
    return story


def _asked_twice() -> Story:
    """Another request for the very quote of the first."""
    first = _first().quote.body
    return Story(first.issued + 2 * MINUTE, issued=first.issued, expires=first.expires).until("reserved")


def _under_one_number() -> Story:
    """Declined and accepted by two records of one number: which of them counts, their ids decide."""
    story = Story(ASKED)
    for kind in ("decline", "accept"):
        story.says(kind, add=False)
    return story


def _cases() -> dict[str, tuple[Story, Story | Json, str]]:
    last_hour = {"start": END - HOUR, "end": END + HOUR}
    return {
        "overlap": (_first(), _second(), "double-booked"),
        "overlap-by-a-millisecond": (_first(), _second(start=END - 1, end=END + HOUR), "double-booked"),
        "one-within-the-other": (
            _first(),
            _second(start=START + HOUR, end=START + 2 * HOUR),
            "double-booked",
        ),
        "one-quote-requested-twice": (_first(), _asked_twice(), "double-booked"),
        "touching-ends": (_first(), _second(start=END, end=END + HOUR), "apart"),
        "another-charger": (_first(), _second(charger=hashed("charger")[:16]), "other-charger"),
        "another-host": (_first(), _of_carl(), "other-host"),
        "the-same-request-twice": (_first(), Story(), "same-booking"),
        "one-was-never-answered": (_first(), Story(ASKED), "not-accepted"),
        "one-was-accepted-too-late": (
            _first(),
            Story(ASKED).at(ASKED + 8 * MINUTE).until("reserved"),
            "not-accepted",
        ),
        "declined-and-accepted-under-one-number": (_first(), _under_one_number(), "not-accepted"),
        "cancelled-and-acknowledged-before": (_cancelled(ACCEPTED - 1), _second(), "released"),
        "acknowledged-in-the-same-millisecond": (_cancelled(ACCEPTED), _second(), "released"),
        "acknowledged-a-millisecond-after": (_cancelled(ACCEPTED + 1), _second(), "double-booked"),
        "cancelled-and-never-acknowledged": (_cancelled(None), _second(), "double-booked"),
        "cancelled-by-the-host-before": (_cancelled_by_the_host(), _second(), "released"),
        "cancelled-by-the-host-after": (
            _second(),
            _cancelled_by_the_host(ASKED + HOUR),
            "double-booked",
        ),
        "amended-away-before": (_amended(ACCEPTED - 1, END, END + HOUR), _second(), "apart"),
        "amended-away-after": (_amended(ACCEPTED + 1, END, END + HOUR), _second(), "double-booked"),
        "extended-into-the-next": (
            _amended(ASKED + HOUR, START, END + 1),
            _second(start=END, end=END + HOUR),
            "double-booked",
        ),
        "extended-to-where-the-next-begins": (
            _amended(ASKED + HOUR, START, END + HOUR),
            _second(start=END + HOUR, end=END + 2 * HOUR),
            "apart",
        ),
        "nobody-came-and-the-rest-is-given-away": (
            _nobody_came(),
            _second(NO_SHOW_FROM + MINUTE, **last_hour),
            "released",
        ),
        "given-away-before-the-no-show": (
            _nobody_came(),
            _second(NO_SHOW_FROM - MINUTE, **last_hour),
            "double-booked",
        ),
        "the-rest-of-a-session-that-is-over": (
            Story().until("billed"),
            _second(END - 30 * MINUTE, **last_hour),
            "released",
        ),
        "the-rest-of-a-session-that-runs": (
            Story().until("charging"),
            _second(END - 30 * MINUTE, **last_hour),
            "double-booked",
        ),
        "the-slot-was-over-by-time-alone": (
            _first(),
            _second(END + 3 * MINUTE, start=END - MINUTE, end=END + HOUR),
            "released",
        ),
    }


def made() -> VectorFile:
    cases: list[Case] = []
    for name, (first, second, answer) in _cases().items():
        pair = [told(first), second if isinstance(second, dict) else told(second)]
        for turned, (one, other) in (("", pair), ("-turned", pair[::-1])):
            given = {"network": NETWORK, "one": one, "other": other}
            cases.append(good(name + turned, "booking.overlap", given, {"overlap": answer}))
    about = "Pairs of bookings, and whether they prove that one plug was promised to two (05-booking.md)."
    return VectorFile("overlaps", about, tuple(cases))
