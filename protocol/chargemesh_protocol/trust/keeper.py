"""The desk of a node's own log: what is to be said waits here, is numbered and signed when its batch is cut.

A delayed entry has neither sequence nor signature, so that waiting leaves no gap and nobody learns from the
log when something happened. specs/06, G5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..effects import DropDocument, Effect, EntriesCut, PutDocument
from ..encoding import decode, encode
from ..errors import PersonError
from ..identity import public_key
from ..limits import MAX_OWN_WAITING
from ..me import Me
from ..moment import Moment
from ..record import open_as, open_record
from ..shape import from_tree, to_tree
from .drafts import BatchDelay, Draft, name_of, require_delay
from .entries import Completion, CompletionStatement, OtherEntry, Review, Vouch, open_content
from .foreign import require_fits
from .graph import Completed, Evidence, Reviewed, Vouched
from .logset import LogSet
from .own_index import Indexed, Says, read_index
from .sync import Item, item_of, open_item

DRAFTS = "log-draft"
OWN_LOG = "own-log"  # sequence -> entry
OWN_INDEX = "own-log-index"  # sequence -> what of the entry a start needs, which need not read it then


class Keeper:
    """Owns drafts and the own log. While `read_only` (a restored node that has not yet asked its peers for
    its own newest entry) nothing is cut: a second entry of one number would be a fork."""

    def __init__(
        self,
        me: Me,
        documents: Mapping[str, Mapping[bytes, bytes]],
        delay: BatchDelay,
        *,
        read_only: bool = False,
    ) -> None:
        self._me = me
        self._delay = require_delay(me.network, delay)
        self.read_only = read_only
        self._drafts = {
            name: from_tree(Draft, decode(data)) for name, data in documents.get(DRAFTS, {}).items()
        }
        self._entries: list[bytes] = []
        self._ids: list[bytes] = []
        self._said: set[bytes] = set()  # names of drafts that were cut: nothing is said twice
        self._stood_for: set[bytes] = set()  # whom the log as it is cut vouches for
        self._unindexed: list[int] = []  # sequences of entries that an earlier version has written
        index = documents.get(OWN_INDEX, {})
        for place, data in sorted(documents.get(OWN_LOG, {}).items()):
            if place not in index:
                self._unindexed.append(int.from_bytes(place, "big"))
            self._append(data, read_index(index[place]) if place in index else self._indexed(data))

    @property
    def next(self) -> int:
        """Sequence of the next entry."""
        return len(self._ids) + 1

    @property
    def waiting(self) -> int:
        """Drafts that wait for their batch."""
        return len(self._drafts)

    @property
    def is_full(self) -> bool:
        """Whether no further draft may wait."""
        return len(self._drafts) >= MAX_OWN_WAITING

    @property
    def entries(self) -> tuple[Item, ...]:
        """The own log."""
        return tuple(open_item(one) for one in self._entries)

    @property
    def raw_entries(self) -> tuple[bytes, ...]:
        """The own log as `open_item` reads it, for `LogSet` after a start."""
        return tuple(self._entries)

    def deadline(self) -> int | None:
        """When the next batch is due (unix ms)."""
        if self.read_only or not self._drafts:
            return None
        return min(draft.due for draft in self._drafts.values())

    # --- what is to be said -----------------------------------------------------------------------

    def complete(
        self, subject: bytes, booking: bytes, statement: bytes, month: int, region: int, at: Moment
    ) -> list[Effect]:
        """Our half of a pair, from the other side's signed statement. Said once for each hash."""
        draft = Draft(month=month, region=region, subject=subject, booking=booking, statement=statement)
        return self._say_once(name_of("completion", booking), draft, at)

    def review(
        self, subject: bytes, booking: bytes, content: bytes, month: int, region: int, at: Moment
    ) -> list[Effect]:
        """Our opened review. Said once for each hash of a booking."""
        draft = Draft(month=month, region=region, subject=subject, booking=booking, content=content)
        return self._say_once(name_of("review", booking), draft, at)

    def vouch(self, subject: bytes, stands: bool, month: int, region: int, at: Moment) -> list[Effect]:
        """That we stand up for somebody, or no longer do; an older draft about them is replaced.

        Taking back what the log never said says nothing in it: the draft is forgotten.
        """
        if subject == self._me.author:
            raise PersonError(
                "vouch-for-self", "Nobody can vouch for themselves.", "Name somebody else you know."
            )
        if not stands and subject not in self._stood_for:
            forgotten = self._drafts.pop(name_of("vouch", subject), None)
            return [] if forgotten is None else [DropDocument(DRAFTS, name_of("vouch", subject))]
        draft = Draft(month=month, region=region, subject=subject, stands=stands)
        return self._wait(name_of("vouch", subject), draft, at)

    def say(self, kind: str, fields: bytes, month: int, region: int, at: Moment) -> list[Effect]:
        """An entry of somebody else's kind; `fields` as `foreign.fields_of` gives them. What waits already
        is not said twice; what is in the log may be said again."""
        draft = Draft(month=month, region=region, subject=self._me.author, kind=kind, fields=fields)
        require_fits(draft, self._me)
        name = name_of(kind, fields)
        return [] if name in self._drafts else self._wait(name, draft, at)

    def stands_for(self, subject: bytes) -> bool:
        """Whether we vouch for somebody, by what waits or else by the log."""
        draft = self._drafts.get(name_of("vouch", subject))
        return subject in self._stood_for if draft is None else draft.stands

    def has_completed(self, booking: bytes) -> bool:
        """Whether the completion of that hash is in the log or waits for it."""
        return self._has(name_of("completion", booking))

    def has_reviewed(self, booking: bytes) -> bool:
        """Whether our review of that hash is in the log or waits for it."""
        return self._has(name_of("review", booking))

    def evidence(self) -> Evidence:
        """What the drafts will prove: our own scores know it before the world does."""
        me = self._me.author
        completed: set[Completed] = set()
        vouched: set[Vouched] = set()
        taken_back: set[tuple[bytes, bytes]] = set()
        reviewed: set[Reviewed] = set()
        for name, draft in self._drafts.items():
            if draft.kind is not None:
                continue  # it proves nothing about anybody
            if draft.booking is not None and draft.statement is not None:
                one, other = sorted((me, draft.subject))
                completed.add(Completed(one, other, draft.booking, draft.month))
            elif draft.booking is not None and draft.content is not None:
                stars = open_content(draft.content).stars.overall
                reviewed.add(Reviewed(me, draft.subject, draft.booking, draft.month, stars, name))
            elif draft.stands:
                vouched.add(Vouched(me, draft.subject, draft.month))
            else:
                taken_back.add((me, draft.subject))
        return Evidence(frozenset(completed), frozenset(vouched), frozenset(reviewed), frozenset(taken_back))

    def index(self) -> list[Effect]:
        """Writes the index of entries that have none."""
        found: list[Effect] = []
        for sequence in self._unindexed:
            found += self._saved(sequence)[1:]
        self._unindexed.clear()
        return found

    # --- batches ----------------------------------------------------------------------------------

    def cut(self, at: Moment) -> list[Effect]:
        """Numbers and signs every draft that has waited long enough, once one of them is due."""
        due = self.deadline()
        if due is None or at.now < due:
            return []
        # By name, which is a hash: the order in the log says nothing about the order of events.
        ready = sorted(name for name, draft in self._drafts.items() if draft.earliest <= at.now)
        effects: list[Effect] = []
        cut: list[bytes] = []
        for name in ready:
            draft = self._drafts.pop(name)
            signed = draft.signed(self._me, self._ids)
            data = Item(raw=signed.raw, content=draft.content).to_bytes()
            self._append(data, self._indexed(data))
            effects += [DropDocument(DRAFTS, name), *self._saved(len(self._entries))]
            cut.append(data)
        return [*effects, EntriesCut(tuple(cut))]

    def adopt(self, logs: LogSet) -> list[Effect]:
        """After a restore: takes over entries of our own key that peers still had, so that no number is used
        twice. The caller ends `read_only` when enough peers were asked. PersonError if histories differ."""
        log = logs.log(public_key(self._me.device_seed))
        effects: list[Effect] = []
        for entry in () if log is None else log.accepted_from(1):
            if entry.sequence >= self.next:
                data = item_of(logs, entry).to_bytes()
                self._append(data, self._indexed(data))
                effects += self._saved(entry.sequence)
            if self._ids[entry.sequence - 1] != entry.id:
                raise PersonError(
                    "own-log-differs",
                    "Other nodes hold a history of this node's log that is not this one.",
                    "Restore the newest backup, or set this identity up with a new device key.",
                )
        for name in self._said & self._drafts.keys():
            del self._drafts[name]
            effects.append(DropDocument(DRAFTS, name))
        return effects

    # --- inside -----------------------------------------------------------------------------------

    def _say_once(self, name: bytes, draft: Draft, at: Moment) -> list[Effect]:
        """Nothing while too many wait: what is due is asked for again when a batch was cut."""
        return [] if self._has(name) or self.is_full else self._wait(name, draft, at)

    def _has(self, name: bytes) -> bool:
        return name in self._said or name in self._drafts

    def _wait(self, name: bytes, draft: Draft, at: Moment) -> list[Effect]:
        if self.is_full:
            raise PersonError(
                "too-many-drafts", "Too many entries wait for the trust log.", "Try again later."
            )
        spread = self._delay.longest - self._delay.shortest
        drawn = int.from_bytes(at.fresh(f"log {name.hex()}", 8), "big") % (spread + 1)
        earliest = at.now + self._delay.shortest
        waiting = replace(draft, earliest=earliest, due=earliest + drawn)
        self._drafts[name] = waiting
        return [PutDocument(DRAFTS, name, encode(to_tree(waiting)))]

    def _append(self, data: bytes, index: Indexed) -> None:
        self._entries.append(data)
        self._ids.append(index.id)
        match index.says:
            case Says.ONCE:
                self._said.add(index.about)
            case Says.STANDS:
                self._stood_for.add(index.about)
            case Says.STANDS_NO_LONGER:
                self._stood_for.discard(index.about)

    def _indexed(self, data: bytes) -> Indexed:
        """What a start needs of an entry."""
        record = open_record(open_item(data).raw, self._me.network, unknown=OtherEntry)
        match record.body:
            case Completion() as body:
                statement = open_as(CompletionStatement, body.statement, self._me.network)
                return Indexed(record.id, Says.ONCE, name_of("completion", statement.body.booking))
            case Review() as body:
                return Indexed(record.id, Says.ONCE, name_of("review", body.booking))
            case Vouch() as body:
                says = Says.STANDS if body.stands else Says.STANDS_NO_LONGER
                return Indexed(record.id, says, body.subject)
        return Indexed(record.id, Says.NOTHING, bytes(32))

    def _saved(self, sequence: int) -> list[Effect]:
        place, data = sequence.to_bytes(4, "big"), self._entries[sequence - 1]
        return [
            PutDocument(OWN_LOG, place, data),
            PutDocument(OWN_INDEX, place, self._indexed(data).to_bytes()),
        ]
