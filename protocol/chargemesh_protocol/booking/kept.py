"""What a node keeps of one booking, beside what its records mean: in a file of its own, and in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ..contact import Contact
from ..limits import MAX_NOTE_CHARS, MAX_RECORD_BYTES, MAX_REVIEW_CONTENT_BYTES, MAX_TEXT_CHARS
from ..record import Record
from ..shape import ID, Bool, Bytes, Name, Seq, Struct, Text, Uint, key, shape
from .objections import as_signed
from .post import KeptDeposit, Post
from .records import Quote, Receipt, Request
from .set import BookingSet
from .state import BookingState
from .wire import MAX_STATEMENTS


class Role(Enum):
    """Which side of a booking this node is."""

    HOST = "host"
    DRIVER = "driver"


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class PeerHas:
    """What the other side said it holds of ours: so many records and messages, and these statements."""

    records: int = key(0, Uint())
    messages: int = key(1, Uint())
    statements: tuple[bytes, ...] = key(2, Seq(ID, MAX_STATEMENTS))


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class BookingFile:
    """What a node keeps about a booking beside the signed records."""

    role: Role = key(0, Name(Role))
    quote: bytes = key(1, Bytes(1, MAX_RECORD_BYTES))
    request: bytes = key(2, Bytes(1, MAX_RECORD_BYTES))
    secret: bytes = key(3, Bytes(0, 32))  # our one-time X25519 key; emptied 7 days after the end
    peer: Contact = key(4, Struct(Contact))
    region: int = key(5, Uint())
    title: str = key(6, Text(MAX_TEXT_CHARS))
    zone: str = key(7, Text(64, 1))
    stranger: bool = key(8, Bool(), default=False)  # the driver had no completed pair when it asked
    block: str = key(9, Text(80), default="")  # address block the request came from
    refused: str = key(10, Text(40), default="")  # the host's unsigned refusal of a request, a code
    session: str = key(11, Text(80), default="")  # the wallbox's name for the session of this booking
    base_wh: int = key(12, Uint(), default=0)  # register at its begin
    ended_at: int = key(13, Uint(), default=0)  # when the session ended, 0 before
    review: bytes = key(
        14, Bytes(0, MAX_REVIEW_CONTENT_BYTES), default=b""
    )  # ours; before it is opened only its hash travels
    done: bool = key(15, Bool(), default=False)  # refused: nothing is owed to or by the other side any more
    # From a backup, and not yet compared with the other side.
    restored: bool | None = key(16, Bool(), optional=True)
    # Written when it has everything, so that a restart sends nothing again.
    peer_has: PeerHas | None = key(17, Struct(PeerHas), optional=True)
    told_receipt: bytes | None = key(18, ID, optional=True)  # the person knows that this receipt is wrong
    asked_change: bytes | None = key(19, ID, optional=True)  # the person was told of this change
    passed_offer: bytes | None = key(20, ID, optional=True)  # the driver's person let it pass
    walk_in: bool | None = key(21, Bool(), optional=True)  # the driver has proven to stand at the charger
    reminded: bool | None = key(22, Bool(), optional=True)  # the person was told that an answer is due soon
    post: Post | None = key(23, Struct(Post), optional=True)  # None: nothing yet that it would say


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMessage:
    """One message of a booking as both sides read it."""

    ours: bool = key(0, Bool())
    sent: int = key(1, Uint())
    text: str = key(2, Text(MAX_NOTE_CHARS))


@dataclass(slots=True, eq=False)
class Booking:
    """One booking in memory. `mine` and `theirs` are records in the order they count in exchanges."""

    id: bytes
    file: BookingFile
    set: BookingSet
    quote: Record[Quote]
    request: Record[Request]
    mine: list[Record[Any]] = field(default_factory=list)
    theirs: list[Record[Any]] = field(default_factory=list)
    messages: list[KeptMessage] = field(default_factory=list)
    statements: dict[bytes, Record[Any]] = field(default_factory=dict)
    deposits: list[KeptDeposit] = field(default_factory=list)  # in the other side's mailbox, the newest last
    peer_known: int = 0  # how many of `mine` the other side has said it holds
    peer_heard: int = 0  # how many of our messages
    peer_held: frozenset[bytes] = frozenset()  # which of our statements
    compared: bool = False  # the other side has said what it holds since this node started
    failed_starts: int = 0  # of the wallbox in a row; not kept
    tried_start_at: int = 0  # last StartWallbox; not kept, a restart may try again
    queued: tuple[int, ...] = ()  # how much there was when the outbox row was last written; () for no row
    told_faults: list[str] = field(default_factory=list)  # codes that the person knows of
    lacks: tuple[bytes, ...] = ()  # photos that the driver asks the host for, in turn
    photo_tries: int = 0  # answers in a row without the first of them; not kept
    photos_given: int = 0  # by the host since it sent the access record; not kept

    @property
    def is_host(self) -> bool:
        return self.file.role is Role.HOST

    @property
    def host(self) -> bytes:
        return self.quote.body.author

    @property
    def driver(self) -> bytes:
        return self.request.body.author

    @property
    def other(self) -> bytes:
        return self.driver if self.is_host else self.host

    @property
    def their_key(self) -> bytes:
        """The other side's one-time X25519 key."""
        return self.request.body.one_time_key if self.is_host else self.quote.body.one_time_key

    @property
    def post(self) -> Post:
        return self.file.post or Post()

    @property
    def our_messages(self) -> list[KeptMessage]:
        return [one for one in self.messages if one.ours]

    @property
    def our_statements(self) -> list[bytes]:
        """Ids of the statements that the other side must have of us."""
        return [id_ for id_, one in self.statements.items() if one.body.author != self.other]

    def own(self, cls: type[Any]) -> list[Record[Any]]:
        """Our own records of one kind, in order."""
        return [one for one in self.mine if type(one.body) is cls]

    def state(self, now: int) -> BookingState:
        return self.set.state(now)

    def as_signed(self, state: BookingState) -> BookingState:
        """This booking's state with all that its driver signed, also what the host has yet to include: which
        tickets are countersigned, and whether the receipt is agreed to."""
        return as_signed(state, self.theirs if self.is_host else self.mine)

    def agreed_receipt(self, now: int) -> Record[Receipt] | None:
        """The receipt of a charged session that both sides signed: what completions and reviews rest on."""
        state = self.state(now)
        return state.receipt if state.agreed is not None and state.tickets else None

    def statement(self, cls: type[Any], author: bytes) -> Record[Any] | None:
        """The completion statement or review commitment of one side, if it is held."""
        for one in self.statements.values():
            if type(one.body) is cls and one.body.author == author:
                return one
        return None
