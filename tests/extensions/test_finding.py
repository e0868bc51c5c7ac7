"""Extensions are found by their entry points; what can't be used is named, and harms nothing else."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from chargemesh_node.extensions import installed
from chargemesh_node.offline import wallbox_drivers
from chargemesh_node.payments import rails
from chargemesh_node.views.doctor import _extensions
from chargemesh_protocol.record import KINDS

from .packages import documented, install, on_the_path, package

MOST_LINES = 30


def test_each_start_is_short_and_the_document_shows_nothing_else() -> None:
    files = documented()
    assert sorted(files) == [
        "chargemesh-gpio/chargemesh_gpio.py",
        "chargemesh-gpio/pyproject.toml",
        "chargemesh-paylink/chargemesh_paylink.py",
        "chargemesh-paylink/pyproject.toml",
        "chargemesh-solar/chargemesh_solar.py",
        "chargemesh-solar/pyproject.toml",
    ]
    for path, text in files.items():
        assert len(text.splitlines()) <= MOST_LINES, path


def test_the_documented_packages_are_found(extensions: Path) -> None:
    assert [(one.what, one.name, one.source, one.fault) for one in installed().found] == [
        ("record kind", "org.example.solar", "chargemesh-solar 1.0", ""),
        ("wallbox driver", "gpio", "chargemesh-gpio 1.0", ""),
        ("payment rail", "paylink", "chargemesh-paylink 1.0", ""),
    ]
    assert [one.name for one in rails()] == ["sepa-qr", "paylink", "manual"]
    assert wallbox_drivers() == ("gpio",)
    assert all(one["ok"] for one in _extensions())


def test_without_them_nothing_is_there() -> None:
    assert installed().found == () and [one.name for one in rails()] == ["sepa-qr", "manual"]


FAULTS = {
    "raises at import": (
        "chargemesh.wallbox_drivers",
        "odd = Odd",
        "raise RuntimeError('no luck')",
        "no luck",
    ),
    "ends the program": ("chargemesh.wallbox_drivers", "odd = Odd", "raise SystemExit(3)", "SystemExit"),
    "is not there": ("chargemesh.wallbox_drivers", "odd = Odd", "", "has no attribute 'Odd'"),
    "makes nothing": ("chargemesh.wallbox_drivers", "odd = Odd", "Odd = 7", "makes a WallboxDriver"),
    "takes our name": ("chargemesh.wallbox_drivers", "ocpp = Odd", "class Odd: ...", "taken by chargemesh"),
    "has a name that no setting holds": (
        "chargemesh.payment_rails",
        "Pay Me = Odd",
        "class Odd: ...",
        "a name has",
    ),
    "pays nothing": ("chargemesh.payment_rails", "odd = Odd", "class Odd:\n    name = 'odd'", "can_pay"),
    "calls itself otherwise": (
        "chargemesh.payment_rails",
        "odd = Odd",
        "class Odd:\n    name = 'even'\n    can_pay = request = lambda *_: True",
        "calls itself 'even'",
    ),
    "names a kind without a domain": (
        "chargemesh.record_kinds",
        "tip = Odd",
        "class Odd: ...",
        "after a domain",
    ),
    "takes a kind of ours": (
        "chargemesh.record_kinds",
        "org.example.tip = Odd",
        "from chargemesh_protocol.record import kind\n@kind('vouch')\nclass Odd: ...",
        "two payloads for kind vouch",
    ),
    "registers no kind": ("chargemesh.record_kinds", "org.example.tip = Odd", "class Odd: ...", "has @kind("),
}


@pytest.mark.parametrize("what", FAULTS)
def test_what_can_not_be_used_is_named_and_the_rest_goes_on(
    target: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    group, point, code, reason = FAULTS[what]
    caplog.set_level(logging.ERROR)
    ours = dict(KINDS)
    with (
        on_the_path(target),
        on_the_path(install(package("chargemesh-odd", group, point, code), tmp_path)),
    ):
        (broken,) = installed().broken
        assert broken.package == "chargemesh-odd" and reason in broken.fault
        assert len(installed().found) == 4
        assert "chargemesh-odd 1.0" in caplog.text and reason in caplog.text
        (told,) = [one for one in _extensions() if one["ok"] is False]
        assert "chargemesh-odd" in told["text"] and "uninstall" in told["hint"]
    assert dict(KINDS) == ours


def test_of_two_with_one_name_the_first_package_is_taken(target: Path, tmp_path: Path) -> None:
    files = package("chargemesh-zeta", "chargemesh.wallbox_drivers", "gpio = Odd", "class Odd: ...")
    with on_the_path(target), on_the_path(install(files, tmp_path)):
        assert installed().drivers["gpio"].package == "chargemesh-gpio"
        assert [one.fault for one in installed().broken] == ["the name is taken by chargemesh-gpio"]


# Packages whose names come before those of the documented ones, whose names they claim.
SQUATTERS = {
    "gpio": ("chargemesh.wallbox_drivers", "gpio = Odd", "Odd = 7"),
    "paylink": ("chargemesh.payment_rails", "paylink = Odd", "raise SystemExit(3)"),
    "org.example.solar": ("chargemesh.record_kinds", "org.example.solar = Odd", "Odd = 7"),
    "org.example.solar, as its module registers": (
        "chargemesh.record_kinds",
        "org.example.solar = Gone",
        "from chargemesh_protocol.record import kind\n@kind('org.example.solar')\nclass Odd: ...",
    ),
}


@pytest.mark.parametrize("what", SQUATTERS)
def test_what_can_not_be_used_takes_no_name(target: Path, tmp_path: Path, what: str) -> None:
    files = package("chargemesh-aa", *SQUATTERS[what])
    with on_the_path(target), on_the_path(install(files, tmp_path)):
        found = installed()
        assert [one.package for one in found.broken] == ["chargemesh-aa"]
        usable = {**found.kinds, **found.drivers, **found.rails}
        assert usable[what.partition(",")[0]].package in (
            "chargemesh-gpio",
            "chargemesh-paylink",
            "chargemesh-solar",
        )
        assert wallbox_drivers() == ("gpio",)


def test_a_command_that_needs_no_extension_looks_for_none() -> None:
    code = (
        "import sys; from chargemesh_cli.main import main; main(['charger', '--help'], interactive=False); "
        "print('chargemesh_node.extensions' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.stderr.strip() == "False"
