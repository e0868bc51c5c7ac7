"""A booking told record by record by Alice and Bob, with names for what they sign."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chargemesh_protocol.booking import records as b
from chargemesh_protocol.booking.cost import signed_for
from chargemesh_protocol.booking.receipt import reckon_charge, reckon_session
from chargemesh_protocol.booking.sealing import one_time_keypair
from chargemesh_protocol.booking.set import BookingSet
from chargemesh_protocol.booking.state import BookingState
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.metering import Reading, bill
from chargemesh_protocol.record import Record
from chargemesh_protocol.tariff import PriceComponent, PricePlan, TariffDimension, TariffPeriod
from chargemesh_protocol.terms import CancellationTier, Terms

from ..protocol.booking.stages import steps_to
from .cast import ALICE, BOB, HOUR, MINUTE, NETWORK, NOW, hashed, seed
from .frame import Json
from .samples import CHARGER

SECOND, EURO = 1_000, 1_000_000
START, END = NOW + 4 * HOUR, NOW + 7 * HOUR
CAP = 16_500_000
# A quarter of the cap from two hours before, half of it from one hour before, 80 % for a no-show.
TERMS = Terms(
    tiers=(CancellationTier(120, 25), CancellationTier(60, 50)),
    no_show_percent=80,
    no_show_after=15,
    host_failure_percent=10,
)
NO_SHOW_FROM = START + 17 * MINUTE
PLAN = PricePlan(
    currency="EUR",
    periods=(TariffPeriod(START, (PriceComponent(TariffDimension.ENERGY, EURO // 2),)),),
)
# What the meter shows at each reading of a stage.
_SHOWN_WH = {"Transaction.Begin": 0, "Sample.Periodic": 5_000, "Transaction.End": 10_000}
HOST_KEY, HOST_SECRET = one_time_keypair(seed("Alice one-time"))
DRIVER_KEY, DRIVER_SECRET = one_time_keypair(seed("Bob one-time"))
DRIVER_KINDS: dict[str, type[Any]] = {
    "cancel": b.Cancel, "authorisation": b.Authorisation, "stop": b.Stop, "countersign": b.Countersign,
    "agreement": b.Agreement, "claim": b.Claim, "problem": b.Problem, "change": b.Change,
}  # fmt: skip
HOST_KINDS: dict[str, type[Any]] = {
    "accept": b.Accept, "decline": b.Decline, "access": b.Access, "acknowledge": b.Acknowledge,
    "ticket": b.Ticket, "receipt": b.Receipt, "paid": b.Paid, "host-cancel": b.HostCancel,
    "no-show": b.NoShow, "offer": b.Offer, "amend": b.Amend, "refuse": b.Refuse, "fault": b.EquipmentFault,
}  # fmt: skip


def quote(**changes: Any) -> b.Quote:
    """Alice's quote for three hours of at most 11 kW at 0.50 EUR a kWh."""
    fields: dict[str, Any] = {
        "author": ALICE.author,
        "issued": NOW,
        "listing": hashed("listing"),
        "charger": CHARGER,
        "start": START,
        "end": END,
        "plan": PLAN,
        "energy_wh": 20_000,
        "estimate": 10 * EURO,
        "cap": CAP,
        "expires": NOW + 15 * MINUTE,
        "one_time_key": HOST_KEY,
        "terms": TERMS,
        "instant": True,
        "access_lead_minutes": 60,
    }
    return b.Quote(**(fields | changes))


