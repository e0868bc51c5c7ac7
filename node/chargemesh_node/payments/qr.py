"""QR codes as terminal text, PNG and SVG."""

from __future__ import annotations

import io

import segno

# EPC069-12 asks for error correction M and at most version 13; our invites and tokens keep to the same.
_ERROR_CORRECTION = "m"
MAX_VERSION = 13


def qr_terminal(text: str) -> str:
    """Half-block characters, two modules a line, for light text on a dark terminal."""
    out = io.StringIO()
    _code(text).terminal(out, compact=True)
    return out.getvalue()


def qr_png(text: str, scale: int = 6) -> bytes:
    """A PNG with `scale` pixels a module and the quiet zone that readers need."""
    out = io.BytesIO()
    _code(text).save(out, kind="png", scale=scale)
    return out.getvalue()


def qr_svg(text: str) -> bytes:
    """An SVG document that scales to the width it is given."""
    out = io.BytesIO()
    _code(text).save(out, kind="svg", omitsize=True, dark="#000", light="#fff")
    return out.getvalue()


def _code(text: str) -> segno.QRCode:
    """UTF-8 without an ECI header, which banking apps stumble over; ValueError if the text is too long."""
    code = segno.make_qr(text.encode(), error=_ERROR_CORRECTION, boost_error=False, mode="byte")
    if int(code.version) > MAX_VERSION:
        raise ValueError("that text is too long for a QR code that phones read well")
    return code
