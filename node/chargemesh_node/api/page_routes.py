"""The phone page: a few files without anything of anybody's in them; what they show comes from the API."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.responses import Response

from chargemesh_protocol.errors import ExitCode, PersonError

from .context import Call

_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "webmanifest": "application/manifest+json",
}


async def get_page(_: Call) -> Response:
    return _file("index.html")


async def get_static(call: Call) -> Response:
    return _file(str(call.request.path_params["name"]))


def page_files() -> dict[str, Traversable]:
    """The files that are served, by name: nothing but what the package holds can be asked for."""
    folder = files("chargemesh_node") / "web"
    return {one.name: one for one in folder.iterdir() if one.name.rpartition(".")[2] in _TYPES}


def _file(name: str) -> Response:
    found = page_files().get(name)
    if found is None:
        raise PersonError("no-such-file", f"There is no file {name[:40]!r}.", "", ExitCode.NOT_FOUND)
    # Asked for again each time: the page and the API are of one version.
    headers = {"Cache-Control": "no-cache"}
    return Response(found.read_bytes(), 200, headers, _TYPES[name.rpartition(".")[2]])
