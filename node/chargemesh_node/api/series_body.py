"""What clients send about weekly series. Dates: YYYY-MM-DD, by the clocks of the charger."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from .bodies import At, Book, Micro

Date = Annotated[str, Meta(max_length=10, description="YYYY-MM-DD")]
Weekday = Annotated[int, Meta(ge=1, le=7, description="1 Monday to 7 Sunday")]


class StartSeries(Book, forbid_unknown_fields=True):
    """Takes a quote as the first date of a series: each week on that weekday and on `weekdays`, until the
    date `until`, or `count` times, or without an end. at_most_micro: what one date may cost, by default the
    most that the first can."""

    weekdays: Annotated[tuple[Weekday, ...], Meta(max_length=7)] = ()
    until: Date | None = None
    count: Annotated[int, Meta(ge=1, le=1000)] | None = None
    at_most_micro: Micro | None = None


class SkipDate(Struct, forbid_unknown_fields=True):
    """skipped: false takes it back."""

    date: Date
    skipped: bool = True


class MoveDate(Struct, forbid_unknown_fields=True):
    """That date is at other times."""

    date: Date
    start: At
    end: At


class AgreePrice(Struct, forbid_unknown_fields=True):
    """What one date may cost from now on; on the conditions that were shown."""

    at_most_micro: Micro
