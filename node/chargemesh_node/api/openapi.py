"""The OpenAPI 3.1 document, made from the table of routes and the types it names.

python -m chargemesh_node.api.openapi        prints it; with a file name, writes it there
"""

from __future__ import annotations

import json
import re
import sys
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec

from .answers import ErrorAnswer
from .table import JSON, ROUTES, Route

_REF = "#/components/schemas/{name}"
_NAMES = re.compile(r"\{(\w+)\}")
_ABOUT = (
    "What programs of this machine, and with a token of its own a phone, ask a chargemesh node. Served on "
    "loopback and a unix socket. Times: unix ms; energy: Wh; power: W; money: micro-units; ids: hexadecimal, "
    "of which a unique beginning of 6 characters or more is enough in paths. Every error is an ErrorAnswer."
)


def document() -> dict[str, Any]:
    """The document as plain values. Its version is the API's, the v1 of the paths."""
    types = [ErrorAnswer]
    types += [
        one for route in ROUTES for one in (*_answers(route), route.body, route.query) if one is not None
    ]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    by_type = {_key(one): schema for one, schema in zip(types, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, by_type, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": "chargemesh local API", "version": "1", "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": _plain(components),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def text() -> str:
    """The document as specs/openapi.json holds it."""
    return json.dumps(document(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _operation(route: Route, by_type: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    answers = [by_type[_key(one)] for one in _answers(route)]
    content: dict[str, Any] = {}
    if answers:
        content["schema"] = answers[0] if len(answers) == 1 else {"oneOf": answers}
    operation: dict[str, Any] = {
        "summary": route.says,
        "operationId": _name(route),
        "responses": {
            str(int(route.status)): {
                "description": HTTPStatus(route.status).phrase,
                "content": {route.media: content},
            },
            "default": {
                "description": "An error",
                "content": {JSON: {"schema": by_type[_key(ErrorAnswer)]}},
            },
        },
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _NAMES.findall(route.path)
    ]
    if route.query is not None:
        parameters += _query_parameters(route.query, components)
    if parameters:
        operation["parameters"] = parameters
    if route.upload:
        operation["requestBody"] = {"content": {"image/*": {}}, "required": True}
    elif route.body is not None:
        operation["requestBody"] = {"content": {JSON: {"schema": by_type[_key(route.body)]}}}
    if not route.path.startswith("/v1/"):
        operation["security"] = []
    elif route.phone:
        operation["description"] = "A phone's token is enough."
    return operation


def _query_parameters(query: Any, components: dict[str, Any]) -> list[dict[str, Any]]:
    schema = components[query.__name__]
    return [
        {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": shape}
        for name, shape in schema["properties"].items()
    ]


def _name(route: Route) -> str:
    """Two parts may each have a `stop`: the module's name goes before."""
    part = route.handler.__module__.rpartition(".")[2].removesuffix("_routes")
    return f"{part}_{route.handler.__name__}"


def _answers(route: Route) -> tuple[Any, ...]:
    if route.answer is None:
        return ()
    return route.answer if isinstance(route.answer, tuple) else (route.answer,)


def _key(one: Any) -> str:
    return f"{getattr(one, '__module__', '')}.{one}"


def _plain(components: dict[str, Any]) -> dict[str, Any]:
    """Docstrings as one line each: a schema is read in a browser, not in an editor."""
    for schema in components.values():
        if "description" in schema:
            schema["description"] = " ".join(schema["description"].split())
    return components


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text(), encoding="utf-8")
    else:
        sys.stdout.write(text())
