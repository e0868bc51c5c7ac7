"""The records of a booking, as they are signed.

The host is the sequencer: its records are numbered from 1, each names the one before (the first names
the request) and the ids it includes. A driver's record names the last host record it saw and takes
effect when a host record includes it, except cancellation and stop, which take effect alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..contact import Contact
from ..limits import (
    MAX_CARRIED_BYTES,
    MAX_INCLUDES,
    MAX_NOTE_CHARS,
    MAX_POWER_STEPS,
    MAX_SEALED_BYTES,
    MAX_TEXT_CHARS,
)
from ..metering import PowerStep
from ..policy import AnswerWithin
from ..record import kind
from ..shape import ID, Bool, Bytes, Int, Name, Seq, Struct, Text, Uint, key, shape
from ..tariff import PricePlan
from ..terms import Terms
from ..zones import LAST_INSTANT

_INSTANT = Uint(LAST_INSTANT)  # whatever is signed can be shown on a calendar
_QUOTE = Bytes(1, MAX_CARRIED_BYTES)


class DeclineReason(Enum):
    """Why a host does not take a request; nothing here tells booked from closed or away."""

    NOT_OFFERABLE = "NOT_OFFERABLE"  # the slot is not, or no longer, to be had
    RULES = "RULES"  # the host's rules say no to this driver or duration
    HOST_DECLINED = "HOST_DECLINED"  # a person said no
    QUOTE_EXPIRED = "QUOTE_EXPIRED"
    UNPAID_RECEIPT = "UNPAID_RECEIPT"


class CancelReason(Enum):
    """Why a party cancels (OCPI 2.3.0 bookings names, and SAFETY which is always free)."""

    DRIVER_CANCELED = "DRIVER_CANCELED"
    HOST_CANCELED = "HOST_CANCELED"
    POWER_OUTAGE = "POWER_OUTAGE"
    BROKEN_CHARGER = "BROKEN_CHARGER"
    TRAFFIC = "TRAFFIC"
    SAFETY = "SAFETY"


class ProblemKind(Enum):
    """What is wrong at the plug, as the driver finds it or the host says."""

    BLOCKED = "BLOCKED"
    NO_POWER = "NO_POWER"
    WONT_START = "WONT_START"
    OTHER = "OTHER"


class ReadingContext(Enum):
    """When a meter value was taken (OCPP 1.6 ReadingContext)."""

    TRANSACTION_BEGIN = "Transaction.Begin"
    SAMPLE_PERIODIC = "Sample.Periodic"
    TRANSACTION_END = "Transaction.End"


@kind("quote")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A host's price for one slot; it holds nothing. Money in micro-units, energy in Wh."""

    author: bytes = key(0, ID)
    issued: int = key(1, _INSTANT)
    listing: bytes = key(2, ID)  # id of the listing record it was made from
    charger: bytes = key(3, Bytes(16))
    start: int = key(4, _INSTANT)
    end: int = key(5, _INSTANT)
    plan: PricePlan = key(6, Struct(PricePlan))
    energy_wh: int = key(7, Uint())  # assumed
    estimate: int = key(8, Uint())
    cap: int = key(9, Uint())  # worst case of the slot at full power
    expires: int = key(10, _INSTANT)
    one_time_key: bytes = key(11, ID)  # X25519, deleted 7 days after the end
    terms: Terms = key(12, Struct(Terms))
    instant: bool = key(13, Bool())  # answered by rules for somebody the host knows, not by a person
    access_lead_minutes: int = key(14, Int(0, 20_160))
    # What may be drawn, the first step at the start; absent: all that the charger gives.
    power: tuple[PowerStep, ...] | None = key(16, Seq(Struct(PowerStep), MAX_POWER_STEPS, 1), optional=True)
    # Until when a person answers, if one must, and what becomes of the request without an answer.
    answer: AnswerWithin | None = key(17, Struct(AnswerWithin), optional=True)

    def __post_init__(self) -> None:
        if not self.start < self.end:
            raise ValueError("a quote must end after it starts")
        if not self.issued < self.expires:
            raise ValueError("a quote must expire after it is issued")


