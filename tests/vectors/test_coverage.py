"""What there is in the protocol occurs in the vectors: kinds, messages, states, events of the tables."""

from __future__ import annotations

from typing import Any

from chargemesh_protocol.booking import concurrent
from chargemesh_protocol.booking.records import DRIVER_KINDS, HOST_KINDS
from chargemesh_protocol.booking.table import Reservation, Session, Settlement
from chargemesh_protocol.record import KINDS, kind_of
from chargemesh_protocol.tariff import TariffDimension

from ..conformance.subject.messages import MESSAGES
from ..conformance.vector_files import VECTORS, Case, load

CASES = tuple(load())


def of(op: str) -> list[Case]:
    return [case for case in CASES if case.op == op]


def states() -> list[dict[str, Any]]:
    """Every state of every booking."""
    return [
        state
        for case in of("booking.states")
        for answer in (case.out or {})["answers"]
        for state in answer["states"]
    ]


def test_every_kind_is_read_and_written() -> None:
    assert {case.out["kind"] for case in of("record.open") if case.out} == set(KINDS)
    assert {case.given["kind"] for case in of("record.make") if case.out} == set(KINDS)


def test_every_message_is_read_and_written() -> None:
    assert {case.out["message"] for case in of("message.read") if case.out} == set(MESSAGES)
    assert {case.given["message"] for case in of("message.write") if case.out} == set(MESSAGES)


def test_every_state_of_the_three_tables_occurs() -> None:
    for part, table in (("reservation", Reservation), ("session", Session), ("settlement", Settlement)):
        assert {state[part] for state in states()} == {str(one) for one in table}


def test_bookings_hold_every_kind_of_record() -> None:
    named = {name for case in of("booking.states") for name in case.given["records"]}
    kinds = {kind_of(one) for one in (*HOST_KINDS, *DRIVER_KINDS)}
    assert {one for one in kinds if not any(name.startswith(one) for name in named)} == set()


def test_every_part_of_a_state_occurs() -> None:
    """Whoever reads a state by the table in the README meets each row of it."""
    text = (VECTORS / "README.md").read_text()
    found = {part for state in states() for part in state}
    assert [part for part in sorted(found) if f"`{part}`" not in text] == []
    assert {"access_overdue", "stop_counts_from", "faults", "cancellation", "paid", "problems"} <= found


def test_the_order_never_plays_a_part() -> None:
    answers = [answer for case in of("booking.states") for answer in (case.out or {})["answers"]]
    assert all(answer["same"] for answer in answers)
    assert all((case.out or {})["same"] for case in of("log.offer"))


def test_every_concurrent_pair_is_played() -> None:
    played = sum(len(case.given["questions"]) for case in of("booking.states") if "pairs-" in case.name)
    assert played >= len(concurrent.CONCURRENT)


def test_tariffs_are_counted_in_every_way() -> None:
    bills = [case for case in of("tariff.bill") if case.out]
    assert len(bills) >= 60
    lines = {line["dimension"] for case in bills for line in (case.out or {})["lines"]}
    assert lines == {one.value for one in TariffDimension}
    zones = {case.given["zone"] for case in of("tariff.plan")}
    assert {"Europe/Berlin", "Australia/Sydney"} <= zones
    assert {"EUR", "JPY", "BHD", "CLF"} <= {case.given["plan"]["currency"] for case in bills}
    assert len(of("hours.slots")) >= 12
