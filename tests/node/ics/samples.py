"""Calendars as other programs write them."""

from __future__ import annotations


def ics(*events: str, head: str = "") -> bytes:
    """A calendar of these VEVENT bodies, a property a line."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//somebody//EN", *head.strip().splitlines()]
    for number, event in enumerate(events):
        uid = [] if "UID:" in event else [f"UID:{number}@example.org"]
        body = [line.strip() for line in event.strip().splitlines()]
        lines += ["BEGIN:VEVENT", *uid, "DTSTAMP:20270101T000000Z", *body, "END:VEVENT"]
    return ("\r\n".join([*lines, "END:VCALENDAR"]) + "\r\n").encode()
