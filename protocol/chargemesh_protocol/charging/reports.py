"""What every wallbox driver reports, and the status it can be asked for. Wh, W and unix milliseconds.

Registers in reports never fall within a session, and a session's times never run backwards: a driver
clears up what the box says before it reports (specs/11, C4).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Connected:
    """The box can be talked to."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The box is out of reach; its session goes on."""


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """A connector's state by its OCPP 1.6 name (ChargePointStatus); connector 0 is the whole box."""

    connector: int
    state: str


@dataclass(frozen=True, slots=True)
class SessionStarted:
    """Energy may flow from here. `session` is the driver's name for it, unique for this charger.

    `owner` says that the tag is the owner's, or that the box was plugged in and charged outside bookings.
    `by_hand`, here and below: a person has read the register.
    """

    session: str
    tag: str
    register_wh: int
    at: int
    owner: bool = False
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """The meter's register at an instant; `power_w` where the box says it.

    `context` is OCPP's reading context (`Sample.Periodic`, `Transaction.End`, `Trigger` …).
    """

    session: str
    register_wh: int
    power_w: int | None
    at: int
    context: str
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The last word on a session: what arrives for it later changes nothing.

    `reason` is OCPP's (`Local`, `Remote`, `EVDisconnected`, `PowerLoss` …), or ours: `Superseded` when the
    box began another session without ending this one, `Lost` when the box has forgotten it (its connector
    stays free, or waits for a car after a boot, without a word; or it refuses to stop what it doesn't know).
    """

    session: str
    register_wh: int
    at: int
    reason: str
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class UnknownTag:
    """Somebody held up a tag that may not charge now; it was refused."""

    tag: str
    at: int


WallboxReport = (
    Connected | Disconnected | StatusChanged | SessionStarted | Reading | SessionEnded | UnknownTag
)


@dataclass(frozen=True, slots=True)
class WallboxStatus:
    """How the box stands at this instant, as far as the node knows.

    `connector_state` is OCPP 1.6's ChargePointStatus, `Unavailable` before the first word. `tag` and `owner`
    are those of the running session: while the last session was the owner's and its car is still plugged in
    (`Finishing`), they keep naming it. `held_back` counts values that could not be believed.
    """

    connected: bool
    connector_state: str
    session: str | None
    register_wh: int | None
    power_w: int | None
    seen_at: int
    tag: str | None = None
    owner: bool = False
    held_back: int = 0
