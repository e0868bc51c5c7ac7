"""What a client writes into an entry of somebody's kind, by name, and its way into the kind's own fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chargemesh_protocol.errors import ExitCode, PersonError
from chargemesh_protocol.shape import Bool, Bytes, Int, Kind, Name, Seq, Struct, keys_of
from chargemesh_protocol.trust.entries import LogEntry
from chargemesh_protocol.trust.foreign import own_fields

_YES, _NO = ("true", "yes", "1"), ("false", "no", "0")


def read_fields(cls: type[LogEntry], given: Mapping[str, Any]) -> dict[str, Any]:
    """Values as `cls` takes them, from JSON or from text as on a command line: bytes in hexadecimal, names of
    a list as they are. PersonError names a field that is missing, unknown, or can't be read."""
    known = {name: (kind, optional) for _, name, kind, optional in own_fields(cls)}
    for name in given:
        if name not in known:
            raise _bad(name, f"there is no such field; there are: {', '.join(known) or 'none'}")
    for name, (_, optional) in known.items():
        if not optional and name not in given:
            raise _bad(name, "it is missing")
    return {name: _read(name, known[name][0], value) for name, value in given.items()}


def _read(name: str, kind: Kind, value: Any) -> Any:
    try:
        return _value(kind, value)
    except (TypeError, ValueError) as error:
        raise _bad(name, str(error)) from error


def _value(kind: Kind, value: Any) -> Any:
    match kind:
        case Int():
            return value if type(value) is int else int(str(value))
        case Bool():
            text = str(value).lower()
            if text not in (*_YES, *_NO):
                raise ValueError(f"{value!r} is neither yes nor no")
            return text in _YES
        case Bytes():
            return bytes.fromhex(value)
        case Name(enum=enum):
            return enum(value)
        case Seq(item=item):
            return tuple(_value(item, one) for one in (value if isinstance(value, list) else [value]))
        case Struct(cls=cls) if isinstance(value, dict):
            kinds = {name: one for _, name, one, _ in keys_of(cls)}
            return cls(**{name: _value(kinds[name], item) for name, item in value.items() if name in kinds})
        case Struct():
            raise ValueError("an object is needed")
    return value


def _bad(name: str, why: str) -> PersonError:
    return PersonError(
        "bad-value", f"{name[:40]}: {why}.", "Write FIELD=VALUE for each field of the kind.", ExitCode.USAGE
    )
