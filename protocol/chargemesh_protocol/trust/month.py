"""Months in UTC, the only time that the log knows: an integer, months since January 1970."""

from datetime import UTC, datetime

MAX_MONTH = 12 * 1000  # the year 2970; keeps every month within what datetime can show


def month_of(at: int) -> int:
    """The month that holds `at` (unix ms)."""
    moment = datetime.fromtimestamp(at // 1000, UTC)
    return (moment.year - 1970) * 12 + moment.month - 1


def span_of(month: int) -> tuple[int, int]:
    """First millisecond of `month`, and of the next one."""
    return _start(month), _start(month + 1)


def text_of(month: int) -> str:
    """As ISO 8601 writes it: 2026-11."""
    return f"{1970 + month // 12:04}-{month % 12 + 1:02}"


def _start(month: int) -> int:
    return int(datetime(1970 + month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp()) * 1000
