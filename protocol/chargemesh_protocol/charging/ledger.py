"""All sessions of one charger: gives out transaction numbers and finds the session that a fact belongs to.

Boxes repeat themselves, use numbers of sessions long dead, and stop the session -1. So a number is only a
hint; connector, time and register decide. Pure: every instant is an argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from ..limits import CLOCK_TOLERANCE_MS, MAX_SESSIONS_REMEMBERED
from .admission import Verdict
from .reports import Reading, SessionEnded, SessionStarted, UnknownTag, WallboxReport
from .samples import PERIODIC, Sample
from .session import (
    BELOW_SLACK_MWH,
    DEFAULT_MAX_POWER_W,
    Session,
    believed_start,
    take_sample,
    take_stop,
)

_NUMBERS_BEGIN_S = 1_735_689_600  # 2025-01-01: numbers follow the clock, so that lost memory repeats none


@dataclass(frozen=True, slots=True)
class StartFacts:
    """StartTransaction as sent; `at` is None when the timestamp can't be read."""

    connector: int
    tag: str
    meter_start_wh: int
    at: int | None


@dataclass(frozen=True, slots=True)
class StopFacts:
    """StopTransaction as sent; `samples` is its transaction data."""

    transaction: int | None
    tag: str | None
    meter_stop_wh: int | None
    at: int | None
    reason: str = "Local"
    samples: tuple[Sample, ...] = ()


