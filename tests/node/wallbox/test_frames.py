"""Frames that the `ocpp` package must not see: those nested deeper than OCPP ever is, of every kind."""

from __future__ import annotations

import pytest

from chargemesh_node.wallbox.frames import BadFrame, read_frame
from chargemesh_protocol.limits import MAX_OCPP_JSON_DEPTH


def nested(depth: int) -> str:
    """An object with `depth` containers in one another."""
    return '{"a":' * (depth - 1) + "{}" + "}" * (depth - 1)


@pytest.mark.parametrize("frame", ['[2,"a","Heartbeat",{}]', '[3,"a",{}]', '[4,"a","x","",{}]'])
@pytest.mark.parametrize("depth", [MAX_OCPP_JSON_DEPTH + 1, 900, 20_000])
def test_deep_frames_are_refused_whatever_they_are(frame: str, depth: int) -> None:
    with pytest.raises(BadFrame):
        read_frame(frame.replace("{}", nested(depth)))
    assert read_frame(frame.replace("{}", nested(MAX_OCPP_JSON_DEPTH))).unique_id == "a"


@pytest.mark.parametrize("raw", ["[" * 60_000, '[2,"a","Heartbeat",' + "[" * 60_000, '{"a":' * 12_000])
def test_deep_frames_without_an_end_are_refused(raw: str) -> None:
    with pytest.raises(BadFrame):
        read_frame(raw)
