"""The second implementation and the test vectors: what it does at all, it does right.

It has what a driver's node needs. Whole files are listed that it answers completely, so that none falls back.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.conformance.runner import Outcome, run
from tests.conformance.vector_files import VECTORS, load

from .node_tools import HERE, NOT_INSTALLED, is_installed, node

pytestmark = pytest.mark.skipif(not is_installed("libsodium-wrappers-sumo"), reason=NOT_INSTALLED)

COMPLETE = {
    "bookings", "cells", "encoding", "extension", "identity", "invalid-encoding", "invalid-payloads", "invalid-records",
    "invalid-signatures", "keys", "listings", "messages", "records",
}  # fmt: skip


def test_no_vector_fails_in_javascript() -> None:
    command = [str(node()), str(HERE / "js" / "subject.js")]
    verdicts = list(run(command, load(VECTORS), timeout=20))
    failed = [case.id for case, verdict in verdicts if verdict.outcome is Outcome.FAILED]
    missing = Counter(case.file for case, verdict in verdicts if verdict.outcome is Outcome.UNSUPPORTED)
    assert not failed
    assert not COMPLETE & set(missing)
    assert len(verdicts) - missing.total() > 900
