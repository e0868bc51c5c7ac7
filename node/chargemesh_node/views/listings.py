"""Other people's chargers as a search finds them, and quotes for them."""

from __future__ import annotations

from typing import TypedDict

from chargemesh_protocol import place as places
from chargemesh_protocol.discovery.search import FoundListing
from chargemesh_protocol.limits import SLOT_MS
from chargemesh_protocol.listing import Connector, Listing, Need, energy_price
from chargemesh_protocol.listing_text import describe_plug
from chargemesh_protocol.opening_text import describe_power
from chargemesh_protocol.schedule import free_windows
from chargemesh_protocol.tariff import TariffDimension, prices
from chargemesh_protocol.tariff_text import describe_plan, describe_tariff
from chargemesh_protocol.terms import describe_terms

from ..node import Node
from ..offers import Offer
from .people import Person, person
from .values import Instant, Money, Place, Span, instant, money, place, total

_SHOWN_WINDOWS = 5


class ConnectorView(TypedDict):
    """Names are OCPI 2.3.0's; text is for people."""

    type: str
    format: str
    power_type: str
    max_power_w: int
    text: str


class Cell(TypedDict):
    """The public place of a charger: all that strangers see. boundary: corners as [latitude, longitude]."""

    cell: str
    resolution: int
    centre: Place
    boundary: list[list[float]]


class Prices(TypedDict):
    """text: the whole tariff. per_kwh: the lowest and the highest price of energy at any time."""

    currency: str
    per_kwh: list[Money]
    text: str


class Rules(TypedDict):
    """instant: answered by rules for somebody the host knows. Durations in minutes; trust per mille.
    members_only: the host takes nobody else than its members."""

    instant: bool
    min_minutes: int
    max_minutes: int
    lead_minutes: int
    min_trust: int
    members_only: bool


class ListingView(TypedDict):
    """One charger of a search. id: what a quote is asked for by, and until the next search also the row, from
    1 on. distance_m: nearest and farthest possible.

    price: of the dearest kWh in the time looked for. fits: false for one found before that no longer fits.
    proven: its author has a completed booking on record. free: the next times it is offered.
    """

    row: int
    id: str
    charger: str
    host: Person
    title: str
    distance_m: list[int]
    cell: Cell
    connectors: list[ConnectorView]
    price: Money
    prices: Prices
    rules: Rules
    terms: str
    parking: str
    access_method: str
    amenities: list[str]
    languages: list[str]
    zone: str
    free: list[Span]
    proven: bool
    fits: bool


class SearchEnd(TypedDict):
    """The last line of a search. caretakers: other nodes that answered, each counted once; neighbours: those
    of them on the local network. believable: several caretakers, ourselves among them where we are one,
    answered for every part of the circle, so that what was not found is not there. left_off: chargers beyond
    the limit. untimely: answers dropped since by our clock they are over, or from the future."""

    done: bool
    listings: int
    caretakers: int
    neighbours: int
    believable: bool
    left_off: int
    untimely: int


class QuoteView(TypedDict):
    """What a slot costs. quote: the id that a booking takes. prices, terms: what would be agreed, as
    the quote says it: the listing that was found may be older. power: where it is less than the plug
    gives, in a sentence, else empty. host_away: the host did not answer now, and this is what it said before;
    mailbox: whether a request can wait for it all the same. answer_within_s: how long the host's person has
    at most, where one has to answer; otherwise: ACCEPT or DECLINE, what the host's node does then. Both null
    where it does nothing."""

    quote: str
    listing: str
    title: str
    host: Person
    start: Instant
    end: Instant
    zone: str
    energy_wh: int
    estimate: Money
    cap: Money
    expires: Instant
    expires_in_s: int
    instant: bool
    prices: str
    power: str
    terms: str
    address_by: Instant
    host_away: bool
    mailbox: bool
    answer_within_s: int | None
    otherwise: str | None


