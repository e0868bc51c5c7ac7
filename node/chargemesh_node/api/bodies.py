"""What clients send, typed: bodies and queries of every route. Unknown fields are refused by name.

Times: unix ms. Money: micro-units. Energy: Wh. Power: W. Ids: hexadecimal, or a unique beginning of one.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from chargemesh_protocol.limits import MAX_MAILBOXES, MAX_NOTE_CHARS, MAX_TEXT_CHARS

from .limits import MAX_LISTED_BOOKINGS, MAX_LOG_LINES, MAX_POLL_SECONDS, MAX_WAIT_MS, USUAL_PAST_BOOKINGS

_HOUR_MS = 3_600_000
Id = Annotated[str, Meta(min_length=1, max_length=128, description="hexadecimal, or a unique beginning")]
At = Annotated[int, Meta(ge=0, le=7_258_118_400_000, description="unix ms, UTC")]
RecordId = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="id of a record, hexadecimal")]
Wh = Annotated[int, Meta(ge=0, le=1_000_000)]
Register = Annotated[int, Meta(ge=0, le=10**10, description="a meter's register, Wh")]
Watts = Annotated[int, Meta(ge=0, le=1_000_000)]
Micro = Annotated[int, Meta(ge=0, le=10**13, description="millionths of a unit of the currency")]
Note = Annotated[str, Meta(max_length=MAX_NOTE_CHARS)]
Base64 = Annotated[str, Meta(max_length=12_000, description="RFC 4648, section 4")]
Short = Annotated[str, Meta(max_length=MAX_TEXT_CHARS)]


class NoBody(Struct, forbid_unknown_fields=True):
    """Nothing is needed."""


class Address(Struct, forbid_unknown_fields=True):
    """Where a peer answers."""

    address: Annotated[str, Meta(max_length=256, description="/ip4/…/tcp/…/p2p/PEERID")]


class Link(Struct, forbid_unknown_fields=True):
    """An invitation."""

    link: Annotated[str, Meta(max_length=2000, description="chargemesh:join/…")]


class UseMailbox(Struct, forbid_unknown_fields=True):
    """Where others are to leave what this node can't be told now: the first that takes it. Neither links nor
    auto: nowhere. auto: the node chooses among its peers."""

    links: Annotated[
        list[Annotated[str, Meta(max_length=4000, description="chargemesh:mailbox/…")]],
        Meta(max_length=MAX_MAILBOXES),
    ] = []
    auto: bool = False


class Phone(Struct, forbid_unknown_fields=True):
    """A phone that shall reach the page; its name is its own, so that its token is as well."""

    name: Annotated[str, Meta(max_length=64)] = "phone"


class LogQuery(Struct):
    lines: Annotated[int, Meta(ge=1, le=MAX_LOG_LINES)] = 100


class FindQuery(Struct, forbid_unknown_fields=True):
    """A circle in degrees and metres, and what the charger must have."""

    lat: float
    lon: float
    radius_m: Annotated[int, Meta(ge=1)] = 5000
    connector: Annotated[str | None, Meta(description="OCPI's name, such as IEC_62196_T2")] = None
    min_power_w: Watts | None = None
    max_price_micro: Annotated[int | None, Meta(description="of a kWh, in currency")] = None
    currency: str | None = None
    start: At | None = None
    end: At | None = None
    instant: bool | None = None
    min_trust: Annotated[int, Meta(ge=0, le=1000, description="per mille of this node's own scale")] = 0
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class AskQuote(Struct, forbid_unknown_fields=True):
    """What would this slot cost? energy_wh 0: as much as fits."""

    listing: Id
    start: At
    end: At
    energy_wh: Wh = 0


class Book(Struct, forbid_unknown_fields=True):
    """Takes a quote. wait_ms: how long the host may take to answer."""

    quote: Id
    wait_ms: Annotated[int, Meta(ge=1000, le=MAX_WAIT_MS)] = 6 * _HOUR_MS
    vehicle: Short | None = None
    plug: Annotated[str, Meta(max_length=40, description="OCPI's name of the car's inlet")] | None = None


class WalkIn(Struct, forbid_unknown_fields=True):
    """The link in the code at a charger, and until when; from now on. energy_wh 0: as much as fits."""

    link: Annotated[str, Meta(max_length=2000, description="chargemesh:walk-in/…")]
    end: At
    energy_wh: Wh = 0


class BookingsQuery(Struct, forbid_unknown_fields=True):
    role: Literal["host", "driver"] | None = None
    open: Annotated[
        bool | None, Meta(description="only those that still ask for something, or only the past")
    ] = None
    limit: Annotated[int, Meta(ge=0, le=MAX_LISTED_BOOKINGS, description="of past ones")] = (
        USUAL_PAST_BOOKINGS
    )
    before: Annotated[
        str | None, Meta(description="a booking's id: only past ones that come after it in the list")
    ] = None


class WaitQuery(Struct, forbid_unknown_fields=True):
    """Answers at once without wait_until; else when it is reached, can't be any more, or the time is over."""

    wait_until: Annotated[
        str | None,
        Meta(
            description="decided, answered, access, charging, ended, receipt, agreed, paid, finished, "
            "or the name of a reservation, session or settlement state"
        ),
    ] = None
    timeout_s: Annotated[float, Meta(ge=0, le=MAX_POLL_SECONDS)] = 30.0


