"""Operations on the messages of the streams (03-identity.md, 05-booking.md, 07-discovery.md)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from chargemesh_protocol import identity_wire
from chargemesh_protocol.booking import wire as booking
from chargemesh_protocol.discovery import wire as discovery
from chargemesh_protocol.encoding import encode
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.mailbox import wire as mailbox
from chargemesh_protocol.shape import to_tree
from chargemesh_protocol.trust import news, sync

from ..fields import from_json, to_json

# By the names in the tables of the chapters.
MESSAGES: dict[str, type[Any]] = {
    "identity-get": identity_wire.Get,
    "identity-given": identity_wire.Given,
    "booking-ask-quote": booking.AskQuote,
    "booking-quote-given": booking.QuoteGiven,
    "booking-exchange": booking.Exchange,
    "booking-failed": booking.Failed,
    "listing-store": discovery.Store,
    "listing-store-renewal": discovery.StoreRenewal,
    "listing-withdraw": discovery.Withdraw,
    "listing-query": discovery.Query,
    "listing-found": discovery.Found,
    "listing-kept": discovery.Kept,
    "listing-failed": discovery.Failed,
    "mailbox-ask-terms": mailbox.AskTerms,
    "mailbox-terms": mailbox.Terms,
    "mailbox-deposit": mailbox.Deposit,
    "mailbox-taken": mailbox.Taken,
    "mailbox-knock": mailbox.Knock,
    "mailbox-challenge": mailbox.Challenge,
    "mailbox-collect": mailbox.Collect,
    "mailbox-collected": mailbox.Collected,
    "mailbox-failed": mailbox.Failed,
    "log-catch-up": sync.CatchUp,
    "log-news": news.News,
}
_NAMES = {cls: name for name, cls in MESSAGES.items()}


_STREAMS: dict[str, Callable[[bytes], Any]] = {
    identity_wire.PROTOCOL: identity_wire.read,
    booking.PROTOCOL: booking.read,
    discovery.PROTOCOL: discovery.read,
    mailbox.PROTOCOL: mailbox.read,
    sync.PROTOCOL: sync.open_catch_up,
}
_LOG_TOPIC = re.compile("chargemesh/[^/]+/log")


def read(given: dict[str, Any]) -> dict[str, Any]:
    stream = given["stream"]
    reader = news.open_news if _LOG_TOPIC.fullmatch(stream) else _STREAMS[stream]
    message = reader(bytes.fromhex(given["bytes"]))
    return {"message": _NAMES[type(message)], "fields": to_json(message)}


def write(given: dict[str, Any]) -> dict[str, Any]:
    try:
        message = from_json(MESSAGES[given["message"]], given["fields"])
        return {"bytes": encode(to_tree(message)).hex()}
    except ValueError as error:
        raise Refused("schema", str(error)) from error


OPERATIONS = {"message.read": read, "message.write": write}
