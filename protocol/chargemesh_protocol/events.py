"""Everything that can happen to a node's core: commands of its person, messages of peers, wallboxes, time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from .booking.imported import BusyFound
from .booking.records import CancelReason, ProblemKind
from .chargers import ChargerSettings
from .charging.reports import WallboxReport
from .contact import Contact, Mailbox
from .effects import Mail
from .series.commands import HostSeriesCommand, SeriesCommand, SeriesStep
from .trust.logset import LogSet

# --- commands: the person's, through the local API ------------------------------------------------


@dataclass(frozen=True, slots=True)
class PutCharger:
    """Adds a charger or changes it. busy: what its host's other calendar holds, if that was read just now."""

    settings: ChargerSettings
    busy: BusyFound | None = None


@dataclass(frozen=True, slots=True)
class PauseCharger:
    charger: bytes
    paused: bool


@dataclass(frozen=True, slots=True)
class RemoveCharger:
    charger: bytes


@dataclass(frozen=True, slots=True)
class AddPhoto:
    """Shows drivers who are told the address one picture more. jpeg: as `booking.photos` allows it."""

    charger: bytes
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class RemovePhoto:
    """photo: its id."""

    charger: bytes
    photo: bytes


@dataclass(frozen=True, slots=True)
class Book:
    """A driver takes a quote. `quote` is the raw record, `host_bundle` its author's, `to` where to ask."""

    quote: bytes
    host_bundle: bytes
    to: Contact
    region: int
    title: str
    zone: str
    wait_ms: int  # how long the host may take to answer
    vehicle: str | None = None
    plug: str | None = None  # OCPI's name of its inlet
    walk_in: bytes | None = None  # the secret of the charger's code, where the driver stands
    series: bytes | None = None  # the weekly series that it belongs to


@dataclass(frozen=True, slots=True)
class Decide:
    """The host answers a request, or a change of it, that waits for a person; the driver answers an offer.

    offer: the one that the driver was shown.
    """

    booking: bytes
    accept: bool
    offer: bytes | None = None


@dataclass(frozen=True, slots=True)
class OfferTerms:
    """The host offers other terms: None for what is to stay. A start without an end keeps the duration."""

    booking: bytes
    start: int | None = None
    end: int | None = None
    energy_wh: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class ChangeBooking:
    """The driver asks for other terms: `quote` is the host's raw quote for them."""

    booking: bytes
    quote: bytes


@dataclass(frozen=True, slots=True)
class SayFault:
    """The host says that its equipment fails the driver."""

    booking: bytes
    problem: ProblemKind
    text: str


@dataclass(frozen=True, slots=True)
class CancelBooking:
    """at_most: what the driver was told that it costs, in micro-units; None where nobody was told."""

    booking: bytes
    reason: CancelReason
    at_most: int | None = None


@dataclass(frozen=True, slots=True)
class WriteMessage:
    booking: bytes
    text: str


@dataclass(frozen=True, slots=True)
class ReportProblem:
    booking: bytes
    problem: ProblemKind
    text: str


@dataclass(frozen=True, slots=True)
class StartCharging:
    """The driver checks in. None: up to the quote's energy or cap."""

    booking: bytes
    energy_wh: int | None = None
    cost: int | None = None


@dataclass(frozen=True, slots=True)
class StopCharging:
    booking: bytes


@dataclass(frozen=True, slots=True)
class ConfirmReading:
    """The driver has read the meter too. `ticket`: the one that was shown. register_wh: what the driver read,
    None where it is what the ticket says."""

    booking: bytes
    ticket: bytes
    register_wh: int | None = None


@dataclass(frozen=True, slots=True)
class AgreeReceipt:
    """The driver agrees with the receipt that was shown, whatever the node has against it."""

    booking: bytes
    receipt: bytes


@dataclass(frozen=True, slots=True)
class ClaimPaid:
    """The driver says it has paid the receipt."""

    booking: bytes
    rail: str
    reference: str


@dataclass(frozen=True, slots=True)
class ConfirmPaid:
    """The host says the money is there."""

    booking: bytes


