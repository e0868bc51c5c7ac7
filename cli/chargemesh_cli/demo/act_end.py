"""Last act: somebody else's library verifies the receipt, connections are counted, and what to try next."""

from __future__ import annotations

from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.record import aad

from .act_settle import Evidence
from .connections import ConnectionCounter
from .foreign_cose import check_with_foreign_library
from .play import Play

NEXT = (
    "chargemesh init",
    "chargemesh charger add",
    "chargemesh invite",
    "chargemesh find --near 52.47,13.40",
)


def verify_elsewhere(play: Play, evidence: Evidence, forged: bytes) -> None:
    """The receipt is an ordinary COSE_Sign1: any library can check it."""
    receipt = evidence.receipt
    check = check_with_foreign_library(receipt.raw, forged, receipt.kid, aad(play.network))
    play.figures["foreign_cose"] = check.verifier or None
    if not check.verifier:
        play.stage.step(
            "foreign-cose",
            "No COSE library by others is installed here; `make tools` in a clone installs two, and the demo "
            "then lets one of them verify the receipt.",
            library=None,
        )
        return
    if not check.verified or not check.refused_altered:
        raise PersonError(
            "demo-cose", f"{check.verifier} does not verify the receipt.", "Please report this."
        )
    play.stage.step(
        "foreign-cose",
        f"{check.verifier}, a COSE library that isn't ours, verifies Hanna's receipt "
        f"({len(receipt.raw)} bytes, RFC 9052) and refuses the altered one.",
        library=check.verifier,
    )


def count_connections(play: Play, counter: ConnectionCounter) -> None:
    """PersonError if any of our processes was seen connected to another machine."""
    if not counter.possible:
        play.stage.step("connections", "Not counted: this system does not show connections in /proc.")
        return
    foreign = sorted(counter.foreign)
    play.figures["foreign_connections"] = len(foreign)
    play.stage.step(
        "connections",
        f"Connections to anything but this machine: {len(foreign)}, in {counter.looks} looks at all "
        f"processes of the demo, which had up to {counter.seen} ends of connections among themselves.",
        foreign=foreign,
        looks=counter.looks,
        at_once=counter.seen,
    )
    if foreign:
        raise PersonError("demo-connections", f"It reached beyond this machine: {', '.join(foreign)}.", "")


def say_what_next(play: Play, kept: bool) -> None:
    """In the order in which somebody would go on; first what is left to look at."""
    if kept:
        dario = play.dario.home.root
        look = f"chargemesh --home {dario} record verify {play.folder / 'records' / 'booking.json'}"
        play.stage.step(
            "kept", f"Homes, logs and signed records stay in {play.folder}. Look: `{look}`", look=look
        )
    commands = ", then ".join(f"`{one}`" for one in NEXT)
    play.stage.step(
        "next", f"To try next: {commands}. `chargemesh --help` lists the rest.", commands=list(NEXT)
    )
