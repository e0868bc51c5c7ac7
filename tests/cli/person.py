"""Somebody at the command line: types a line, answers what is asked, reads what comes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from click.testing import CliRunner

from chargemesh_cli.main import main
from chargemesh_node.home import Home


@dataclass(frozen=True)
class Said:
    """What a call printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        """stdout as the one JSON value that --json promises."""
        return json.loads(self.out)

    @property
    def values(self) -> list[Any]:
        """stdout as one object a line."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Person:
    """Types commands about one home. With `answers` they sit at a terminal, and type these lines."""

    home: Home

    def types(self, *arguments: str, answers: str | None = None) -> Said:
        runner = CliRunner()
        with runner.isolation(input=answers or "") as (out, err, _):
            code = main(["--home", str(self.home.root), *arguments], interactive=answers is not None)
            return Said(code, out.getvalue().decode(), err.getvalue().decode())
