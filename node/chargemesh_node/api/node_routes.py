"""The node itself: status, identity, peers, invitations, doctor, logs, trust, phones, stop."""

from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path
from typing import TypedDict

from starlette.background import BackgroundTask
from starlette.responses import Response

from chargemesh_protocol.errors import ExitCode, PersonError

from ..addresses import parse_peer_address
from ..errors import NetworkError
from ..invite import qr_text, read_link
from ..views import doctor as doctors
from ..views import people, status
from ..views.doctor import Doctor
from ..views.people import Trust
from ..views.status import Identity, InviteView, Peers, Status
from . import limits
from .answers import json_answer
from .authors import author_of
from .connection import BoundedConnection
from .context import Call
from .limits import MAX_LOG_BYTES
from .streams import Stream, server_sent


class Stopping(TypedDict):
    stopping: bool


class Joined(TypedDict):
    """connected: how many peers of the invitation answered."""

    network: str
    connected: int
    peers: list[str]


class Log(TypedDict):
    file: str
    lines: list[str]


class PhoneView(TypedDict):
    """link: opens the page on that phone, its token behind the #, which no server ever sees in a request."""

    name: str
    link: str
    qr_terminal: str
    on_lan: bool


async def get_status(call: Call) -> Status:
    found = status.status(call.app, version("chargemesh"))
    found["limits"] |= {
        f"API_{name}": round(value) for name, value in vars(limits).items() if isinstance(value, int | float)
    }
    found["counters"] |= {f"api.{name}": count for name, count in BoundedConnection.refused.items()}
    return found


async def get_id(call: Call) -> Identity:
    return status.identity(call.app)


async def get_peers(call: Call) -> Peers:
    return status.peers(call.app)


async def add_peer(call: Call) -> Peers:
    try:
        contact = parse_peer_address(call.body.address)
    except ValueError as error:
        raise PersonError(
            "bad-address",
            f"This is no address of a peer: {error}.",
            "Ask for what the command id shows on the other machine.",
            ExitCode.USAGE,
        ) from error
    if contact.peer_id == call.node.network.contact.peer_id:
        raise PersonError(
            "own-address",
            "This is this node's own address.",
            "Ask for what the command id shows on the other machine.",
            ExitCode.USAGE,
        )
    await call.node.network.connect(contact)
    return status.peers(call.app)


async def get_invite(call: Call) -> InviteView:
    return status.invite(call.node)


async def join(call: Call) -> Joined:
    """Connects to the peers of an invitation; PersonError if it is for another network, or none answers."""
    invite = read_link(call.body.link)
    ours = call.node.me.network
    if invite.network != ours:
        raise PersonError(
            "other-network",
            f"This invitation is for the network {invite.network}, and this node is on {ours}.",
            "Ask for an invitation to yours, or make a node for that one in another home.",
            ExitCode.USAGE,
        )
    connected, reason = [], "nobody was named"
    for peer in invite.peers:
        if peer.peer_id == call.node.network.contact.peer_id:
            reason = "it leads to this node itself"
            continue
        try:
            await call.node.network.connect(peer)
        except NetworkError as error:
            reason = str(error)
        else:
            connected.append(peer.peer_id)
    if not connected:
        raise PersonError(
            "nobody-answers",
            f"None of the {len(invite.peers)} peers in this invitation could be reached: {reason}.",
            "Ask for a fresh invitation from somebody whose node is running.",
        )
    return {"network": ours, "connected": len(connected), "peers": connected}


async def get_doctor(call: Call) -> Doctor:
    return doctors.doctor(call.app)


async def get_logs(call: Call) -> Log:
    path = call.app.home.log_file
    return {"file": str(path), "lines": _tail(path, call.query.lines)}


async def stop(call: Call) -> Response:
    """Answers first, then ends the node."""

    async def end() -> None:
        call.app.stopping.set()

    answer = json_answer(Stopping(stopping=True))
    answer.background = BackgroundTask(end)
    return answer


async def get_trust(call: Call) -> Trust:
    """By author, or by a booking, which means its other side."""
    return people.trust(call.node, author_of(call, call.id))  # a stranger stands where newcomers do


async def get_events(call: Call) -> Response:
    booking = call.find_booking(call.query.booking).hex() if call.query.booking else ""
    return Stream(call.context, server_sent(call.context, booking), "text/event-stream")


async def add_phone(call: Call) -> PhoneView:
    """The link that makes a phone one of this node's."""
    token = call.context.tokens.for_phone(call.body.name)
    lan = call.app.config.phone.address
    host = lan or call.context.address
    link = f"http://{host}/#token={token}"
    name = call.body.name.strip().lower()
    return {"name": name, "link": link, "qr_terminal": qr_text(link), "on_lan": bool(lan)}


def _tail(path: Path, lines: int) -> list[str]:
    """The last lines of a file, of at most MAX_LOG_BYTES."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - MAX_LOG_BYTES))
            content = file.read(MAX_LOG_BYTES)
    except FileNotFoundError:
        return []
    found = content.decode("utf-8", "replace").splitlines()
    return found[-lines:]