@kind("request")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A driver asks for what a quote names. Its id is the id of the booking."""

    author: bytes = key(0, ID)
    issued: int = key(1, _INSTANT)
    quote: bytes = key(2, ID)
    one_time_key: bytes = key(3, ID)
    contact: Contact = key(4, Struct(Contact))
    expires: int = key(5, _INSTANT)  # without an answer by then, the request has FAILED
    vehicle: str | None = key(16, Text(MAX_TEXT_CHARS), optional=True)
    walk_in: bytes | None = key(17, Bytes(32), optional=True)  # proof of the charger's QR secret (`walk_in`)
    plug: str | None = key(18, Text(40, 1), optional=True)  # OCPI's name of the vehicle's inlet
    series: bytes | None = key(19, Bytes(16), optional=True)  # drawn by the driver: these belong together


# --- the driver's, after the request ------------------------------------------------------------


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class DriverRecord:
    """What every record of the driver after the request begins with."""

    author: bytes = key(0, ID)
    issued: int = key(1, _INSTANT)
    booking: bytes = key(2, ID)
    seen: bytes = key(3, ID)  # the last host record the driver saw, or the request


@kind("cancel")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(DriverRecord):
    """Takes effect alone; its cost is that of its claimed time if acknowledged in time."""

    reason: CancelReason = key(4, Name(CancelReason))


@kind("authorisation")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Authorisation(DriverRecord):
    """Check-in: the driver is here and agrees to pay up to these bounds without signing again."""

    energy_wh: int = key(4, Uint())
    cost: int = key(5, Uint())


@kind("stop")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(DriverRecord):
    """Ends charging; takes effect alone."""


@kind("countersign")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Countersign(DriverRecord):
    """The driver agrees with a ticket, and with every earlier one."""

    ticket: bytes = key(4, ID)


@kind("agreement")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement(DriverRecord):
    """The driver's half of a receipt: computed alike from tickets and quote."""

    receipt: bytes = key(4, ID)


@kind("claim")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Claim(DriverRecord):
    """The driver says it has paid."""

    receipt: bytes = key(4, ID)
    rail: str = key(5, Text(24, 1))
    reference: str = key(6, Text(MAX_TEXT_CHARS))


@kind("problem")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Problem(DriverRecord):
    """The driver reports what is wrong; decides the tier of a cancellation that follows."""

    problem: ProblemKind = key(4, Name(ProblemKind))
    text: str = key(5, Text(MAX_NOTE_CHARS))


@kind("change", carries=("quote", Quote))
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Change(DriverRecord):
    """The driver asks for the quote that this carries, in the place of the one in force.

    If it is checked in, it is authorised up to that quote's energy and cap from then on. `offer`: id of the
    host's offer that this takes.
    """

    quote: bytes = key(4, _QUOTE)
    offer: bytes | None = key(16, ID, optional=True)


# --- the host's chain ---------------------------------------------------------------------------


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class HostRecord:
    """What every chained record of the host begins with."""

    author: bytes = key(0, ID)
    issued: int = key(1, _INSTANT)
    booking: bytes = key(2, ID)
    number: int = key(3, Int(1, 1_000_000))
    previous: bytes = key(4, ID)
    includes: tuple[bytes, ...] = key(5, Seq(ID, MAX_INCLUDES))


@kind("accept")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Accept(HostRecord):
    """The slot is reserved. `access_due`: when the access record will be sent at the latest.

    change: id of the driver's change whose quote is accepted, absent where it is the request's own.
    """

    access_due: int = key(6, _INSTANT)
    change: bytes | None = key(16, ID, optional=True)


@kind("decline")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Decline(HostRecord):
    """The host does not take the request."""

    reason: DeclineReason = key(6, Name(DeclineReason))


@kind("offer", carries=("quote", Quote))
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Offer(HostRecord):
    """The host would rather have it so: a counter-offer to a request, a proposal once that is accepted.

    It holds nothing, takes the place of every earlier one, and ends when the quote that it carries expires.
    """

    quote: bytes = key(6, _QUOTE)
    text: str = key(7, Text(MAX_NOTE_CHARS))


