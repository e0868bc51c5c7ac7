"""Who may charge now: the owner always, a booked driver until its time, anybody else never.

Tags are OCPP's idTag: up to 20 characters, upper and lower case alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from ..limits import MAX_TAG_CHARS, MAX_TAG_GRANTS


class Verdict(Enum):
    """`PLUGGED` is the owner's own plug-and-charge: a tag that nobody knows while no booking runs."""

    OWNER = "owner"
    PLUGGED = "plugged"
    BOOKED = "booked"
    EXPIRED = "expired"
    UNKNOWN = "unknown"

    @property
    def allowed(self) -> bool:
        return self in (Verdict.OWNER, Verdict.PLUGGED, Verdict.BOOKED)

    @property
    def owner(self) -> bool:
        return self in (Verdict.OWNER, Verdict.PLUGGED)


class Admission:
    """The tags that a charger knows. An owner's tag is never refused, also not during a booking."""

    def __init__(
        self, owner_tags: Iterable[str], plug_and_charge: bool, grants: Iterable[tuple[str, int]] = ()
    ) -> None:
        self.owner_tags = tuple(owner_tags)
        self.plug_and_charge = plug_and_charge
        self._owners = {tag.casefold() for tag in self.owner_tags}
        self._grants: dict[str, int] = {}
        self._spellings: dict[str, str] = {tag.casefold(): tag for tag in self.owner_tags}
        for tag, until in grants:
            self.grant(tag, until)

    @property
    def grants(self) -> tuple[tuple[str, int], ...]:
        """(tag, until in unix ms) of the booked drivers, also those whose time is over."""
        return tuple((self._spellings[folded], until) for folded, until in self._grants.items())

    def grant(self, tag: str, until: int | None) -> None:
        """Lets a booked driver's tag charge until that instant (unix ms); None withdraws it.

        Raises ValueError for a tag that no wallbox could send.
        """
        if not 0 < len(tag) <= MAX_TAG_CHARS or not tag.isprintable():
            raise ValueError(f"a tag has 1 to {MAX_TAG_CHARS} printable characters, not {tag!r}")
        self._grants.pop(tag.casefold(), None)
        if until is not None:
            self._grants[tag.casefold()] = until
            self._spellings[tag.casefold()] = tag
        while len(self._grants) > MAX_TAG_GRANTS:
            del self._grants[min(self._grants, key=self._grants.__getitem__)]
        known = self._owners | set(self._grants)
        self._spellings = {folded: name for folded, name in self._spellings.items() if folded in known}

    def spelling(self, tag: str) -> str:
        """A known tag as it was given to us; boxes change its case."""
        return self._spellings.get(tag.casefold(), tag)

    def until(self, tag: str) -> int | None:
        """The end of a booked driver's time, None for any other tag."""
        return self._grants.get(tag.casefold())

    def judge(self, tag: str, at: int) -> Verdict:
        """What a tag may do at `at`, the instant when it was held up (days ago in a buffered backlog)."""
        folded = tag.casefold()
        if folded in self._owners:
            return Verdict.OWNER
        if folded in self._grants:
            return Verdict.BOOKED if at <= self._grants[folded] else Verdict.EXPIRED
        booked_now = any(at <= until for until in self._grants.values())
        return Verdict.PLUGGED if self.plug_and_charge and not booked_now else Verdict.UNKNOWN
