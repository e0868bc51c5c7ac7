"""Lets a COSE library that isn't ours verify a record, if one is installed.

pycose and cwt need an older cbor2 than we do, so they live in a virtual environment of their own, which
`make tools` makes beside ours; the check runs there, as a process that knows nothing of this program.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 20.0

# Each takes the record, the key and the external_aad from their hex, and prints the name of what verified it.
_PYCOSE = """
import sys
from importlib.metadata import version
from pycose.keys import OKPKey
from pycose.keys.curves import Ed25519
from pycose.messages import Sign1Message
raw, key, aad = (bytes.fromhex(text) for text in sys.argv[1:4])
message = Sign1Message.decode(raw)
message.external_aad = aad
message.key = OKPKey(crv=Ed25519, x=key)
assert message.verify_signature() is True
print("pycose " + version("pycose"))
"""
_CWT = """
import sys
from importlib.metadata import version
from cwt import COSE, COSEKey
raw, key, aad = (bytes.fromhex(text) for text in sys.argv[1:4])
COSE.new().decode(raw, COSEKey.new({1: 1, 2: key, 3: -8, -1: 6, -2: key}), external_aad=aad)
print("cwt " + version("cwt"))
"""
_LIBRARIES = {"pycose": _PYCOSE, "cwt": _CWT}


@dataclass(frozen=True, slots=True)
class ForeignCheck:
    """`verifier`: name and version, empty if none is installed. `refused_altered`: it also saw a change."""

    verifier: str = ""
    verified: bool = False
    refused_altered: bool = False


def check_with_foreign_library(raw: bytes, altered: bytes, kid: bytes, aad: bytes) -> ForeignCheck:
    """What the first library that is found says of `raw`, and of `altered`, which must not verify."""
    for python in _pythons():
        for name in _installed(python):
            said = _run(python, _LIBRARIES[name], raw, kid, aad)
            again = _run(python, _LIBRARIES[name], altered, kid, aad)
            return ForeignCheck(said or name, bool(said), not again)
    return ForeignCheck()


def _pythons() -> list[str]:
    """Ours, and that of the environment which `make tools` makes beside it."""
    beside = Path(sys.prefix).parent / ".venv-cose" / "bin" / "python"
    return [sys.executable, *([str(beside)] if beside.exists() else [])]


def _installed(python: str) -> list[str]:
    code = "import importlib.util as u, json; print(json.dumps([n for n in %r if u.find_spec(n)]))"
    said = subprocess.run(
        [python, "-c", code % (list(_LIBRARIES),)], capture_output=True, text=True, timeout=_SECONDS
    )
    return list(json.loads(said.stdout)) if said.returncode == 0 else []


def _run(python: str, program: str, *values: bytes) -> str:
    """The library's name if it verified the record, else nothing."""
    said = subprocess.run(
        [python, "-c", program, *(value.hex() for value in values)],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    return said.stdout.strip() if said.returncode == 0 else ""
