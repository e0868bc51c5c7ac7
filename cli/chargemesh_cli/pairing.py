"""Connecting a wallbox: what to type into it, and waiting until the node sees it."""

from __future__ import annotations

import time
from typing import Any

from chargemesh_protocol.errors import ExitCode, PersonError

from .app import App
from .client import Api, segment
from .render import words

_POLL_SECONDS = 0.5


def show_and_wait(app: App, api: Api, charger_id: str, *, wait_ms: int | None, wait: bool) -> Any:
    """Prints URL, id and password; waits if a person is there to see it, or for `wait_ms` where given.

    Returns the API's view of the wallbox. PersonError (timed out) only for a wait that was asked for.
    """
    path = f"chargers/{segment(charger_id)}/wallbox"
    view = api.get(path)
    if view["driver"] == "manual":
        app.say("This charger has no wallbox that the node runs: both of you read the meter.")
        return view
    if view["driver"] == "ocpp":
        app.say("Type into the wallbox's OCPP 1.6J settings:")
        app.say(f"  URL       {view['url']}")
        app.say(f"  id        {view['id']}")
        app.say(f"  password  {view['password']}")
    else:
        told = ", ".join(f"{name}={value}" for name, value in view["options"].items()) or "nothing"
        app.say(f"The wallbox driver {view['driver']} runs this charger; it was told {told}.")
    if not wait or (wait_ms is None and not app.interactive) or _connected(view):
        return view
    app.note("Waiting for the wallbox … (Ctrl-C stops waiting; the charger stays listed)")
    deadline = None if wait_ms is None else time.monotonic() + wait_ms / 1000
    try:
        while not _connected(view):
            if deadline is not None and time.monotonic() > deadline:
                raise PersonError(
                    "no-wallbox",
                    "The wallbox has not connected yet.",
                    f"Check what you typed into it; `chargemesh charger pair {charger_id[:8]}` waits again.",
                    ExitCode.TIMED_OUT,
                )
            time.sleep(_POLL_SECONDS)
            view = api.get(path)
    except KeyboardInterrupt:
        app.note(f"\nNot waiting any more; `chargemesh charger pair {charger_id[:8]}` does.")
        return view
    app.say(f"The wallbox is connected ({words(view['state']['state'])}).")
    return view


def _connected(view: Any) -> bool:
    return bool(view["state"] and view["state"]["connected"])
