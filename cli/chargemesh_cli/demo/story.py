"""The demo from the first line to the last, and its end, whichever it is."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chargemesh_node.home import make_private_folder
from chargemesh_protocol.errors import ChargemeshError, ExitCode, PersonError

from . import act_away, act_book, act_charge, act_end, act_meet, act_settle, act_terms, act_trust
from .act_charge import SPEED
from .cast import HANNA, cast
from .connections import ConnectionCounter
from .deal import deal
from .interrupts import Interrupts
from .neighbour import Neighbour
from .play import Play
from .processes import Processes
from .stage import Stage, Stopwatch

_NETWORK = "chargemesh-demo-{}"
_LAST_BREATH_SECONDS = 0.3


def run(stage: Stage, watch: Stopwatch, *, nodes: int, keep: Path | None) -> dict[str, Any]:
    """Plays everything; returns the measured figures. PersonError says what failed and where the logs are."""
    folder = _folder(keep)
    interrupts = Interrupts()
    processes = Processes(interrupts)
    counter = ConnectionCounter(processes.pids)
    network = _NETWORK.format(secrets.token_hex(4))
    people = tuple(Neighbour(one, folder, network, processes) for one in cast(nodes))
    play = Play(stage, processes, folder, network, people)
    with interrupts:
        try:
            try:
                stage.open()
                counter.start()
                _play(play, counter, kept=keep is not None)
            finally:
                interrupts.ignore()
        except (ChargemeshError, OSError, KeyboardInterrupt) as error:
            raise _early_end(error, processes, folder) from error
        finally:
            counter.stop()
            processes.end_all()
            stage.close()
    if keep is None:
        shutil.rmtree(folder, ignore_errors=True)
    play.figures["seconds"] = watch.seconds
    return play.figures


def _play(play: Play, counter: ConnectionCounter, *, kept: bool) -> None:
    _say_what_stands_in(play)
    act_meet.come_up(play)
    act_trust.vouch(play)
    act_away.use_mailbox(play)
    act_meet.list_chargers(play)
    found = act_meet.find_chargers(play)
    booking = act_book.book(play, found)
    play.figures["booking"] = booking
    with _beside(lambda: _bad_deal(play)):
        act_charge.plug_in(play)
        act_charge.charge(play, booking, int(found[HANNA.title]["cell"]["cell"], 16))
    evidence = act_settle.read_evidence(play, booking)
    forged = act_settle.refuse_altered_receipt(play, evidence)
    act_settle.pay(play, booking)
    act_settle.review(play, booking)
    act_trust.see_reputation(play)
    act_trust.resist_praise(play)
    second = act_terms.agree_on_another_time(play, found)
    act_away.message_waits(play, second)
    act_terms.cancel(play, second)
    play.processes.require_alive()
    act_end.verify_elsewhere(play, evidence, forged)
    counter.stop()
    act_end.count_connections(play, counter)
    act_end.say_what_next(play, kept)


def _say_what_stands_in(play: Play) -> None:
    play.stage.step(
        "stand-ins",
        "What stands in: the car, the wallbox and the bank are virtual, and the wallbox counts energy "
        f"{SPEED} times too fast (its timestamps are real, the tariff is per kWh, the booking starts now). "
        "Host settings that are not the defaults: strangers who come within 2 hours are accepted at once, "
        "cancelling costs 20 % from 2 days before, and meter tickets come as often as they may. On a demo "
        "network the trust log waits seconds instead of 2 to 14 days. All else is the real program: "
        f"{len(play.people)} nodes, each with processes of its own, on loopback, never announced on the LAN.",
        network=play.network,
        nodes=len(play.people),
        folder=str(play.folder),
    )


def _bad_deal(play: Play) -> None:
    """Beside the main booking: Dario has charged at Boris's, and was not happy."""
    deal(play.dario, play.boris, stars=1, text="Blocked for an hour, and the cable was broken.", back=5)
    play.stage.step(
        "bad-deal",
        "Beside it, a smaller booking from quote to payment at Boris's, whose meter people read by hand. "
        "Dario was not happy: one star.",
        stars=1,
    )


@contextmanager
def _beside(work: Callable[[], None]) -> Iterator[None]:
    """Does `work` in a thread while the body runs; an error of either is raised here."""
    failed: list[Exception] = []

    def guarded() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - raised again below, in the thread that waits
            failed.append(error)

    thread = threading.Thread(target=guarded, name="beside the story", daemon=True)
    thread.start()
    yield
    thread.join()
    if failed:
        raise failed[0]


def _folder(keep: Path | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="chargemesh-demo-"))
    folder = keep.expanduser().absolute()
    if folder.exists() and any(folder.iterdir()):
        raise PersonError(
            "not-empty", f"{folder} is not empty.", "Name a new folder with --keep.", ExitCode.USAGE
        )
    make_private_folder(folder)
    return folder


def _early_end(error: BaseException, processes: Processes, folder: Path) -> PersonError:
    """What is told then; the folder stays. A process that ended by itself is the likely cause of all else."""
    hint = f"All processes of the demo are ended; their logs are in {folder}."
    if isinstance(error, KeyboardInterrupt):
        return PersonError("stopped", "Stopped.", hint)
    time.sleep(_LAST_BREATH_SECONDS)  # a process that is just dying counts as ended
    try:
        processes.require_alive()
    except PersonError as ended:
        return PersonError(ended.code, ended.message, hint)
    if isinstance(error, PersonError):
        return PersonError(error.code, error.message, f"{error.hint} {hint}".strip(), error.exit_code)
    return PersonError("demo", f"The demo failed: {error}.", hint)
