"""The worked examples of a booking: quote to receipt, what is sealed, what comes of it in the log."""

from __future__ import annotations

from dataclasses import replace

import nacl.bindings as sodium

from chargemesh_protocol.booking import wire as booking
from chargemesh_protocol.booking.receipt import reckon_session
from chargemesh_protocol.booking.records import (
    Authorisation,
    Countersign,
    Quote,
    ReadingContext,
    Receipt,
    Request,
    Ticket,
)
from chargemesh_protocol.booking.sealing import Message, one_time_keypair, seal_message
from chargemesh_protocol.encoding import Tree, encode
from chargemesh_protocol.place import region_of
from chargemesh_protocol.pricing import worst_case
from chargemesh_protocol.record import Record, parts
from chargemesh_protocol.shape import to_tree
from chargemesh_protocol.tariff import (
    PriceComponent,
    PricePlan,
    TariffDimension,
    TariffPeriod,
)
from chargemesh_protocol.terms import Terms
from chargemesh_protocol.trust.entries import (
    Completion,
    CompletionStatement,
    ReviewContent,
    Stars,
    booking_hash,
    commitment_of,
    content_bytes,
    content_hash,
)
from chargemesh_protocol.trust.month import month_of

from .spec_people import CELL, CONTACT, HOUR, NOW, person, shown


def plan() -> PricePlan:
    """0.30 EUR a kWh, from 09:00 0.40, in 100 Wh; parking 6 EUR an hour; 1 EUR to begin; 20 % tax on top."""
    flat = PriceComponent(TariffDimension.FLAT, 1_000_000)
    parking = PriceComponent(TariffDimension.PARKING_TIME, 6_000_000, 60)
    return PricePlan(
        currency="EUR",
        periods=(
            TariffPeriod(NOW, (PriceComponent(TariffDimension.ENERGY, 300_000, 100), parking, flat)),
            TariffPeriod(NOW + HOUR, (PriceComponent(TariffDimension.ENERGY, 400_000, 100), parking, flat)),
        ),
        max_price=20_000_000,
        tax_bp=2_000,
        tax_included=False,
    )


READINGS = ((0, 0), (45, 5_000), (75, 10_001), (105, 12_345), (120, 12_345))  # minutes, Wh


def receipt() -> str:
    quote, tickets = _quote(), _tickets()
    own = reckon_session(quote, tickets)
    rows = ["| line | quantity | price | amount |", "|---|---|---|---|"]
    rows += [f"| {one.dimension} | {one.quantity} | {one.price} | {one.amount} |" for one in own.lines]
    sums = ("adjustment", "tax", "rounding", "total")
    rows += [f"| `{name}` | | | {getattr(own, name)} |" for name in sums]
    rows += [f"| `cap` of a quote for 3 h at 11 kW | | | {quote.cap} |"]
    return "\n".join(rows)


def _quote() -> Quote:
    end, most = NOW + 3 * HOUR, 33_000
    key, _ = one_time_keypair(b"\x21" * 32)
    return Quote(
        author=person(1)[0].author, issued=NOW, listing=b"\x11" * 32, charger=b"\xcc" * 16, start=NOW,
        end=end, plan=plan(), energy_wh=10_000, estimate=5_000_000, cap=worst_case(plan(), NOW, end, most),
        expires=NOW + 900_000, one_time_key=key, terms=Terms(), instant=True, access_lead_minutes=120,
    )  # fmt: skip


def _tickets() -> list[Ticket]:
    host = person(1)[0].author
    return [
        Ticket(
            author=host, issued=NOW, booking=b"b" * 32, number=1, previous=b"b" * 32, includes=(),
            at=NOW + minutes * 60_000, energy_wh=energy, register_wh=energy, power_w=0, cost=0,
            context=ReadingContext.SAMPLE_PERIODIC,
        )
        for minutes, energy in READINGS
    ]  # fmt: skip


def _request() -> tuple[Record[Quote], Record[Request]]:
    host, driver = person(1)[0], person(2)[0]
    quote = host.sign(_quote())
    key, _ = one_time_keypair(b"\x22" * 32)
    request = Request(
        author=driver.author,
        issued=NOW,
        quote=quote.id,
        one_time_key=key,
        contact=CONTACT,
        expires=NOW + HOUR,
    )
    return quote, driver.sign(request)


