"""A weekly series as the API shows it; the types are checked in test_samples."""

from __future__ import annotations

from typing import Any

from .samples import BOOKING, END, START, ZONE, at, money

SERIES: dict[str, Any] = {
    "id": "5e21e5" * 5 + "5e",
    "title": "Garage",
    "says": "Every Friday, 09:00 to 12:00 (Europe/Berlin), from 2027-01-15",
    "zone": ZONE,
    "energy_wh": 0,
    "at_most": money(11_550_000),
    "asked": None,
    "ended": False,
    "dates": [
        {
            "date": "2027-01-15",
            "start": START,
            "end": END,
            "moved": False,
            "state": "BOOKED",
            "why": "",
            "again": None,
            "booking": BOOKING,
        },
        {
            "date": "2027-01-22",
            "start": at(1_800_604_800_000, "2027-01-22 09:00"),
            "end": at(1_800_615_600_000, "2027-01-22 12:00"),
            "moved": False,
            "state": "TRYING",
            "why": "their node can't be reached",
            "again": at(1_800_000_600_000, "2027-01-15 09:10"),
            "booking": None,
        },
    ],
}
