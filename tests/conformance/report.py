"""What a run prints: each failed case in full, and a summary by file."""

from __future__ import annotations

import json
from typing import Any

from .runner import Outcome, Verdict
from .vector_files import Case

_SHORT = 400


class Report:
    """Counts verdicts, and prints the failed ones as they come; `full` prints long values whole."""

    def __init__(self, *, full: bool = False) -> None:
        self._full = full
        self._counts: dict[str, dict[Outcome, int]] = {}
        self._unsupported: set[str] = set()

    @property
    def failed(self) -> int:
        return self._total(Outcome.FAILED)

    @property
    def unsupported(self) -> int:
        return self._total(Outcome.UNSUPPORTED)

    @property
    def passed(self) -> int:
        return self._total(Outcome.PASSED)

    def add(self, case: Case, verdict: Verdict) -> None:
        counts = self._counts.setdefault(case.file, dict.fromkeys(Outcome, 0))
        counts[verdict.outcome] += 1
        if verdict.outcome is Outcome.UNSUPPORTED:
            self._unsupported.add(case.op)
        if verdict.outcome is Outcome.FAILED:
            print(f"FAILED {case.id} ({case.op})")
            print(f"  in        {self._text(case.given)}")
            print(f"  expected  {self._text(case.expected)}")
            print(f"  got       {self._text(verdict.got)}")
            if case.why:
                print(f"  why       {case.why}")

    def summary(self) -> str:
        """A line for each file, the operations that were not supported, and the sum."""
        width = max(len(name) for name in ("all", *self._counts))
        lines = [f"{name:{width}}  {_counted(counts)}" for name, counts in self._counts.items()]
        if self._unsupported:
            lines.append(f"not supported: {', '.join(sorted(self._unsupported))}")
        whole = {outcome: self._total(outcome) for outcome in Outcome}
        return "\n".join([*lines, f"{'all':{width}}  {_counted(whole)}"])

    def _total(self, outcome: Outcome) -> int:
        return sum(counts[outcome] for counts in self._counts.values())

    def _text(self, value: Any) -> str:
        """In ASCII: what a program writes may hold halves of characters and whatever moves a cursor."""
        text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        if self._full or len(text) <= _SHORT:
            return text
        return f"{text[:_SHORT]} ... ({len(text)} characters; --full shows all)"


def _counted(counts: dict[Outcome, int]) -> str:
    return ", ".join(f"{counts[outcome]} {outcome.value}" for outcome in Outcome)
