"""Rules, members, blocked people, and the code at a charger."""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict

from starlette.responses import Response

from chargemesh_protocol.booking.rules import Wish
from chargemesh_protocol.errors import ExitCode, PersonError
from chargemesh_protocol.events import Block, DropMember, PutCharger, PutMember, Unblock
from chargemesh_protocol.policy import WalkIn, WalkInAnswer

from ..sheet import code_png, sheet_svg
from ..views.policy import (
    NOBODY,
    BlockedPeople,
    BlockedView,
    Code,
    Members,
    Outlook,
    blocked_view,
    code_view,
    member_view,
    outlook,
)
from .authors import author_of
from .context import Call

_SECRET_BYTES = 32


class Forgotten(TypedDict):
    author: str
    forgotten: bool


async def ask_rules(call: Call) -> Outlook:
    """What would come of a request for this time by somebody."""
    body = call.body
    if body.end <= body.start:
        raise PersonError(
            "end-before-start", "The end must be after the start.", "Swap the two times.", ExitCode.USAGE
        )
    author = NOBODY if body.peer is None else author_of(call, body.peer)
    wish = Wish(body.start, body.end, body.walk_in, bool(body.vehicle), body.plug)
    return outlook(call.node, call.charger(), author, wish)


async def get_members(call: Call) -> Members:
    members = call.node.runner.engine.people.members
    return {"members": [member_view(author, members[author]) for author in sorted(members)]}


async def put_member(call: Call) -> Members:
    author = author_of(call, call.body.peer)
    await call.node.command(PutMember(author, call.body.name, call.body.group))
    return await get_members(call)


async def drop_member(call: Call) -> Forgotten:
    author = author_of(call, call.id)
    await call.node.command(DropMember(author))
    return {"author": author.hex(), "forgotten": True}


async def get_blocked(call: Call) -> BlockedPeople:
    blocked = call.node.runner.engine.people.blocked
    newest = sorted(blocked, key=lambda author: -blocked[author].since)
    return {"blocked": [blocked_view(call.node, author, blocked[author], _zone(call)) for author in newest]}


async def block(call: Call) -> BlockedView:
    """From now on every time seems taken to them; bookings that stand go on, and are listed."""
    author = author_of(call, call.body.peer)
    await call.node.command(Block(author, call.body.reason))
    blocked = call.node.runner.engine.people.blocked[author]
    return blocked_view(call.node, author, blocked, _zone(call))


async def unblock(call: Call) -> Forgotten:
    author = author_of(call, call.id)
    await call.node.command(Unblock(author))
    return {"author": author.hex(), "forgotten": True}


async def make_code(call: Call) -> Code:
    """The code of this charger: the one that it has, or its first, which is good for being taken at once."""
    settings = call.charger()
    policy = settings.host_policy
    if policy.walk_in is None or call.body.new:
        answer = policy.walk_in.answer if policy.walk_in else WalkInAnswer.INSTANTLY
        secret = call.node.ports.entropy.bytes(_SECRET_BYTES)
        changed = replace(policy, walk_in=WalkIn(secret=secret, answer=answer))
        await call.node.command(PutCharger(replace(settings, policy=changed)))
    return code_view(call.node, call.charger())


async def get_code_png(call: Call) -> Response:
    return Response(code_png(_link(call)), headers={"Cache-Control": "no-store"}, media_type="image/png")


async def get_code_svg(call: Call) -> Response:
    sheet = sheet_svg(_link(call), call.charger().about.title)
    return Response(sheet, headers={"Cache-Control": "no-store"}, media_type="image/svg+xml")


def _link(call: Call) -> str:
    settings = call.charger()
    if settings.host_policy.walk_in is None:
        raise PersonError(
            "no-code",
            "This charger has no code yet.",
            "`chargemesh charger qr` makes one.",
            ExitCode.NOT_FOUND,
        )
    return code_view(call.node, settings)["link"]


def _zone(call: Call) -> str:
    chargers = call.node.runner.engine.listings.all_settings()
    return chargers[0].hours.zone if chargers else "UTC"
