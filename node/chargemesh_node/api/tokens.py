"""Who holds a token: the owner's own programs, or one phone that may only look after bookings.

A phone's token names the phone and is derived from the owner's, so that nothing has to be kept:
`phone.NAME.HEX`, HEX being keyed BLAKE2b. Removing run/api.token takes every phone's back.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from enum import Enum

from chargemesh_protocol.errors import ExitCode, PersonError

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_BYTES = 24


class Holder(Enum):
    OWNER = "owner"
    PHONE = "phone"


class Tokens:
    """Judges bearer tokens. `owner`: what run/api.token holds."""

    def __init__(self, owner: str) -> None:
        self._owner = owner

    def holder(self, authorization: str) -> Holder | None:
        """Whose token an Authorization header carries; None for none of ours."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = token.strip()
        if _equal(token, self._owner):
            return Holder.OWNER
        kind, _, rest = token.partition(".")
        name, _, _ = rest.partition(".")
        if kind == "phone" and _NAME.fullmatch(name) and _equal(token, self._derive(name)):
            return Holder.PHONE
        return None

    def for_phone(self, name: str) -> str:
        """The token of the phone called `name`; the same each time."""
        plain = name.strip().lower()
        if not _NAME.fullmatch(plain):
            raise PersonError(
                "bad-name",
                f"{name[:40]!r} can't be the name of a phone.",
                "Use up to 32 small letters, digits and hyphens.",
                ExitCode.USAGE,
            )
        return self._derive(plain)

    def _derive(self, name: str) -> str:
        mac = hashlib.blake2b(
            name.encode(), digest_size=_BYTES, key=self._owner.encode(), person=b"chargemesh-phone"
        )
        return f"phone.{name}.{mac.hexdigest()}"


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