def connector_view(connector: Connector) -> ConnectorView:
    form, power = connector.format.value, connector.max_power_w
    return {
        "type": connector.type,
        "format": form,
        "power_type": connector.power_type.value,
        "max_power_w": power,
        "text": describe_plug(connector.type, form, power),
    }


def cell_view(cell: int) -> Cell:
    centre = places.centre(cell)
    return {
        "cell": places.text(cell),
        "resolution": places.resolution_of(cell),
        "centre": place(round(centre.latitude * 1e6), round(centre.longitude * 1e6)),
        "boundary": [[round(lat, 6), round(lon, 6)] for lat, lon in places.boundary(cell)],
    }


def prices_view(listing: Listing) -> Prices:
    currency = listing.tariff.currency
    return {
        "currency": currency,
        "per_kwh": [money(one, currency) for one in prices(listing.tariff, TariffDimension.ENERGY)],
        "text": describe_tariff(listing.tariff),
    }


def rules_view(listing: Listing) -> Rules:
    rules = listing.rules
    return {
        "instant": rules.instant,
        "min_minutes": rules.min_minutes,
        "max_minutes": rules.max_minutes,
        "lead_minutes": rules.lead_minutes,
        "min_trust": rules.min_trust,
        "members_only": bool(listing.members_only),
    }


def listing_view(node: Node, found: FoundListing, short: bytes, need: Need, *, row: int) -> ListingView:
    body = found.record.body
    now = node.clock.now()
    shortest = max(body.rules.min_minutes * 60_000, SLOT_MS)
    windows = free_windows(body.slots, now, shortest, _SHOWN_WINDOWS)
    return {
        "row": row,
        "id": short.hex(),
        "charger": body.charger.hex(),
        "host": person(node, body.author),
        "title": body.about.title,
        "distance_m": list(found.distance),
        "cell": cell_view(body.cell),
        "connectors": [connector_view(one) for one in body.connectors],
        "price": money(_price(body, need), body.tariff.currency),
        "prices": prices_view(body),
        "rules": rules_view(body),
        "terms": describe_terms(body.terms, body.tariff.currency),
        "parking": body.about.parking.value,
        "access_method": body.about.access_method,
        "amenities": list(body.about.amenities),
        "languages": list(body.about.languages),
        "zone": body.zone,
        "free": [
            {"start": instant(one.start, body.zone), "end": instant(one.end, body.zone)} for one in windows
        ],
        "proven": found.proven,
        "fits": found.fits,
    }


def quote_view(node: Node, offer: Offer, short: bytes, *, host_away: bool = False) -> QuoteView:
    quote, target = offer.record.body, offer.target
    zone, currency = target.zone, quote.plan.currency
    sent = quote.start - quote.access_lead_minutes * 60_000
    address_by = max(node.clock.now(), sent, quote.terms.free_until(quote.start))
    return {
        "quote": offer.record.id.hex(),
        "listing": short.hex(),
        "title": target.title,
        "host": person(node, quote.author),
        "start": instant(quote.start, zone),
        "end": instant(quote.end, zone),
        "zone": zone,
        "energy_wh": quote.energy_wh,
        "estimate": total(quote.estimate, currency),
        "cap": total(quote.cap, currency),
        "expires": instant(quote.expires, zone),
        # By their clock and ours: what is left is the same unless one of them is wrong.
        "expires_in_s": max(0, (quote.expires - node.clock.now()) // 1000),
        "instant": quote.instant,
        "prices": describe_plan(quote.plan, zone),
        "power": describe_power(quote.power or (), zone),
        "terms": describe_terms(quote.terms, currency),
        "address_by": instant(address_by, zone),
        "host_away": host_away,
        "mailbox": bool(target.contact.mailboxes),
        "answer_within_s": quote.answer.minutes * 60 if quote.answer else None,
        "otherwise": quote.answer.otherwise.value if quote.answer else None,
    }


def _price(listing: Listing, need: Need) -> int:
    """As the search judged it; the cheapest at any time where the tariff can't tell for that window."""
    try:
        return energy_price(listing, need)
    except ValueError:
        return prices(listing.tariff, TariffDimension.ENERGY)[0]
