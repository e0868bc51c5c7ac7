"""A running node in JavaScript and the conformance kit: it keeps every rule but those of a charger's host."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.node import run as checks
from tests.conformance.node.peer import Target
from tests.conformance.node.run import CHECKS, Outcome, Verdict

from .js_peer import js_program
from .node_tools import NOT_INSTALLED, is_installed

pytestmark = pytest.mark.skipif(not is_installed("libp2p"), reason=NOT_INSTALLED)

NETWORK = "chargemesh-test-javascript"


@pytest.mark.timeout(300)  # it takes 20 s, most of them spent waiting; a busy machine needs more
def test_a_node_in_javascript_passes_the_conformance_kit(tmp_path: Path) -> None:
    verdicts: list[Verdict] = []
    with js_program(tmp_path, "neighbour.js", NETWORK) as neighbour:
        checks.run(Target.of(neighbour.tells("up")["address"]), NETWORK, verdicts.append)
        assert neighbour.is_up
    assert [one for one in verdicts if one.outcome is Outcome.FAILED] == []
    assert len(verdicts) == len(CHECKS)
    skipped = {one.check.name for one in verdicts if one.outcome is Outcome.SKIPPED}
    of_hosts = {one.name for one in CHECKS if one.name.startswith("booking:")} - {"booking:malformed"}
    of_volunteers = {one.name for one in CHECKS if one.name.startswith("mailbox:")}
    assert skipped == of_hosts | of_volunteers | {"identity:own-bundle"}
