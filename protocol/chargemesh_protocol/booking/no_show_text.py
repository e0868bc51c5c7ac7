"""A no-show in sentences: from when on one counts and why then, and what it costs, before and after."""

from __future__ import annotations

from collections.abc import Callable

from ..limits import CLOCK_TOLERANCE_MS
from ..money import format_total
from ..terms import no_show_cost
from ..units import format_duration
from ..zones import MINUTE_MS
from .deadlines import no_show_from
from .state import BookingState

When = Callable[[int], str]


def no_show_to_come(state: BookingState, *, is_driver: bool, when: When) -> str:
    """For a booking that is reserved, as long as nobody has checked in; empty if none could count."""
    if state.no_show_from is None:
        return ""
    cost = no_show_cost(state.quote.terms, state.quote.cap, state.quote.start)
    owed = format_total(cost, state.quote.plan.currency)
    if is_driver:
        price = f"costs you {owed}" if cost else "costs nothing"
        return f"Not checked in by {when(state.no_show_from)} is a no-show, which {price}: {_why(state)}."
    price = f"for which the driver owes you {owed}" if cost else "which costs the driver nothing"
    return f"A driver not checked in by {when(state.no_show_from)} is a no-show, {price}: {_why(state)}."


def no_show_that_was(state: BookingState, *, driver: str, when: When) -> str:
    """For a booking that ended as a no-show; `driver` is "you" or "the driver"."""
    if state.accept is None:
        raise ValueError("nobody can miss a booking that was not accepted")
    until = when(no_show_from(state.quote, state.accept.body.issued))
    return f"{driver[:1].upper()}{driver[1:]} did not come by {until}: {_why(state)}."


def _why(state: BookingState) -> str:
    """The two parts of the wait: the host's grace, and the tolerance of clocks."""
    quote = state.quote
    late = state.accept is not None and state.accept.body.issued > quote.start
    grace = format_duration(quote.terms.no_show_after * MINUTE_MS)
    begin = "acceptance" if late else "start"
    tolerance = format_duration(CLOCK_TOLERANCE_MS)
    return f"the host waits {grace} from the {begin}, and {tolerance} more for clocks that differ"
