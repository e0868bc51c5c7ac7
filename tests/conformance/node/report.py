"""What a run against a node prints: a line for each check and what a failed one saw, or JSON."""

from __future__ import annotations

import json
from collections import Counter

from .run import CHECKS, Outcome, Verdict

_SHORT = 200


def table() -> str:
    """Every check with its rules, as specs/conformance.md has them."""
    rows = [f"| `{one.name}` | {', '.join(one.rules)} | {one.about} |" for one in CHECKS]
    return "\n".join(["| check | rules | what must hold |", "|---|---|---|", *rows])


class NodeReport:
    """Counts verdicts and prints them as they come."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self.counts: Counter[Outcome] = Counter()

    def add(self, verdict: Verdict) -> None:
        self.counts[verdict.outcome] += 1
        print(self._json(verdict) if self._as_json else self._text(verdict), flush=True)

    def summary(self) -> str:
        if self._as_json:
            return json.dumps({outcome.value: self.counts[outcome] for outcome in Outcome})
        return ", ".join(f"{self.counts[outcome]} {outcome.value}" for outcome in Outcome)

    def _text(self, verdict: Verdict) -> str:
        check = verdict.check
        lines = [f"{verdict.outcome.value:8}{check.name} ({', '.join(check.rules)}): {check.about}"]
        if verdict.outcome is Outcome.SKIPPED:
            lines.append(f"        {verdict.why}")
        if verdict.outcome is Outcome.FAILED:
            for look in verdict.looks[-1:]:
                lines.append(f"        sent      {look.sent}")
                lines.append(f"        expected  {look.expected[:_SHORT]}")
                lines.append(f"        got       {look.got[:_SHORT]}")
            if verdict.why:
                lines.append(f"        {verdict.why}")
        return "\n".join(lines)

    def _json(self, verdict: Verdict) -> str:
        check = verdict.check
        looks = [{"sent": one.sent, "expected": one.expected, "got": one.got} for one in verdict.looks]
        told = {"check": check.name, "rules": check.rules, "about": check.about}
        came = {"outcome": verdict.outcome.value, "why": verdict.why, "seconds": verdict.seconds}
        return json.dumps({**told, **came, "looks": looks})
