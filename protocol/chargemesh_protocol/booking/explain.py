"""A booking in sentences for a person: what happened, what comes next and by when, what cancelling costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..money import format_total
from ..policy import Otherwise
from ..units import format_energy
from .change_text import changes_so_far, changes_to_come
from .check_in import WaitingCheckIn
from .cost import cost_if_acknowledged, cost_of_cancelling
from .no_show_text import no_show_that_was, no_show_to_come
from .objections import objections, reading_to_confirm
from .records import CancelReason, DeclineReason, ProblemKind, Ticket
from .state import BookingState, Party
from .table import Reservation, Session, Settlement
from .unanswered import Waiting, waiting_for_person

When = Callable[[int], str]

_DECLINED = {
    DeclineReason.NOT_OFFERABLE: "the time can't be had",
    DeclineReason.RULES: "the host's rules don't allow it",
    DeclineReason.HOST_DECLINED: "without giving a reason",
    DeclineReason.QUOTE_EXPIRED: "the quote had expired",
    DeclineReason.UNPAID_RECEIPT: "an earlier receipt is unpaid",
}
_CANCELLED = {
    CancelReason.DRIVER_CANCELED: "",
    CancelReason.HOST_CANCELED: "",
    CancelReason.POWER_OUTAGE: " because of a power cut",
    CancelReason.BROKEN_CHARGER: " because the charger is broken",
    CancelReason.TRAFFIC: " because of the traffic",
    CancelReason.SAFETY: " for safety",
}
_PROBLEM = {
    ProblemKind.BLOCKED: "the charger is blocked",
    ProblemKind.NO_POWER: "the charger has no power",
    ProblemKind.WONT_START: "charging does not start",
    ProblemKind.OTHER: "something is wrong",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Whole sentences, in order. so_far: what happened. next: what is to come or to be done, and by when."""

    so_far: tuple[str, ...]
    next: tuple[str, ...]


def explain(
    state: BookingState,
    view: Party,
    now: int,
    when: When,
    *,
    waiting: WaitingCheckIn | None = None,
    by_hand: bool = False,
    passed: bool = False,
) -> Explanation:
    """`state` as of `now` for the person on side `view`; `when` writes an instant (unix ms) for them.

    The state is that `as_signed`, so that nobody is asked again for what waits to be included. waiting: the
    check-in that does. by_hand: `view` is a host who reads the meter and types what it shows. passed: the
    driver has let the host's offer pass.
    """
    tell = _Teller(state, view, now, when, waiting, by_hand, passed)
    return Explanation(tuple(tell.so_far()), tuple(tell.next()))