@kind("amend")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Amend(HostRecord):
    """From here on the quote of the driver's change is in force. `access_due` as in `Accept`."""

    change: bytes = key(6, ID)
    access_due: int = key(7, _INSTANT)


@kind("refuse")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse(HostRecord):
    """The booking goes on as it was, without the driver's change."""

    change: bytes = key(6, ID)
    reason: DeclineReason = key(7, Name(DeclineReason))


@kind("fault")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class EquipmentFault(HostRecord):
    """The host says that its equipment fails this driver, who may leave for nothing from here on."""

    problem: ProblemKind = key(6, Name(ProblemKind))
    text: str = key(7, Text(MAX_NOTE_CHARS))


@kind("access")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Access(HostRecord):
    """The access record (`sealing.AccessRecord`), sealed to the request's one-time key."""

    sealed: bytes = key(6, Bytes(1, MAX_SEALED_BYTES))


@kind("acknowledge")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledge(HostRecord):
    """Nothing but the inclusion of the driver's records."""


@kind("ticket")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket(HostRecord):
    """One meter reading of this booking's session; energy counts from its own begin.

    by_hand: true when a person read the meter, and absent where the wallbox did: then the driver's own
    reading is asked for.
    """

    at: int = key(6, Uint())
    energy_wh: int = key(7, Uint())
    register_wh: int = key(8, Uint())
    power_w: int = key(9, Uint())
    cost: int = key(10, Uint())  # so far, by tariff
    context: ReadingContext = key(11, Name(ReadingContext))
    by_hand: bool | None = key(16, Bool(), optional=True)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptLine:
    """One line: `quantity` (Wh, ms or 1) at `price` (a kWh, an hour or once) is `amount`, in micro-units.

    dimension: of the tariff, or CANCELLATION or NO_SHOW.
    """

    dimension: str = key(0, Text(16, 1))
    quantity: int = key(1, Uint())
    price: int = key(2, Uint())
    amount: int = key(3, Uint())


@kind("receipt")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(HostRecord):
    """The host's half of the receipt: computed from tickets and quote, or from a cancellation tier.

    It adds up: amounts of the lines + `adjustment` + `rounding`, and `tax` where the plan's prices are
    without it, are `total`. Each of the three is absent where it is 0.
    """

    started: int = key(6, _INSTANT)
    ended: int = key(7, _INSTANT)
    energy_wh: int = key(8, Uint())
    currency: str = key(9, Text(3, 3))
    lines: tuple[ReceiptLine, ...] = key(10, Seq(Struct(ReceiptLine), 256))
    total: int = key(11, Uint())
    payee_name: str = key(12, Text(70))
    payee_account: str = key(13, Text(64))  # IBAN for SEPA; empty for payment by hand
    beyond_authorisation_wh: int | None = key(16, Uint(), optional=True)
    adjustment: int | None = key(17, Int(), optional=True)  # by min_price (up) or max_price (down)
    tax: int | None = key(18, Uint(), optional=True)  # the part of the total that is tax
    rounding: int | None = key(19, Int(), optional=True)  # to whole coins


@kind("paid")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Paid(HostRecord):
    """Proof of payment: the payee's signature over the receipt's id."""

    receipt: bytes = key(6, ID)
    rail: str = key(7, Text(24, 1))


@kind("host-cancel")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class HostCancel(HostRecord):
    """The host cancels; costs it the compensation that the terms promised, unless for safety."""

    reason: CancelReason = key(6, Name(CancelReason))


@kind("no-show")
@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class NoShow(HostRecord):
    """The driver did not check in by the end of the grace period."""


DRIVER_KINDS = (Cancel, Authorisation, Stop, Countersign, Agreement, Claim, Problem, Change)
HOST_KINDS = (
    Accept,
    Decline,
    Access,
    Acknowledge,
    Ticket,
    Receipt,
    Paid,
    HostCancel,
    NoShow,
    Offer,
    Amend,
    Refuse,
    EquipmentFault,
)
