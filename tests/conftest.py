"""What every test shares: how hard Hypothesis tries, and how it reports a failing seed."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Deadlines measure the machine, not the code; a failing example is printed as a line to paste into the test.
settings.register_profile(
    "quick", max_examples=60, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", settings.get_profile("quick"), max_examples=2000)
settings.load_profile(os.environ.get("CHARGEMESH_EXAMPLES", "quick"))
