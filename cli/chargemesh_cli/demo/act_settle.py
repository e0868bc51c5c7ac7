"""Fourth act: an altered receipt is refused, the bill is paid by bank transfer, and both sides review."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from typing import Any

from chargemesh_protocol.booking.receipt import differences, reckon_session
from chargemesh_protocol.booking.records import Change, Quote, Receipt, Ticket
from chargemesh_protocol.encoding import encode
from chargemesh_protocol.errors import PersonError, Refused
from chargemesh_protocol.money import format_amount
from chargemesh_protocol.record import Record, open_as, parts
from chargemesh_protocol.shape import to_tree

from .neighbour import wait_for
from .play import Play

_SECONDS = 20.0
STARS = 5


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the driver's node holds of the booking: the records that the receipt follows from.

    `quote` is the one in force at the end: the extension's.
    """

    quote: Record[Quote]
    tickets: tuple[Record[Ticket], ...]
    receipt: Record[Receipt]


def read_evidence(play: Play, booking: str) -> Evidence:
    """Fetched by the API and verified here, offline."""
    kinds: dict[str, list[bytes]] = {}
    held = play.dario.api.get(f"bookings/{booking}/records")
    play.keep_record("booking.json", json.dumps(held, indent=1).encode())
    for one in held["records"]:
        kinds.setdefault(one["kind"], []).append(base64.b64decode(one["raw"]))
    tickets = [open_as(Ticket, raw, play.network) for raw in kinds["ticket"]]
    extension = open_as(Change, kinds["change"][-1], play.network)
    return Evidence(
        open_as(Quote, extension.body.quote, play.network),
        tuple(sorted(tickets, key=lambda one: one.body.number)),
        open_as(Receipt, kinds["receipt"][0], play.network),
    )


def refuse_altered_receipt(play: Play, evidence: Evidence) -> bytes:
    """One digit of the total is changed: once as a forger could, once as Hanna could. The forged record."""
    body, currency = evidence.receipt.body, evidence.receipt.body.currency
    changed = replace(body, total=_one_digit_more(body.total))
    forged = with_payload(evidence.receipt.raw, encode(to_tree(changed)))
    play.keep_record("receipt.cose", evidence.receipt.raw)
    play.keep_record("altered-receipt.cose", forged)
    try:
        open_as(Receipt, forged, play.network)
    except Refused as fault:
        refused = fault
    else:
        raise PersonError("demo-forged", "A forged receipt was taken.", "Please report this.")
    own = reckon_session(evidence.quote.body, [one.body for one in evidence.tickets])
    wrong = differences(changed, own, currency)
    if not wrong or differences(body, own, currency):
        raise PersonError("demo-receipt", "A wrong receipt was not noticed.", "Please report this.")
    was, now = format_amount(body.total, currency), format_amount(changed.total, currency)
    play.stage.step(
        "altered-receipt",
        f"One digit of the receipt is changed, {was} to {now}: refused, since {refused.message}. Had Hanna "
        f"signed it like that, Dario's node would not agree: {wrong[0]} from {len(evidence.tickets)} tickets "
        "(in millionths).",
        refused=refused.code,
        differences=list(wrong),
    )
    return forged


def pay(play: Play, booking: str) -> None:
    """By the bank (the demo stands in for it), confirmed by the host."""
    payment = play.dario.api.get(f"bookings/{booking}/payment")
    account = payment["payee_account"]
    play.stage.step(
        "payment",
        f"Dario's node shows a SEPA QR code: {payment['amount']['text']} to {payment['payee_name']}, "
        f"{account}, “{payment['reference']}”. No money of anybody passes through chargemesh.",
        rail=payment["rail"],
        amount=payment["amount"],
        qr=payment["qr"],
    )
    play.dario.api.post(f"bookings/{booking}/claim", {"rail": payment["rail"]})
    wait_for(
        "Dario's payment at Hanna's node",
        _SECONDS,
        lambda: play.hanna.booking(booking)["settlement"] == "CLAIMED",
    )
    play.hanna.api.post(f"bookings/{booking}/confirm", {})
    _wait_paid(play, booking)
    play.stage.scene.card.state = "paid (PAID)"
    play.stage.step(
        "paid", "Hanna sees the money on her account and confirms: her signature is the proof of payment."
    )


def review(play: Play, booking: str) -> None:
    """Both write; each side's words open only when both have committed to theirs."""
    play.dario.api.post(f"bookings/{booking}/review", {"stars": STARS, "text": "Easy to find, as agreed."})
    play.hanna.api.post(f"bookings/{booking}/review", {"stars": STARS, "text": "Came and left on time."})
    play.stage.step(
        "reviewed",
        f"Both review each other ({STARS} stars). Neither could see the other's words before both had "
        "committed to their own.",
        stars=STARS,
    )


def with_payload(raw: bytes, payload: bytes) -> bytes:
    """The COSE_Sign1 `raw` with another payload under the same signature."""
    protected, _, signature = parts(raw)
    return b"\xd2\x84" + encode(protected) + b"\xa0" + encode(payload) + encode(signature)


def _one_digit_more(total: int) -> int:
    """The first digit behind the comma, changed."""
    step = 100_000
    digit = total // step % 10
    return total + step * ((digit + 1) % 10 - digit)


def _wait_paid(play: Play, booking: str) -> None:
    view: dict[str, Any] = play.dario.api.get(f"bookings/{booking}", wait_until="paid", timeout_s=_SECONDS)
    if not view["waited"]["reached"]:
        raise PersonError("demo-payment", f"The payment is not confirmed: {view['next']}", "")
