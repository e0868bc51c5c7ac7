"""What a record says, in a sentence for a person: who, what, when. Ids are shortened, times are UTC.

Uses the protocol package alone. A kind of an extension is explained by its class: `explain()` where it has
one, else the first line of its docstring and its fields.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from chargemesh_protocol.booking import records as b
from chargemesh_protocol.booking.sealing import AccessRecord
from chargemesh_protocol.encoding import decode_map
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.identity import Delegation, Genesis
from chargemesh_protocol.listing import Listing, Renewal, Withdrawal
from chargemesh_protocol.listing_text import describe_place, describe_plug
from chargemesh_protocol.mailbox.wire import Deposited
from chargemesh_protocol.money import format_amount
from chargemesh_protocol.record import Record, open_record, parts
from chargemesh_protocol.shape import from_tree, keys_of
from chargemesh_protocol.trust import entries as t
from chargemesh_protocol.trust.month import text_of
from chargemesh_protocol.units import format_energy, format_instant
from chargemesh_protocol.zones import LAST_INSTANT

SHORT = 8


def sentence(record: Record[Any]) -> str:
    """What this record says. Whether it is valid is not asked here."""
    body = record.body
    tell = _SENTENCES.get(type(body))
    if tell is not None:
        return tell(record, body)
    who = f"{id_text(body.author)} says" if hasattr(body, "author") else "It says"
    where = f"{_place_in_log(body)}, " if isinstance(body, t.LogEntry) else ""
    return f"{where}{who}: {_by_extension(record)}"


def explained(log: Mapping[str, Any]) -> list[str]:
    """A sentence for each record of an answer of `GET /v1/trust/{id}/log`."""
    from chargemesh_node import offline

    offline.load_record_kinds()
    raws = [base64.b64decode(one["raw"]) for one in log["records"]]
    return [sentence(open_record(raw, log["network"], unknown=t.OtherEntry)) for raw in raws]


def instant_text(at: int) -> str:
    """In UTC. Some kinds bound no instant, and no calendar holds 63 bits of milliseconds: those are late."""
    return f"{format_instant(at, 'UTC')} UTC" if at <= LAST_INSTANT else "after 2199"


def id_text(id_: bytes) -> str:
    return f"{id_.hex()[:SHORT]}…"


# --- identities and listings ------------------------------------------------------------------------


def _genesis(record: Record[Any], body: Genesis) -> str:
    keys = len(body.recovery)
    recovery = "1 recovery key" if keys == 1 else f"{keys} recovery keys"
    return (
        f"The identity {id_text(record.id)} begins here, {instant_text(body.issued)}: "
        f"a root key, and {recovery}."
    )


def _delegation(_: Record[Any], body: Delegation) -> str:
    may = ", ".join(one.value for one in body.scopes)
    return (
        f"{id_text(body.author)} lets the key {id_text(body.device)} sign for it ({may}), "
        f"from {instant_text(body.issued)} to {instant_text(body.expires)}."
    )


def _listing(_: Record[Any], body: Listing) -> str:
    plugs = ", ".join(describe_plug(one.type, one.format.value, one.max_power_w) for one in body.connectors)
    title = f" “{body.about.title}”" if body.about.title else ""
    return (
        f"{id_text(body.author)} offers the charger {id_text(body.charger)}{title} ({plugs}) in "
        f"{describe_place(body.cell)}, from {instant_text(body.issued)} to {instant_text(body.expires)}; "
        f"number {body.sequence} of its listings."
    )


def _renewal(_: Record[Any], body: Renewal) -> str:
    return f"The listing {id_text(body.listing)} still stands, {instant_text(body.issued)}."


def _deposit(record: Record[Any], body: Deposited) -> str:
    parcel, until = id_text(body.parcel), instant_text(body.expires)
    when = instant_text(body.issued)
    return (
        f"The mailbox of {id_text(record.kid)} took the parcel {parcel} {when}, and holds it until {until}."
    )


def _withdrawal(_: Record[Any], body: Withdrawal) -> str:
    charger = id_text(body.charger)
    return f"{id_text(body.author)} offers the charger {charger} no longer, {instant_text(body.issued)}."


# --- a booking ----------------------------------------------------------------------------------


def _quote(_: Record[Any], body: b.Quote) -> str:
    currency = body.plan.currency
    return (
        f"The host {id_text(body.author)} offers {instant_text(body.start)} to {instant_text(body.end)} at "
        f"the charger {id_text(body.charger)}: about {format_amount(body.estimate, currency)} for "
        f"{format_energy(body.energy_wh)}, at most {format_amount(body.cap, currency)}; "
        f"good until {instant_text(body.expires)}."
    )


def _request(record: Record[Any], body: b.Request) -> str:
    return (
        f"{instant_text(body.issued)}, the driver {id_text(body.author)} asks for what the quote "
        f"{id_text(body.quote)} offers; this is booking {id_text(record.id)}, and without an answer by "
        f"{instant_text(body.expires)} it is none."
    )


def _ticket(body: b.Ticket) -> str:
    by = ", read by hand" if body.by_hand else ""
    return (
        f"signs that the meter showed {format_energy(body.register_wh)} at {instant_text(body.at)}{by}: "
        f"{format_energy(body.energy_wh)} charged so far"
    )


def _receipt(body: b.Receipt) -> str:
    to = f" to {body.payee_name}" if body.payee_name else ""
    account = f" ({body.payee_account})" if body.payee_account else ""
    return (
        f"bills {format_amount(body.total, body.currency)} for {format_energy(body.energy_wh)}, "
        f"{instant_text(body.started)} to {instant_text(body.ended)}, to be paid{to}{account}"
    )


def _terms(raw: bytes) -> str:
    """The quote inside a record, which may be shown although it is damaged."""
    try:
        quote = from_tree(b.Quote, decode_map(parts(raw)[1]))
    except Refused as error:
        return f"a quote that can't be read ({error.message})"
    most = format_amount(quote.cap, quote.plan.currency)
    return f"{instant_text(quote.start)} to {instant_text(quote.end)}, at most {most}"


_IN_A_BOOKING: dict[type[Any], Callable[[Any], str]] = {
    b.Cancel: lambda body: f"cancels ({body.reason.value})",
    b.Authorisation: lambda body: (
        f"is here and agrees to pay for up to {format_energy(body.energy_wh)} without signing again"
    ),
    b.Stop: lambda _: "ends charging",
    b.Countersign: lambda body: f"agrees with the ticket {id_text(body.ticket)} and all before it",
    b.Agreement: lambda body: f"agrees with the receipt {id_text(body.receipt)}",
    b.Claim: lambda body: f"says that the receipt {id_text(body.receipt)} is paid ({body.rail})",
    b.Problem: lambda body: (
        f"reports a problem: {body.problem.value}{f' ({body.text})' if body.text else ''}"
    ),
    b.Change: lambda body: (
        f"{'takes the host up on' if body.offer else 'asks for'} other terms: {_terms(body.quote)}"
    ),
    b.Offer: lambda body: f"offers {_terms(body.quote)}{f' ({body.text})' if body.text else ''}",
    b.Amend: lambda body: (
        f"agrees to the change {id_text(body.change)}; the address follows by {instant_text(body.access_due)}"
    ),
    b.Refuse: lambda body: f"refuses the change {id_text(body.change)} ({body.reason.value})",
    b.EquipmentFault: lambda body: (
        f"says that its wallbox fails the driver: {body.problem.value}"
        f"{f' ({body.text})' if body.text else ''}"
    ),
    b.Accept: lambda body: (
        f"accepts{f' the change {id_text(body.change)}' if body.change else ''}; the address follows by "
        f"{instant_text(body.access_due)}"
    ),
    b.Decline: lambda body: f"declines ({body.reason.value})",
    b.Access: lambda _: "sends address and way, sealed for the driver alone",
    b.Acknowledge: lambda body: f"acknowledges {_count(len(body.includes), 'record')} of the driver's",
    b.Ticket: _ticket,
    b.Receipt: _receipt,
    b.Paid: lambda body: f"confirms that the receipt {id_text(body.receipt)} is paid ({body.rail})",
    b.HostCancel: lambda body: f"cancels ({body.reason.value})",
    b.NoShow: lambda _: "says that the driver did not come",
}


def _in_a_booking(_: Record[Any], body: Any) -> str:
    by_host = isinstance(body, b.HostRecord)
    number = f", number {body.number} of the host's records" if by_host else ""
    who = f"the {'host' if by_host else 'driver'} {id_text(body.author)}"
    said = _IN_A_BOOKING[type(body)](body)
    return f"{instant_text(body.issued)}, in booking {id_text(body.booking)}, {who} {said}{number}."


def _access(_: Record[Any], body: AccessRecord) -> str:
    return (
        f"{instant_text(body.issued)}, in booking {id_text(body.booking)}, the host {id_text(body.author)} "
        f"tells {id_text(body.recipient)} where the plug is: {body.address}."
    )


# --- trust ----------------------------------------------------------------------------------------


def _statement(_: Record[Any], body: t.CompletionStatement) -> str:
    return (
        f"{id_text(body.author)} states that a booking with {id_text(body.counterparty)} was completed in "
        f"{text_of(body.month)}."
    )


def _commitment(_: Record[Any], body: t.ReviewCommitment) -> str:
    return (
        f"{instant_text(body.issued)}, {id_text(body.author)} has written a review of booking "
        f"{id_text(body.booking)} and can't change it any more; it is not opened here."
    )


def _completion(_: Record[Any], body: t.Completion) -> str:
    return (
        f"{_place_in_log(body)}, {id_text(body.author)} shows the other side's word for a completed booking."
    )


def _review(_: Record[Any], body: t.Review) -> str:
    return (
        f"{_place_in_log(body)}, {id_text(body.author)} reviews {id_text(body.subject)} after a completed "
        "booking; stars and text hang beside the entry."
    )


def _vouch(_: Record[Any], body: t.Vouch) -> str:
    says = "stands up for" if body.stands else "no longer stands up for"
    return f"{_place_in_log(body)}, {id_text(body.author)} {says} {id_text(body.subject)}."


def _other(record: Record[Any], body: t.OtherEntry) -> str:
    return (
        f"{_place_in_log(body)}, {id_text(body.author)} says something of the kind {record.kind}, which "
        "nothing installed here can read. It has its place in the log all the same."
    )


def _place_in_log(body: t.LogEntry) -> str:
    return f"{text_of(body.month)}, entry {body.sequence} of a log"


def _by_extension(record: Record[Any]) -> str:
    """In the words of the kind's own class; one that fails over them is told by its fields."""
    body = record.body
    explain = getattr(body, "explain", None)
    if callable(explain):
        try:
            return f"{explain()}"
        except Exception as error:  # noqa: BLE001 - somebody else's code, and the record stays what it is
            return f"(its extension failed to explain it: {type(error).__name__}: {error}) {_fields(body)}."
    about = (type(body).__doc__ or record.kind).strip().partition("\n")[0]
    return f"{about} ({_fields(body)})"


def _fields(body: Any) -> str:
    common = {name for _, name, _, _ in keys_of(t.OtherEntry)} if isinstance(body, t.LogEntry) else {"author"}
    told = [(name, getattr(body, name)) for _, name, _, _ in keys_of(type(body)) if name not in common]
    return ", ".join(
        f"{name} {value.hex() if isinstance(value, bytes) else value}"
        for name, value in told
        if value is not None
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


_SENTENCES: dict[type[Any], Callable[[Record[Any], Any], str]] = {
    Genesis: _genesis,
    Delegation: _delegation,
    Listing: _listing,
    Renewal: _renewal,
    Withdrawal: _withdrawal,
    Deposited: _deposit,
    b.Quote: _quote,
    b.Request: _request,
    **dict.fromkeys((*b.DRIVER_KINDS, *b.HOST_KINDS), _in_a_booking),
    AccessRecord: _access,
    t.CompletionStatement: _statement,
    t.ReviewCommitment: _commitment,
    t.Completion: _completion,
    t.Review: _review,
    t.Vouch: _vouch,
    t.OtherEntry: _other,
}
