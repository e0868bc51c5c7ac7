"""specs/openapi.json is what the table of routes says."""

from __future__ import annotations

import json
import re
from pathlib import Path

from chargemesh_node.api import openapi
from chargemesh_node.api.table import ROUTES

SPEC = Path(__file__).resolve().parents[3] / "specs" / "openapi.json"


def test_the_file_is_in_step() -> None:
    """If not: python -m chargemesh_node.api.openapi specs/openapi.json"""
    assert SPEC.read_text(encoding="utf-8") == openapi.text()


def test_every_route_is_in_it_once() -> None:
    paths = json.loads(openapi.text())["paths"]
    said = [(method.upper(), path) for path, methods in paths.items() for method in methods]
    assert sorted(said) == sorted((route.method, route.path) for route in ROUTES)
    names = [one["operationId"] for methods in paths.values() for one in methods.values()]
    assert len(set(names)) == len(names)


def test_every_reference_leads_somewhere() -> None:
    document = openapi.text()
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', document))
    assert named == set(json.loads(document)["components"]["schemas"]) & named
    assert "BookingView" in named and "ErrorAnswer" in named


def test_what_needs_the_owners_token_says_so() -> None:
    document = json.loads(openapi.text())
    assert document["security"] == [{"token": []}]
    assert document["paths"]["/"]["get"]["security"] == []
    assert "phone" in document["paths"]["/v1/bookings"]["get"]["description"]
    assert "description" not in document["paths"]["/v1/stop"]["post"]
