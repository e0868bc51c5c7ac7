"""The curve of Ed25519 in plain integers (RFC 8032, section 5.1), for making and judging odd signatures.

Slow and open to timing attacks, which does not matter here: no secret of anybody passes through.
"""

from __future__ import annotations

from hashlib import sha512
from typing import TypeAlias

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point: TypeAlias = tuple[int, int]  # affine (x, y) on -x^2 + y^2 = 1 + d x^2 y^2

NEUTRAL: Point = (0, 1)


def add(one: Point, other: Point) -> Point:
    """The complete addition law: no exceptions, doubling included."""
    (x1, y1), (x2, y2) = one, other
    both = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + y1 * x2) * pow(1 + both, -1, P)
    y = (y1 * y2 + x1 * x2) * pow(1 - both, -1, P)
    return x % P, y % P


def negative(point: Point) -> Point:
    return -point[0] % P, point[1]


def times(number: int, point: Point) -> Point:
    """`point` added `number` times. The number is not reduced: points outside the main subgroup come here."""
    found, power = (0, 1, 1), (*point, 1)
    while number:
        if number & 1:
            found = _added(found, power)
        power = _added(power, power)
        number >>= 1
    x, y, z = found
    inverse = pow(z, -1, P)
    return x * inverse % P, y * inverse % P


def _added(one: tuple[int, int, int], other: tuple[int, int, int]) -> tuple[int, int, int]:
    """`add` on projective coordinates (x/z, y/z), which need no inversion."""
    (x1, y1, z1), (x2, y2, z2) = one, other
    xx, yy, zz = x1 * x2 % P, y1 * y2 % P, z1 * z2 % P
    both, square = D * xx % P * yy % P, zz * zz % P
    mixed = ((x1 + y1) * (x2 + y2) - xx - yy) % P
    less, more = square - both, square + both
    return zz * less * mixed % P, zz * more * (yy + xx) % P, less * more % P


def encoded(point: Point) -> bytes:
    """The canonical 32 bytes: y, and the lowest bit of x on top."""
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def at_height(y: int, odd: int = 0) -> Point | None:
    """The point with this y and an x as odd as asked (where x is not 0), or None if there is none."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square:
        return None
    return (-x % P if x & 1 != odd else x), y % P


def decoded(data: bytes) -> Point | None:
    """The point of 32 canonical bytes; None for y >= p, for no point, and for a sign on x = 0."""
    number = int.from_bytes(data, "little")
    y, odd = number & (1 << 255) - 1, number >> 255
    if y >= P:
        return None
    point = at_height(y, odd)
    return point if point is not None and encoded(point) == data else None


def challenge(r: bytes, key: bytes, message: bytes) -> int:
    """h of RFC 8032, reduced."""
    return int.from_bytes(sha512(r + key + message).digest(), "little") % L


_base = at_height(4 * pow(5, -1, P) % P)
assert _base is not None
BASE: Point = _base
_eighth = decoded(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))
assert _eighth is not None
TORSION: tuple[Point, ...] = tuple(
    times(number, _eighth) for number in range(8)
)  # index n has order 8 / gcd(n, 8)


def is_key(data: bytes) -> bool:
    """The rule for keys (specs/02): canonical, on the curve, in the main subgroup, and not neutral."""
    point = decoded(data)
    return point is not None and point != NEUTRAL and times(L, point) == NEUTRAL


def fits(key: bytes, message: bytes, signature: bytes) -> bool:
    """The rule for signatures (specs/02) under a key that is one: S below L, R not of small order, and S * B
    equal to R + h * A without the cofactor, R compared byte by byte."""
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    point, a = decoded(r), decoded(key)
    if s >= L or point is None or a is None or times(8, point) == NEUTRAL:
        return False
    found = add(times(s, BASE), negative(times(challenge(r, key, message), a)))
    return encoded(found) == r


def fits_times_eight(key: Point, r: Point, message: bytes, signature: bytes) -> bool:
    """The equation that other libraries check, multiplied by the cofactor: parts of small order drop out.

    `key` and `r` are given as points, since those libraries also read encodings that are not canonical."""
    h = challenge(signature[:32], encoded(key), message)
    left = times(8 * int.from_bytes(signature[32:], "little"), BASE)
    return left == add(times(8, r), times(8 * h, key))
