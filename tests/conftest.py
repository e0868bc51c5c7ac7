"""What every test shares: how hard Hypothesis tries, which seed is replayed, and that CI skips nothing."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# Deadlines measure the machine, not the code; a failing example is printed as a line to paste into the test.
settings.register_profile(
    "quick", max_examples=50, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", settings.get_profile("quick"), max_examples=1000)
settings.load_profile(os.environ.get("CHARGEMESH_EXAMPLES", "quick"))

FAIL_ON_SKIP = "CHARGEMESH_FAIL_ON_SKIP"
# What the machine's user has set must not reach a test; what make and .ci/run say to the tests stays.
SPOKEN_TO_TESTS = {"CHARGEMESH_EXAMPLES", "CHARGEMESH_SEED", FAIL_ON_SKIP}


@pytest.fixture(autouse=True)
def a_machine_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No CHARGEMESH_… setting of the person running the tests changes what they test."""
    for name in [
        name for name in os.environ if name.startswith("CHARGEMESH_") and name not in SPOKEN_TO_TESTS
    ]:
        monkeypatch.delenv(name)
    # Tables are as wide as COLUMNS says. GNU readline, once imported, writes it into the environment, behind
    # the back of os.environ, from where parallel workers and programs that tests start inherit it.
    for name in ("COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
        os.unsetenv(name)
    yield


class LostTasks(logging.Handler):
    """Hears what asyncio says of tasks that nobody waited for."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        if "exception=BrokenPipeError()" in said:
            return  # asyncio's own feeder of a command that ended without reading its input
        if "was never retrieved" in said or "was destroyed but it is pending" in said:
            self.heard.append(said)


LOST_TASKS = LostTasks()
logging.getLogger("asyncio").addHandler(LOST_TASKS)


@pytest.fixture(autouse=True)
def no_task_is_lost() -> Iterator[None]:
    """A task that died unheard, or was dropped while running, fails the test at whose end it is noticed."""
    yield
    heard = list(LOST_TASKS.heard)
    LOST_TASKS.heard.clear()
    if heard:
        pytest.fail("asyncio reported (perhaps of an earlier test): " + "; ".join(heard), pytrace=False)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """On CI a skipped test is a failure: there every program that a test needs is installed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not os.environ.get(FAIL_ON_SKIP) or reporter is None or hasattr(session.config, "workerinput"):
        return
    if reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the reason where CI fails for skipped tests alone."""
    skipped = terminalreporter.stats.get("skipped", [])
    if os.environ.get(FAIL_ON_SKIP) and skipped:
        terminalreporter.write_line(f"FAILED: {len(skipped)} skipped, and {FAIL_ON_SKIP} is set", red=True)
