"""Run by the Python of `.venv-cose`, which has other people's COSE libraries and nothing of ours.

usage: cose_checker.py LIBRARY
stdin: JSON {"aad": hex, "records": [hex], "sign": {"seed", "kid", "typ", "payload"}}
stdout: JSON {"verified": [payload hex or null], "signed": hex}
"""

from __future__ import annotations

import json
import sys
from typing import Any

ALG, KID, TYP, EDDSA = 1, 4, 16, -8


def kid_of(raw: bytes) -> bytes:
    """Read by cbor2 alone: the libraries want the key before they look."""
    import cbor2

    return bytes(cbor2.loads(cbor2.loads(raw).value[0])[KID])


class Pycose:
    """pycose 1.1.0."""

    def verify(self, raw: bytes, aad: bytes) -> bytes | None:
        from pycose.messages import Sign1Message

        message: Any = Sign1Message.decode(raw)
        message.external_aad = aad
        message.key = self._key(kid_of(raw))
        return message.payload if message.verify_signature() else None

    def sign(self, seed: bytes, kid: bytes, typ: str, payload: bytes, aad: bytes) -> bytes:
        from pycose.algorithms import EdDSA
        from pycose.headers import KID as Kid
        from pycose.headers import Algorithm
        from pycose.messages import Sign1Message

        message: Any = Sign1Message(phdr={Algorithm: EdDSA, Kid: kid, TYP: typ}, payload=payload)
        message.external_aad = aad
        message.key = self._key(kid, seed)
        return bytes(message.encode())

    def _key(self, public: bytes, seed: bytes = b"") -> Any:
        from pycose.keys import OKPKey
        from pycose.keys.curves import Ed25519

        return OKPKey(crv=Ed25519, x=public, d=seed)


class Cwt:
    """cwt 3."""

    def verify(self, raw: bytes, aad: bytes) -> bytes | None:
        from cwt import COSE, VerifyError

        try:
            return bytes(COSE.new().decode(raw, self._key(kid_of(raw)), external_aad=aad))
        except VerifyError:
            return None

    def sign(self, seed: bytes, kid: bytes, typ: str, payload: bytes, aad: bytes) -> bytes:
        from cwt import COSE

        signed: Any = COSE.new().encode_and_sign(
            payload, self._key(kid, seed), protected={ALG: EDDSA, KID: kid, TYP: typ}, external_aad=aad
        )
        return bytes(signed)

    def _key(self, public: bytes, seed: bytes = b"") -> Any:
        from cwt import COSEKey

        parts: dict[int, Any] = {1: 1, 2: public, 3: EDDSA, -1: 6, -2: public}
        return COSEKey.new(parts | ({-4: seed} if seed else {}))


def main() -> None:
    library: Any = {"pycose": Pycose, "cwt": Cwt}[sys.argv[1]]()
    asked = json.load(sys.stdin)
    aad, sign = bytes.fromhex(asked["aad"]), asked["sign"]
    found = [library.verify(bytes.fromhex(one), aad) for one in asked["records"]]
    signed = library.sign(
        bytes.fromhex(sign["seed"]),
        bytes.fromhex(sign["kid"]),
        sign["typ"],
        bytes.fromhex(sign["payload"]),
        aad,
    )
    json.dump({"verified": [one and one.hex() for one in found], "signed": signed.hex()}, sys.stdout)


if __name__ == "__main__":
    main()
