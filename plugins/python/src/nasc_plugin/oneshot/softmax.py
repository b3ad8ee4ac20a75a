"""The relaxation of DARTS."""

from __future__ import annotations

import math
from typing import List, Optional, Tuple

from ..rng import Stream
from .decision import Decision
from .parts import Back, Moment, Relaxation


class Softmax(Relaxation):
    """of the parameters (DARTS)"""

    # Liu, Simonyan and Yang, ICLR 2019, equation 2. The softmax of edges is over the inputs of a
    # node, as in PC-DARTS.
    name = "softmax"

    def init(self, d: Decision, rng: Stream) -> List[float]:
        return small(d, rng)

    def draw(self, d: Decision, p: List[float], at: Moment, rng: Stream) -> Tuple[List[float], Optional[Back]]:
        w = softmax(p)
        return w, lambda grad: softmax_back(w, grad)

    def mean(self, d: Decision, p: List[float]) -> List[float]:
        return softmax(p)


def small(d: Decision, rng: Stream) -> List[float]:
    """The parameters that most methods begin with: 1e-3 times normal numbers."""
    return [1e-3 * rng.normal() for _ in d.options]


def softmax(p: List[float]) -> List[float]:
    """exp(p) over its sum."""
    top = max(p)
    w = [math.exp(v - top) for v in p]
    total = added(w)
    return [v / total for v in w]


def softmax_back(w: List[float], grad: List[float]) -> List[float]:
    """The gradient with respect to p of what has the gradient grad with respect to w, the
    softmax of p."""
    dot = added([a * b for a, b in zip(w, grad)])
    return [a * (b - dot) for a, b in zip(w, grad)]


def added(v: List[float]) -> float:
    """The sum from left to right, rounded each time. Python's own, from 3.12 on, is more exact:
    other bits than those of other versions and of Go."""
    total = 0.0
    for x in v:
        total += x
    return total
