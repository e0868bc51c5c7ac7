"""What must hold in every simulated world, whatever happens in it: asked after every step, and at the end.

A checker says what is wrong in a sentence that names the seed; it never repairs anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

from chargemesh_protocol.booking.at_rest import sum_up
from chargemesh_protocol.booking.kept import Booking
from chargemesh_protocol.booking.records import Accept, Access, Agreement, NoShow, Receipt
from chargemesh_protocol.booking.rows import AT_REST, FILES
from chargemesh_protocol.booking.sealing import AccessRecord, unseal
from chargemesh_protocol.booking.set import BookingSet
from chargemesh_protocol.booking.table import Reservation, Session
from chargemesh_protocol.effects import AddRecord, DropBooking, HoldSlot, Save
from chargemesh_protocol.record import Record, open_as, open_record
from chargemesh_protocol.trust.entries import Completion, OtherEntry, Review

if TYPE_CHECKING:
    from .people import Person
    from .world import World

LATE_MS = 5_000  # what is due may wait this long: a timer, a commit, a turn of the loop
NAP_MS = 16_000  # the longest that a node does not look at its clock
STUCK_MS = 60_000  # a delivery that is due, and that nobody has tried for so long, is stuck
_ONCE = (Accept, Receipt, Agreement, NoShow)


class Checkers:
    """`always` after every step, `settled` once nothing is owed, `nothing_broke` at the end."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._restored: set[str] = set()
        self._excused_at: dict[str, int] = {}
        self._skews: dict[str, int] = {}
        # By person: records whose commit was reported durable, and the booking of each.
        self._durable: dict[str, dict[bytes, bytes]] = {}
        self._forgotten: set[tuple[str, bytes]] = set()  # who forgot which booking, as it may

    def committed(self, person: Person, saves: Sequence[Save]) -> None:
        """Told of every commit once it is durable."""
        kept = self._durable.setdefault(person.name, {})
        kept |= {one.id: one.booking for one in saves if isinstance(one, AddRecord)}
        for gone in (one.booking for one in saves if isinstance(one, DropBooking)):
            self._forgotten.add((person.name, gone))
            self._durable[person.name] = {id_: of for id_, of in kept.items() if of != gone}

    def forgive(self, person: Person) -> None:
        """This person's disk was replaced by an older copy: what came after it is lost, and may be."""
        self._restored.add(person.name)

    def excuse(self, person: Person) -> None:
        """This person's machine slept: what was due meanwhile is late, and may be."""
        self._excused_at[person.name] = person.clock.now() + NAP_MS

    def always(self) -> None:
        for person in self._up():
            if person.name not in self._restored:
                self._nothing_durable_is_lost(person)
            self._no_slots_overlap(person)
            self._nothing_is_overdue(person)
            for booking in person.bookings():
                self._nothing_is_done_twice(person, booking)
                self._no_early_access(person, booking)
        self._who_told_a_record_has_it()

    def settled(self) -> None:
        """After everything was delivered: both sides and any third party see the same bookings."""
        self.always()
        for one, other in combinations(self._up(), 2):
            for booking in one.bookings():
                if booking.is_host and other.knows_booking(booking.id):
                    self._both_agree(one, other, booking)
                elif not booking.is_host and other.knows_booking(booking.id):
                    self._both_agree(other, one, other.booking(booking.id))
        for person in self._up():
            self._memory_equals_disk(person)
            self._summaries_are_right(person)
            self._log_says_nothing_twice(person)

    def nothing_broke(self) -> None:
        """No node raised anything but a refusal at a peer's message."""
        broken = [repr(one) for one in self._world.internet.broken]
        self._require(not broken, f"a node broke over a message: {broken[:3]}")

    # --- what is asked ----------------------------------------------------------------------------

    def _nothing_durable_is_lost(self, person: Person) -> None:
        held = {record.id for booking in person.bookings() for record in (*booking.mine, *booking.theirs)}
        lost = self._durable.get(person.name, {}).keys() - held
        self._require(not lost, f"{person.name} lost {len(lost)} records that were durable")

    def _who_told_a_record_has_it(self) -> None:
        """What one side holds of the other, the other had made durable before it told anybody."""
        by_author = {one.author: one for one in self._world.people.values()}
        for person in self._up():
            for booking in person.bookings():
                other = by_author.get(booking.other)
                if other is None or not other.is_up or other.name in self._restored or not booking.theirs:
                    continue
                known = other.knows_booking(booking.id)
                if not known and (other.name, booking.id) in self._forgotten:
                    continue
                held = {one.id for one in other.booking(booking.id).mine} if known else set()
                lost = [one.kind for one in booking.theirs if one.id not in held]
                self._require(not lost, f"{other.name} lost {lost}, which {person.name} has of it")

    def _no_slots_overlap(self, person: Person) -> None:
        """Neither as kept nor as accepted: records are what a driver holds against a host."""
        self._require_apart(person, person.store.durable().slots)
        now = person.clock.now()
        accepted = [
            HoldSlot(quote.charger, one.id, quote.start, quote.end)
            for one in person.bookings()
            if one.is_host and _is_taken(one, now) and (quote := one.state(now).quote)
        ]
        self._require_apart(person, accepted)

    def _require_apart(self, person: Person, slots: Iterable[HoldSlot]) -> None:
        ordered = sorted(slots, key=lambda slot: (slot.charger, slot.start))
        for one, after in pairwise(ordered):
            apart = one.charger != after.charger or one.end <= after.start
            self._require(apart, f"{person.name} has two bookings at one time")

    def _nothing_is_overdue(self, person: Person) -> None:
        runner, now = person.node.runner, person.clock.now()
        self._require(not runner.failed.done(), f"the clockwork of {person.name} stands still")
        jumped = self._skews.get(person.name, person.clock.skew_ms) != person.clock.skew_ms
        if jumped:
            self._excused_at[person.name] = now + NAP_MS - LATE_MS  # before the clock is looked at again
        elif person.store.full:
            self._excused_at[person.name] = now  # nothing can be kept now, and what is due has to wait
        elif not runner.engine.keeper.read_only and now > self._excused_at.get(person.name, 0) + LATE_MS:
            deadline = runner.engine.deadline(now)
            late = 0 if deadline is None else now - deadline
            self._require(late <= LATE_MS, f"{person.name} is {late} ms late with what is due")
        self._skews[person.name] = person.clock.skew_ms
        for row in runner.outbox if now > self._excused_at.get(person.name, 0) else ():
            waits = now - max(row.next_try, 0) if row.next_try else 0
            self._require(
                waits <= STUCK_MS, f"{person.name} does not try a {row.channel} delivery that is due"
            )

    def _nothing_is_done_twice(self, person: Person, booking: Booking) -> None:
        forks = [fault for fault in booking.set.state(person.clock.now()).faults if fault.code == "fork"]
        self._require(not forks, f"{person.name} sees a forked chain: {forks}")
        records = [*booking.mine, *booking.theirs]
        for kind in _ONCE:
            count = sum(type(one.body) is kind for one in records)
            self._require(count <= 1, f"{person.name} holds {count} records of {kind.__name__}")
        told = [one for one in booking.mine if type(one.body) is Access] if booking.is_host else []
        said = (
            [_address(booking, one, self._world.network) for one in told]
            if len(told) > 1 and booking.file.secret
            else []
        )
        again = any(one == after for one, after in pairwise(said))
        self._require(not again, f"{person.name} told an address twice of which nothing had changed")

    def _no_early_access(self, person: Person, booking: Booking) -> None:
        for record in (*booking.mine, *booking.theirs):
            if type(record.body) is Access:
                state = booking.set.state(person.clock.now())
                early = state.accept is None or record.body.issued < (state.access_due or 0)
                self._require(not early, f"{person.name}: the address was sent before its time")

    def _both_agree(self, host: Person, driver: Person, booking: Booking) -> None:
        theirs = driver.booking(booking.id)
        ids = [{one.id for one in side.set} for side in (booking, theirs)]
        self._require(ids[0] == ids[1], f"{host.name} and {driver.name} hold different records")
        as_of = max(host.clock.now(), driver.clock.now())
        self._require(
            booking.set.state(as_of) == theirs.set.state(as_of), f"{host.name} and {driver.name} disagree"
        )
        third = BookingSet(booking.quote, booking.request)
        for record in reversed([one for one in booking.set if one.id not in (booking.quote.id, booking.id)]):
            third.add(open_record(record.raw, self._world.network))
        self._require(third.state(as_of) == booking.set.state(as_of), "a third party computes another state")

    def _memory_equals_disk(self, person: Person) -> None:
        kept, runner = person.store.durable(), person.node.runner
        engine = runner.engine
        self._require(
            set(kept.documents.get(FILES, {})) == set(engine.ledger.known()),
            f"{person.name}: the bookings in memory are not those on disk",
        )
        for booking in person.bookings():
            held = sorted(one.raw for one in (*booking.mine, *booking.theirs))
            self._require(
                held == sorted(kept.records.get(booking.id, {}).values()),
                f"{person.name}: the records in memory are not those on disk",
            )
        self._require(
            all(engine.calendar.holds(slot.booking) for slot in kept.slots),
            f"{person.name}: the calendar in memory is not that on disk",
        )
        self._require(
            {(row.channel, row.key) for row in kept.outbox}
            == {(row.channel, row.key) for row in runner.outbox},
            f"{person.name}: the outbox in memory is not that on disk",
        )

    def _summaries_are_right(self, person: Person) -> None:
        """What is kept of a booking at rest is what its records say, and no other is said to rest."""
        ledger, now = person.node.runner.engine.ledger, person.clock.now()
        kept = person.store.durable().documents.get(AT_REST, {})
        for booking_id, summary in ledger.resting.items():
            booking = person.booking(booking_id)
            derived = sum_up(booking, summary.wake, summary.compared_since, now)
            self._require(
                kept.get(booking_id) == summary.to_bytes() == derived.to_bytes(),
                f"{person.name} has a wrong summary of a booking at rest",
            )
        loaded = {one.id for one in ledger}
        self._require(kept.keys() <= loaded | set(ledger.resting), f"{person.name} has a summary of nothing")

    def _log_says_nothing_twice(self, person: Person) -> None:
        said: list[Any] = []
        for item in person.node.runner.engine.keeper.entries:
            body = open_record(item.raw, self._world.network, unknown=OtherEntry).body
            if isinstance(body, Completion):
                said.append(("completion", body.statement))
            elif isinstance(body, Review):
                said.append(("review", body.booking))
        self._require(len(said) == len(set(said)), f"{person.name} said something twice in its log")

    # --- inside -----------------------------------------------------------------------------------

    def _up(self) -> list[Person]:
        return [one for one in self._world.people.values() if one.is_up]

    def _require(self, holds: bool, what: str) -> None:
        if not holds:
            raise AssertionError(f"seed {self._world.seed}: {what}")


def _is_taken(booking: Booking, now: int) -> bool:
    state = booking.state(now)
    charging = state.reservation is Reservation.FULFILLED and state.session is not Session.COMPLETED
    return state.reservation is Reservation.RESERVED or charging


def _address(booking: Booking, record: Record[Access], network: str) -> AccessRecord:
    """What a host told, but for when."""
    plain = unseal(record.body.sealed, booking.their_key, booking.file.secret)
    return replace(open_as(AccessRecord, plain, network).body, issued=0)
