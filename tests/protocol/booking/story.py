"""A booking told record by record, for tests: each step signs one record and, unless told not to, adds it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from chargemesh_protocol.booking.records import (
    Accept,
    Access,
    Acknowledge,
    Agreement,
    Amend,
    Authorisation,
    Cancel,
    CancelReason,
    Change,
    Claim,
    Countersign,
    Decline,
    DeclineReason,
    EquipmentFault,
    HostCancel,
    NoShow,
    Offer,
    Paid,
    Problem,
    ProblemKind,
    Quote,
    ReadingContext,
    Receipt,
    Refuse,
    Request,
    Stop,
    Ticket,
)
from chargemesh_protocol.booking.set import BookingSet
from chargemesh_protocol.booking.state import BookingState
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.record import Record, sign
from chargemesh_protocol.tariff import PriceComponent, PricePlan, TariffDimension, TariffPeriod
from chargemesh_protocol.terms import CancellationTier, Terms

from .stages import steps_to

NETWORK = "chargemesh-test-booking"
HOST_SEED, DRIVER_SEED = b"h" * 32, b"d" * 32
HOST, DRIVER = b"H" * 32, b"D" * 32
SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000
START = 1_804_500_000_000
EURO = 1_000_000
CAP = 10 * EURO
# Half of the cap from an hour before the start, all of it for a no-show.
TERMS = Terms(
    tiers=(CancellationTier(60, 50),), no_show_percent=100, no_show_after=15, host_failure_percent=25
)
NO_SHOW_FROM = START + 15 * MINUTE + 2 * MINUTE
# What the meter shows at each reading of a stage.
_SHOWN_WH = {
    ReadingContext.TRANSACTION_BEGIN: 0,
    ReadingContext.SAMPLE_PERIODIC: 4_000,
    ReadingContext.TRANSACTION_END: 8_000,
}
B = TypeVar("B")


def quote_body(**changes: Any) -> Quote:
    fields: dict[str, Any] = {
        "author": HOST,
        "issued": START - 11 * MINUTE,
        "listing": b"l" * 32,
        "charger": b"c" * 16,
        "start": START,
        "end": START + 3 * HOUR,
        "plan": PricePlan(
            currency="EUR",
            periods=(TariffPeriod(START, (PriceComponent(TariffDimension.ENERGY, EURO // 2),)),),
        ),
        "energy_wh": 20_000,
        "estimate": CAP,
        "cap": CAP,
        "expires": START + 4 * MINUTE,
        "one_time_key": b"q" * 32,
        "terms": TERMS,
        "instant": True,
        "access_lead_minutes": 120,
    }
    return Quote(**(fields | changes))


class Story:
    """`booking` holds all that was added; `now` moves on by a second before each record is signed."""

    def __init__(self, requested: int = START - 10 * MINUTE, waits: int = 5 * MINUTE, **quote: Any) -> None:
        self.now = requested
        quote.setdefault("issued", requested - MINUTE)
        quote.setdefault("expires", requested + 14 * MINUTE)
        self.quote = sign(quote_body(**quote), HOST_SEED, NETWORK)
        body = Request(
            author=DRIVER,
            issued=self._tick(),
            quote=self.quote.id,
            one_time_key=b"r" * 32,
            contact=Contact("12D3KooWTest", ()),
            expires=requested + waits,
        )
        self.request = sign(body, DRIVER_SEED, NETWORK)
        self.booking = BookingSet(self.quote, self.request)

    def state(self, as_of: int | None = None) -> BookingState:
        return self.booking.state(self.now if as_of is None else as_of)

    def ignores(self, record: Record[Any]) -> bool:
        return bool(self.state().ignored_reason(record.id))

    def fresh_set(self) -> BookingSet:
        return BookingSet(self.quote, self.request)

    def fresh_set_without(self, *left_out: Record[Any]) -> BookingSet:
        """All that was added but these."""
        gone = {one.id for one in left_out}
        return BookingSet(
            self.quote, self.request, [one for one in list(self.booking)[2:] if one.id not in gone]
        )

    # --- the host -------------------------------------------------------------------------------

    def host(
        self, cls: type[B], add: bool = True, changes: dict[str, Any] | None = None, **own: Any
    ) -> Record[B]:
        """The host's next record; `changes` replaces fields of its head."""
        head = dict(self.booking.host_fields(self._tick())) | (changes or {})
        record = sign(cls(**head, **own), HOST_SEED, NETWORK)
        if add:
            self.booking.add(record)
        return record

    def of_host(self, kind: str, add: bool = True, changes: dict[str, Any] | None = None) -> Record[Any]:
        """The host's next record of a kind, with fields that fit how far the story is."""
        return self.host(_HOST_CLASS[kind], add, changes, **self._host_fields(kind))

    def ticket(self, energy_wh: int, end: bool = False, **more: Any) -> Record[Ticket]:
        context = ReadingContext.TRANSACTION_END if end else ReadingContext.SAMPLE_PERIODIC
        fields = {
            "at": self.now,
            "energy_wh": energy_wh,
            "register_wh": 5_000_000 + energy_wh,
            "power_w": 0 if end else 7_400,
            "cost": energy_wh * EURO // 2000,
            "context": context,
        }
        add, changes = more.pop("add", True), more.pop("changes", None)
        return self.host(Ticket, add, changes, **(fields | more))

    def receipt(self, total: int, **more: Any) -> Record[Receipt]:
        add, changes = more.pop("add", True), more.pop("changes", None)
        return self.host(Receipt, add, changes, **(receipt_fields(total) | more))

    # --- the driver -----------------------------------------------------------------------------

    def driver(
        self, cls: type[B], add: bool = True, changes: dict[str, Any] | None = None, **own: Any
    ) -> Record[B]:
        """The driver's next record; `changes` replaces fields of its head."""
        head = dict(self.booking.driver_fields(self._tick())) | (changes or {})
        record = sign(cls(**head, **own), DRIVER_SEED, NETWORK)
        if add:
            self.booking.add(record)
        return record

    def of_driver(self, kind: str, add: bool = True, changes: dict[str, Any] | None = None) -> Record[Any]:
        """The driver's next record of a kind, with fields that fit how far the story is."""
        return self.driver(_DRIVER_CLASS[kind], add, changes, **self._driver_fields(kind))

    # --- other terms ----------------------------------------------------------------------------

    def requote(self, **changes: Any) -> Record[Quote]:
        """Another quote for this booking, signed by its host: by default an hour longer."""
        now = self.state().quote
        fields = {"end": now.end + HOUR, "issued": self.now, "expires": self.now + 15 * MINUTE}
        return sign(replace(now, **(fields | changes)), HOST_SEED, NETWORK)

    def offer(self, text: str = "", add: bool = True, **quote: Any) -> Record[Offer]:
        return self.host(Offer, add, quote=self.requote(**quote).raw, text=text)

    def change(self, offer: Record[Offer] | None = None, **quote: Any) -> Record[Change]:
        """The driver asks for another quote, or takes what was offered."""
        if offer is not None:
            return self.driver(Change, quote=offer.body.quote, offer=offer.id)
        return self.driver(Change, quote=self.requote(**quote).raw)

    def amend(self, change: Record[Change], **changes: Any) -> Record[Amend]:
        return self.host(Amend, changes=changes or None, change=change.id, access_due=self.now)

    def moved(self, **quote: Any) -> Record[Amend]:
        """The driver asks for other terms of its own will, and the host amends."""
        return self.amend(self.change(**quote))

    # --- how far --------------------------------------------------------------------------------

    def until(self, stage: str) -> Story:
        """Tells the story up to a stage of specs/tables/booking-stages.json."""
        for step in steps_to(stage):
            kind = step["kind"]
            if kind == "ticket":
                context = ReadingContext(step["context"])
                end = context is ReadingContext.TRANSACTION_END
                self.ticket(_SHOWN_WH[context], end=end, context=context)
            elif kind in _HOST_CLASS:
                self.of_host(kind)
            else:
                self.of_driver(kind)
        return self

    def _host_fields(self, kind: str) -> dict[str, Any]:
        state = self.state()
        match kind:
            case "accept":
                return {"access_due": self.now}
            case "decline":
                return {"reason": DeclineReason.HOST_DECLINED}
            case "access":
                return {"sealed": b"sealed"}
            case "ticket":
                return {
                    "at": self.now,
                    "energy_wh": state.energy_wh + 1000,
                    "register_wh": 9_000_000,
                    "power_w": 7_400,
                    "cost": EURO,
                    "context": ReadingContext.SAMPLE_PERIODIC,
                }
            case "receipt":
                return receipt_fields(4 * EURO)
            case "paid":
                return {"receipt": state.receipt.id if state.receipt else b"?" * 32, "rail": "manual"}
            case "host-cancel":
                return {"reason": CancelReason.HOST_CANCELED}
            case "offer":
                return {"quote": self.requote().raw, "text": "an hour more"}
            case "amend":
                return {"change": self._open_change(), "access_due": self.now}
            case "refuse":
                return {"change": self._open_change(), "reason": DeclineReason.HOST_DECLINED}
            case "fault":
                return {"problem": ProblemKind.WONT_START, "text": "no answer from the wallbox"}
        return {}

    def _driver_fields(self, kind: str) -> dict[str, Any]:
        state = self.state()
        receipt = state.receipt.id if state.receipt else b"?" * 32
        match kind:
            case "cancel":
                return {"reason": CancelReason.DRIVER_CANCELED}
            case "authorisation":
                return {"energy_wh": 20_000, "cost": CAP}
            case "countersign":
                return {"ticket": state.tickets[-1].id if state.tickets else b"?" * 32}
            case "agreement":
                return {"receipt": receipt}
            case "claim":
                return {"receipt": receipt, "rail": "manual", "reference": ""}
            case "problem":
                return {"problem": ProblemKind.BLOCKED, "text": "a van stands there"}
            case "change":
                return {"quote": self.requote().raw}
        return {}

    def _open_change(self) -> bytes:
        """Of the change that waits for an answer, also if nothing includes it yet."""
        state = self.state()
        if state.change is not None:
            return state.change.id
        waiting = [one for one in self.booking.driver_records if type(one.body) is Change]
        return waiting[-1].id if waiting else b"?" * 32

    def _tick(self) -> int:
        self.now += SECOND
        return self.now


def receipt_fields(total: int) -> dict[str, Any]:
    return {
        "started": START,
        "ended": START + HOUR,
        "energy_wh": 8_000,
        "currency": "EUR",
        "lines": (),
        "total": total,
        "payee_name": "",
        "payee_account": "",
    }


_HOST_CLASS: dict[str, type[Any]] = {
    "accept": Accept,
    "decline": Decline,
    "access": Access,
    "acknowledge": Acknowledge,
    "ticket": Ticket,
    "receipt": Receipt,
    "paid": Paid,
    "host-cancel": HostCancel,
    "no-show": NoShow,
    "offer": Offer,
    "amend": Amend,
    "refuse": Refuse,
    "fault": EquipmentFault,
}
_DRIVER_CLASS: dict[str, type[Any]] = {
    "cancel": Cancel,
    "authorisation": Authorisation,
    "stop": Stop,
    "countersign": Countersign,
    "agreement": Agreement,
    "claim": Claim,
    "problem": Problem,
    "change": Change,
}
HOST_KIND_NAMES = tuple(_HOST_CLASS)
DRIVER_KIND_NAMES = tuple(_DRIVER_CLASS)
