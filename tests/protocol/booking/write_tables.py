"""Writes the tables of bookings to `specs/tables`: `python -m tests.protocol.booking.write_tables`."""

from __future__ import annotations

import json
from pathlib import Path

from chargemesh_protocol.booking import concurrent, table

TABLES = Path(__file__).parents[3] / "specs" / "tables"


def main() -> None:
    states = json.dumps(table.as_data(), indent=1)
    (TABLES / "booking-states.json").write_text(f"{states}\n")
    pairs = ",\n".join(json.dumps(one) for one in concurrent.as_data())
    (TABLES / "booking-concurrent.json").write_text(f"[\n{pairs}\n]\n")


if __name__ == "__main__":
    main()
