"""edge-signatures.json: the edges of Ed25519 at which libraries part, and the few odd ones that are right."""

from __future__ import annotations

from hashlib import sha256

from ..protocol import forge
from ..protocol.edge_signatures import Edge, edges
from .cast import NETWORK
from .forged import asked, of
from .frame import Case, VectorFile, bad, good
from .invalid_records import BODY, GOOD, PAYLOAD


def _signed(key: bytes) -> bytes:
    return forge.sig_structure(forge.header("renewal", key), PAYLOAD, NETWORK)


def _raw(edge: Edge) -> bytes:
    return of(BODY, protected=forge.header("renewal", edge.key), signature=edge.signature)


def _opened(edge: Edge) -> Case:
    out = {
        "kind": "renewal",
        "kid": edge.key.hex(),
        "id": sha256(_signed(edge.key)).hexdigest(),
        "payload": PAYLOAD.hex(),
        "sig_structure": _signed(edge.key).hex(),
        "signature": edge.signature.hex(),
        "fields": {"issued": BODY.issued, "listing": BODY.listing.hex()},
    }
    return good(edge.name, "record.open", asked(_raw(edge)), out)


def _refused(edge: Edge) -> Case:
    if edge.key_is_good:
        return bad(
            edge.name,
            "record.open",
            asked(_raw(edge)),
            "bad-signature",
            "the key is good, the signature is not one by the rule",
            asked(GOOD),
        )
    why = "kid is no canonical point of the main subgroup, whatever the signature says"
    return bad(edge.name, "record.open", asked(_raw(edge)), "bad-key", why, asked(GOOD))


def made() -> VectorFile:
    cases = [_opened(edge) if edge.good else _refused(edge) for edge in edges(_signed)]
    about = "Keys and signatures at the edges of Ed25519 (02-records.md): exactly those named good-… pass."
    return VectorFile("edge-signatures", about, tuple(cases))
