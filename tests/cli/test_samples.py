"""The stub's answers have the shapes that the API documents: a change there fails here."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chargemesh_node.api import booking_routes, charger_routes, series_routes
from chargemesh_node.views import (
    bookings,
    chargers,
    doctor,
    listings,
    mailbox,
    people,
    photos,
    receipts,
    status,
    terms,
)

from . import samples
from .series_sample import SERIES

TYPES: list[tuple[Any, Any]] = [
    (samples.LISTING_VIEW, listings.ListingView),
    (samples.SEARCH_END, listings.SearchEnd),
    (samples.QUOTE_VIEW, listings.QuoteView),
    (samples.WALLBOX, chargers.WallboxView),
    (samples.CHARGER_VIEW, chargers.ChargerView),
    (samples.PREVIEW, chargers.Preview),
    ({"chargers": [samples.CHARGER_LINE]}, charger_routes.Chargers),
    (samples.BOOKING_VIEW, bookings.BookingView),
    ({**samples.BOOKING_VIEW, "offer": samples.OFFER, "change": samples.CHANGE}, bookings.BookingView),
    (samples.TERMS_VIEW, terms.TermsView),
    ({**samples.BOOKING_VIEW, "meter": samples.METER, "receipt": samples.RECEIPT}, bookings.BookingView),
    ({"bookings": [samples.BOOKING_LINE], "earlier": 0}, booking_routes.Bookings),
    ({"series": [SERIES]}, series_routes.AllSeries),
    (samples.RECEIPT, receipts.ReceiptView),
    (samples.PHOTO, photos.PhotoView),
    (samples.PAYMENT, receipts.PaymentView),
    (samples.TRUST, people.Trust),
    (samples.DOCTOR, doctor.Doctor),
    (samples.IDENTITY, status.Identity),
    (samples.STATUS, status.Status),
    (samples.PEERS, status.Peers),
    (samples.MAILBOX, mailbox.MailboxView),
    (samples.MAILBOX_LINK, mailbox.MailboxLinkView),
    (samples.INVITE, status.InviteView),
]


@pytest.mark.parametrize(("value", "documented"), TYPES, ids=lambda one: getattr(one, "__name__", "sample"))
def test_a_sample_is_what_the_api_documents(value: Any, documented: Any) -> None:
    msgspec.convert(value, documented)
