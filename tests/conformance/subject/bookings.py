"""Operations on the set of records of a booking (05-booking.md)."""

from __future__ import annotations

from typing import Any

from chargemesh_protocol.booking.cost import signed_for
from chargemesh_protocol.booking.overlap import overlap
from chargemesh_protocol.booking.records import Quote, Request
from chargemesh_protocol.booking.set import BookingSet
from chargemesh_protocol.booking.state import BookingState
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.identity import Directory, Scope
from chargemesh_protocol.record import Record, open_as, open_record

from ..values import number


def booking_of(given: dict[str, Any]) -> BookingSet:
    """The set of quote and request alone."""
    network = given["network"]
    quote = open_as(Quote, bytes.fromhex(given["quote"]), network)
    return BookingSet(quote, open_as(Request, bytes.fromhex(given["request"]), network))


def opened(given: dict[str, Any]) -> dict[str, Any]:
    return {"booking": booking_of(given).id.hex()}


def taken(given: dict[str, Any]) -> dict[str, Any]:
    directory = Directory(given["network"])
    for data in given["bundles"]:
        directory.learn(bytes.fromhex(data))
    booking = booking_of(given)
    record = open_record(bytes.fromhex(given["came"]), given["network"])
    other = booking.driver if given["reader"] == "host" else booking.host
    if getattr(record.body, "author", None) != other:
        raise Refused("not-a-party", "a record of somebody else")
    directory.authorise(record, other, Scope.BOOK)
    booking.add(record)
    return {"id": record.id.hex()}


def states(given: dict[str, Any]) -> dict[str, Any]:
    begun = booking_of(given)
    records = {
        name: open_record(bytes.fromhex(raw), given["network"]) for name, raw in given["records"].items()
    }
    names = {record.id: name for name, record in records.items()} | {begun.id: "request"}
    return {"answers": [_answer(begun, records, names, question) for question in given["questions"]]}


def _answer(
    begun: BookingSet,
    records: dict[str, Record[Any]],
    names: dict[bytes, str],
    question: dict[str, Any],
) -> dict[str, Any]:
    """The states in one order; `same` says that all orders make these."""
    found = []
    for order in question["orders"]:
        booking = BookingSet(begun.quote, begun.request, [records[name] for name in order])
        found.append([shown(booking.state(as_of), names) for as_of in question["as_of"]])
    return {"same": all(one == found[0] for one in found), "states": found[0]}


def shown(state: BookingState, names: dict[bytes, str]) -> dict[str, Any]:
    """A state by the names of its records; what is 0, empty or not there is left out."""
    covered, authorised, cancelled = signed_for(state), state.authorised, state.cancellation
    parts: dict[str, Any] = {
        "head": names[state.head],
        "next_number": state.next_number,
        "access_due": state.access_due,
        "access_overdue": state.access_overdue,
        "no_show_from": state.no_show_from,
        "authorised": authorised and {"energy_wh": authorised.energy_wh, "cost": number(authorised.cost)},
        "signed_for": (covered.energy_wh or covered.cost)
        and {"energy_wh": covered.energy_wh, "cost": number(covered.cost)},
        "stopped": state.stopped_at is not None,
        "stop_counts_from": state.stop_counts_from,
        "tickets": [names[one.id] for one in state.tickets],
        "countersigned": state.countersigned,
        "cancellation": cancelled
        and {
            "by": str(cancelled.by),
            "record": names[cancelled.record],
            "at": cancelled.at,
            "final": cancelled.final,
        },
        "in_force": names.get(state.in_force[-1].change or b""),
        "fee_floor": number(state.fee_floor),
        "cost": number(state.cost),
        "compensation": number(state.compensation),
        "problems": [names[one.id] for one in state.problems],
        "faults": [
            {"code": one.code, "records": sorted(names[id_] for id_ in one.records)} for one in state.faults
        ],
        "ignored": sorted(names[one.record] for one in state.ignored),
        "not_included": [names[one] for one in state.not_included],
        "next_deadline": state.next_deadline,
    }
    for part in ("receipt", "agreed", "claimed", "paid", "offer", "change", "refusal", "equipment_fault"):
        record: Record[Any] | None = getattr(state, part)
        parts[part] = record and names[record.id]
    tables = {part: str(getattr(state, part)) for part in ("reservation", "session", "settlement")}
    return tables | {name: value for name, value in parts.items() if value}


def compared(given: dict[str, Any]) -> dict[str, Any]:
    """What two sets of records say of their host."""
    one, other = (_whole(given[name] | {"network": given["network"]}) for name in ("one", "other"))
    return {"overlap": overlap(one, other).value}


def _whole(given: dict[str, Any]) -> BookingSet:
    booking = booking_of(given)
    for raw in given["records"]:
        booking.add(open_record(bytes.fromhex(raw), given["network"]))
    return booking


OPERATIONS = {
    "booking.open": opened,
    "booking.take": taken,
    "booking.states": states,
    "booking.overlap": compared,
}
