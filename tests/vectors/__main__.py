"""`python -m tests.vectors` writes every file of specs/vectors.

A new file is a module here with `made()`; a new operation, a function in tests/conformance/subject. Both are
described in specs/vectors/README.md.
"""

from __future__ import annotations

import sys

from ..conformance.vector_files import VECTORS
from . import (
    bookings,
    catch_up,
    cells,
    edge_signatures,
    encoding,
    extension,
    identity,
    invalid_encoding,
    invalid_payloads,
    invalid_records,
    invalid_signatures,
    keys,
    listings,
    log,
    mailbox,
    messages,
    overlaps,
    receipts,
    records,
    sealing,
    tariffs,
    walk_ins,
)
from .frame import VectorFile

MODULES = (
    encoding,
    keys,
    records,
    extension,
    identity,
    cells,
    listings,
    messages,
    tariffs,
    bookings,
    overlaps,
    receipts,
    sealing,
    walk_ins,
    mailbox,
    log,
    catch_up,
    invalid_encoding,
    invalid_records,
    invalid_signatures,
    edge_signatures,
    invalid_payloads,
)


def files() -> tuple[VectorFile, ...]:
    """Every vector file, made anew."""
    return tuple(module.made() for module in MODULES)


def main() -> int:
    for made in files():
        (VECTORS / f"{made.name}.json").write_text(made.text(), encoding="utf-8")
        print(f"{made.name}.json: {len(made.cases)} cases")
    return 0


if __name__ == "__main__":
    sys.exit(main())
