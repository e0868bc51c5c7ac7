"""The code at a charger: as terminal text, as a picture, and as a sheet to print with a short how-to."""

from __future__ import annotations

import io
from html import escape

import segno

_HOW_TO = (
    "1. Scan the code with your phone, and copy the link.",
    "2. Give it to your node: chargemesh walk-in LINK --for 2h",
    "3. It shows the price first. Agree, plug in, and start.",
)
_WIDTH, _HEIGHT, _SIDE = 210, 297, 130  # millimetres of A4, and of the code


def code_terminal(link: str) -> str:
    """Half-block characters, for light text on a dark terminal."""
    out = io.StringIO()
    _code(link).terminal(out, border=2, compact=True)
    return out.getvalue()


def code_png(link: str, scale: int = 8) -> bytes:
    out = io.BytesIO()
    _code(link).save(out, kind="png", scale=scale)
    return out.getvalue()


def sheet_svg(link: str, title: str) -> bytes:
    """One page of A4 with the charger's name, the code and what to do with it."""
    place = f'x="{(_WIDTH - _SIDE) / 2:g}" y="60" width="{_SIDE}" height="{_SIDE}"'
    code = (
        _code(link).svg_inline(omitsize=True, dark="#000", light="#fff").replace("<svg", f"<svg {place}", 1)
    )
    lines = [_text(title or "Charger", 30, 14), _text("Charge here", 48, 10)]
    lines += [_text(line, 212 + 12 * number, 6) for number, line in enumerate(_HOW_TO)]
    lines.append(
        _text("Whoever has this code can book this charger from now on: keep it where it is.", 268, 4)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}mm" height="{_HEIGHT}mm" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}"><rect width="100%" height="100%" fill="#fff"/>'
        f"{code}{''.join(lines)}</svg>\n"
    ).encode()


def _text(line: str, y: int, size: int) -> str:
    return (
        f'<text x="{_WIDTH / 2:g}" y="{y}" font-family="sans-serif" font-size="{size}" '
        f'text-anchor="middle">{escape(line)}</text>'
    )


def _code(link: str) -> segno.QRCode:
    """Least error correction: a link is long, and a coarse code is read more easily than a fine one."""
    return segno.make_qr(link.encode(), error="l", boost_error=False, mode="byte")
