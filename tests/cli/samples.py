"""Answers of the API as a node gives them; test_samples.py holds them against the API's own types."""

from __future__ import annotations

from typing import Any

AUTHOR = "aa" * 32
BOOKING = "b0" * 32
CHARGER = "c0" * 16
LISTING = "1f" * 8
QUOTE = "d0" * 32
ZONE = "Europe/Berlin"


def money(micro: int) -> dict[str, Any]:
    return {"micro": micro, "currency": "EUR", "text": f"{micro / 1e6:.2f} EUR"}


def at(ms: int, text: str) -> dict[str, Any]:
    return {"ms": ms, "text": text}


START, END = at(1_800_000_000_000, "2027-01-15 09:00"), at(1_800_010_800_000, "2027-01-15 12:00")
PERSON = {"author": AUTHOR, "trust": 586, "sentence": "586 of 1000: 5.0 stars.", "known": True}
CELL = {
    "cell": "871f1d489ffffff",
    "resolution": 7,
    "centre": {"latitude": 52.5257, "longitude": 13.409, "map": "geo:52.525700,13.409000"},
    "boundary": [[52.53, 13.39], [52.51, 13.4], [52.52, 13.42]],
}
CONNECTOR = {
    "type": "IEC_62196_T2",
    "format": "SOCKET",
    "power_type": "AC_3_PHASE",
    "max_power_w": 11_000,
    "text": "11 kW Type 2 (socket)",
}
RULES = {"instant": True, "min_minutes": 15, "max_minutes": 1440, "lead_minutes": 0, "min_trust": 0}
SHOWN_RULES = {**RULES, "members_only": False}
PRICES = {"currency": "EUR", "per_kwh": [money(350_000), money(350_000)], "text": "0.35 EUR per kWh."}
LISTING_VIEW = {
    "id": LISTING,
    "row": 1,
    "charger": CHARGER,
    "host": PERSON,
    "title": "Garage",
    "distance_m": [0, 2277],
    "cell": CELL,
    "connectors": [CONNECTOR],
    "price": money(350_000),
    "prices": PRICES,
    "rules": SHOWN_RULES,
    "terms": "Cancelling is free until the start.",
    "parking": "ON_DRIVEWAY",
    "access_method": "OPEN",
    "amenities": [],
    "languages": [],
    "zone": ZONE,
    "free": [],
    "proven": True,
    "fits": True,
}
SEARCH_END = {
    "done": True,
    "listings": 1,
    "caretakers": 3,
    "neighbours": 0,
    "believable": True,
    "left_off": 0,
    "untimely": 0,
}
QUOTE_VIEW = {
    "quote": QUOTE,
    "listing": LISTING,
    "title": "Garage",
    "host": PERSON,
    "start": START,
    "end": END,
    "zone": ZONE,
    "energy_wh": 20_000,
    "estimate": money(7_000_000),
    "cap": money(11_550_000),
    "expires": at(1_799_999_000_000, "2027-01-15 08:43"),
    "expires_in_s": 899,
    "instant": True,
    "prices": "0.35 EUR per kWh.",
    "power": "",
    "terms": "Cancelling is free until 2 h before the start.",
    "address_by": at(1_799_992_800_000, "2027-01-15 07:00"),
    "host_away": False,
    "mailbox": False,
    "answer_within_s": None,
    "otherwise": None,
}
STATE = {
    "connected": False,
    "state": "Unavailable",
    "session": None,
    "owner": False,
    "register_wh": None,
    "power_w": None,
    "seen_at": None,
    "held_back": 0,
}
CONNECTED = {**STATE, "connected": True, "state": "Available"}
WALLBOX = {
    "charger": CHARGER,
    "driver": "ocpp",
    "url": f"ws://192.168.1.5:9310/ocpp/{CHARGER}",
    "id": CHARGER,
    "password": "ixy7gdfc2gzvhxdu",
    "options": {},
    "state": STATE,
}
PHOTO = {"id": "9f86d081" * 8, "here": True, "bytes": 40_960, "width": 1280, "height": 960}
CHARGER_LINE = {
    "id": CHARGER,
    "title": "Garage",
    "paused": False,
    "listed": True,
    "superseded": False,
    "sentence": "Garage: 11 kW Type 2 (socket). 0.35 EUR per kWh. Always offered (Europe/Berlin).",
    "driver": "ocpp",
    "wallbox": STATE,
    "reserved": 0,
}
SETTINGS = {
    "title": "Garage",
    "home": {
        "address": "Teststr. 1",
        "latitude": 52.52,
        "longitude": 13.405,
        "way": "Left of the gate",
        "code": "",
        "phone": "",
    },
    "resolution": 7,
    "connectors": [{name: value for name, value in CONNECTOR.items() if name != "text"}],
    "tariff": {
        "currency": "EUR",
        "min_price": 0,
        "max_price": 20_000_000,
        "tax_bp": 1900,
        "tax_included": True,
        "per_kwh": 350_000,
        "flat": 500_000,
        "by_period": [],
    },
    "hours": {"zone": ZONE, "text": "mon-fri 18:00-08:00"},
    "rules": RULES,
    "terms": {
        "no_show_percent": 80,
        "no_show_after": 30,
        "host_failure_percent": 0,
        "overstay_per_hour": 0,
        "overstay_grace": 15,
        "tiers": [{"minutes_before": 120, "percent": 50, "fixed": 0}],
    },
    "about": {"parking": "ON_DRIVEWAY", "access_method": "OPEN", "amenities": [], "languages": ["de"]},
    "strangers": {
        "on_request": True,
        "open_bookings": 1,
        "max_minutes": 240,
        "horizon_minutes": 2880,
        "access_records_a_week": 3,
        "pending_requests": 32,
    },
    "access_lead_minutes": 120,
    "wallbox": {"driver": "ocpp", "owner_tags": ["MINE"], "plug_and_charge": True},
    "payee": {"name": "", "account": ""},
    "ticket_seconds": 15,
    "paused": False,
    "calendar": {
        "closed": ["2026-12-24..2026-12-26"],
        "hours_on": [],
        "open_on": [],
        "quiet": ["22:00-07:00"],
        "power_by": [],
        "buffer_minutes": 15,
        "horizon_minutes": 20_160,
    },
    "policy": {"words": "", "answer_minutes": 0, "otherwise": "DECLINE", "members_only": "", "walk_in": ""},
}
WHO_MAY = {
    "words": "known drivers instantly; others on request",
    "own": False,
    "sentences": [
        "Whoever has charged with you before is accepted at once.",
        "Everybody else waits for your answer.",
    ],
}
CHARGER_VIEW = {
    **CHARGER_LINE,
    "settings": SETTINGS,
    "who_may": WHO_MAY,
    "busy": None,
    "listing": None,
    "cell": CELL,
}
PREVIEW = {
    "sentence": CHARGER_LINE["sentence"],
    "place": "Strangers see a hexagon about 2.8 km across, around 52.526, 13.409.",
    "cell": CELL,
    "title": "Garage",
    "connectors": [CONNECTOR],
    "prices": PRICES,
    "rules": SHOWN_RULES,
    "terms": "Cancelling is free until 2 h before the start.",
    "parking": "ON_DRIVEWAY",
    "access_method": "OPEN",
    "hours": "always",
    "contact": [],
}
BOOKING_LINE = {
    "id": BOOKING,
    "role": "driver",
    "title": "Garage",
    "reservation": "RESERVED",
    "session": "PENDING",
    "settlement": "OPEN",
    "refused": "",
    "start": START,
    "end": END,
    "zone": ZONE,
    "energy_wh": 0,
    "cost": money(0),
    "next": "Check in at the charger.",
    "finished": False,
    "actions": ["cancel"],
    "delivery": "delivered",
    "series": None,
}
POST = {"state": "delivered", "tries": 0, "next_try": None, "handed_in": None, "kept_until": None}
METER = {
    "at": START,
    "energy_wh": 1_234,
    "power_w": 10_900,
    "cost": money(431_900),
    "tickets": 3,
    "countersigned": 2,
    "authorised_energy_wh": 20_000,
    "authorised_cost": money(11_550_000),
}
READING = {
    "ticket": "f0" * 32,
    "at": START,
    "register_wh": 102_000,
    "from_wh": 100_000,
    "energy_wh": 2_000,
    "cost": money(700_000),
}
RECEIPT = {
    "booking": BOOKING,
    "receipt": "e0" * 32,
    "started": START,
    "ended": END,
    "energy_wh": 7_386,
    "lines": [],
    "adjustment": money(0),
    "tax": money(0),
    "tax_included": True,
    "rounding": money(4_900),
    "total": money(2_590_000),
    "text": [
        "Energy: 7.386 kWh at 0.35 EUR per kWh = 2.5851 EUR",
        "Rounding: +0.0049 EUR",
        "Total: 2.59 EUR",
    ],
    "payee_name": "Bob",
    "payee_account": "",
    "beyond_authorisation_wh": 0,
    "signed_by_host": END,
    "signed_by_driver": None,
    "differences": [],
    "settlement": "OPEN",
    "claimed": None,
    "paid": None,
    "rail": "",
}
BOOKING_VIEW: dict[str, Any] = {
    **BOOKING_LINE,
    "so_far": ["You asked for 09:00 to 12:00.", "The host accepted."],
    "next_steps": ["Check in at the charger.", "Cancelling now costs you 5.78 EUR."],
    "counterparty": PERSON,
    "agreed": {
        "quote": QUOTE,
        "energy_wh": 20_000,
        "estimate": money(7_000_000),
        "cap": money(11_550_000),
        "terms": "Cancelling is free until 2 h before the start.",
        "answer_until": START,
    },
    "offer": None,
    "change": None,
    "meter": None,
    "reading": None,
    "to_read": None,
    "access": None,
    "access_due": None,
    "cancelling_costs": money(5_780_000),
    "owed": None,
    "deadline": None,
    "messages": [],
    "receipt": None,
    "review": {"stars": None, "theirs": False},
    "vehicle": "",
    "undelivered": False,
    "post": POST,
    "unconfirmed": 0,
    "faults": [],
}
TERMS = {
    "start": START,
    "end": END,
    "energy_wh": 20_000,
    "estimate": money(7_000_000),
    "cap": money(11_550_000),
}
LATER_END = at(1_800_018_000_000, "2027-01-15 14:00")
LONGER = {**TERMS, "end": LATER_END, "estimate": money(9_000_000), "cap": money(19_250_000)}
OFFER = {
    "offer": "0f" * 32,
    "terms": LONGER,
    "text": "My own car comes home.",
    "expires": START,
    "stands": True,
    "passed": False,
}
CHANGE = {"change": "0c" * 32, "terms": LONGER, "takes_offer": False}
TERMS_VIEW = {
    "quote": QUOTE,
    "terms": LONGER,
    "now": TERMS,
    "cut": False,
    "asked_end": LATER_END,
    "zone": ZONE,
    "expires": START,
    "expires_in_s": 899,
    "prices": "0.35 EUR per kWh.",
    "conditions": "Cancelling is free until 2 h before the start.",
    "leaving_costs": money(5_780_000),
}
PAYMENT = {
    "booking": BOOKING,
    "rail": "sepa-qr",
    "amount": money(2_590_000),
    "text": "Transfer 2.59 EUR to Bob.",
    "reference": "chargemesh b0b0b0b0b0b0",
    "payee_name": "Bob",
    "payee_account": "",
    "settlement": "OPEN",
    "qr": "BCD",
    "qr_terminal": "▀▄▀",
}
TRUST = {
    "author": AUTHOR,
    "number": 586,
    "sentence": "586 of 1000: 5.0 stars on average in 1 review.",
    "standing": 1,
    "mean_stars": 50,
    "reviewers": 1,
    "reviews": 1,
    "weightless": 50,
    "unproven": 0,
    "completions": 1,
    "own_completions": 1,
    "through": [],
    "us": False,
    "vouched": False,
    "shown": [{"author": "ee" * 32, "month": "2027-01", "stars": 5, "text": "Easy to find"}],
}
DOCTOR = {
    "healthy": False,
    "checks": [
        {"name": "home", "ok": True, "text": "The home can only be read by you.", "hint": ""},
        {"name": "peers", "ok": False, "text": "Connected to no peer.", "hint": "Ask for an invitation."},
        {"name": "contacts", "ok": None, "text": "Whoever you contact sees your IP address.", "hint": ""},
    ],
}
IDENTITY = {
    "author": AUTHOR,
    "device": "dd" * 32,
    "peer_id": "12D3KooW",
    "addresses": ["/ip4/127.0.0.1/tcp/4001"],
    "network": "chargemesh-test-cli",
}
STATUS = {
    "version": "0.1.0",
    "pid": 4711,
    "network_pid": 4712,
    "identity": IDENTITY,
    "home": "/home/x",
    "started": START,
    "now": END,
    "read_only": False,
    "clock": {"ok": True, "reason": "", "peers_heard": 3},
    "mailbox": {"uses": [], "auto": False, "keeps": None},
    "counts": {
        "peers": 2,
        "neighbours": 0,
        "chargers": 1,
        "listed": 1,
        "superseded": 0,
        "calendars_failing": 0,
        "bookings": 3,
        "open_bookings": 1,
        "listings_kept": 9,
        "logs_kept": 4,
        "own_entries": 2,
        "entries_waiting": 1,
        "undelivered": 0,
    },
    "phone": "",
    "extensions": [],
    "counters": {"runner.refused": 1},
    "limits": {"MAX_RECORD_BYTES": 65536},
}
MAILBOX = {
    "uses": [{"peer_id": "12D3KooX", "addresses": ["/ip4/10.0.0.2/tcp/4001"], "answered": START}],
    "auto": True,
    "keeps": {"parcels": 2, "bytes": 8192, "max_bytes": 268_435_456},
}
MAILBOX_LINK = {"link": "chargemesh:mailbox/owAB", "qr_terminal": "▀▄▀"}
PEERS = {
    "us": {"peer_id": "12D3KooW", "addresses": []},
    "peers": [{"peer_id": "12D3KooX", "addresses": ["/ip4/10.0.0.2/tcp/4001"]}],
    "neighbours": [],
}
INVITE = {
    "link": "chargemesh:join/owABAXBjaGFyZ2VtZXNoLWRldi0xAoGiAHg0MTJEM0tvb1dTTHZYc2JFMnhBM2tGZFhpRlZwVGhTOWFn"
    "RUhmaGNiRUJqalZjQ2FuTDUxawGBeBgvaXA0LzEyNy4wLjAuMS90Y3AvNDIzMjE",
    "qr_terminal": "▀▄▀",
}