class _Teller:
    def __init__(
        self,
        state: BookingState,
        view: Party,
        now: int,
        when: When,
        waiting: WaitingCheckIn | None,
        by_hand: bool,
        passed: bool,
    ) -> None:
        self.state, self.now, self.when = state, now, when
        self.waiting, self.by_hand, self.passed = waiting, by_hand, passed
        self.reported = list(state.problems)  # those that are still to be told
        self.is_driver = view is Party.DRIVER
        self.unread = reading_to_confirm(state)  # read by the host's person alone
        # What keeps this driver's node from agreeing with the receipt.
        self.wrong = objections(state) if self.is_driver and state.agreed is None else ()
        self.host = "the host" if self.is_driver else "you"
        self.driver = "you" if self.is_driver else "the driver"

    # --- the story so far -----------------------------------------------------------------------

    def so_far(self) -> Iterator[str]:
        quote = self.state.in_force[0].quote
        asked = f"asked for {self.when(quote.start)} to {self.when(quote.end)}"
        yield _sentence(f"{self.driver} {asked}, for about {self._money(quote.estimate)}")
        yield from self._answer()
        yield from changes_so_far(self.state, self.now, is_driver=self.is_driver, when=self.when)
        yield from self._ending()
        yield from self._charging()
        yield from self._paying()
        yield from self._problems()
        yield from (
            _sentence(f"A contradiction in the host's records: {one.reason}") for one in self.state.faults
        )
        unheard = self.state.cancellation is not None and not self.state.cancellation.final
        # While it charges, the next ticket confirms what came before: nothing to worry a person with.
        calm = self.state.session is Session.ACTIVE and self.state.stopped_at is None
        if self.state.not_included and not unheard and not calm:
            number = len(self.state.not_included)
            news = "one message" if number == 1 else f"{number} messages"
            yield _sentence(
                f"{self.host} {self._have(self.host)} not confirmed {news} of {self._whose()} yet"
            )

    def _answer(self) -> Iterator[str]:
        state = self.state
        if state.accept:
            yield _sentence(f"{self.host} accepted at {self.when(state.accept.body.issued)}")
        if state.decline:
            yield _sentence(f"{self.host} declined: {_DECLINED[state.decline.body.reason]}")
        if state.access:
            yield _sentence(f"The address was sent at {self.when(state.access.body.issued)}")
        elif state.access_overdue and state.access_due is not None:
            yield _sentence(f"The address was due at {self.when(state.access_due)} and has not come")

    def _problems(self, before: int | None = None) -> Iterator[str]:
        """What was reported `before` then (unix ms) and is not told yet; all of it without an instant."""
        while self.reported and (before is None or self.reported[0].body.issued < before):
            body = self.reported.pop(0).body
            what = f"{_PROBLEM[body.problem]}{': ' + body.text if body.text else ''}"
            yield _sentence(f"{self.driver} reported at {self.when(body.issued)}: {what}")

    def _ending(self) -> Iterator[str]:
        state, cancelled = self.state, self.state.cancellation
        if cancelled:
            yield from self._problems(cancelled.claimed)
            who = self.host if cancelled.by is Party.HOST else self.driver
            yield _sentence(f"{who} cancelled{_CANCELLED[cancelled.reason]}")
        if state.no_show_at is not None and state.reservation is Reservation.NO_SHOW:
            yield from self._problems(state.no_show_at)
            yield no_show_that_was(state, is_driver=self.is_driver, when=self.when)
        if state.reservation is Reservation.FAILED:
            yield from self._problems()
            yield "Nobody answered in time." if not state.accept else "The time has passed unused."
        if state.reservation in (Reservation.CANCELED, Reservation.NO_SHOW, Reservation.FAILED):
            yield from self._owed()

    def _owed(self) -> Iterator[str]:
        state = self.state
        cancelled = state.cancellation
        if cancelled and not cancelled.final and state.cost:
            heard = self._money(cost_if_acknowledged(state))
            yield _sentence(f"{self.host} {self._have(self.host)} not confirmed to have heard of it")
            unheard = self._money(state.cost)
            if heard == unheard:
                yield f"It costs {heard} in any case."
            else:
                yield f"Confirmed in time it costs {heard}, and without that {unheard}."
        elif state.cost:
            yield _sentence(f"{self.driver} {_verb(self.driver, 'owe')} {self._money(state.cost)}")
        elif state.accept and not state.compensation:
            yield "It costs nothing."
        if state.compensation:
            yield _sentence(f"{self.host} {_verb(self.host, 'owe')} {self._money(state.compensation)} for it")

    def _charging(self) -> Iterator[str]:
        state, authorised = self.state, self.state.authorised
        if authorised:
            yield from self._problems(authorised.since)
            bounds = f"up to {format_energy(authorised.energy_wh)} and {self._money(authorised.cost)}"
            yield _sentence(f"{self.driver} checked in at {self.when(authorised.since)}, for {bounds}")
        if self.waiting:
            yield from self._problems(self.waiting.since)
            again = " again" if authorised else ""
            yield _sentence(f"{self.driver} checked in{again} at {self.when(self.waiting.since)}")
            if self.waiting.stopped_at is not None:
                yield self._asked_to_end(self.waiting.stopped_at)
        if state.tickets:
            yield from self._problems(state.tickets[-1].body.at)
            yield _sentence(self._meter(state.tickets[-1].body))
        if self.unread:
            register = format_energy(self.unread.body.register_wh)
            yield _sentence(
                f"{self.host} read {register} on the meter; {self.driver} {self._have(self.driver)} "
                "not confirmed it"
            )
        if not self.waiting and state.stopped_at is not None and state.session is not Session.COMPLETED:
            yield from self._problems(state.stopped_at)
            yield self._asked_to_end(state.stopped_at)

    def _asked_to_end(self, at: int) -> str:
        wish = "for charging to end" if self.state.tickets else "not to charge yet"
        return _sentence(f"{self.driver} asked {wish} at {self.when(at)}")

    def _meter(self, last: Ticket) -> str:
        amount = f"{format_energy(last.energy_wh)} for {self._money(last.cost)}"
        if self.state.session is Session.ACTIVE:
            return f"By {self.when(last.at)} the meter showed {amount}"
        return f"Charging ended at {self.when(last.at)} with {amount}"

    def _paying(self) -> Iterator[str]:
        state = self.state
        if not state.receipt:
            return
        yield from self._problems(state.receipt.body.issued)
        yield _sentence(f"The receipt is over {self._money(state.receipt.body.total)}")
        beyond = state.receipt.body.beyond_authorisation_wh
        if beyond and not state.agreed:
            yield _sentence(
                f"{format_energy(beyond)} of it {self.driver} did not sign for: a claim of {self._of_host()}"
            )
        if state.agreed:
            yield from self._problems(state.agreed.body.issued)
            yield _sentence(f"{self.driver} agreed with it")
        yield from (f"Your node has not agreed with it: {one}." for one in self.wrong)
        if state.settlement is Settlement.PAID:
            yield from self._problems(state.paid.body.issued if state.paid else None)
            yield "It is paid." if state.paid else "There is nothing to pay."
        elif state.settlement is Settlement.DISPUTED:
            yield from self._problems()
            yield _sentence(f"{self.driver} {_verb(self.driver, 'dispute')} it")
        elif state.claimed:
            yield _sentence(
                f"{self.driver} {_verb(self.driver, 'say')} that it is paid ({state.claimed.body.rail})"
            )

    # --- what comes next ------------------------------------------------------------------------

    def next(self) -> Iterator[str]:
        state = self.state
        if state.finished and self.unread and self.is_driver:
            yield from self._read_the_meter()
        elif state.finished:
            yield "Nothing more is to be done."
        elif state.reservation is Reservation.PENDING:
            yield from self._await_answer()
        elif state.reservation is Reservation.RESERVED:
            yield from self._come()
        elif state.receipt is None:
            yield from self._end_session()
        else:
            yield from self._settle()

    def _await_answer(self) -> Iterator[str]:
        yield from self._other_terms()
        waiting = waiting_for_person(self.state)
        if waiting is not None:
            yield from self._await_person(waiting)
            return
        until = self.when(self.state.request.expires)
        if not self.is_driver:
            yield f"Accept or decline by {until}; without an answer the request fails."
            return
        yield f"The host answers by {until}; without an answer the request fails."
        yield "Taking the request back costs nothing until it is accepted."

    def _await_person(self, waiting: Waiting) -> Iterator[str]:
        does = "accepts" if waiting.otherwise is Otherwise.ACCEPT else "declines"
        until = self.when(waiting.due)
        if not self.is_driver:
            yield f"Accept or decline by {until}; without an answer your node {does} it then."
            return
        yield f"The host answers by {until}; without an answer its node {does} the request then."
        yield "Taking the request back costs nothing until it is accepted."

    def _other_terms(self) -> Iterator[str]:
        yield from changes_to_come(
            self.state, self.now, is_driver=self.is_driver, when=self.when, passed=self.passed
        )

    def _come(self) -> Iterator[str]:
        yield from self._other_terms()
        state, quote = self.state, self.state.quote
        if not state.access and not state.access_overdue and state.access_due is not None:
            yield f"The address is sent by {self.when(state.access_due)}."
        stopped_at = state.stopped_at if self.waiting is None else self.waiting.stopped_at
        if not state.checked_in and self.waiting is None:
            come = "Check in at the charger" if self.is_driver else "The driver can check in"
            yield f"{come} between {self.when(quote.start)} and {self.when(quote.end)}."
            if state.no_show_from is not None:
                yield no_show_to_come(state, is_driver=self.is_driver, when=self.when)
        elif stopped_at is not None:
            again = "Check in again" if self.is_driver else "The driver can check in again"
            yield f"{again} to charge after all, until {self.when(quote.end)}."
        elif self.waiting:
            whose = "Your" if self.is_driver else "The driver's"
            yield f"{whose} check-in is on its way: charging can begin once the host's node has it."
        elif self.by_hand:
            yield "Type in what the meter shows once the car is plugged in: with that charging begins."
        else:
            yield f"The wallbox starts as soon as it can, at the earliest at {self.when(quote.start)}."
        yield self._cancelling()

    def _cancelling(self) -> str:
        state, quote = self.state, self.state.quote
        cost = cost_of_cancelling(state, self.now)
        who = "Cancelling now costs you" if self.is_driver else "If the driver cancels now, it owes you"
        if cost:
            return f"{who} {self._money(cost)}."
        free = "Cancelling now is free" if self.is_driver else "The driver can cancel for nothing"
        free_until = quote.terms.free_until(quote.start)
        ends = f", until {self.when(free_until)}" if self.now < free_until else ""
        return f"{free}{ends}."

    def _end_session(self) -> Iterator[str]:
        yield from self._other_terms()
        if self.state.cancellation and not self.state.cancellation.final:
            yield "Your node confirms the cancellation." if not self.is_driver else "The host confirms it."
            return
        if self.state.session is Session.ACTIVE:
            yield from self._read_the_meter()
            if self.is_driver and self.state.stopped_at is None:
                yield "Stop whenever you like."
            yield f"Charging ends at {self.when(self.state.quote.end)} at the latest."
            if self.by_hand:
                yield self._last_reading()
        yield "Your node writes the receipt." if not self.is_driver else "The host writes the receipt."

    def _last_reading(self) -> str:
        if self.state.stopped_at is None and self.now < self.state.quote.end:
            return "Type in what the meter shows once more when the driver has stopped."
        return "Type in what the meter shows now: with that charging ends."

    def _settle(self) -> Iterator[str]:
        state = self.state
        if state.receipt is None:
            return
        body, amount = state.receipt.body, self._money(state.receipt.body.total)
        yield from self._read_the_meter()
        if state.settlement is Settlement.DISPUTED:
            yield _sentence(
                f"{self.host} can correct the receipt, or {self.driver} can agree with it after all"
            )
        elif not self.is_driver:
            yield f"Confirm the payment of {amount} once you have it."
        elif state.settlement is Settlement.CLAIMED:
            yield "The host confirms the payment once it has it."
        elif self.wrong:
            yield "Agree with the receipt all the same, or tell the host what is wrong with it."
        elif body.payee_account:
            yield f"Pay {amount} to {body.payee_name}, {body.payee_account}."
        else:
            yield f"Pay {amount} to the host by hand."

    def _read_the_meter(self) -> Iterator[str]:
        if self.unread and self.is_driver:
            register = format_energy(self.unread.body.register_wh)
            yield f"Read the meter: confirm the {register}, or tell the host what you read."

    # --- words ----------------------------------------------------------------------------------

    def _money(self, micro: int) -> str:
        return format_total(micro, self.state.quote.plan.currency)

    def _whose(self) -> str:
        return "yours" if self.is_driver else "the driver's"

    def _of_host(self) -> str:
        return "the host's" if self.is_driver else "yours"

    @staticmethod
    def _have(who: str) -> str:
        return "have" if who == "you" else "has"


def _verb(who: str, verb: str) -> str:
    return verb if who == "you" else f"{verb}s"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