class Cancel(Struct, forbid_unknown_fields=True):
    """reason: by default the side's own (DRIVER_CANCELED or HOST_CANCELED). SAFETY is always free."""

    reason: (
        Literal["DRIVER_CANCELED", "HOST_CANCELED", "POWER_OUTAGE", "BROKEN_CHARGER", "TRAFFIC", "SAFETY"]
        | None
    ) = None
    at_most_micro: Micro | None = None  # what the driver was told; nothing is signed if it costs more by now


class Answer(Struct, forbid_unknown_fields=True):
    """offer: the host's that the driver was shown; nothing is signed if it has made another since. series: a
    host answers for the whole weekly series: takes the next of it as well, until then, or no more of it."""

    offer: RecordId | None = None
    series: bool = False
    until: At | None = None


class AskTerms(Struct, forbid_unknown_fields=True):
    """Other terms for a booking; what is left out stays. A start without an end keeps the duration. Energy
    that is left out grows with the time."""

    start: At | None = None
    end: At | None = None
    energy_wh: Wh | None = None


class Change(Struct, forbid_unknown_fields=True):
    """quote: one that `terms` has given."""

    quote: RecordId


class OfferTerms(AskTerms, forbid_unknown_fields=True):
    text: Note = ""


class MessageText(Struct, forbid_unknown_fields=True):
    text: Note


class Problem(Struct, forbid_unknown_fields=True):
    problem: Literal["BLOCKED", "NO_POWER", "WONT_START", "OTHER"]
    text: Note = ""


class Start(Struct, forbid_unknown_fields=True):
    """How far the driver agrees to pay without signing again; by default what the quote says."""

    energy_wh: Wh | None = None
    cost_micro: Micro | None = None


class ConfirmReading(Struct, forbid_unknown_fields=True):
    """The driver reads the meter as the host did. ticket: the one that the driver was shown. register_wh: as
    the driver read it, if typed; nothing is signed where it differs by 0.1 kWh or more."""

    ticket: RecordId
    register_wh: Register | None = None


class Agree(Struct, forbid_unknown_fields=True):
    """receipt: the one that the driver was shown."""

    receipt: RecordId


class Claim(Struct, forbid_unknown_fields=True):
    """The driver says it has paid. rail: how, by default the one that was proposed."""

    rail: Annotated[str, Meta(max_length=24)] = ""
    reference: Short = ""


class Review(Struct, forbid_unknown_fields=True):
    stars: Annotated[int, Meta(ge=1, le=5)]
    text: Note = ""


class Vouch(Struct, forbid_unknown_fields=True):
    """region: where it is said, an H3 cell of resolution 4 in hexadecimal; left out, that of a booking with
    them, else of a charger of ours. stands: false takes it back."""

    region: Annotated[str, Meta(max_length=16)] | None = None
    stands: bool = True


class SayEntry(Struct, forbid_unknown_fields=True):
    """An entry for the public log, of a kind that an installed extension knows. fields: by name; bytes in
    hexadecimal. region: as in Vouch; left out, that of a charger of ours."""

    kind: Annotated[str, Meta(max_length=40)]
    fields: dict[str, Any] = {}
    region: Annotated[str, Meta(max_length=16)] | None = None


class OfferedEntry(Struct, forbid_unknown_fields=True):
    """raw: COSE_Sign1. content: what hangs beside a review. Both in base64."""

    raw: Base64
    content: Base64 | None = None


class OfferedEntries(Struct, forbid_unknown_fields=True):
    """Entries of trust logs, and the bundles of the people who signed in them (base64)."""

    entries: Annotated[list[OfferedEntry], Meta(max_length=256)]
    bundles: Annotated[list[Base64], Meta(max_length=256)] = []


class PaymentQuery(Struct, forbid_unknown_fields=True):
    rail: str = ""


class EventsQuery(Struct, forbid_unknown_fields=True):
    booking: Annotated[str, Meta(description="only what concerns this booking")] = ""


class MeterReading(Struct, forbid_unknown_fields=True):
    """What a person read on the meter of a charger with the manual driver. at: now by default. sure: they
    have looked again, although the charger can't have given so much since the last reading."""

    register_wh: Register
    at: At | None = None
    sure: bool = False
