"""From a receipt that both sides signed to entries of the log: statements, commitments, opened reviews.

At the receipt each side signs a completion statement and sends it to the other, whose log embeds it. A review
is first committed to: both open when both have committed, or 14 days after the receipt. specs/06, "Reviews".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..effects import Effect, Tell
from ..errors import ExitCode, PersonError
from ..limits import MAX_NOTE_CHARS, REVIEW_OPENS_AFTER_MS
from ..me import Me
from ..moment import Moment
from ..record import Record
from .entries import (
    CompletionStatement,
    ReviewCommitment,
    ReviewContent,
    Stars,
    booking_hash,
    commitment_of,
    content_bytes,
)
from .keeper import Keeper
from .month import month_of

if TYPE_CHECKING:
    from ..booking.kept import Booking
    from ..booking.ledger import Ledger
    from ..booking.records import Receipt

_SALT_BYTES = 16


class TrustDesk:
    """Says of each booking what is due; asked again it says nothing twice.

    `receipt` is the host's receipt of a booking that was charged, once the driver has agreed to it.
    """

    def __init__(self, me: Me, ledger: Ledger, keeper: Keeper) -> None:
        self._me = me
        self._ledger = ledger
        self._keeper = keeper
        self._mismatched: set[bytes] = set()  # bookings of which that was told

    def tend(self, booking: Booking, receipt: Record[Receipt], at: Moment) -> list[Effect]:
        """Everything due after news of this booking, or when its `deadline` has come."""
        return [
            *self._state(booking, receipt),
            *self._complete(booking, receipt, at),
            *self._open(booking, receipt, at),
        ]

    def deadline(self, booking: Booking, receipt: Record[Receipt]) -> int | None:
        """When our committed review opens by itself (unix ms)."""
        if not booking.file.review or self._keeper.has_reviewed(_hash(booking, receipt)):
            return None
        opens = receipt.body.issued + REVIEW_OPENS_AFTER_MS
        batch = self._keeper.deadline() if self._keeper.is_full else None
        return opens if batch is None else max(opens, batch)

    def waits(self, booking: Booking, receipt: Record[Receipt]) -> bool:
        """Whether something of this booking may be unsaid because the log takes no further draft now."""
        if not self._keeper.is_full:
            return False
        hashed = _hash(booking, receipt)
        theirs = booking.statement(CompletionStatement, booking.other)
        unsaid = theirs is not None and not self._keeper.has_completed(hashed)
        return unsaid or (bool(booking.file.review) and not self._keeper.has_reviewed(hashed))

    def write_review(
        self, booking: Booking, receipt: Record[Receipt] | None, stars: Stars, text: str, at: Moment
    ) -> list[Effect]:
        """Commits to our review; the other side gets only its hash until both have."""
        if receipt is None:
            raise PersonError(
                "not-completed",
                "A review needs a receipt that both sides have signed.",
                "Wait until the other side has signed it.",
            )
        if booking.file.review:
            raise PersonError(
                "already-reviewed",
                "You have reviewed this booking already.",
                "A review is signed once and stays as it is.",
            )
        salt = at.fresh(f"review {booking.id.hex()}", _SALT_BYTES)
        try:
            content = content_bytes(ReviewContent(stars=stars, text=text, salt=salt))
        except ValueError as error:
            raise PersonError(
                "bad-review",
                "A review has 1 to 5 stars and a text that isn't too long.",
                f"At most {MAX_NOTE_CHARS} characters.",
                ExitCode.USAGE,
            ) from error
        commitment = self._me.sign(
            ReviewCommitment(
                author=self._me.author,
                issued=at.now,
                booking=booking.id,
                commitment=commitment_of(booking.id, content),
            )
        )
        return [
            *self._ledger.update(booking, review=content),
            *self._ledger.add_statement(booking, commitment),
            *self.tend(booking, receipt, at),
        ]

    def _state(self, booking: Booking, receipt: Record[Receipt]) -> list[Effect]:
        if booking.statement(CompletionStatement, self._me.author) is not None:
            return []
        statement = CompletionStatement(
            author=self._me.author,
            counterparty=booking.other,
            booking=_hash(booking, receipt),
            month=month_of(receipt.body.issued),
            region=booking.file.region,
        )
        return self._ledger.add_statement(booking, self._me.sign(statement))

    def _complete(self, booking: Booking, receipt: Record[Receipt], at: Moment) -> list[Effect]:
        theirs: Record[CompletionStatement] | None = booking.statement(CompletionStatement, booking.other)
        if theirs is None or self._keeper.has_completed(_hash(booking, receipt)):
            return []
        said = theirs.body
        month, region = month_of(receipt.body.issued), booking.file.region
        expected = (self._me.author, _hash(booking, receipt), month, region)
        if (said.counterparty, said.booking, said.month, said.region) != expected:
            # Signed by them, but about something else: it proves no pair, and there will be no second one.
            return self._tell_mismatch(booking.id)
        return self._keeper.complete(booking.other, said.booking, theirs.raw, month, region, at)

    def _tell_mismatch(self, booking: bytes) -> list[Effect]:
        if booking in self._mismatched:
            return []
        self._mismatched.add(booking)
        return [Tell("statement-mismatch", {"booking": booking.hex()})]

    def _open(self, booking: Booking, receipt: Record[Receipt], at: Moment) -> list[Effect]:
        hashed = _hash(booking, receipt)
        if not booking.file.review or self._keeper.has_reviewed(hashed):
            return []
        both = booking.statement(ReviewCommitment, booking.other) is not None
        if not both and at.now < receipt.body.issued + REVIEW_OPENS_AFTER_MS:
            return []
        queued = self._keeper.review(
            booking.other, hashed, booking.file.review, month_of(at.now), booking.file.region, at
        )
        return [*queued, Tell("review-opened", {"booking": booking.id.hex()})]


def _hash(booking: Booking, receipt: Record[Receipt]) -> bytes:
    return booking_hash(booking.id, receipt.id)
