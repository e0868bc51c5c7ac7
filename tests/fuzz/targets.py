"""All targets by name."""

from __future__ import annotations

from . import meaning_targets, text_targets, told_targets, wire_targets
from .target import Target

TARGETS: dict[str, Target] = {
    one.name: one
    for module in (wire_targets, meaning_targets, text_targets, told_targets)
    for one in module.TARGETS
}
