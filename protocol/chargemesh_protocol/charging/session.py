"""Folds one session's raw meter facts into readings that can be billed: registers and times never fall.

What the box says is a hint, never the truth: a value is taken only if the meter could have got there. Two
slips have a remedy, the unit (kWh where Wh was meant, and the reverse) and the clock; every other
implausible value is held back and counted. A meter that goes on steadily from another value (it was reset,
or its start was told wrongly) is followed from there, and the jump is billed to nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..limits import CLOCK_TOLERANCE_MS
from .reports import Reading
from .samples import Sample

DEFAULT_MAX_POWER_W = 50_000  # the largest AC connector gives 43 kW
JUMP_SLACK_MWH = 1_000_000  # 1 kWh: boxes stamp whole minutes, and registers move in steps
BELOW_SLACK_MWH = 5_000  # a register up to 5 Wh below the last one is rounding, not a fault
_LIVE_MS = 15 * 60 * 1000  # boxes are asked for a reading far more often than this
_STEADY = 3  # held back values that fit one another before the meter is followed from there
_EVIDENCE_MWH = 100_000  # from 100 Wh on, the box's own power tells whether its register is in kWh


@dataclass(frozen=True, slots=True)
class Session:
    """One charging session as the node believes it. Registers in thousandths of a Wh, times in unix ms.

    `transaction` is the number that we gave it; `alias` the dead number that the box uses for it instead.
    `scale` is what its declared values must be multiplied by (1000, or -1000 for a division) to be right.
    `offset_mwh` is added after that. `suspect` is the last value held back (its time, the value, and how
    many fitted one another). `stop_facts` are the box's own words that ended it, to know a repetition by.
    `booted_at` is when the box booted (our clock), until it shows that the session outlived its boot.
    """

    transaction: int
    connector: int
    tag: str
    owner: bool
    refused: bool
    started_at: int
    start_mwh: int
    claimed_start: tuple[int | None, str]
    last_at: int
    last_mwh: int
    power_w: int | None = None
    expected_mwh: int = 0
    scale: int = 1
    offset_mwh: int = 0
    suspect: tuple[int, int, int] | None = None
    held_back: int = 0
    alias: int | None = None
    ended_at: int | None = None
    reason: str = ""
    stop_facts: tuple[int | None, str] | None = None
    booted_at: int | None = None

    @property
    def name(self) -> str:
        """How reports call it."""
        return str(self.transaction)

    @property
    def register_wh(self) -> int:
        return self.last_mwh // 1000


def take_sample(
    session: Session, sample: Sample, received: int, max_power_w: int = DEFAULT_MAX_POWER_W
) -> tuple[Session, Reading | None]:
    """The session after `sample`, and the reading to report: None if nothing new can be believed."""
    at = _believed_time(session, sample.at, received)
    if at is None:
        return session, None
    expected = session.expected_mwh
    if session.power_w is not None:
        expected += session.power_w * max(0, at - session.last_at) // 3600
    power = sample.power_w if sample.power_w is not None and 0 <= sample.power_w <= max_power_w else None
    if sample.register_mwh is None:
        return replace(session, power_w=power, last_at=at, expected_mwh=expected), None
    believed = _believed_register(session, sample.register_mwh, at, expected, max_power_w)
    if believed is None:
        return _hold_back(session, sample.register_mwh, at, max_power_w), None
    register, scale = believed
    if at == session.last_at and register == session.last_mwh:  # a duplicate, or the start once more
        return replace(session, power_w=power if power is not None else session.power_w), None
    after = replace(
        session,
        last_at=at,
        last_mwh=register,
        power_w=power if power is not None else session.power_w,
        expected_mwh=expected,
        scale=scale,
        suspect=None,
    )
    return after, Reading(session.name, register // 1000, power, at, sample.context)


def take_stop(
    session: Session, meter_stop_mwh: int | None, at: int | None, received: int, max_power_w: int
) -> Session:
    """The session ended: at the stop value if it can be believed, else at the last reading's."""
    ended = _believed_end(session, at, received)
    register, scale, held = session.last_mwh, session.scale, 0
    if meter_stop_mwh is not None:
        believed = _believed_register(session, meter_stop_mwh, ended, session.expected_mwh, max_power_w)
        if believed is None:
            held = 1
        else:
            register, scale = believed
    return replace(
        session,
        last_at=ended,
        last_mwh=register,
        scale=scale,
        power_w=0,
        held_back=session.held_back + held,
        ended_at=ended,
    )


