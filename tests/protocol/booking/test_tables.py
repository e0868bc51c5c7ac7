"""The three tables: every state meets every event, the specs hold the same, and names are what is stored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chargemesh_protocol.booking.table import (
    RESERVATION,
    SESSION,
    SETTLEMENT,
    Reservation,
    Session,
    Settlement,
    as_data,
)

SPEC = Path(__file__).parents[3] / "specs" / "tables" / "booking-states.json"
TABLES = [(Reservation, RESERVATION), (Session, SESSION), (Settlement, SETTLEMENT)]
CELLS = [
    (name, state, event) for name, table in as_data().items() for state in table for event in table[state]
]


def moves(table: dict) -> set[tuple[str, str, str]]:
    """(state, event, next) wherever an event leads to another state."""
    return {
        (str(state), event, str(to))
        for state, row in table.items()
        for event, to in row.items()
        if to not in (None, state)
    }


@pytest.mark.parametrize(("states", "table"), TABLES)
def test_every_state_meets_every_event(states: type, table: dict) -> None:
    assert set(table) == set(states)
    events = [set(row) for row in table.values()]
    assert all(one == events[0] for one in events)


@pytest.mark.parametrize(("name", "state", "event"), CELLS, ids="/".join)
def test_every_cell_leads_to_a_state_or_is_ignored(name: str, state: str, event: str) -> None:
    to = as_data()[name][state][event]
    assert to is None or to in as_data()[name]


def test_how_a_reservation_can_move() -> None:
    assert moves(RESERVATION) == {
        ("PENDING", "accept", "RESERVED"),
        ("PENDING", "decline", "REJECTED"),
        ("PENDING", "cancel", "CANCELED"),
        ("PENDING", "host-cancel", "CANCELED"),
        ("PENDING", "request-expired", "FAILED"),
        ("PENDING", "slot-over", "FAILED"),
        ("RESERVED", "cancel", "CANCELED"),
        ("RESERVED", "host-cancel", "CANCELED"),
        ("RESERVED", "no-show", "NO_SHOW"),
        ("RESERVED", "begin", "FULFILLED"),
        ("RESERVED", "slot-over", "FAILED"),
    }


def test_how_a_session_can_move() -> None:
    assert moves(SESSION) == {
        ("PENDING", "ticket", "ACTIVE"),
        ("PENDING", "final-ticket", "COMPLETED"),
        ("PENDING", "void", "INVALID"),
        ("ACTIVE", "final-ticket", "COMPLETED"),
        ("ACTIVE", "receipt", "COMPLETED"),
        ("ACTIVE", "void", "INVALID"),
        ("COMPLETED", "void", "INVALID"),
    }


def test_how_a_settlement_can_move() -> None:
    assert {to for state, _, to in moves(SETTLEMENT) if state == "PAID"} == set()
    assert {(state, event) for state, event, to in moves(SETTLEMENT) if to == "PAID"} == {
        (state, event) for state in ("OPEN", "CLAIMED", "DISPUTED") for event in ("paid", "nothing-due")
    }
    assert {event for _, event, to in moves(SETTLEMENT) if to == "DISPUTED"} == {"problem"}


def test_the_specs_hold_the_same_tables() -> None:
    assert json.loads(SPEC.read_text()) == as_data()


@pytest.mark.parametrize(("states", "table"), TABLES)
def test_states_are_stored_by_name(states: type, table: dict) -> None:
    for state in states:
        assert str(state) == state.name and states(state.name) is state
