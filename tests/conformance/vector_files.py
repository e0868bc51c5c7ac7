"""Reading the vector files. specs/vectors/README.md is their description."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).resolve().parents[2] / "specs" / "vectors"


@dataclass(frozen=True, slots=True)
class Case:
    """One question and the one right answer: either `out` or the code of an error."""

    file: str
    name: str
    op: str
    given: dict[str, Any]
    out: Any | None
    error: str | None
    why: str

    @property
    def id(self) -> str:
        return f"{self.file}:{self.name}"

    @property
    def expected(self) -> dict[str, Any]:
        """What the answer must be, apart from its id."""
        return {"out": self.out} if self.error is None else {"error": self.error}


def load(folder: Path = VECTORS) -> Iterator[Case]:
    """Every case of every file, in the order of their names; ValueError for a file that is none."""
    for path in sorted(folder.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        for entry in document["cases"]:
            if ("out" in entry) == ("error" in entry):
                raise ValueError(f"{path.name}: {entry.get('name')} must have either out or error")
            yield Case(
                path.stem,
                entry["name"],
                entry["op"],
                entry["in"],
                entry.get("out"),
                entry.get("error"),
                entry.get("why", ""),
            )
