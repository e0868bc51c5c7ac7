"""How it stands with the calendar that a charger follows, in a sentence."""

from __future__ import annotations

from typing import Any


def busy_sentence(busy: Any) -> str:
    """ "Follows the calendar of example.org: 12 busy times, read 2027-03-01 18:00."."""
    name = busy["source"]
    if busy["read"] is None:
        start = f"Follows the calendar {name}, which was not read yet."
    else:
        many = f"{busy['times']} busy {'time' if busy['times'] == 1 else 'times'}"
        start = f"Follows the calendar {name}: {many}, read {busy['read']['text']}."
    if busy["skipped"]:
        start += f" {busy['skipped']} of its events could not be understood and count as free."
    if busy["fault"]:
        start += f" Since {busy['failing_since']['text']} it could not be read: {busy['fault']}."
        start += " What was read before still counts."
    return start
