"""Random streams, the same numbers as nasc's own.

A stream is named by what it is for and counted by which one it is. Equal seeds, names
and counters give equal streams; different ones are independent. A search that is
resumed, or whose plugin has died, draws the same numbers again, which nasc depends on:
use nothing else that is random.
"""

from __future__ import annotations

import hashlib
import struct
from typing import List, MutableSequence, Sequence, TypeVar

from . import ziggurat

T = TypeVar("T")

_MASK = (1 << 64) - 1
_MASK128 = (1 << 128) - 1
# The multiplier and the increment of PCG-DXSM with 128 bits of state (O'Neill 2014,
# and its variant of 2019), as Go's math/rand/v2 has it.
_MULTIPLIER = (2549297995355413924 << 64) | 4865540595714422341
_INCREMENT = (6364136223846793005 << 64) | 1442695040888963407
_CHEAP = 0xDA942042E4DD58B5


def _words(seed: int, name: str, counter: int) -> "tuple[int, int]":
    text = name.encode()
    data = b"nasc.stream.v1" + struct.pack("<Q", seed & _MASK) + struct.pack("<Q", len(text)) + text
    digest = hashlib.sha256(data + struct.pack("<Q", counter & _MASK)).digest()
    return struct.unpack("<QQ", digest[:16])


def derive(seed: int, name: str, counter: int = 0) -> int:
    """A seed for something that makes streams of its own, as torch.manual_seed."""
    return _words(seed, name, counter)[0]


class Stream:
    """A stream of random numbers."""

    def __init__(self, seed: int, name: str, counter: int = 0):
        hi, lo = _words(seed, name, counter)
        self._state = (hi << 64) | lo

    @classmethod
    def of_words(cls, hi: int, lo: int) -> "Stream":
        """The stream that Go's rand.NewPCG makes of two numbers."""
        s = cls.__new__(cls)
        s._state = (hi << 64) | lo
        return s

    def bits(self) -> int:
        """64 random bits, as a number from 0."""
        self._state = (self._state * _MULTIPLIER + _INCREMENT) & _MASK128
        hi, lo = self._state >> 64, self._state & _MASK
        hi ^= hi >> 32
        hi = (hi * _CHEAP) & _MASK
        hi ^= hi >> 48
        return (hi * (lo | 1)) & _MASK

    def below(self, n: int) -> int:
        """A whole number from 0 to n - 1, each equally likely (Lemire 2019)."""
        if not 0 < n <= _MASK:
            raise ValueError(f"there is no whole number from 0 below {n}")
        if n & (n - 1) == 0:
            return self.bits() & (n - 1)
        product = self.bits() * n
        if product & _MASK < n:
            threshold = ((1 << 64) - n) % n
            while product & _MASK < threshold:
                product = self.bits() * n
        return product >> 64

    def below_any(self, n: int) -> int:
        """below for n of any size, by rejection."""
        length = n.bit_length()
        words = (length + 63) // 64
        drop = words * 64 - length
        while True:
            data = b"".join(struct.pack("<Q", self.bits()) for _ in range(words))
            r = int.from_bytes(data, "big") >> drop
            if r < n:
                return r

    def random(self) -> float:
        """A number from 0 to less than 1."""
        return (self.bits() & ((1 << 53) - 1)) / (1 << 53)

    def normal(self) -> float:
        """A number of the standard normal distribution."""
        return ziggurat.normal(self)

    def exponential(self) -> float:
        """A number of the exponential distribution of mean 1."""
        return ziggurat.exponential(self)

    def choice(self, items: Sequence[T]) -> T:
        """One of the items, each equally likely."""
        return items[self.below(len(items))]

    def shuffle(self, items: MutableSequence[T]) -> None:
        """Puts the items into a random order (Fisher and Yates)."""
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]

    def permutation(self, n: int) -> List[int]:
        """The numbers from 0 to n - 1 in a random order."""
        p = list(range(n))
        self.shuffle(p)
        return p