def believed_start(at: int | None, received: int) -> int:
    """When a session began: the box's word, also days ago (a buffered backlog), but never in the future."""
    return received if at is None or at > received + CLOCK_TOLERANCE_MS else at


def _believed_time(session: Session, at: int | None, received: int) -> int | None:
    """The instant of a value: never before the last one. None for what is older than what is known."""
    if at is None or at > received + CLOCK_TOLERANCE_MS or at < session.started_at - CLOCK_TOLERANCE_MS:
        return max(received, session.last_at)  # the box's clock is wrong: ours counts
    if at < session.started_at:
        return session.last_at if session.last_at == session.started_at else None
    return at if at >= session.last_at else None


def _believed_end(session: Session, at: int | None, received: int) -> int:
    """When a session ended. A time before the start or in the future says nothing: a session that was heard
    of lately ended now, one from a backlog at the last moment known of it."""
    if at is None or at > received + CLOCK_TOLERANCE_MS or at < session.started_at:
        live = received - session.last_at < _LIVE_MS
        return max(received, session.last_at) if live else session.last_at
    return max(at, session.last_at)


def _believed_register(
    session: Session, declared: int, at: int, expected: int, max_power_w: int
) -> tuple[int, int] | None:
    """(register, scale) that the meter can have reached by `at`, or None."""
    highest = session.last_mwh + max_power_w * (at - session.last_at) // 3600 + JUMP_SLACK_MWH
    for scale in _scales(session, declared, highest):
        register = _scaled(declared, scale) + session.offset_mwh
        if session.last_mwh - BELOW_SLACK_MWH <= register <= highest:
            if scale == 1 and session.offset_mwh == 0 and _power_says_kwh(session, register, expected):
                return register * 1000, 1000
            return max(register, session.last_mwh), scale
    return None


def _hold_back(session: Session, declared: int, at: int, max_power_w: int) -> Session:
    """Counts a value that can't be believed, and follows the meter from there once such values are steady."""
    value, fitting = _scaled(declared, session.scale), 1
    if session.suspect is not None:
        earlier, before, count = session.suspect
        reachable = max_power_w * (at - earlier) // 3600 + JUMP_SLACK_MWH
        if at > earlier and 0 <= value - before <= reachable:
            fitting = count + 1
    held = replace(session, held_back=session.held_back + 1, suspect=(at, value, fitting))
    if fitting < _STEADY:
        return held
    return replace(held, offset_mwh=session.last_mwh - value, last_at=at, suspect=None)


def _scaled(declared: int, scale: int) -> int:
    return declared * scale if scale > 0 else declared // -scale


def _scales(session: Session, declared: int, highest: int) -> tuple[int, ...]:
    """The readings of a unit worth trying, the one that was right last time first."""
    if session.offset_mwh:
        return (session.scale,)
    others: tuple[int, ...] = (1,)
    if declared < session.last_mwh:
        others = (1, 1000)
    elif declared > highest and session.last_mwh >= JUMP_SLACK_MWH:
        others = (1, -1000)
    return (session.scale, *(scale for scale in others if scale != session.scale))


def _power_says_kwh(session: Session, register: int, expected: int) -> bool:
    """A box whose register begins near zero and counts kWh as Wh moves a thousandth of its own power."""
    gained = register - session.start_mwh
    gained_as_kwh = register * 1000 - session.start_mwh
    return (
        expected >= _EVIDENCE_MWH and gained * 50 < expected and expected <= gained_as_kwh * 2 <= expected * 4
    )
