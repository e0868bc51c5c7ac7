"""`chargemesh block`, `unblock` and `blocked`: whom this node deals with no more."""

from __future__ import annotations

from typing import Any

import click

from chargemesh_protocol.limits import MAX_NOTE_CHARS

from .. import prompts
from ..app import App, pass_app
from ..client import Api, segment
from ..lazy import command
from ..readers import free_text
from ..render import clean, paragraph, short
from ..tables import table


@command("block")
@click.argument("peer", metavar="PEER")
@click.option("--reason", metavar="TEXT", default="", help="For yourself: nobody else sees it.")
@click.option("--cancel", is_flag=True, help="Cancel what is open with them, for safety: free for both.")
@pass_app
def block(app: App, peer: str, reason: str, cancel: bool) -> None:
    """Deal with somebody no more: to them, every time of yours seems taken. They are not told.

    PEER: an identity, or a booking with them.
    """
    api = app.api()
    value = block_peer(api, peer, reason)
    app.note(f"Blocked: {short(value['author'])}. To them every time of yours seems taken.")
    open_ = value["bookings"]
    if open_ and not cancel:
        cancel = app.interactive and prompts.confirm(
            f"{len(open_)} open with them. Cancel for safety (free for both)?", default=False
        )
    if cancel:
        for one in open_:
            api.post(f"bookings/{segment(one['id'])}/cancel", {"reason": "SAFETY"})
    app.result(value, paragraph(_left(open_, cancel)))


@command("unblock")
@click.argument("peer", metavar="PEER")
@pass_app
def unblock(app: App, peer: str) -> None:
    """Block somebody no longer."""
    value = app.api().delete(f"blocked/{segment(peer)}")
    app.result(value, "Blocked no longer.")


@command("blocked")
@pass_app
def blocked(app: App) -> None:
    """Whom this node deals with no more; only you see this."""
    value = app.api().get("blocked")
    lines = [
        (short(one["author"]), one["since"]["text"], str(len(one["bookings"])), clean(one["reason"]))
        for one in value["blocked"]
    ]
    app.result(value, table(("identity", "since", "open", "reason"), lines) if lines else "Nobody.")


def block_peer(api: Api, peer: str, reason: str) -> Any:
    return api.post("blocked", {"peer": peer, "reason": free_text(MAX_NOTE_CHARS)(reason)})


def _left(open_: Any, cancelled: bool) -> str:
    if not open_:
        return "Nothing is open with them."
    names = ", ".join(short(one["id"]) for one in open_)
    if cancelled:
        return f"Cancelled for safety: {names}."
    return f"Still open with them: {names}. `chargemesh booking cancel ID --reason SAFETY` is free for both."