def exchange() -> str:
    quote, request = _request()
    driver, _ = person(2)
    answer = booking.Exchange(booking=request.id)
    first = booking.Exchange(
        booking=request.id, records=(request.raw,), opening=quote.raw, bundle=driver.bundle
    )
    return shown(
        (
            ("payload of the quote", parts(quote.raw)[1].hex()),
            ("id of the quote", quote.id.hex()),
            ("payload of the request", parts(request.raw)[1].hex()),
            ("id of the request, which is the booking's", request.id.hex()),
            ("the driver's first exchange", booking.write(first).hex()),
            ("the host's, with nothing to say yet", booking.write(answer).hex()),
        )
    )


def charging() -> str:
    """The begin, the driver's word for it, and the receipt, as they follow request and acceptance."""
    _, request = _request()
    host, driver = person(1)[0], person(2)[0]
    authorisation = driver.sign(
        Authorisation(
            author=driver.author, issued=NOW, booking=request.id, seen=request.id, energy_wh=20_000,
            cost=24_000_000,
        )
    )  # fmt: skip
    first = replace(
        _tickets()[0], booking=request.id, previous=request.id, includes=(authorisation.id,),
        context=ReadingContext.TRANSACTION_BEGIN, register_wh=104_200,
    )  # fmt: skip
    ticket = host.sign(first)
    seen = driver.sign(
        Countersign(author=driver.author, issued=NOW, booking=request.id, seen=ticket.id, ticket=ticket.id)
    )
    own = reckon_session(_quote(), _tickets())
    bill = host.sign(
        Receipt(
            author=host.author, issued=NOW + 2 * HOUR, booking=request.id, number=2, previous=ticket.id,
            includes=(seen.id,), started=own.started, ended=own.ended, energy_wh=own.energy_wh,
            currency="EUR",
            lines=own.lines, total=own.total, payee_name="", payee_account="", tax=own.tax,
        )
    )  # fmt: skip
    return shown(
        (
            ("payload of the authorisation", parts(authorisation.raw)[1].hex()),
            ("payload of the first ticket, which includes it", parts(ticket.raw)[1].hex()),
            ("payload of the countersign", parts(seen.raw)[1].hex()),
            ("payload of the receipt of chapter 10", parts(bill.raw)[1].hex()),
        )
    )


def sealing() -> str:
    _, request = _request()
    host, driver = person(1)[0], person(2)[0]
    ours, secret = one_time_keypair(b"\x21" * 32)
    theirs, _ = one_time_keypair(b"\x22" * 32)
    message = Message(
        booking=request.id, sender=host.author, recipient=driver.author, sent=NOW, text="The gate is open."
    )
    nonce = bytes(range(24))
    sealed = seal_message(message, nonce, theirs, secret)
    return shown(
        (
            ("the host's one-time secret key", secret.hex()),
            ("the host's one-time public key (in the quote)", ours.hex()),
            ("the driver's one-time public key (in the request)", theirs.hex()),
            ("shared key (crypto_box_beforenm)", sodium.crypto_box_beforenm(theirs, secret).hex()),
            ("nonce", nonce.hex()),
            ("plaintext", encode(to_tree(message)).hex()),
            ("sealed", sealed.hex()),
        )
    )


def log() -> str:
    host, driver = person(1)[0], person(2)[0]
    receipt_id, (_, request) = b"\x77" * 32, _request()
    hashed, month, region = booking_hash(request.id, receipt_id), month_of(NOW), region_of(CELL)
    statement = driver.sign(
        CompletionStatement(
            author=driver.author, counterparty=host.author, booking=hashed, month=month, region=region
        )
    )
    entry = host.sign(
        Completion(
            author=host.author, sequence=1, previous=host.author, month=month, region=region,
            statement=statement.raw,
        )
    )  # fmt: skip
    content = content_bytes(ReviewContent(stars=Stars(overall=5), text="as agreed", salt=bytes(16)))
    salted: list[Tree] = ["chargemesh/completion", request.id, receipt_id]
    hidden: list[Tree] = ["chargemesh/review", request.id, content_hash(content)]
    return shown(
        (
            ("booking (id of the request)", request.id.hex()),
            ("id of the receipt", receipt_id.hex()),
            ("CBOR of the array", encode(salted).hex()),
            ("booking as the log names it", hashed.hex()),
            ("month (January 2027)", str(month)),
            ("the driver's completion statement", statement.raw.hex()),
            ("the host's first entry, which embeds it", entry.raw.hex()),
            ("content of a review", content.hex()),
            ("SHA-256 of the content (`content` of the entry)", content_hash(content).hex()),
            ("CBOR of the array", encode(hidden).hex()),
            ("`commitment`", commitment_of(request.id, content).hex()),
        )
    )
