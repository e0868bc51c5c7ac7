"""The secret in the URL of the bookings' feed: kept in the home until it is renewed or taken back.

It opens the feed and nothing else; the API's own tokens don't open the feed.
"""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Protocol

from ..home import Home, read_private_file, replace_private_file

_BYTES = 24
_MAX_FILE_BYTES = 128


class _Entropy(Protocol):
    def bytes(self, n: int) -> bytes: ...


class FeedToken:
    """`entropy` makes new ones."""

    def __init__(self, home: Home, entropy: _Entropy) -> None:
        self._entropy = entropy
        self._path: Path = home.run / "calendar.token"

    def get(self) -> str | None:
        """The token, None while the feed is off."""
        try:
            token = read_private_file(self._path, _MAX_FILE_BYTES).decode("ascii", "replace").strip()
        except FileNotFoundError:
            return None
        return token if len(token) == 2 * _BYTES else None

    def opens(self, given: str) -> bool:
        """Whether this is the token."""
        token = self.get()
        return token is not None and hmac.compare_digest(token.encode(), given.encode())

    def ensure(self) -> str:
        """The token; a new one where the feed was off."""
        return self.get() or self.renew()

    def renew(self) -> str:
        """Another token: whoever has the old URL reads nothing any more."""
        token = self._entropy.bytes(_BYTES).hex()
        replace_private_file(self._path, f"{token}\n".encode())
        return token

    def drop(self) -> None:
        """Switches the feed off."""
        self._path.unlink(missing_ok=True)
