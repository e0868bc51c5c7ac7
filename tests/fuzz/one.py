"""Fuzzes one target until libFuzzer ends this process: python -m tests.fuzz.one TARGET [FLAGS OF LIBFUZZER]

Started by `tests.fuzz`, by a Python that has atheris. Our packages are imported under it, so that each of
their branches counts as coverage; what C code takes or refuses shows in the branches after it.
"""

from __future__ import annotations

import sys

import atheris  # type: ignore[import-not-found, unused-ignore]

with atheris.instrument_imports(include=["chargemesh_protocol", "chargemesh_node"]):
    from .targets import TARGETS


def main() -> None:
    target = TARGETS[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
