"""What lies on the platter at each sync of a traced program, rebuilt from strace's record of its calls.

A file's content is durable as of its last fsync; a name (created, removed, renamed) as of the last fsync of
its folder. Whatever came later may be there, in part or not at all, in units of a 512-byte sector.
"""

from __future__ import annotations

import copy
import random
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CALLS = "openat,close,write,pwrite64,ftruncate,fsync,fdatasync,unlink,rename"
SECTOR = 512
_CALL = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+)")
_BEGUN = re.compile(r"(\d+) +(\w+)\((.*) <unfinished \.\.\.>")
_ENDED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (-?\d+)")


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: str
    result: int

    def bytes(self, index: int = 0) -> bytes:
        """The `index`th string argument, as strace -xx writes it."""
        text = re.findall(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?', self.arguments)[index]
        if text[1]:
            raise ValueError("strace cut a string short: -s is too small")
        return bytes.fromhex(text[0].replace("\\x", ""))

    def integer(self, index: int) -> int:
        return int(self.arguments.split(", ")[index])


def trace(command: Sequence[str], record: Path, cwd: Path) -> list[Call]:
    """Runs `command` under strace; its successful calls in the order in which they returned."""
    options = ["-f", "-xx", "-s", "1048576", "-e", f"trace={CALLS}", "-o", str(record)]
    subprocess.run(["strace", *options, *command], cwd=cwd, check=True, capture_output=True, timeout=100)
    return [call for call in _calls(record) if call.result >= 0]


def _calls(record: Path) -> Iterator[Call]:
    begun: dict[str, str] = {}
    with record.open() as lines:
        for line in lines:
            if found := _BEGUN.match(line):
                begun[found[1]] = found[3]
            elif found := _ENDED.match(line):
                yield Call(found[2], begun.pop(found[1]) + found[3], int(found[4]))
            elif found := _CALL.match(line):
                yield Call(found[2], found[3], int(found[4]))


@dataclass(slots=True)
class _File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)  # (offset, data), or (size, None)

    def content(self, dice: random.Random | None) -> bytes:
        """What a power cut leaves; with `dice` a part of what was not yet synced is there too."""
        content = bytearray(self.durable)
        for at, data in self.pending if dice else ():
            fate = dice.random() if dice else 0.0
            if fate < 0.35:
                continue
            if data is not None and fate < 0.6:
                data = data[: dice.randrange(len(data)) // SECTOR * SECTOR] if dice else data
            _change(content, at, data)
        return bytes(content)

    def sync(self) -> None:
        for at, data in self.pending:
            _change(self.durable, at, data)
        self.pending.clear()


def _change(content: bytearray, at: int, data: bytes | None) -> None:
    if data is None:
        del content[at:]
        content.extend(bytes(at - len(content)))
    elif data:
        content.extend(bytes(max(0, at - len(content))))
        content[at : at + len(data)] = data


@dataclass(slots=True)
class Disk:
    """One folder of the traced program. `said` is what it wrote to its standard output so far."""

    folder: Path
    said: bytes = b""
    _names: dict[str, _File] = field(default_factory=dict)
    _durable_names: dict[str, _File] = field(default_factory=dict)
    _open: dict[int, tuple[_File | None, int]] = field(
        default_factory=dict
    )  # fd -> file (None: the folder), offset

    def after_power_cut(self, dice: random.Random | None = None) -> dict[str, bytes]:
        """Names and contents; only what was synced, or with `dice` some of the rest as well."""
        names = dict(self._durable_names)
        if dice:
            for name in sorted(names.keys() | self._names.keys()):
                if dice.random() < 0.5:
                    names.pop(name, None)
                    if name in self._names:
                        names[name] = self._names[name]
        return {name: file.content(dice) for name, file in names.items()}

    def sees(self, call: Call) -> None:
        """Takes one call into account."""
        match call.name:
            case "openat":
                self._opens(call)
            case "close":
                self._open.pop(call.integer(0), None)
            case "write" if call.integer(0) == 1:
                self.said += call.bytes()[: call.result]
            case "write" | "pwrite64" | "ftruncate" | "fsync" | "fdatasync":
                self._changes(call)
            case "unlink":
                self._names.pop(self._name(call.bytes()) or "", None)
            case "rename":
                before, after = self._name(call.bytes(0)), self._name(call.bytes(1))
                if before is not None and after is not None:
                    self._names[after] = self._names.pop(before)

    def is_sync(self, call: Call) -> bool:
        return call.name in ("fsync", "fdatasync") and call.integer(0) in self._open

    def snapshot(self) -> Disk:
        return copy.deepcopy(self)

    def _opens(self, call: Call) -> None:
        path = call.bytes()
        if Path(path.decode()) == self.folder:
            self._open[call.result] = (None, 0)
        elif (name := self._name(path)) is not None:
            if "O_CREAT" in call.arguments:
                self._names.setdefault(name, _File())
            self._open[call.result] = (self._names[name], 0)

    def _changes(self, call: Call) -> None:
        descriptor = call.integer(0)
        if descriptor not in self._open:
            return
        file, offset = self._open[descriptor]
        if file is None:
            self._durable_names = dict(self._names)
        elif call.name == "ftruncate":
            file.pending.append((call.integer(1), None))
        elif call.name == "pwrite64":
            file.pending.append((int(call.arguments.rsplit(", ", 1)[1]), call.bytes()[: call.result]))
        elif call.name == "write":
            file.pending.append((offset, call.bytes()[: call.result]))
            self._open[descriptor] = (file, offset + call.result)
        else:
            file.sync()

    def _name(self, path: bytes) -> str | None:
        """The name inside our folder; None for files of elsewhere."""
        found = Path(path.decode())
        return found.name if found.parent == self.folder else None
