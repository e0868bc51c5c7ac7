"""The ASGI application: the table's routes on Starlette, with the guard in front."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute
from starlette.types import ASGIApp

from chargemesh_protocol.errors import ChargemeshError

from .answers import json_answer, tell
from .context import Call, Context
from .guard import Guard, HostCheck, is_public
from .openapi import document
from .reading import parse_body, parse_query, read_body
from .table import ROUTES, Route
from .tokens import Holder


def application(context: Context, ours: HostCheck, holders: Container[Holder] = tuple(Holder)) -> ASGIApp:
    """One listener's application. `ours` and `holders`: see `Guard`."""

    async def openapi(_: Request) -> Response:
        return json_answer(document())

    routes = [
        StarletteRoute(route.path, _endpoint(context, route), methods=[route.method]) for route in ROUTES
    ]
    routes.append(StarletteRoute("/openapi.json", openapi, methods=["GET"]))
    handlers = {ChargemeshError: tell, HTTPException: tell, Exception: tell}
    return Guard(Starlette(routes=routes, exception_handlers=handlers), context.tokens, ours, holders)


def _endpoint(context: Context, route: Route):  # type: ignore[no-untyped-def]
    async def endpoint(request: Request) -> Response:
        if not route.phone and not is_public(route.path):
            Call(context, request, None, None).require_owner()  # before anything of it is read
        query = None if route.query is None else parse_query(request, route.query)
        answer = await route.handler(Call(context, request, query, await _body(request, route)))
        return answer if isinstance(answer, Response) else json_answer(answer, route.status)

    return endpoint


async def _body(request: Request, route: Route) -> Any:
    if route.upload:
        return await read_body(request, route.upload)
    return None if route.body is None else parse_body(await read_body(request), route.body)
