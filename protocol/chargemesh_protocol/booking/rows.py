"""What a store holds of one booking, and the booking as it is in memory, made of that alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..encoding import decode
from ..errors import ExitCode, PersonError, Refused
from ..record import Record, open_kept
from ..shape import from_tree
from .kept import Booking, BookingFile, KeptMessage
from .post import KeptDeposit
from .records import Quote, Request
from .set import BookingSet

FILES = "booking"
MESSAGES = "booking-message"  # key: booking and number
STATEMENTS = "booking-statement"  # key: booking and id of the record
AT_REST = "booking-at-rest"  # an `AtRest` of each booking that no start loads, by its id
DEPOSITS = "booking-deposit"  # key: booking and when it was made
OF_BOOKINGS = (FILES, MESSAGES, STATEMENTS, DEPOSITS)  # collections whose keys begin with the id of a booking
BUNDLES = "bundle"  # of the other parties, by author
ID_BYTES = 32


@dataclass(frozen=True, slots=True)
class BookingRows:
    """documents: those of the collections OF_BOOKINGS, by key. records: by id, in order of arrival."""

    documents: Mapping[str, Mapping[bytes, bytes]] = field(default_factory=dict)
    records: Mapping[bytes, bytes] = field(default_factory=dict)


def apart(
    documents: Mapping[str, Mapping[bytes, bytes]], records: Mapping[bytes, Mapping[bytes, bytes]]
) -> Iterator[tuple[bytes, BookingRows]]:
    """The rows of each booking that has a file, out of those of many."""
    of: dict[bytes, dict[str, dict[bytes, bytes]]] = {}
    for collection in OF_BOOKINGS:
        for key, value in documents.get(collection, {}).items():
            of.setdefault(key[:ID_BYTES], {}).setdefault(collection, {})[key] = value
    for booking_id in documents.get(FILES, {}):
        yield booking_id, BookingRows(of[booking_id], records.get(booking_id, {}))


def build(booking_id: bytes, rows: BookingRows, network: str) -> Booking:
    """The booking as it was saved. PersonError if it is damaged; nothing is verified anew (`open_kept`)."""
    try:
        return _built(booking_id, rows, network)
    except (KeyError, ValueError, Refused) as error:
        raise damaged(f"what this node kept of booking {booking_id.hex()[:8]}", error) from error


def damaged(what: str, error: Exception) -> PersonError:
    return PersonError(
        "damaged-booking",
        f"In node.db, {what} is damaged: {error}.",
        "Restore your latest backup into another folder: `chargemesh --home NEW restore FILE`.",
    )


def _built(booking_id: bytes, rows: BookingRows, network: str) -> Booking:
    file = from_tree(BookingFile, decode(rows.documents[FILES][booking_id]))
    request: Record[Request] = open_kept(file.request, booking_id, network)
    quote: Record[Quote] = open_kept(file.quote, request.body.quote, network)
    booking = Booking(booking_id, file, BookingSet(quote, request), quote, request)
    for id_, raw in rows.records.items():
        record = open_kept(raw, id_, network)
        if booking.set.add(record):
            (booking.theirs if record.body.author == booking.other else booking.mine).append(record)
    for _, data in sorted(rows.documents.get(MESSAGES, {}).items()):
        booking.messages.append(from_tree(KeptMessage, decode(data)))
    for key, raw in rows.documents.get(STATEMENTS, {}).items():
        statement = open_kept(raw, key[ID_BYTES:], network)
        booking.statements[statement.id] = statement
    for _, data in sorted(rows.documents.get(DEPOSITS, {}).items()):
        booking.deposits.append(from_tree(KeptDeposit, decode(data)))
    return booking


def deposit_key(booking: bytes, deposit: KeptDeposit) -> bytes:
    """Under which the proof of a parcel stands: the newest of a booking comes last."""
    return booking + deposit.made.to_bytes(8, "big")


def no_such_booking() -> PersonError:
    return PersonError(
        "no-such-booking",
        "There is no such booking.",
        "`chargemesh bookings` lists them.",
        ExitCode.NOT_FOUND,
    )
