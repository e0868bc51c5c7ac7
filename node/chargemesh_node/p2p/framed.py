"""Messages on our own streams: the length as an unsigned varint, then the bytes."""

from __future__ import annotations

from typing import Any

import trio
from libp2p.network.stream.exceptions import StreamEOF

from .limits import KIB

READ_BYTES = 64 * KIB
MAX_LENGTH_BYTES = 3  # 2^21 is over the largest message


class BrokenStream(Exception):
    """The stream ended or was reset where a message should have been, or what came is no message."""


class Framed:
    """A stream read and written in whole messages, with a buffer of its own."""

    def __init__(self, stream: Any, max_bytes: int) -> None:
        self.stream = stream
        self._max = max_bytes
        self._buffer = bytearray()

    async def read(self, body_seconds: float) -> bytes | None:
        """The next message; None if the stream ended between two messages.

        Errors: BrokenStream, and trio.TooSlowError when a begun message isn't whole after `body_seconds`.
        """
        if not self._buffer and not await self._fill():
            return None
        with trio.fail_after(body_seconds):
            length, start = await self._length()
            if length > self._max:
                raise BrokenStream(f"a message of {length} bytes is over {self._max}")
            while len(self._buffer) < start + length:
                await self._need_more()
        body = bytes(self._buffer[start : start + length])
        del self._buffer[: start + length]
        return body

    async def write(self, body: bytes) -> None:
        """Length and body in one write, so that the other end wakes once. Error: BrokenStream."""
        try:
            await self.stream.write(encode_length(len(body)) + body)
        except Exception as error:
            raise BrokenStream(f"{type(error).__name__}: {error}") from error

    async def _length(self) -> tuple[int, int]:
        """The announced length, and where the body starts."""
        for at in range(MAX_LENGTH_BYTES):
            while len(self._buffer) <= at:
                await self._need_more()
            if self._buffer[at] < 0x80:
                digits = self._buffer[: at + 1]
                return sum((digit & 0x7F) << (7 * i) for i, digit in enumerate(digits)), at + 1
        raise BrokenStream(f"a length of more than {MAX_LENGTH_BYTES} bytes")

    async def _need_more(self) -> None:
        if not await self._fill():
            raise BrokenStream("the stream ended inside a message")

    async def _fill(self) -> bool:
        """Takes what is there; False at the end of the stream."""
        try:
            data = await self.stream.read(READ_BYTES)
        except StreamEOF:
            return False
        except Exception as error:
            raise BrokenStream(f"{type(error).__name__}: {error}") from error
        self._buffer += data
        return bool(data)


def encode_length(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
