"""What EXTENDING.md shows, as files; built into wheels and unpacked, as an installer does, on no network."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chargemesh_node.extensions import installed
from chargemesh_protocol.record import KINDS, is_foreign
from tests.house.tree import ROOT

_FILE = re.compile(r"^`(chargemesh-[a-z]+/[a-z_.]+)`\n\n```[a-z]+\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
_BUILD = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"


def documented() -> dict[str, str]:
    """{"chargemesh-gpio/pyproject.toml": its text, …}."""
    return dict(_FILE.findall((ROOT / "EXTENDING.md").read_text()))


def command_lines() -> list[str]:
    """The lines of EXTENDING.md that somebody types."""
    text = (ROOT / "EXTENDING.md").read_text()
    return [line for line in text.splitlines() if line.startswith("chargemesh ")]


def code_with(part: str) -> str:
    """The one block of Python in EXTENDING.md, beside the packages, that holds `part`."""
    blocks = _PYTHON.findall((ROOT / "EXTENDING.md").read_text())
    (found,) = [one for one in blocks if part in one and one not in documented().values()]
    return str(found)


def package(name: str, group: str, point: str, code: str) -> dict[str, str]:
    """A package as the documented ones: one module, one entry point `NAME = ATTRIBUTE`."""
    module = name.replace("-", "_")
    key, _, attribute = point.partition(" = ")
    project = next(text for path, text in documented().items() if path == "chargemesh-gpio/pyproject.toml")
    project = project.replace("chargemesh-gpio", name).replace("chargemesh.wallbox_drivers", group)
    project = project.replace('gpio = "chargemesh_gpio:GpioDriver"', f'"{key}" = "{module}:{attribute}"')
    return {
        f"{name}/pyproject.toml": project.replace("chargemesh_gpio", module),
        f"{name}/{module}.py": code,
    }


def install(files: dict[str, str], folder: Path) -> Path:
    """Builds each package and unpacks its wheel; the folder to put on the path."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    target = folder / "site-packages"
    for name in sorted({path.partition("/")[0] for path in files}):
        command = [sys.executable, "-c", _BUILD, str(folder / "wheels")]
        (folder / "wheels").mkdir(exist_ok=True)
        subprocess.run(command, cwd=folder / name, check=True, capture_output=True, timeout=60)
    for wheel in sorted((folder / "wheels").glob("*.whl")):
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(target)
    return target


@contextmanager
def on_the_path(target: Path) -> Iterator[None]:
    """What is installed there is found by this process, and forgotten afterwards."""
    before = set(sys.modules)
    sys.path.insert(0, str(target))
    installed.cache_clear()
    try:
        yield
    finally:
        sys.path.remove(str(target))
        installed.cache_clear()
        for name in set(sys.modules) - before:
            if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(target)):
                del sys.modules[name]
        for kind in [one for one in KINDS if is_foreign(one)]:
            del KINDS[kind]