class Ledger:
    """The sessions of one charger, oldest first. Every method returns what is to be reported."""

    def __init__(
        self, sessions: Sequence[Session] = (), last_number: int = 0, max_power_w: int = DEFAULT_MAX_POWER_W
    ) -> None:
        self.sessions = list(sessions)
        self.last_number = last_number
        self.max_power_w = max_power_w
        self.held_back = 0
        self.register_wh: int | None = self.sessions[-1].register_wh if self.sessions else None

    def running(self, connector: int | None = None) -> Session | None:
        """The newest session that charges (on that connector), refused ones left out."""
        return self._newest(connector, refused=False)

    def find(self, name: str) -> Session | None:
        """The session that reports call `name`."""
        return next((session for session in self.sessions if session.name == name), None)

    def start(
        self, facts: StartFacts, verdict: Verdict, received: int
    ) -> tuple[Session, list[WallboxReport]]:
        """A session began, or was told once more: a repetition gets the same number and no report.

        A refused one gets a number too, as OCPP asks, but no session is reported, only the unknown tag;
        what arrives for it later is ignored, and the session that runs goes on.
        """
        repeated = self._repeated(facts)
        if repeated is not None:
            return repeated, []
        began = believed_start(facts.at, received)
        start_mwh = max(0, facts.meter_start_wh) * 1000
        reports: list[WallboxReport] = []
        if verdict.allowed:
            reports = self._give_up(facts.connector, "Superseded")
        self.last_number = max(self.last_number + 1, received // 1000 - _NUMBERS_BEGIN_S)
        session = Session(
            transaction=self.last_number,
            connector=facts.connector,
            tag=facts.tag,
            owner=verdict.owner,
            refused=not verdict.allowed,
            started_at=began,
            start_mwh=start_mwh,
            claimed_start=(facts.at, str(facts.meter_start_wh)),
            last_at=began,
            last_mwh=start_mwh,
        )
        self.sessions.append(session)
        self._forget()
        if session.refused:
            reports.append(UnknownTag(session.tag, began))
        else:
            self.register_wh = session.register_wh
            reports.append(
                SessionStarted(session.name, session.tag, session.register_wh, began, session.owner)
            )
        return session, reports

    def meter(
        self, connector: int, transaction: int | None, samples: Sequence[Sample], received: int
    ) -> list[WallboxReport]:
        """Readings arrived. Without a session to belong to they only move the register."""
        reports: list[WallboxReport] = []
        for sample in samples:
            session = self._for_reading(connector, transaction, sample)
            if session is None:
                if self.running() is None and sample.register_mwh is not None and sample.register_mwh >= 0:
                    self.register_wh = sample.register_mwh // 1000
                continue
            if transaction is not None and transaction != session.transaction:
                session = self._replace(session, replace(session, alias=transaction))
            if session.booted_at is not None and (sample.at is None or sample.at >= session.booted_at):
                session = self._replace(session, replace(session, booted_at=None))
            after, reading = take_sample(session, sample, received, self.max_power_w)
            self._replace(session, after)
            if reading is not None and not session.refused:
                reports.append(reading)
        return reports

    def stop(self, facts: StopFacts, received: int) -> list[WallboxReport]:
        """A session ended, or was told to once more, or never was: then nothing is reported."""
        session = self._for_stop(facts)
        if session is None:
            return []
        reports = self.meter(session.connector, session.transaction, facts.samples, received)
        session = self._by_number(session.transaction) or session
        stop_mwh = None if facts.meter_stop_wh is None else facts.meter_stop_wh * 1000
        after = take_stop(session, stop_mwh, facts.at, received, self.max_power_w)
        after = replace(after, stop_facts=(facts.at, str(facts.meter_stop_wh)))
        return reports + self._end(session, after, facts.reason)

    def booted(self, now: int) -> None:
        """The box booted: OCPP lets it resume its transactions or end them, and some have forgotten them."""
        for session in self._open():
            self._replace(session, replace(session, booted_at=now))

    def resumed(self, connector: int) -> None:
        """The connector says that it charges, or pauses: its session outlived the boot."""
        for session in self._open(connector):
            self._replace(session, replace(session, booted_at=None))

    def lost(self, connector: int) -> list[WallboxReport]:
        """The box has forgotten the session of a connector: it ends where it stood last. A stop that comes
        all the same is known for a late one by its number, and changes nothing."""
        return self._give_up(connector, "Lost")

    def given_up(self, transaction: int | None) -> Session | None:
        """The session of that number, if it was ended by us and not by the box."""
        named = self._by_number(transaction)
        return named if named is not None and named.reason == "Lost" else None

    def retold(self, count: int) -> list[WallboxReport]:
        """The newest `count` sessions as they would be reported now, for who may have missed it."""
        reports: list[WallboxReport] = []
        for s in self.sessions[-count:]:
            if s.refused:
                continue
            reports.append(SessionStarted(s.name, s.tag, s.start_mwh // 1000, s.started_at, s.owner))
            if s.ended_at is None:
                reports.append(Reading(s.name, s.register_wh, s.power_w, s.last_at, PERIODIC))
            else:
                reports.append(SessionEnded(s.name, s.register_wh, s.ended_at, s.reason))
        return reports

    def encode(self) -> dict[str, object]:
        """What must survive a restart, as JSON values."""
        return {"last_number": self.last_number, "sessions": [asdict(session) for session in self.sessions]}

    @classmethod
    def decode(cls, memory: dict[str, object], max_power_w: int = DEFAULT_MAX_POWER_W) -> Ledger:
        """The inverse of `encode`. Raises ValueError, TypeError or KeyError for anything else."""
        rows, number = memory["sessions"], memory["last_number"]
        if not isinstance(rows, list) or not isinstance(number, int):
            raise TypeError("a ledger's memory has the fields sessions and last_number")
        return cls([_session(row) for row in rows[-MAX_SESSIONS_REMEMBERED:]], number, max_power_w)

    def _open(self, connector: int | None = None) -> list[Session]:
        return [s for s in self.sessions if s.ended_at is None and connector in (None, s.connector)]

    def _newest(self, connector: int | None, refused: bool) -> Session | None:
        fitting = [session for session in self._open(connector) if session.refused == refused]
        return fitting[-1] if fitting else None

    def _by_number(self, transaction: int | None) -> Session | None:
        return next((s for s in self.sessions if s.transaction == transaction), None)

    def _repeated(self, facts: StartFacts) -> Session | None:
        """The session that this start already began: same words, or the same register before any progress."""
        for session in reversed(self.sessions):
            if session.connector != facts.connector or session.tag.casefold() != facts.tag.casefold():
                continue
            if session.claimed_start == (facts.at, str(facts.meter_start_wh)):
                return session
            untouched = session.ended_at is None and session.last_mwh == session.start_mwh
            if untouched and session.claimed_start[1] == str(facts.meter_start_wh):
                return session
        return None

    def _for_reading(self, connector: int, transaction: int | None, sample: Sample) -> Session | None:
        """By number if that session runs; by connector for a dead or missing number, if the time fits."""
        named = self._by_number(transaction)
        if named is not None and named.ended_at is None:
            return named
        running = self.running(connector) or (self.running() if connector == 0 else None)
        if running is None:
            return None
        if running.booted_at is not None and (transaction is None or transaction != running.alias):
            return None  # what an idle box reads after its boot is no sign that it charges
        before = sample.at is not None and sample.at < running.started_at - CLOCK_TOLERANCE_MS
        if before and (named is not None or transaction is None or transaction != running.alias):
            return None  # backlog of an earlier session
        if named is not None and sample.at is not None and named.ended_at is not None:
            return running if sample.at > max(named.ended_at, running.started_at - 1) else None
        return running

    def _for_stop(self, facts: StopFacts) -> Session | None:
        named = self._by_number(facts.transaction)
        if named is not None and named.ended_at is None:
            return named
        if named is not None and named.stop_facts in (None, (facts.at, str(facts.meter_stop_wh))):
            return None  # told once more, or after we had given it up
        candidates = [s for s in self._open() if _credible_stop(s, facts, number_is_dead=named is not None)]
        for session in candidates:
            if facts.transaction is not None and session.alias == facts.transaction:
                return session
        same_tag = [
            s for s in candidates if facts.tag is not None and s.tag.casefold() == facts.tag.casefold()
        ]
        fitting = same_tag or candidates
        return fitting[-1] if fitting else None

    def _give_up(self, connector: int, reason: str) -> list[WallboxReport]:
        """Ends what runs on a connector where it stood last."""
        reports: list[WallboxReport] = []
        for session in self._open(connector):
            reports += self._end(session, replace(session, ended_at=session.last_at, power_w=0), reason)
        return reports

    def _end(self, before: Session, after: Session, reason: str) -> list[WallboxReport]:
        after = self._replace(before, replace(after, reason=reason))
        if after.refused or after.ended_at is None:
            return []
        self.register_wh = after.register_wh
        return [SessionEnded(after.name, after.register_wh, after.ended_at, reason)]

    def _replace(self, before: Session, after: Session) -> Session:
        for index, session in enumerate(self.sessions):
            if session.transaction == before.transaction:
                self.sessions[index] = after
        self.held_back += after.held_back - before.held_back
        if not after.refused:
            self.register_wh = after.register_wh
        return after

    def _forget(self) -> None:
        while len(self.sessions) > MAX_SESSIONS_REMEMBERED:
            ended = next((s for s in self.sessions if s.ended_at is not None), self.sessions[0])
            self.sessions.remove(ended)


def _credible_stop(session: Session, facts: StopFacts, number_is_dead: bool) -> bool:
    """Whether a stop with a wrong number can mean this session: by its register or its time, for a number of
    an ended session by both (else an old stop, told again, would end a session that runs)."""
    register_fits = (
        facts.meter_stop_wh is not None and facts.meter_stop_wh * 1000 >= session.start_mwh - BELOW_SLACK_MWH
    )
    time_fits = facts.at is None or facts.at >= session.started_at
    return (register_fits and time_fits) if number_is_dead else (register_fits or time_fits)


def _session(row: object) -> Session:
    if not isinstance(row, dict):
        raise TypeError("a session's memory is a map")
    fields = dict(row)
    if fields["suspect"] is not None:
        at, value, count = fields["suspect"]
        fields["suspect"] = (at, value, count)
    fields["claimed_start"] = _pair(fields["claimed_start"])
    fields["stop_facts"] = None if fields["stop_facts"] is None else _pair(fields["stop_facts"])
    return Session(**fields)


def _pair(value: object) -> tuple[int | None, str]:
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise ValueError("a pair of time and register")
    return value[0], str(value[1])