class Story:
    """`named` holds what was signed after the request, in order; `booking` what was added of it."""

    def __init__(self, requested: int = NOW + MINUTE, waits: int = 5 * MINUTE, **changes: Any) -> None:
        self.now = requested
        changes = {"issued": requested - MINUTE, "expires": requested + 14 * MINUTE} | changes
        self.quote = ALICE.sign(quote(**changes))
        body = b.Request(
            author=BOB.author,
            issued=requested,
            quote=self.quote.id,
            one_time_key=DRIVER_KEY,
            contact=Contact("12D3KooWMadeUpForTheVectors", ()),
            expires=requested + waits,
        )
        self.request = BOB.sign(body)
        self.booking = BookingSet(self.quote, self.request)
        self.named: dict[str, Record[Any]] = {}

    @property
    def begun(self) -> Json:
        """Quote and request, as operations ask for them."""
        return {"network": NETWORK, "quote": self.quote.raw.hex(), "request": self.request.raw.hex()}

    def state(self) -> BookingState:
        return self.booking.state(self.now)

    def at(self, instant: int) -> Story:
        """Moves the clock; each record is signed a second after what was before it."""
        self.now = instant
        return self

    def says(
        self, kind: str, name: str = "", *, add: bool = True, head: Json | None = None, **own: Any
    ) -> Record[Any]:
        """Whoever signs that kind signs the next one; `head` replaces fields that all of that side have.

        Named by its kind, and by a number where that is taken.
        """
        self.now += SECOND
        by_host = kind in HOST_KINDS
        fields: Json = dict(
            self.booking.host_fields(self.now) if by_host else self.booking.driver_fields(self.now)
        )
        fields |= (head or {}) | self._usual(kind) | own
        cls = HOST_KINDS[kind] if by_host else DRIVER_KINDS[kind]
        record = (ALICE if by_host else BOB).sign(cls(**fields))
        if not name:
            taken = sum(1 for one in self.named if one == kind or one.startswith(f"{kind}-"))
            name = f"{kind}-{taken + 1}" if taken else kind
        if name in self.named:
            raise ValueError(f"{name} is told twice")
        self.named[name] = record
        if add:
            self.booking.add(record)
        return record

    def meter(
        self, energy_wh: int, context: str = "Sample.Periodic", name: str = "", **own: Any
    ) -> Record[Any]:
        """A ticket of this energy now, with the cost of all that count."""
        tickets = [one.body for one in self.state().tickets]
        readings = [Reading(one.at, one.energy_wh) for one in tickets]
        at = own.get("at", self.now + SECOND)
        backwards = readings and (energy_wh < readings[-1].energy_wh or at < readings[-1].at)
        cost = 0 if backwards else bill(self.state().quote.plan, [*readings, Reading(at, energy_wh)]).total
        fields = {"at": at, "energy_wh": energy_wh, "register_wh": 5_000_000 + energy_wh, "cost": cost}
        fields |= {"power_w": 0, "context": b.ReadingContext(context)}
        return self.says("ticket", name, **(fields | own))

    def until(self, stage: str) -> Story:
        """Tells the usual story up to a stage of booking-stages.json."""
        for step in steps_to(stage):
            kind = step["kind"]
            if kind == "access":
                self.at(max(self.now, START - HOUR))
            elif kind == "authorisation":
                self.at(max(self.now, START))
            if kind == "ticket":
                energy_wh = _SHOWN_WH[step["context"]]
                self.at(self.now + (30 * MINUTE if energy_wh else 0)).meter(energy_wh, step["context"])
            elif kind == "acknowledge" and "change" in self.named:
                self.says(kind, "acknowledge-of-the-change")
            else:
                self.says(kind)
        return self

    def requote(self, **changes: Any) -> bytes:
        """Another quote of Alice's for this booking, as records carry it: by default an hour longer."""
        now = self.state().quote
        fields: Json = {"end": now.end + HOUR, "cap": now.cap + CAP // 3, "issued": self.now}
        return ALICE.sign(replace(now, **(fields | {"expires": self.now + 15 * MINUTE} | changes))).raw

    def offers(self, name: str = "", **changes: Any) -> Record[Any]:
        return self.says("offer", name, quote=self.requote(**changes), text="")

    def takes(self, offer: Record[Any], name: str = "") -> Record[Any]:
        return self.says("change", name, quote=offer.body.quote, offer=offer.id)

    def asks(self, name: str = "", **changes: Any) -> Record[Any]:
        return self.says("change", name, quote=self.requote(**changes))

    def _usual(self, kind: str) -> Json:
        """Own fields of a kind that fit how far the story is."""
        state = self.state()
        receipt = state.receipt.id if state.receipt else hashed("no receipt")
        change = state.change.id if state.change else hashed("no change")
        if state.change is None and "change" in self.named and self.named["change"].id in state.not_included:
            change = self.named["change"].id
        match kind:
            case "change":
                return {"quote": self.requote()}
            case "offer":
                return {"quote": self.requote(), "text": ""}
            case "amend":
                return {"change": change, "access_due": max(self.now, START - HOUR)}
            case "refuse":
                return {"change": change, "reason": b.DeclineReason.HOST_DECLINED}
            case "fault":
                return {"problem": b.ProblemKind.WONT_START, "text": "No answer from the wallbox."}
            case "accept":
                return {"access_due": max(self.now, START - HOUR)}
            case "decline":
                return {"reason": b.DeclineReason.HOST_DECLINED}
            case "access":
                return {"sealed": hashed("a sealed address")}
            case "receipt":
                return self._bill(state)
            case "paid":
                return {"receipt": receipt, "rail": "manual"}
            case "host-cancel":
                return {"reason": b.CancelReason.HOST_CANCELED}
            case "cancel":
                return {"reason": b.CancelReason.DRIVER_CANCELED}
            case "authorisation":
                return {"energy_wh": 20_000, "cost": 10 * EURO}
            case "countersign":
                return {"ticket": state.tickets[-1].id if state.tickets else hashed("no ticket")}
            case "agreement":
                return {"receipt": receipt}
            case "claim":
                return {"receipt": receipt, "rail": "manual", "reference": ""}
            case "problem":
                return {"problem": b.ProblemKind.BLOCKED, "text": "A van stands in front of it."}
            case "ticket":
                energy_wh = state.energy_wh + 1_000
                context = b.ReadingContext.SAMPLE_PERIODIC
                shown = {"energy_wh": energy_wh, "register_wh": 5_000_000 + energy_wh, "power_w": 7_400}
                return {"at": self.now, "cost": energy_wh * EURO // 2000, "context": context, **shown}
        return {}

    def _bill(self, state: BookingState) -> Json:
        """What a receipt of the session says; without one, of the cancellation or no-show."""
        quote = state.quote
        if state.tickets:
            own = reckon_session(quote, [one.body for one in state.tickets])
        else:
            own = reckon_charge(quote, "NO_SHOW" if state.no_show_at else "CANCELLATION", state.cost)
        beyond = max(0, own.energy_wh - signed_for(state).energy_wh) if state.tickets else 0
        return {
            "started": own.started,
            "ended": own.ended,
            "energy_wh": own.energy_wh,
            "currency": quote.plan.currency,
            "lines": own.lines,
            "total": own.total,
            "adjustment": own.adjustment or None,
            "tax": own.tax or None,
            "rounding": own.rounding or None,
            "beyond_authorisation_wh": beyond or None,
            "payee_name": "Alice",
            "payee_account": "",
        }
