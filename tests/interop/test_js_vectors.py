"""The second implementation and the test vectors: what it does at all, it does right.

What it does not have, such as the operations of a new file, is no failure: it is a driver's node.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.conformance.runner import Outcome, run
from tests.conformance.vector_files import VECTORS, load

from .node_tools import HERE, NOT_INSTALLED, is_installed, node

pytestmark = pytest.mark.skipif(not is_installed("libsodium-wrappers-sumo"), reason=NOT_INSTALLED)


def test_no_vector_fails_in_javascript() -> None:
    command = [str(node()), str(HERE / "js" / "subject.js")]
    verdicts = list(run(command, load(VECTORS), timeout=20))
    failed = [case.id for case, verdict in verdicts if verdict.outcome is Outcome.FAILED]
    passed = Counter(case.file for case, verdict in verdicts if verdict.outcome is Outcome.PASSED)
    assert not failed
    assert passed.total() > 1400, passed
