"""What other packages add to chargemesh through Python entry points: record kinds, wallbox drivers, rails.

EXTENDING.md shows how one is written. Nothing is looked for before it is asked for, and then once in a
process. A package that can't be used is named with the reason, and everything else goes on without it.
"""

from __future__ import annotations

import functools
import importlib
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from chargemesh_protocol.record import KINDS, is_foreign

_log = logging.getLogger(__name__)

RECORD_KINDS = "chargemesh.record_kinds"
WALLBOX_DRIVERS = "chargemesh.wallbox_drivers"
PAYMENT_RAILS = "chargemesh.payment_rails"
BUILT_IN_DRIVERS = ("ocpp", "manual")
BUILT_IN_RAILS = ("sepa-qr", "sepa", "manual")
# A kind is known once its module was imported; ours come first, so that nobody takes their names.
_OUR_KINDS = ("identity", "listing", "booking.records", "trust.entries")
_PLAIN_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_MAX_DRIVER_CHARS, _MAX_RAIL_CHARS = 16, 24  # as charger settings and `paid` records hold them


@dataclass(frozen=True, slots=True)
class Extension:
    """One entry point. what: "wallbox driver" and so on. fault: why it can't be used, empty if it can;
    then `value` is the driver's factory, the rail, or the kind's class."""

    what: str
    name: str
    package: str
    version: str
    value: Any = None
    fault: str = ""

    @property
    def source(self) -> str:
        return f"{self.package} {self.version}"


@dataclass(frozen=True, slots=True)
class Extensions:
    """Everything that was found, in order of group, name and package; and what of it can be used."""

    found: tuple[Extension, ...]
    kinds: Mapping[str, Extension]
    drivers: Mapping[str, Extension]
    rails: Mapping[str, Extension]

    @property
    def broken(self) -> tuple[Extension, ...]:
        return tuple(one for one in self.found if one.fault)


@functools.cache
def installed() -> Extensions:
    """Every extension of this Python, loaded. Faults are in the log once, and in what is returned always."""
    for module in _OUR_KINDS:
        importlib.import_module(f"chargemesh_protocol.{module}")
    groups = (
        _group(RECORD_KINDS, "record kind", _check_kind_name, _check_kind),
        _group(WALLBOX_DRIVERS, "wallbox driver", _plain(BUILT_IN_DRIVERS, _MAX_DRIVER_CHARS), _check_driver),
        _group(PAYMENT_RAILS, "payment rail", _plain(BUILT_IN_RAILS, _MAX_RAIL_CHARS), _check_rail),
    )
    for one in (each for group in groups for each in group):
        if one.fault:
            _log.error("the %s %r of %s can't be used: %s", one.what, one.name, one.source, one.fault)
        else:
            _log.info("the %s %r of %s is there", one.what, one.name, one.source)
    usable = [{one.name: one for one in group if not one.fault} for group in groups]
    return Extensions(tuple(one for group in groups for one in group), *usable)


def names(group: str) -> tuple[str, ...]:
    """The names in one group, each once, with nothing loaded."""
    return tuple(dict.fromkeys(one.name for one in _in_order(entry_points(group=group))))


def _group(
    group: str, what: str, check_name: Callable[[str], str], check: Callable[[str, Any], Any]
) -> tuple[Extension, ...]:
    """The entry points of one group, each checked by its name, loaded, and checked again.

    A name belongs to the first that can be used: what is broken must not shut out what works.
    """
    found: list[Extension] = []
    taken: dict[str, str] = {}
    for point in _in_order(entry_points(group=group)):
        package, version = (point.dist.name, point.dist.version) if point.dist else ("?", "?")
        value: Any = None
        fault = check_name(point.name)
        if not fault and point.name in taken:
            fault = f"the name is taken by {taken[point.name]}"
        if not fault:
            try:
                value = check(point.name, point.load())
                taken[point.name] = package
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever somebody's module does at import
                fault = f"{type(error).__name__}: {error}"
                if group == RECORD_KINDS:
                    KINDS.pop(point.name, None)  # its module may have come as far as registering it
        found.append(Extension(what, point.name, package, version, value, fault))
    return tuple(found)


def _in_order(points: Iterable[EntryPoint]) -> list[EntryPoint]:
    """The same order at every start, so that of two with one name always the same is taken."""
    return sorted(points, key=lambda one: (one.name, one.dist.name if one.dist else ""))


def _plain(built_in: tuple[str, ...], most: int) -> Callable[[str], str]:
    """A check of names that stand in settings and on command lines."""

    def check(name: str) -> str:
        if name in built_in:
            return "the name is taken by chargemesh itself"
        if not _PLAIN_NAME.fullmatch(name) or len(name) > most:
            return f"a name has 1 to {most} small letters, digits and hyphens"
        return ""

    return check


def _check_kind_name(name: str) -> str:
    if not is_foreign(name):
        return "a kind of your own is named after a domain, as org.example.solar"
    return ""


def _check_kind(name: str, value: Any) -> Any:
    if KINDS.get(name) is not value:
        raise TypeError(f"the entry point must lead to the class that has @kind({name!r})")
    return value


def _check_driver(_: str, value: Any) -> Any:
    if not callable(value):
        raise TypeError("the entry point must lead to a class or function that makes a WallboxDriver")
    return value


def _check_rail(name: str, value: Any) -> Any:
    rail = value() if isinstance(value, type) else value
    if not callable(getattr(rail, "can_pay", None)) or not callable(getattr(rail, "request", None)):
        raise TypeError("a PaymentRail has name, can_pay and request")
    if getattr(rail, "name", None) != name:
        raise TypeError(f"the rail calls itself {getattr(rail, 'name', None)!r}, its entry point {name!r}")
    return rail
