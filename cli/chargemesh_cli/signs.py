"""Signs that a terminal without UTF-8 can't show: others stand in, so that nothing we print is an error."""

from __future__ import annotations

import codecs
import sys
from typing import TextIO

_STAND_IN = {
    "…": "...",
    "–": "-",
    "—": "-",
    "·": "|",
    "°": " deg",
    "²": "2",
    "×": "x",
    "€": "EUR",
    "\N{NO-BREAK SPACE}": " ",
}
_HANDLER = "chargemesh-stand-in"


def make_printable(*streams: TextIO) -> None:
    """Has each stream write stand-ins, or "?", for what its encoding doesn't know."""
    codecs.register_error(_HANDLER, _stand_in)
    for stream in streams:
        reconfigure = getattr(stream, "reconfigure", None)  # a test's, or a library's, stream may have none
        if reconfigure is not None and codecs.lookup(stream.encoding).name != "utf-8":
            reconfigure(errors=_HANDLER)


def qr(code: str) -> str:
    """A QR code in block characters; a sentence where the terminal has none: nobody can scan stand-ins."""
    try:
        code.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return "(This terminal can't show the QR code: it knows no UTF-8.)"
    return code


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    unknown = error.object[error.start : error.end]
    return "".join(_STAND_IN.get(sign, "?") for sign in unknown), error.end
