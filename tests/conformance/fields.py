"""Fields of records and messages by name, as the vector files write them."""

from __future__ import annotations

from typing import Any, TypeVar

from chargemesh_protocol.shape import Bytes, Int, Kind, Name, Seq, Struct, keys_of

from .values import number

T = TypeVar("T")


def to_json(value: Any) -> dict[str, Any]:
    """The fields of a shaped value; what is absent is left out."""
    return {
        name: _written(kind, item)
        for _, name, kind, _ in keys_of(type(value))
        if (item := getattr(value, name)) is not None
    }


def from_json(cls: type[T], form: dict[str, Any]) -> T:
    """The shaped value of these fields; ValueError for a field that it doesn't have."""
    kinds = {name: kind for _, name, kind, _ in keys_of(cls)}
    unknown = set(form) - set(kinds)
    if unknown:
        raise ValueError(f"{cls.__name__} has no {', '.join(sorted(unknown))}")
    try:
        return cls(**{name: _read(kinds[name], item) for name, item in form.items()})
    except TypeError as error:  # a field is missing
        raise ValueError(str(error)) from error


def _written(kind: Kind, value: Any) -> Any:
    match kind:
        case Bytes():
            return value.hex()
        case Int():
            return number(value)
        case Name():
            return value.value
        case Seq(item):
            return [_written(item, one) for one in value]
        case Struct():
            return to_json(value)
    return value


def _read(kind: Kind, form: Any) -> Any:
    match kind:
        case Bytes():
            return bytes.fromhex(form)
        case Int():
            return int(form)
        case Name(enum):
            return enum(form)
        case Seq(item):
            return tuple(_read(item, one) for one in form)
        case Struct(cls):
            return from_json(cls, form)
    return form
