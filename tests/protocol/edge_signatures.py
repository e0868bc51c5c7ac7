"""Keys and signatures at every edge of Ed25519, made with the curve itself.

The message depends on the key, as the signed bytes of a record do: a case is made with a function of the key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .edwards import BASE, NEUTRAL, TORSION, L, P, Point, add, at_height, challenge, encoded, negative, times

Message = Callable[[bytes], bytes]  # what is signed under a key
SECRET = 0x1B0B5E51D_C0DE_5EED  # a scalar that nobody clamped
NONCE = 0x2F00D_CAFE_4242


@dataclass(frozen=True, slots=True)
class Edge:
    """One key and signature. good: exactly these may pass. key_is_good: whether the key alone may."""

    name: str
    key: bytes
    signature: bytes
    good: bool = False
    key_is_good: bool = True


def edges(message: Message) -> list[Edge]:
    """All cases, no two alike."""
    parts = (_good, _small_keys, _mixed_keys, _odd_keys, _small_r, _mixed_r, _odd_r, _scalars, _wrong)
    return [edge for part in parts for edge in part(message)]


def small_encodings() -> dict[str, bytes]:
    """Every encoding of a point of small order: 8 canonical ones, y + p where it fits, signs on x = 0."""
    found: dict[str, bytes] = {}
    for index, point in enumerate(TORSION):
        found[f"torsion-{index}"] = encoded(point)
        for y in (point[1], point[1] + P):
            for sign in (0, 1):
                if y < 2**255 and (point[0] & 1 == sign or point[0] == 0):
                    data = (y | sign << 255).to_bytes(32, "little")
                    if data not in found.values():
                        found[f"torsion-{index}-not-canonical-{'sign' if y < P else 'y'}-{sign}"] = data
    return found


def signed(key: bytes, secret: int, message: bytes, nonce: int, r: bytes = b"") -> bytes:
    """(R, S) of who knows the scalar of a key but for a part of small order; R = nonce * B unless given."""
    r = r or encoded(times(nonce, BASE))
    return r + _bytes((nonce + challenge(r, key, message) * secret) % L)


def _bytes(number: int) -> bytes:
    return number.to_bytes(32, "little")


def _where(message: bytes, key: bytes, secret: int, fits: Callable[[int], bool]) -> bytes:
    """A signature whose challenge fits: one nonce in eight or better."""
    for nonce in range(NONCE, NONCE + 400):
        found = signed(key, secret, message, nonce)
        if fits(challenge(found[:32], key, message)):
            return found
    raise AssertionError("no nonce fits")


def _good(message: Message) -> Iterator[Edge]:
    """Odd to look at, and right: whatever refuses one of these refuses honest people."""
    for name, secret, nonce in (
        ("bare-scalar", SECRET, NONCE),
        ("key-is-the-base-point", 1, NONCE),
        ("key-is-minus-the-base-point", L - 1, NONCE),
        ("key-is-twice-the-base-point", 2, NONCE),
        ("r-is-the-base-point", SECRET, 1),
        ("r-is-minus-the-base-point", SECRET, L - 1),
        ("r-is-the-key", SECRET, SECRET),
        ("r-is-minus-the-key", SECRET, L - SECRET),
        ("scalar-a-multiple-of-eight", 8 * SECRET, 8 * NONCE),
    ):
        key = encoded(times(secret, BASE))
        yield Edge(f"good-{name}", key, signed(key, secret, message(key), nonce), good=True)


def _small_keys(message: Message) -> Iterator[Edge]:
    """Under such a key one signature fits one message in eight, or every one."""
    for name, key in small_encodings().items():
        told = message(key)
        yield Edge(f"key-{name}-signature-of-zeros", key, bytes(64), key_is_good=False)
        yield Edge(f"key-{name}-r-neutral-s-0", key, encoded(NEUTRAL) + bytes(32), key_is_good=False)
        fitting = _where(told, key, 0, lambda h: h % 8 == 0)
        yield Edge(f"key-{name}-equation-holds", key, fitting, key_is_good=False)


def _mixed_keys(message: Message) -> Iterator[Edge]:
    """An honest key plus a part of small order, in the three ways in which verifiers part."""
    for index, part in enumerate(TORSION[1:], 1):
        key = encoded(add(times(SECRET, BASE), part))
        told = message(key)
        both = _where(told, key, SECRET, lambda h: h % 8 == 0)
        yield Edge(f"key-mixed-{index}-holds-without-the-cofactor", key, both, key_is_good=False)
        only = _where(told, key, SECRET, lambda h, index=index: h * index % 8 != 0)  # type: ignore[misc]
        yield Edge(f"key-mixed-{index}-holds-with-the-cofactor-only", key, only, key_is_good=False)
        for nonce in range(NONCE, NONCE + 400):
            r = encoded(add(times(nonce, BASE), negative(part)))
            if challenge(r, key, told) % 8 == 1:  # R's part and the key's cancel out
                cancelled = signed(key, SECRET, told, nonce, r)
                yield Edge(f"key-mixed-{index}-cancelled-by-r", key, cancelled, key_is_good=False)
                break


def _odd_keys(message: Message) -> Iterator[Edge]:
    """y of p and more, and y at which the curve has no point."""
    for y in range(19):
        point = at_height(y)
        if y in (0, 1):
            continue  # of small order, above
        for sign in (0, 1):
            if point is not None:
                key = ((y + P) | sign << 255).to_bytes(32, "little")
                yield Edge(
                    f"key-y-{y}-plus-p-sign-{sign}",
                    key,
                    signed(key, 0, message(key), NONCE),
                    key_is_good=False,
                )
            elif y < 12:
                key = (y | sign << 255).to_bytes(32, "little")
                yield Edge(
                    f"key-no-point-at-y-{y}-sign-{sign}",
                    key,
                    signed(key, 0, message(key), NONCE),
                    key_is_good=False,
                )


def _honest(message: Message) -> tuple[bytes, bytes, bytes]:
    key = encoded(times(SECRET, BASE))
    told = message(key)
    return key, told, signed(key, SECRET, told, NONCE)


def _small_r(message: Message) -> Iterator[Edge]:
    """S = h * a: nothing is left of R once the equation is multiplied by eight."""
    key, told, _ = _honest(message)
    for name, r in small_encodings().items():
        yield Edge(f"r-{name}", key, signed(key, SECRET, told, 0, r))


def _mixed_r(message: Message) -> Iterator[Edge]:
    """Holds with the cofactor and not without."""
    key, told, _ = _honest(message)
    for index, part in enumerate(TORSION[1:], 1):
        r = encoded(add(times(NONCE, BASE), part))
        yield Edge(f"r-mixed-{index}", key, signed(key, SECRET, told, NONCE, r))


def _odd_r(message: Message) -> Iterator[Edge]:
    key, told, right = _honest(message)
    flipped = right[:31] + bytes([right[31] ^ 0x80]) + right[32:]
    yield Edge("r-with-the-other-sign", key, flipped)
    for name, y in (("no-point", 2), ("y-is-p-plus-3", P + 3), ("y-is-the-largest", 2**255 - 1)):
        yield Edge(f"r-{name}", key, signed(key, SECRET, told, NONCE, _bytes(y)))


def _scalars(message: Message) -> Iterator[Edge]:
    """The right S in another dress, and S at the edges of its range."""
    key, _, right = _honest(message)
    r, s = right[:32], int.from_bytes(right[32:], "little")
    for more in range(1, 16):
        if s + more * L < 2**256:
            yield Edge(f"s-plus-{more}-l", key, r + _bytes(s + more * L))
    for bit in (253, 254, 255):
        yield Edge(f"s-with-bit-{bit}", key, r + _bytes(s | 1 << bit))
    yield Edge("s-negated", key, r + _bytes(L - s))
    for name, value in (
        ("0", 0), ("1", 1), ("2-to-the-252-minus-1", 2**252 - 1), ("2-to-the-252", 2**252),
        ("l-minus-1", L - 1), ("l", L), ("l-plus-1", L + 1), ("2-l", 2 * L),
        ("2-to-the-253-minus-1", 2**253 - 1), ("2-to-the-255-minus-1", 2**255 - 1),
        ("the-largest", 2**256 - 1),
    ):  # fmt: skip
        yield Edge(f"s-{name}", key, r + _bytes(value))


def _wrong(message: Message) -> Iterator[Edge]:
    key, told, right = _honest(message)
    other = encoded(times(SECRET + 1, BASE))
    point: Point = times(NONCE, BASE)
    yield Edge("signature-of-zeros", key, bytes(64))
    yield Edge("signature-of-ones", key, b"\xff" * 64)
    yield Edge("r-neutral-s-0", key, encoded(NEUTRAL) + bytes(32))
    yield Edge("r-and-s-swapped", key, right[32:] + right[:32])
    yield Edge("of-another-key", key, signed(other, SECRET + 1, told, NONCE))
    yield Edge("challenge-of-another-key", key, encoded(point) + signed(other, SECRET, told, NONCE)[32:])
    yield Edge("of-the-negated-key", key, signed(key, L - SECRET, told, NONCE))
    # The challenge is over R as it is written: here it was computed over -R.
    minus = encoded(negative(point))
    yield Edge("challenge-of-minus-r", key, encoded(point) + signed(key, SECRET, told, NONCE, minus)[32:])
