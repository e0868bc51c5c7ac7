"""Runs the checks against one node.

Chapters go side by side, each one's checks in order, since what one finds out the next builds on. The
hostile ones follow, one at a time, so that a node that gives way does so under a name; only those that
wait for the node to lose patience run beside everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum

import trio

from .check_booking import HOST
from .check_gossip import GOSSIP
from .check_hostile import HOSTILE
from .check_identity import PEOPLE
from .check_listing import CARETAKER
from .check_log import TRUST
from .check_mailbox import POST
from .check_transport import TRANSPORT
from .mesh import Ear
from .peer import NoAnswer, Target, connected
from .scene import Check, Look, Mismatch, NotHere, Probe, Scene

_PEACEFUL = (TRANSPORT, PEOPLE, CARETAKER, HOST, TRUST, GOSSIP, POST)
CHECKS: tuple[Check, ...] = tuple(check for chapter in (*_PEACEFUL, HOSTILE) for check in chapter.checks)


class Outcome(Enum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one check went. Of a failed one the last of `looks` is where, or `why` says it."""

    check: Check
    outcome: Outcome
    looks: tuple[Look, ...]
    why: str = ""
    seconds: float = 0.0


Tell = Callable[[Verdict], None]


def run(target: Target, network: str, tell: Tell, *, only: str = "", listing: str = "") -> None:
    """Runs all checks whose name holds `only` and tells each verdict; NoAnswer if nobody is there."""
    trio.run(_run, target, network, tell, only, listing)


async def _run(
    target: Target, network: str, tell: Callable[[Verdict], None], only: str, listing: str
) -> None:
    ear = Ear()

    async def make(checks: Iterable[Check]) -> None:
        for check in checks:
            if only in check.name:
                began = trio.current_time()
                verdict = await judge(check, scene)
                tell(replace(verdict, seconds=round(trio.current_time() - began, 2)))

    async with connected(target, ear.attach) as honest:
        scene = Scene(target, network, honest, ear, listing)
        async with trio.open_nursery() as beside:
            for check in HOSTILE.checks:
                if check.slow:
                    beside.start_soon(make, [check])
            async with trio.open_nursery() as chapters:
                for chapter in _PEACEFUL:
                    chapters.start_soon(make, chapter.checks)
            await make(check for check in HOSTILE.checks if not check.slow)
        for farewell in scene.farewells:
            await farewell()


async def judge(check: Check, scene: Scene) -> Verdict:
    """Makes one check; a hostile one also fails if the node no longer answers honest people after it."""
    probe = Probe()
    try:
        await check.run(scene, probe)
        if check.hostile:
            probe.sees("afterwards: the honest ping", "pong", await scene.greets())
    except Exception as error:  # noqa: BLE001  # whatever the node answered, the next check has its turn
        outcome, why = _outcome_of(_first_of(error))
        return Verdict(check, outcome, tuple(probe.looks), why)
    return Verdict(check, Outcome.PASSED, tuple(probe.looks))


def _outcome_of(error: BaseException) -> tuple[Outcome, str]:
    match error:
        case Mismatch():
            return Outcome.FAILED, ""
        case NotHere():
            return Outcome.SKIPPED, str(error)
        case NoAnswer():
            return Outcome.FAILED, f"after that no answer: {error}"
    return Outcome.FAILED, f"after that what the check can't read: {type(error).__name__}: {error}"


def _first_of(error: BaseException) -> BaseException:
    """The error itself, out of the groups that nurseries wrap it in."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
