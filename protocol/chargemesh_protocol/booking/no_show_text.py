"""A no-show in sentences: from when on one counts and why then, and what it costs, before and after."""

from __future__ import annotations

from collections.abc import Callable

from ..limits import CLOCK_TOLERANCE_MS
from ..money import format_total
from ..units import format_duration
from ..zones import MINUTE_MS
from .cost import no_show_due
from .deadlines import no_show_from
from .state import BookingState

When = Callable[[int], str]


def no_show_to_come(state: BookingState, *, is_driver: bool, when: When) -> str:
    """For a booking that is reserved, in which nobody has checked in and one can count."""
    if state.no_show_from is None:
        raise ValueError("no no-show can count in this booking")
    cost = no_show_due(state.in_force[-1])
    owed = format_total(cost, state.quote.plan.currency)
    if is_driver:
        price = f"which costs you {owed}" if cost else "which costs nothing"
    else:
        price = f"for which the driver owes you {owed}" if cost else "which costs the driver nothing"
    until, waits = when(state.no_show_from), "the host waits" if is_driver else "you wait"
    return f"Without a check-in by {until} it is a no-show, {price}: {waits} {_how_long(state)}."


def no_show_that_was(state: BookingState, *, is_driver: bool, when: When) -> str:
    """For a booking that ended as a no-show; what is owed for it is told by who tells of other debts."""
    if state.agreed_at is None:
        raise ValueError("nobody can miss a booking that was not accepted")
    until = when(no_show_from(state.quote, state.agreed_at))
    driver, host = ("You", "the host") if is_driver else ("The driver", "you")
    return f"{driver} did not come by {until}: {host} waited {_how_long(state)}."


def _how_long(state: BookingState) -> str:
    """The two parts of the wait: the host's grace, and the tolerance of clocks."""
    quote = state.quote
    late = state.agreed_at is not None and state.agreed_at > quote.start
    grace = format_duration(quote.terms.no_show_after * MINUTE_MS)
    tolerance = format_duration(CLOCK_TOLERANCE_MS)
    begin = "acceptance" if late else "start"
    return f"{grace} from the {begin}, and {tolerance} more for clocks that differ"
