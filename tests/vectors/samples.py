"""One record of every kind, and more where a kind has optional fields or edges of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chargemesh_protocol.booking import records as b
from chargemesh_protocol.booking.photos import photo_id
from chargemesh_protocol.booking.sealing import AccessRecord
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.identity import Delegation, Genesis, Scope, public_key
from chargemesh_protocol.limits import LISTING_SLOTS, MAX_DELEGATION_MS
from chargemesh_protocol.listing import (
    About,
    BookingRules,
    Connector,
    ConnectorFormat,
    Listing,
    ParkingType,
    PowerType,
    Renewal,
    Withdrawal,
)
from chargemesh_protocol.mailbox.wire import Deposited
from chargemesh_protocol.place import Point, public_cell, region_of
from chargemesh_protocol.policy import AnswerWithin, Otherwise
from chargemesh_protocol.schedule import SlotMap
from chargemesh_protocol.tariff import (
    PriceComponent,
    PricePlan,
    Restrictions,
    Tariff,
    TariffDimension,
    TariffElement,
    TariffPeriod,
)
from chargemesh_protocol.terms import CancellationTier, Terms
from chargemesh_protocol.trust import entries as t

from ..protocol.pictures import picture
from .cast import ALICE, BOB, DAY, HOUR, MINUTE, MONTH, NOW, hashed, seed

CHARGER = bytes(range(16))
CELL = public_cell(Point(48.137154, 11.576124), 7)
REGION = region_of(CELL)
CONTACT = Contact(
    "12D3KooWMadeUpForTheVectors", ("/ip4/192.0.2.7/tcp/4001", "/dns4/host.example/tcp/443/wss")
)
_ENERGY = PriceComponent(TariffDimension.ENERGY, 420_000, 1)
TERMS = Terms(
    tiers=(CancellationTier(1440, 25, 0), CancellationTier(120, 50, 2_000_000)),
    no_show_percent=80,
    no_show_after=30,
    host_failure_percent=10,
    overstay_per_hour=6_000_000,
    overstay_grace=15,
)


def listing(**changes: Any) -> Listing:
    """Alice's plain listing, with some fields changed."""
    fields: dict[str, Any] = {
        "author": ALICE.author,
        "issued": NOW,
        "charger": CHARGER,
        "sequence": 1,
        "expires": NOW + DAY,
        "cell": CELL,
        "connectors": (
            Connector(
                type="IEC_62196_T2",
                format=ConnectorFormat.SOCKET,
                power_type=PowerType.AC_3_PHASE,
                max_power_w=11_000,
            ),
        ),
        "tariff": Tariff(currency="EUR", elements=(TariffElement((_ENERGY,)),)),
        "slots": SlotMap(NOW, b"\xff" * (LISTING_SLOTS // 8)),
        "rules": BookingRules(instant=True, min_minutes=30, max_minutes=720, lead_minutes=0, min_trust=0),
        "terms": Terms(),
        "contact": CONTACT,
        "about": About(
            title="Driveway",
            parking=ParkingType.ON_DRIVEWAY,
            access_method="OPEN",
            amenities=(),
            languages=("de",),
        ),
        "zone": "Europe/Berlin",
    }
    return Listing(**(fields | changes))


def _full_listing() -> Listing:
    night = Restrictions(start_time=22 * 60, end_time=6 * 60, weekdays=(1, 2, 3, 4, 5))
    fast = Restrictions(min_power_w=7_400, max_power_w=22_001)
    components = (
        PriceComponent(TariffDimension.ENERGY, 350_000, 100),
        PriceComponent(TariffDimension.PARKING_TIME, 3_000_000, 900),
    )
    flat = (_ENERGY, PriceComponent(TariffDimension.FLAT, 1_000_000, 1))
    elements = (TariffElement(components, night), TariffElement(flat, fast), TariffElement((_ENERGY,)))
    cable = Connector(
        type="SOME_LATER_PLUG", format=ConnectorFormat.CABLE, power_type=PowerType.DC, max_power_w=1_000_000
    )
    return listing(
        sequence=2**63 - 1,
        connectors=(*listing().connectors, cable),
        tariff=Tariff(
            currency="CHF",
            elements=elements,
            min_price=1_000_000,
            max_price=10**13,
            tax_bp=810,
            tax_included=False,
        ),
        slots=SlotMap(NOW, bytes.fromhex("80") + bytes(166) + b"\x01"),
        terms=TERMS,
        about=About(
            title="Hof links, grünes Tor \U0001f50c",
            parking=ParkingType.UNDERGROUND_GARAGE,
            access_method="SOME_LATER_METHOD",
            amenities=("WIFI", "TOILETS"),
            languages=("de", "pt-BR"),
        ),
    )


def _identity() -> dict[str, Any]:
    root, recovery = public_key(ALICE.root), public_key(ALICE.recovery)
    first: dict[str, Any] = {"author": ALICE.author, "issued": NOW - DAY, "device": public_key(ALICE.device)}
    return {
        "genesis": ALICE.genesis.body,
        "genesis-without-recovery": Genesis(issued=0, root=root, recovery=()),
        "genesis-with-four-recovery-keys": Genesis(
            issued=NOW,
            root=root,
            recovery=(recovery, *(public_key(seed(f"recovery {n}")) for n in (2, 3, 4))),
        ),
        "delegation": ALICE.delegation().body,
        "delegation-of-one-scope-and-the-longest-life": Delegation(
            **first,
            scopes=(Scope.LOG,),
            expires=NOW - DAY + MAX_DELEGATION_MS,
            sequence=2,
            previous=ALICE.delegation().id,
        ),
    }


def _booking() -> dict[str, Any]:
    plan = PricePlan(currency="EUR", periods=(TariffPeriod(NOW + HOUR, (_ENERGY,)),))
    turning = PricePlan(
        currency="SEK",
        periods=(TariffPeriod(NOW, ()), TariffPeriod(NOW + DAY, (_ENERGY,))),
        min_price=10**6,
        max_price=10**9,
        tax_bp=2_500,
        tax_included=False,
    )
    quote: dict[str, Any] = {
        "author": ALICE.author,
        "issued": NOW,
        "listing": hashed("listing"),
        "charger": CHARGER,
        "start": NOW + HOUR,
        "end": NOW + 4 * HOUR,
        "plan": plan,
        "energy_wh": 20_000,
        "estimate": 8_400_000,
        "cap": 13_860_000,
        "expires": NOW + 15 * MINUTE,
        "one_time_key": hashed("host's one-time key"),
        "terms": TERMS,
        "instant": True,
        "access_lead_minutes": 120,
    }
    request: dict[str, Any] = {
        "author": BOB.author,
        "issued": NOW + MINUTE,
        "quote": hashed("quote"),
        "one_time_key": hashed("driver's one-time key"),
        "contact": CONTACT,
        "expires": NOW + 16 * MINUTE,
    }
    booking, seen = hashed("booking"), hashed("host's record")
    said: dict[str, Any] = {"author": BOB.author, "issued": NOW + 2 * HOUR, "booking": booking, "seen": seen}
    longer = ALICE.sign(b.Quote(**(quote | {"end": NOW + 5 * HOUR, "cap": 18_480_000}))).raw
    return {
        "quote": b.Quote(**quote),
        "quote-with-two-periods": b.Quote(**(quote | {"plan": turning, "instant": False})),
        "request": b.Request(**request),
        "request-with-vehicle-and-proof": b.Request(
            **request, vehicle="Renault Zoé", walk_in=hashed("proof of the QR secret"), plug="CHADEMO"
        ),
        "cancel": b.Cancel(**said, reason=b.CancelReason.SAFETY),
        "authorisation": b.Authorisation(**said, energy_wh=20_000, cost=13_860_000),
        "stop": b.Stop(**said),
        "countersign": b.Countersign(**said, ticket=hashed("ticket")),
        "agreement": b.Agreement(**said, receipt=hashed("receipt")),
        "claim": b.Claim(**said, receipt=hashed("receipt"), rail="sepa", reference="RF18 5390 0754 7034"),
        "problem": b.Problem(**said, problem=b.ProblemKind.BLOCKED, text="A van stands in front of it."),
        "change": b.Change(**said, quote=longer),
        "change-that-takes-an-offer": b.Change(**said, quote=longer, offer=hashed("offer")),
        "access-record": AccessRecord(
            author=ALICE.author,
            issued=NOW,
            booking=booking,
            recipient=BOB.author,
            address="Beispielstraße 1, 80331 München",
            latitude=48_137_154,
            longitude=-11_576_124,
            way="Second gate.\nMind the step.",
            code="4711",
            phone="",
        ),
    }


def _carried_quote() -> bytes:
    """As in an offer: a whole record."""
    quote = _booking()["quote"]
    return ALICE.sign(replace(quote, start=NOW + 2 * HOUR, end=NOW + 5 * HOUR)).raw


def _host() -> dict[str, Any]:
    chain: dict[str, Any] = {
        "author": ALICE.author,
        "issued": NOW + 2 * HOUR,
        "booking": hashed("booking"),
        "number": 3,
        "previous": hashed("host's record before"),
        "includes": (hashed("driver's record"),),
    }
    receipt: dict[str, Any] = {
        "started": NOW + HOUR,
        "ended": NOW + 4 * HOUR,
        "energy_wh": 20_000,
        "currency": "EUR",
        "lines": (b.ReceiptLine(dimension="ENERGY", quantity=20_000, price=420_000, amount=8_400_000),),
        "total": 8_400_000,
        "payee_name": "Alice",
        "payee_account": "DE89370400440532013000",
    }
    first = chain | {"number": 1, "previous": chain["booking"], "includes": ()}
    reading: dict[str, Any] = {
        "at": NOW + 2 * HOUR,
        "energy_wh": 0,
        "register_wh": 2**53,
        "power_w": 0,
        "cost": 0,
    }
    return {
        "accept": b.Accept(**first, access_due=NOW - HOUR),
        "accept-of-a-change": b.Accept(**chain, access_due=NOW + 2 * HOUR, change=hashed("change")),
        "offer": b.Offer(
            **chain, quote=_carried_quote(), text="An hour later, please: my own car comes home."
        ),
        "amend": b.Amend(**chain, change=hashed("change"), access_due=NOW + 3 * HOUR),
        "refuse": b.Refuse(**chain, change=hashed("change"), reason=b.DeclineReason.NOT_OFFERABLE),
        "fault": b.EquipmentFault(**chain, problem=b.ProblemKind.WONT_START, text=""),
        "decline": b.Decline(**first, reason=b.DeclineReason.NOT_OFFERABLE),
        "access": b.Access(**chain, sealed=bytes(range(200))),
        "acknowledge": b.Acknowledge(**chain),
        "acknowledge-of-32-records": b.Acknowledge(
            **(chain | {"number": 1_000_000, "includes": tuple(hashed(f"record {n}") for n in range(32))})
        ),
        "ticket": b.Ticket(**chain, **reading, context=b.ReadingContext.TRANSACTION_BEGIN),
        "ticket-read-by-hand": b.Ticket(
            **chain, **reading, context=b.ReadingContext.TRANSACTION_END, by_hand=True
        ),
        "receipt": b.Receipt(**chain, **receipt),
        "receipt-with-every-field": b.Receipt(
            **chain,
            **receipt,
            beyond_authorisation_wh=12,
            adjustment=-400_000,
            tax=1_341_176,
            rounding=-4_000,
        ),
        "paid": b.Paid(**chain, receipt=hashed("receipt"), rail="manual"),
        "host-cancel": b.HostCancel(**chain, reason=b.CancelReason.POWER_OUTAGE),
        "no-show": b.NoShow(**chain),
    }


def _trust() -> dict[str, Any]:
    statement = t.CompletionStatement(
        author=BOB.author,
        counterparty=ALICE.author,
        booking=t.booking_hash(hashed("booking"), hashed("receipt")),
        month=MONTH,
        region=REGION,
    )
    first: dict[str, Any] = {"author": ALICE.author, "sequence": 1, "previous": ALICE.author}
    where: dict[str, Any] = {"month": MONTH, "region": REGION}
    later: dict[str, Any] = {
        "author": ALICE.author,
        "sequence": 6,
        "previous": hashed("entry 5"),
        "skip": hashed("entry 4"),
    }
    content = t.content_hash(b"no content")
    return {
        "completion-statement": statement,
        "review-commitment": t.ReviewCommitment(
            author=BOB.author,
            issued=NOW,
            booking=hashed("booking"),
            commitment=t.commitment_of(hashed("booking"), b"no content"),
        ),
        "completion": t.Completion(**first, **where, statement=BOB.sign(statement).raw),
        "review": t.Review(**later, **where, subject=BOB.author, booking=statement.booking, content=content),
        "vouch": t.Vouch(**first, **where, subject=BOB.author, stands=True),
        "vouch-taken-back": t.Vouch(**later, **where, subject=BOB.author, stands=False),
    }


def samples() -> dict[str, Any]:
    """Payloads by the names of their cases."""
    return {
        **_identity(),
        "listing": listing(),
        "listing-in-full-dress": _full_listing(),
        "listing-for-members": listing(members_only=True),
        "quote-with-a-deadline-for-the-answer": replace(
            _booking()["quote"], answer=AnswerWithin(minutes=120, otherwise=Otherwise.DECLINE)
        ),
        "renewal": Renewal(issued=NOW, listing=hashed("listing")),
        "withdrawal": Withdrawal(author=ALICE.author, issued=NOW, charger=CHARGER, sequence=2, cell=CELL),
        **_booking(),
        "access-record-with-photos": replace(
            _booking()["access-record"],
            phone="+49 89 123456",
            photos=tuple(photo_id(picture(number)) for number in range(4)),
        ),
        **_host(),
        **_trust(),
        "deposit": Deposited(issued=NOW, parcel=hashed("parcel"), expires=NOW + DAY),
    }


def signer_of(body: Any) -> bytes:
    """The seed that signs a sample: the root what makes an identity, its author's device all else."""
    if type(body) in (Genesis, Delegation):
        return ALICE.root
    return BOB.device if getattr(body, "author", None) == BOB.author else ALICE.device
