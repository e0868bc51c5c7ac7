"""The CDDL of specs/, asked by an independent checker."""

from __future__ import annotations

import logging
from functools import cache

from cddl_verifier import CBORDecodeError, Validator  # type: ignore[import-untyped]

from tests.protocol.write_specs import SPECS

# It logs a report of several lines for every refusal, and here most things are refused.
logging.getLogger("cddl_verifier").setLevel(logging.CRITICAL)


@cache
def schema() -> Validator:
    return Validator((SPECS / "cddl" / "chargemesh.cddl").read_text())


def takes(rule: str, data: bytes) -> bool:
    """Whether `data` is what the rule describes; bytes that are no CBOR at all are not."""
    try:
        return bool(schema().validate(data, rule).valid)
    except CBORDecodeError:
        return False


def why_not(rule: str, data: bytes) -> str:
    """What the checker says against `data`."""
    return "; ".join(map(str, schema().validate(data, rule).errors))
