"""Inputs that once broke a promise: (target, bytes). `make fuzz` prints the line to add."""

from __future__ import annotations

FOUND: tuple[tuple[str, bytes], ...] = (
    ("bridge", b"\x81\xa4type\xa1\x80"),  # a tag that is not UTF-8 escaped as another error
)
