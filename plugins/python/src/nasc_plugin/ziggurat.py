"""Normal and exponential numbers by the ziggurat (Marsaglia and Tsang, "The Ziggurat Method
for Generating Random Variables", 2000), as Go's math/rand/v2 makes them of the same bits.

The area under a density is cut into strips of equal area. A point drawn in a strip is nearly
always under the density, as one comparison of whole numbers tells.
"""

from __future__ import annotations

import math
import struct
from typing import Callable, List, Protocol

_WORD = (1 << 32) - 1


class Bits(Protocol):
    """What the numbers are made of."""

    def bits(self) -> int: ...

    def random(self) -> float: ...


def _single(x: float) -> float:
    """x to the precision of float32, in which the heights are compared."""
    return struct.unpack("f", struct.pack("f", x))[0]


class _Strips:
    """The strips under a decreasing density, the last of which holds the tail."""

    def __init__(self, strips: int, words: int, tail: float, area: float, density: Callable[[float], float],
                 inverse: Callable[[float], float]):
        n = strips
        self.inside: List[int] = [0] * n  # a whole number below is under the density
        self.width: List[float] = [0.0] * n  # of a strip, over that of a whole number
        self.height: List[float] = [0.0] * n  # of the density at the end of a strip
        x, base = tail, area / density(tail)
        self.inside[0] = int(x / base * words)
        self.width[0], self.width[n - 1] = _single(base / words), _single(x / words)
        self.height[0], self.height[n - 1] = 1.0, _single(density(x))
        for i in range(n - 2, 0, -1):
            before, x = x, inverse(area / x + density(x))
            self.inside[i + 1] = int(x / before * words)
            self.width[i], self.height[i] = _single(x / words), _single(density(x))

    def under(self, i: int, r: float, density: float) -> bool:
        """Whether a point of a strip, at the height r within it, is under the density there."""
        step = _single(_single(r) * _single(self.height[i - 1] - self.height[i]))
        return _single(self.height[i] + step) < _single(density)


_NORMAL_TAIL, _EXPONENTIAL_TAIL = 3.442619855899, 7.69711747013104972
_normal = _Strips(128, 1 << 31, _NORMAL_TAIL, 9.91256303526217e-3, lambda x: math.exp(-0.5 * x * x), lambda y: math.sqrt(-2 * math.log(y)))
_exponential = _Strips(256, 1 << 32, _EXPONENTIAL_TAIL, 3.949659822581572e-3, lambda x: math.exp(-x), lambda y: -math.log(y))


def normal(s: Bits) -> float:
    """A number of the standard normal distribution."""
    while True:
        u = s.bits()
        j, i = u & _WORD, u >> 32 & 127
        if j >> 31:
            j -= 1 << 32
        x = j * _normal.width[i]
        if abs(j) < _normal.inside[i]:
            return x
        if i == 0:
            while True:
                x, y = -_log(s) * (1.0 / _NORMAL_TAIL), -_log(s)
                if y + y >= x * x:
                    return _NORMAL_TAIL + x if j > 0 else -_NORMAL_TAIL - x
        if _normal.under(i, s.random(), math.exp(-0.5 * x * x)):
            return x


def exponential(s: Bits) -> float:
    """A number of the exponential distribution of mean 1."""
    while True:
        u = s.bits()
        j, i = u & _WORD, u >> 32 & 255
        x = j * _exponential.width[i]
        if j < _exponential.inside[i]:
            return x
        if i == 0:
            return _EXPONENTIAL_TAIL - _log(s)
        if _exponential.under(i, s.random(), math.exp(-x)):
            return x


def _log(s: Bits) -> float:
    r = s.random()
    return math.log(r) if r > 0 else -math.inf
