"""QR codes hold the same modules in the terminal, as PNG and as SVG."""

from __future__ import annotations

import re
import struct
import zlib

import pytest
import segno

from chargemesh_node.payments.qr import qr_png, qr_svg, qr_terminal
from chargemesh_protocol.payment_text import epc_text

TEXT = epc_text(
    name="Erika Müller", iban="DE89370400440532013000", amount_micro=12_340_000, remittance="chargemesh 01"
)
QUIET = 4


def modules() -> list[list[bool]]:
    """The code's modules, dark is True, with the quiet zone."""
    code = segno.make_qr(TEXT, encoding="utf-8", error="m", boost_error=False)
    return [[bool(module) for module in row] for row in code.matrix_iter(border=QUIET)]


def test_terminal_lines_hold_two_rows_of_modules_each() -> None:
    dark = {" ": (True, True), "\u2580": (False, True), "\u2584": (True, False), "\u2588": (False, False)}
    rows: list[list[bool]] = []
    for line in qr_terminal(TEXT).splitlines():
        pairs = [dark[char] for char in line]
        rows += [[top for top, _ in pairs], [bottom for _, bottom in pairs]]
    assert rows[: len(modules())] == modules()


def test_png_holds_the_modules() -> None:
    png = qr_png(TEXT, scale=1)
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, depth, colour = struct.unpack(">IIBB", png[16:26])
    assert (width, height, depth, colour) == (len(modules()), len(modules()), 1, 0)
    data = b"".join(
        png[found.end() : found.end() + struct.unpack(">I", png[found.start() - 4 : found.start()])[0]]
        for found in re.finditer(b"IDAT", png)
    )
    raw = zlib.decompress(data)
    stride = 1 + (width + 7) // 8
    rows = [raw[at * stride + 1 : (at + 1) * stride] for at in range(height)]
    assert all(raw[at * stride] == 0 for at in range(height))  # no filter
    assert [[not row[x // 8] >> (7 - x % 8) & 1 for x in range(width)] for row in rows] == modules()


def test_svg_is_sized_by_whoever_shows_it() -> None:
    svg = qr_svg(TEXT).decode()
    side = len(modules())
    assert f'viewBox="0 0 {side} {side}"' in svg and "width=" not in svg.split(">")[1]
    assert svg.startswith("<?xml") and "script" not in svg


def test_a_text_too_long_for_phones_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        qr_png("x" * 332)
