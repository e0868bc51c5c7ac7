"""records.json: a record of every kind, opened and made, with the bytes in between."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

import cbor2
import nacl.bindings as sodium

from chargemesh_protocol.identity import public_key
from chargemesh_protocol.record import kind_of
from chargemesh_protocol.shape import to_tree

from ..conformance.fields import to_json
from ..protocol import forge
from .cast import NETWORK
from .frame import Case, VectorFile, good
from .samples import samples, signer_of


def cases_of(name: str, body: Any) -> tuple[Case, Case]:
    """The record put together by hand from RFC 9052 and its tree; ours must open and make the same."""
    seed, kind = signer_of(body), kind_of(type(body))
    payload = cbor2.dumps(to_tree(body), canonical=True)
    protected = forge.header(kind, public_key(seed))
    signed = forge.sig_structure(protected, payload, NETWORK)
    _, secret = sodium.crypto_sign_seed_keypair(seed)
    raw = forge.record(payload, protected=protected, network=NETWORK, seed=seed)
    record_id, fields = sha256(signed).hexdigest(), to_json(body)
    out = {
        "kind": kind,
        "kid": public_key(seed).hex(),
        "id": record_id,
        "payload": payload.hex(),
        "sig_structure": signed.hex(),
        "signature": sodium.crypto_sign(signed, secret)[:64].hex(),
        "fields": fields,
    }
    author = record_id if kind == "genesis" else fields.get("author")
    if author is not None:
        out["author"] = author
    made = {"network": NETWORK, "seed": seed.hex(), "kind": kind, "fields": fields}
    return (
        good(f"open-{name}", "record.open", {"network": NETWORK, "record": raw.hex()}, out),
        good(f"make-{name}", "record.make", made, {"record": raw.hex(), "id": record_id}),
    )


def normalised() -> Case:
    """Text in another normal form, as some systems hand it over: it is signed in NFC (E8)."""
    problem = samples()["problem"]
    composed, decomposed = "Z\u00fcrich", "Zu\u0308rich"
    _, made = cases_of("", replace(problem, text=composed))
    given = made.given | {"fields": made.given["fields"] | {"text": decomposed}}
    return good("make-problem-in-nfc", "record.make", given, made.answer["out"])


def made() -> VectorFile:
    cases = [case for name, body in samples().items() for case in cases_of(name, body)] + [normalised()]
    return VectorFile("records", "A record of every kind, opened and made (02-records.md).", tuple(cases))
