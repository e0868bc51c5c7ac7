"""Quotes: a signed price for one slot that holds nothing and is not kept.

The one-time key of a quote is derived from a secret of the day and the quote's own fields, so that a
flood of questions fills nothing, and a quote survives a restart. A day's secret is deleted two days
later; the derived key of a quote that became a booking is kept with the booking.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from ..chargers import ChargerSettings
from ..effects import DropDocument, Effect, PutDocument
from ..limits import MAX_POWER_STEPS, QUOTE_LIFE_MS
from ..listing import Listing
from ..me import Me
from ..metering import estimate_by, fitting
from ..moment import Moment
from ..opening import power_steps
from ..pricing import worst_case
from ..record import Record
from ..tariff import resolve
from .extension import extended, is_extension
from .records import Quote
from .sealing import one_time_keypair
from .wire import AskQuote

EPOCHS = "quote-epoch"
_DAY_MS = 24 * 3600 * 1000
_KEPT_DAYS = 2
_MINUTE_MS = 60_000


class QuoteMaker:
    """Makes quotes and finds their one-time secrets again."""

    def __init__(self, me: Me, documents: Mapping[str, Mapping[bytes, bytes]]) -> None:
        self._me = me
        self._epochs = {int.from_bytes(day, "big"): seed for day, seed in documents.get(EPOCHS, {}).items()}

    def turn_day(self, at: Moment) -> list[Effect]:
        """Draws the day's secret before its first quote."""
        today = at.now // _DAY_MS
        if today in self._epochs:
            return []
        self._epochs[today] = at.fresh("quote-epoch")
        return [PutDocument(EPOCHS, today.to_bytes(8, "big"), self._epochs[today])]

    def make(
        self, ask: AskQuote, settings: ChargerSettings, listing: Record[Listing], at: Moment
    ) -> Record[Quote]:
        """The quote, after `turn_day`; ValueError with a sentence if the slot can't be priced."""
        public, _ = one_time_keypair(self._seed(settings.charger, ask.start, ask.end, at.now))
        return self._sign(ask, settings, at, listing.id, public, at.now + QUOTE_LIFE_MS)

    def make_again(
        self,
        ask: AskQuote,
        settings: ChargerSettings,
        listing: bytes,
        first: Quote,
        now: Quote,
        at: Moment,
        expires: int,
    ) -> Record[Quote]:
        """A quote for the booking that began with `first`, in the place of `now`; ValueError as `make`.

        It bears the booking's own one-time key, so that it is good for that one alone (specs/05, B26).
        """
        return self._sign(ask, settings, at, listing, first.one_time_key, expires, now)

    def secret_of(self, quote: Quote) -> bytes | None:
        """The X25519 secret of one of our quotes; None once its day's secret is gone."""
        if quote.issued // _DAY_MS not in self._epochs:
            return None
        public, secret = one_time_keypair(self._seed(quote.charger, quote.start, quote.end, quote.issued))
        return secret if public == quote.one_time_key else None

    def due(self, now: int) -> list[Effect]:
        """Deletes the secrets that no live quote can need."""
        gone = [day for day in self._epochs if now >= _forgotten_at(day)]
        for day in gone:
            del self._epochs[day]
        return [DropDocument(EPOCHS, day.to_bytes(8, "big")) for day in gone]

    def deadline(self) -> int | None:
        return min(map(_forgotten_at, self._epochs), default=None)

    def _sign(
        self,
        ask: AskQuote,
        settings: ChargerSettings,
        at: Moment,
        listing: bytes,
        one_time_key: bytes,
        expires: int,
        now: Quote | None = None,
    ) -> Record[Quote]:
        """`now`: what a change is to replace."""
        longer = now if now is not None and is_extension(now, ask.start, ask.end) else None
        most_w = max(one.max_power_w for one in settings.connectors)
        power = power_steps(settings.hours, settings.calendar_rules, most_w, ask.start, ask.end)
        if len(power) > MAX_POWER_STEPS:
            raise ValueError("the power changes too often in that time for one booking; book a shorter time")
        terms = settings.terms if longer is None else longer.terms
        plan = resolve(
            settings.tariff,
            settings.hours.zone,
            ask.start if longer is None else longer.end,
            ask.end,
            power_w=max(one.max_power_w for one in power),
            overstay_after_ms=terms.overstay_grace * _MINUTE_MS,
            overstay_per_hour=terms.overstay_per_hour,
        )
        if longer is not None:
            plan = extended(longer.plan, longer.end, plan)
        most_wh = fitting(ask.end, power)
        energy = min(ask.energy_wh, most_wh) or most_wh
        quote = Quote(
            author=self._me.author,
            issued=at.now,
            listing=listing,
            charger=settings.charger,
            start=ask.start,
            end=ask.end,
            plan=plan,
            energy_wh=energy,
            estimate=estimate_by(plan, ask.start, ask.end, energy, power).total,
            cap=worst_case(plan, ask.start, ask.end, most_wh),
            expires=expires,
            one_time_key=one_time_key,
            terms=terms,
            instant=settings.shown_rules.instant,
            access_lead_minutes=settings.access_lead_minutes,
            answer=settings.host_policy.answer,
            power=None if [one.max_power_w for one in power] == [most_w] else power,
        )
        return self._me.sign(quote)

    def _seed(self, charger: bytes, start: int, end: int, issued: int) -> bytes:
        fields = charger + b"".join(n.to_bytes(8, "big") for n in (start, end, issued))
        return hashlib.blake2b(
            fields, digest_size=32, key=self._epochs[issued // _DAY_MS], person=b"chargemesh-quote"
        ).digest()


def _forgotten_at(day: int) -> int:
    return (day + 1 + _KEPT_DAYS) * _DAY_MS