@dataclass(frozen=True, slots=True)
class WriteReview:
    booking: bytes
    stars: int
    text: str


@dataclass(frozen=True, slots=True)
class SayEntry:
    """Says something of somebody else's kind in our log. `fields`: as `trust.foreign.fields_of` gives them.
    `region`: H3 cell of resolution 4 where it is said."""

    kind: str
    fields: bytes
    region: int


@dataclass(frozen=True, slots=True)
class VouchFor:
    """Stands up for somebody, or takes that back. `region`: H3 cell of resolution 4 where it is said."""

    subject: bytes
    stands: bool
    region: int


@dataclass(frozen=True, slots=True)
class UseMailboxes:
    """From now on our contact names these volunteers (contact, signer key). auto: the node chose them."""

    volunteers: tuple[tuple[Contact, bytes], ...]
    auto: bool = False


@dataclass(frozen=True, slots=True)
class PutMember:
    """Keeps somebody as a member of the host's, in one of its groups ("" for none in particular)."""

    author: bytes
    name: str
    group: str


@dataclass(frozen=True, slots=True)
class DropMember:
    author: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """Deals with somebody no more. `reason`: the person's own words, for nobody else."""

    author: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Unblock:
    author: bytes


Command: TypeAlias = (
    SeriesCommand
    | HostSeriesCommand
    | PutCharger
    | PauseCharger
    | RemoveCharger
    | AddPhoto
    | RemovePhoto
    | Book
    | Decide
    | OfferTerms
    | ChangeBooking
    | SayFault
    | CancelBooking
    | WriteMessage
    | ReportProblem
    | StartCharging
    | StopCharging
    | ConfirmReading
    | AgreeReceipt
    | ClaimPaid
    | ConfirmPaid
    | WriteReview
    | VouchFor
    | PutMember
    | DropMember
    | Block
    | Unblock
    | SayEntry
    | UseMailboxes
)

# --- the network's --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A request on `/chargemesh/booking/1`; exactly one Reply must come of it."""

    peer_id: str
    block: str
    body: bytes


@dataclass(frozen=True, slots=True)
class ParcelAnswered:
    """The response to what an outbox row of channel "peer" sent."""

    key: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class MailCollected:
    """A parcel that lay in a mailbox of ours. handed_in: when, by its volunteer's word."""

    mailbox: Mailbox
    sealed: bytes
    handed_in: int


@dataclass(frozen=True, slots=True)
class MailHandedIn:
    """A volunteer took copy `number` of a parcel, and signed that it did."""

    mail: Mail
    number: int
    proof: bytes


@dataclass(frozen=True, slots=True)
class ContactChanged:
    """Our own transport address or key is another now: listings must say so."""

    contact: Contact


# --- the wallbox's, and time ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WallboxSaid:
    charger: bytes
    report: WallboxReport


@dataclass(frozen=True, slots=True)
class StartFailed:
    """A StartWallbox effect did not succeed."""

    charger: bytes
    booking: bytes
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class WallboxRemembered:
    """What a driver must find again after a restart: its transaction numbers and the last register."""

    charger: bytes
    memory: bytes


@dataclass(frozen=True, slots=True)
class BusyRead:
    """A host's other calendar was read. `source`: which, see `booking.imported.source_of`."""

    charger: bytes
    source: bytes
    found: BusyFound


@dataclass(frozen=True, slots=True)
class BusyUnreadable:
    """It could not be read. `fault`: why, in words."""

    charger: bytes
    source: bytes
    fault: str


@dataclass(frozen=True, slots=True)
class OwnLogFound:
    """A restored node has asked its peers: `logs` holds whatever they had of its own log."""

    logs: LogSet


@dataclass(frozen=True, slots=True)
class TimerDue:
    """The instant of `Engine.deadline` has come, or the node has just started."""


Event: TypeAlias = (
    Command
    | SeriesStep
    | MessageReceived
    | ParcelAnswered
    | MailCollected
    | MailHandedIn
    | ContactChanged
    | WallboxSaid
    | StartFailed
    | WallboxRemembered
    | BusyRead
    | BusyUnreadable
    | OwnLogFound
    | TimerDue
)
