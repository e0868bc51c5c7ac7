"""Files that a person asked for by name."""

from __future__ import annotations

from pathlib import Path

from chargemesh_protocol.errors import ExitCode, PersonError


def write_file(file: Path, content: bytes) -> None:
    """PersonError with the system's reason where it can't be written."""
    try:
        file.write_bytes(content)
    except OSError as error:
        raise cannot_write(file, error) from error


def write_private(file: Path, content: bytes) -> None:
    """As `write_file`, 0600: who charged where and when is for the two of them."""
    from chargemesh_node.home import replace_private_file

    try:
        replace_private_file(file, content)
    except OSError as error:
        raise cannot_write(file, error) from error


def cannot_write(file: Path, error: OSError) -> PersonError:
    return PersonError(
        "cannot-write", f"Cannot write {file}: {error.strerror}.", "Name another file.", ExitCode.FAILURE
    )
