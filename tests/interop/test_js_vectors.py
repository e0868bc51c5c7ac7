"""The second implementation and the test vectors: it has every operation, and no case fails."""

from __future__ import annotations

import pytest

from tests.conformance.runner import Outcome, run
from tests.conformance.vector_files import VECTORS, load

from .node_tools import HERE, NOT_INSTALLED, is_installed, node

pytestmark = pytest.mark.skipif(not is_installed("libsodium-wrappers-sumo"), reason=NOT_INSTALLED)


def test_every_vector_passes_in_javascript() -> None:
    command = [str(node()), str(HERE / "js" / "subject.js")]
    verdicts = list(run(command, load(VECTORS), timeout=20))
    assert [case.id for case, verdict in verdicts if verdict.outcome is not Outcome.PASSED] == []
    assert len(verdicts) > 1600
