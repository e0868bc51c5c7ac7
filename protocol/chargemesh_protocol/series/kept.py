"""What a driver's node keeps of a weekly series, and of each of its dates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from ..contact import Contact
from ..limits import MAX_SERIES_EXCEPTIONS, MAX_TEXT_CHARS
from ..shape import ID, Bool, Bytes, Int, Name, Seq, Struct, Text, Uint, key, shape
from ..terms import Terms
from ..wall_clock import LAST_DAY
from ..zones import DAY_MINUTES, LAST_INSTANT
from .dates import WEEK_MINUTES, WallTimes

SERIES_BYTES = 16
_DAY = Int(0, LAST_DAY)


@shape
@dataclass(frozen=True, slots=True)
class Move:
    """The occurrence of the date `day` is at other times (unix ms) instead."""

    day: int = key(0, _DAY)
    start: int = key(1, Uint(LAST_INSTANT))
    end: int = key(2, Uint(LAST_INSTANT))


@shape
@dataclass(frozen=True, slots=True)
class Asked:
    """The host's newest terms, which the person was asked about: one that costs more, or on other conditions.

    day: the date for which they were quoted. cap: in micro-units.
    """

    day: int = key(0, _DAY)
    cap: int = key(1, Uint())
    terms: Terms = key(2, Struct(Terms))


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One weekly series: where, when by the wall clocks of the host's zone, and what the person agreed to.

    weekdays: 1 Monday to 7 Sunday. opens, minutes: as `WallTimes`. at_most: no occurrence is booked whose cap
    is higher, micro-units of `currency`; terms: nor one on other terms. peer: where the host was reached
    last. cell: of its listing. first, last: dates (days from 1970-01-01), None for no end. ended: the person
    ended it.
    """

    charger: bytes = key(0, Bytes(16))
    host: bytes = key(1, ID)
    zone: str = key(2, Text(64, 1))
    weekdays: tuple[int, ...] = key(3, Seq(Int(1, 7), 7, 1))
    opens: int = key(4, Int(0, DAY_MINUTES - 1))
    minutes: int = key(5, Int(1, WEEK_MINUTES))
    energy_wh: int = key(6, Uint(1_000_000))
    first: int = key(7, _DAY)
    at_most: int = key(8, Uint())
    currency: str = key(9, Text(3, 3))
    terms: Terms = key(10, Struct(Terms))
    peer: Contact = key(11, Struct(Contact))
    cell: int = key(12, Uint())
    title: str = key(13, Text(MAX_TEXT_CHARS))
    skips: tuple[int, ...] = key(14, Seq(_DAY, MAX_SERIES_EXCEPTIONS), default=())
    moves: tuple[Move, ...] = key(15, Seq(Struct(Move), MAX_SERIES_EXCEPTIONS), default=())
    last: int | None = key(16, _DAY, optional=True)
    asked: Asked | None = key(17, Struct(Asked), optional=True)
    ended: bool | None = key(18, Bool(), optional=True)
    vehicle: str | None = key(19, Text(MAX_TEXT_CHARS), optional=True)
    plug: str | None = key(20, Text(40, 1), optional=True)

    @property
    def times(self) -> WallTimes:
        return WallTimes(self.zone, self.opens, self.minutes)

    @property
    def moved(self) -> Mapping[int, Move]:
        return {one.day: one for one in self.moves}


class Outcome(Enum):
    """What the booking of a date means for that date."""

    ASKED = "ASKED"  # nobody has answered yet
    STANDS = "STANDS"  # it is booked, or was
    AGAIN = "AGAIN"  # it came to nothing, and may be tried again
    OVER = "OVER"  # somebody said no to this date, or cancelled it


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class DateState:
    """What became of one date so far.

    booking: the last that was made for it, outcome: what became of that. tries: quotes asked for or bookings
    made in vain, or yet to be answered; the next is not before `not_before` (unix ms). code, message: why the
    last came to nothing, "" if it did not. told: the person knows that it is not booked yet. cap, terms: of
    the quote that nobody has agreed to. left_out: its time came, and it was not booked.
    """

    tries: int = key(0, Uint(), default=0)
    not_before: int = key(1, Uint(), default=0)
    code: str = key(2, Text(40), default="")
    message: str = key(3, Text(4 * MAX_TEXT_CHARS), default="")
    told: bool = key(4, Bool(), default=False)
    outcome: Outcome = key(5, Name(Outcome), default=Outcome.ASKED)
    booking: bytes | None = key(16, ID, optional=True)
    cap: int | None = key(17, Uint(), optional=True)
    terms: Terms | None = key(18, Struct(Terms), optional=True)
    left_out: bool | None = key(19, Bool(), optional=True)


NOTHING_YET = DateState()
