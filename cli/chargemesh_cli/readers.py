"""Small readers of what people type; each raises PersonError with a sentence that says what to write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches

from chargemesh_protocol.errors import ExitCode, PersonError


def choice(text: str, allowed: Sequence[str], what: str, hint: str = "", *, suggest: bool = True) -> str:
    """The one of `allowed` that was meant, whatever its case. The nearest is named, unless not `suggest`."""
    by_name = {one.lower(): one for one in allowed}
    plain = text.strip().lower().replace(" ", "_")
    if plain in by_name:
        return by_name[plain]
    near = get_close_matches(plain, by_name, n=1) if suggest else []
    meant = (
        f"Did you mean {by_name[near[0]]}?" if near else hint or f"Choose one of {', '.join(allowed[:10])}."
    )
    raise PersonError("bad-choice", f"There is no {what} {text.strip()[:40]!r}.", meant, ExitCode.USAGE)


def number(low: int, high: int) -> Callable[[str], int]:
    """A reader of whole numbers within bounds."""

    def read(text: str) -> int:
        plain = text.strip()
        if not plain.isascii() or not plain.isdigit() or not low <= int(plain) <= high:
            raise PersonError(
                "bad-number",
                f"{text.strip()[:20]!r} is not a whole number from {low} to {high}.",
                f"Write for example {high if high < 10 else (low + high) // 2}.",
                ExitCode.USAGE,
            )
        return int(plain)

    return read


def percent(text: str) -> int:
    """Whole percent from "50%", "50 %" or "50"."""
    return number(0, 100)(text.strip().removesuffix("%"))


def free_text(most: int, least: int = 0) -> Callable[[str], str]:
    """A reader of text of `least` to `most` characters."""

    def read(text: str) -> str:
        plain = text.strip()
        if len(plain) < least:
            raise PersonError("bad-text", "This can't be empty.", "Write something.", ExitCode.USAGE)
        if len(plain) > most:
            long = f"This has {len(plain)} characters, and can have {most}."
            raise PersonError("bad-text", long, "Make it shorter.", ExitCode.USAGE)
        return plain

    return read
