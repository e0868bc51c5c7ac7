"""Alice's, Bob's and Carl's logs for the vectors: entries of real keys that name each other rightly."""

from __future__ import annotations

from typing import Any

from chargemesh_protocol.record import Record, open_record, sign
from chargemesh_protocol.shape import to_tree
from chargemesh_protocol.trust import entries as t
from chargemesh_protocol.trust.sync import Item

from .cast import ALICE, BOB, MONTH, NETWORK, Person, hashed
from .forged import signed
from .frame import Json
from .samples import REGION

SOLAR = "org.example.solar"


def content(text: str = "as agreed", salt: str = "salt", overall: int = 5) -> bytes:
    """What hangs beside a review."""
    return t.content_bytes(t.ReviewContent(stars=t.Stars(overall=overall), text=text, salt=hashed(salt)[:16]))


def statement(by: Person, about: Person, booking: str = "booking", **changes: Any) -> Record[Any]:
    """The completion statement that one side signs at the receipt."""
    fields: dict[str, Any] = {
        "author": by.author,
        "counterparty": about.author,
        "booking": t.booking_hash(hashed(booking), hashed(f"{booking} receipt")),
        "month": MONTH,
        "region": REGION,
    }
    return by.sign(t.CompletionStatement(**(fields | changes)))


class Writer:
    """The log of one person's device: each entry follows the last one, or another if told so."""

    def __init__(self, person: Person, device: bytes | None = None) -> None:
        self.person = person
        self._device = person.device if device is None else device
        self.ids: list[bytes] = []

    def links(self, sequence: int) -> Json:
        """What every entry of that number begins with."""
        target = t.skip_target(sequence)
        return {
            "author": self.person.author,
            "sequence": sequence,
            "previous": self.ids[sequence - 2] if sequence > 1 else self.person.author,
            "skip": None if target is None else self.ids[target - 1],
            "month": MONTH,
            "region": REGION,
        }

    def writes(self, cls: type[Any], beside: bytes | None = None, *, at: int = 0, **fields: Any) -> Item:
        """Entry `at` (the next one), which later ones follow."""
        sequence = at or len(self.ids) + 1
        record = sign(cls(**(self.links(sequence) | fields)), self._device, NETWORK)
        return self._kept(sequence, record.raw, record.id, beside)

    def vouches(self, subject: Person = BOB, *, at: int = 0, **fields: Any) -> Item:
        return self.writes(t.Vouch, at=at, **({"subject": subject.author, "stands": True} | fields))

    def completes(self, other: Person, booking: str = "booking") -> Item:
        return self.writes(t.Completion, statement=statement(other, self.person, booking).raw)

    def reviews(self, other: Person, booking: str = "booking", text: str = "as agreed") -> Item:
        beside = content(text, f"{self.person.name} {booking}")
        about = t.booking_hash(hashed(booking), hashed(f"{booking} receipt"))
        fields = {"subject": other.author, "booking": about, "content": t.content_hash(beside)}
        return self.writes(t.Review, beside, **fields)

    def invents(self, kind: str = SOLAR, **fields: Any) -> Item:
        """An entry of a kind that version 1 doesn't know."""
        sequence = len(self.ids) + 1
        tree = {**to_tree(t.OtherEntry(**(self.links(sequence) | fields))), 7: "roof", 8: [1, 2], 16: True}
        raw = signed(tree, kind, seed=self._device)
        return self._kept(sequence, raw, open_record(raw, NETWORK, unknown=t.OtherEntry).id, None)

    def _kept(self, sequence: int, raw: bytes, entry: bytes, beside: bytes | None) -> Item:
        del self.ids[sequence - 1 :]
        self.ids.append(entry)
        return Item(raw=raw, content=beside)


def bundles(*people: Person) -> list[str]:
    return [one.bundle().hex() for one in people or (ALICE, BOB)]
