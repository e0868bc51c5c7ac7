"""Whom a host keeps as members, and whom this node deals with no more. Both are private: nothing here is
signed, sent or logged."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .effects import DropDocument, Effect, PutDocument, Result
from .encoding import decode, encode
from .errors import ExitCode, PersonError
from .limits import MAX_NOTE_CHARS, MAX_TEXT_CHARS
from .me import Me
from .shape import Text, Uint, from_tree, key, shape, to_tree

MEMBERS, BLOCKED = "member", "blocked"
MAX_MEMBERS = 2000  # a village; each is some 150 bytes in memory
MAX_BLOCKED = 10_000
_GROUP = re.compile(r"[a-z0-9-]{0,24}")


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """How the host calls them, and in which of its groups they are ("" for none in particular)."""

    name: str = key(0, Text(MAX_TEXT_CHARS))
    group: str = key(1, Text(24))


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """Since when (unix ms) and why, in the person's own words."""

    since: int = key(0, Uint())
    reason: str = key(1, Text(MAX_NOTE_CHARS))


class Acquaintances:
    """Changes memory and says what to save. Members and blocked people by author."""

    def __init__(self, me: Me, documents: Mapping[str, Mapping[bytes, bytes]]) -> None:
        self._me = me
        self.members = {
            author: from_tree(Member, decode(data)) for author, data in documents.get(MEMBERS, {}).items()
        }
        self.blocked = {
            author: from_tree(Blocked, decode(data)) for author, data in documents.get(BLOCKED, {}).items()
        }

    def group_of(self, author: bytes) -> str | None:
        """As in `host_rules.Facts`."""
        member = self.members.get(author)
        return None if member is None else member.group

    def put_member(self, author: bytes, name: str, group: str) -> list[Effect]:
        """Adds a member, or changes name and group."""
        self._require_other(author)
        if not _GROUP.fullmatch(group):
            raise PersonError(
                "bad-group",
                f"{group[:40]!r} can't be a group.",
                "Up to 24 small letters, digits and hyphens, such as family.",
                ExitCode.USAGE,
            )
        if author not in self.members and len(self.members) >= MAX_MEMBERS:
            raise _full("members", MAX_MEMBERS)
        member = Member(name=name, group=group)
        data = encode(to_tree(member))
        self.members[author] = member
        return [PutDocument(MEMBERS, author, data), Result({"author": author.hex()})]

    def drop_member(self, author: bytes) -> list[Effect]:
        if self.members.pop(author, None) is None:
            raise _unknown("no-such-member", "They are no member here.", "chargemesh charger members list")
        return [DropDocument(MEMBERS, author), Result({"author": author.hex()})]

    def block(self, author: bytes, reason: str, now: int) -> list[Effect]:
        """From now on their requests are answered as if the time were taken. Bookings that stand go on."""
        self._require_other(author)
        if author not in self.blocked and len(self.blocked) >= MAX_BLOCKED:
            raise _full("blocked people", MAX_BLOCKED)
        since = self.blocked[author].since if author in self.blocked else now
        blocked = Blocked(since=since, reason=reason)
        data = encode(to_tree(blocked))
        self.blocked[author] = blocked
        return [PutDocument(BLOCKED, author, data), Result({"author": author.hex()})]

    def unblock(self, author: bytes) -> list[Effect]:
        if self.blocked.pop(author, None) is None:
            raise _unknown("not-blocked", "They are not blocked.", "chargemesh blocked")
        return [DropDocument(BLOCKED, author), Result({"author": author.hex()})]

    def _require_other(self, author: bytes) -> None:
        if author == self._me.author:
            raise PersonError("yourself", "That is you.", "Name somebody else.", ExitCode.USAGE)


def _unknown(code: str, message: str, command: str) -> PersonError:
    return PersonError(code, message, f"`{command}` lists them.", ExitCode.NOT_FOUND)


def _full(what: str, most: int) -> PersonError:
    return PersonError("too-many", f"There are {most} {what} already.", "Take some off the list first.")
