"""walk-ins.json: what proves that somebody has read the code at a charger, for one quote and one driver."""

from __future__ import annotations

from .answered import answered
from .cast import ALICE, BOB, hashed
from .frame import Case, VectorFile

SECRET, QUOTE = hashed("secret of the code"), hashed("quote")


def made() -> VectorFile:
    proofs = (
        ("of-bob", SECRET, QUOTE, BOB.author),
        ("for-another-driver", SECRET, QUOTE, ALICE.author),
        ("for-another-quote", SECRET, hashed("another quote"), BOB.author),
        ("by-a-new-code", hashed("the next secret"), QUOTE, BOB.author),
        ("of-zeros", bytes(32), bytes(32), bytes(32)),
    )
    cases: list[Case] = [
        answered(
            f"proof-{name}",
            "walk-in.proof",
            {"secret": secret.hex(), "quote": quote.hex(), "driver": driver.hex()},
        )
        for name, secret, quote, driver in proofs
    ]
    if len({str(case.answer) for case in cases}) != len(cases):
        raise AssertionError("a proof is good for one quote, one driver and one secret")
    return VectorFile("walk-ins", "Proofs of presence for a request (05-booking.md, B33).", tuple(cases))
