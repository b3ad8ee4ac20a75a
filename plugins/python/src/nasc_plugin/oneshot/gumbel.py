"""Relaxations with Gumbel noise and a temperature."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Dict, List, Optional, Tuple

from ..plugin import Refused, real
from ..rng import Stream
from .decision import Decision, Kinds
from .parts import Back, Moment, Relaxation, span
from .softmax import added, small, softmax, softmax_back


@dataclass
class Temperature:
    """Falls linearly from top to bottom over the epochs after a delay."""

    top: float
    bottom: float
    delay: float  # epochs; below 1: a share of them all
    open: bool  # bottom is what would come after the last epoch (SNAS), not in it (GDAS)

    def at(self, at: Moment) -> float:
        """The temperature of an epoch. With a delay it never gets to the bottom, as in
        GAEA-GDAS."""
        last = at.epochs if self.open else at.epochs - 1
        if last < 1:
            return self.top
        over = min(1.0, max(at.epoch - span(self.delay, at.epochs), 0) / last)
        return (1 - over) * self.top + over * self.bottom


class Noisy(Relaxation):
    """What both relaxations have in common: the logits are log_softmax(p) plus Gumbel noise."""

    handles = Kinds.OPERATIONS | Kinds.EDGES  # how many edges there are must be known
    hard = False
    published = (1.0, 0.03)
    open = True

    tau_max = real(0.0, min=0, doc="temperature of gumbel and concrete in the first epoch; 0: as published, 10 and 1")
    tau_min = real(0.0, min=0, doc="temperature in the end; 0: as published, 0.1 and 0.03")
    tau_delay = real(0.0, min=0, doc="epochs before the temperature starts to fall; below 1: a share of them all")

    def start(self) -> None:
        top = self.tau_max or self.published[0]
        bottom = self.tau_min or min(self.published[1], top)
        if bottom > top:
            raise Refused("tau_min", f"is {bottom}, more than tau_max, {top}")
        self.temperature = Temperature(top, bottom, self.tau_delay, self.open)

    def values(self, at: Moment) -> Dict[str, float]:
        return {"tau": self.temperature.at(at)}

    def init(self, d: Decision, rng: Stream) -> List[float]:
        return small(d, rng)

    def mean(self, d: Decision, p: List[float]) -> List[float]:
        return softmax(p)

    def draw(self, d: Decision, p: List[float], at: Moment, rng: Stream) -> Tuple[List[float], Optional[Back]]:
        k = min(d.max, len(p)) if d.edges else 1
        share = softmax(p)
        while True:  # noise of a number that is 0 or too near is not finite
            logits = [_log(s) - _log(rng.exponential()) for s in share]
            drawn = _Subset(logits, self.temperature.at(at), k)
            if finite(drawn.weights + logits) or not (finite(p) and all(share)):
                break  # or no noise will help
        w = drawn.weights
        if self.hard:
            w = [0.0] * len(p)
            for i in sorted(range(len(p)), key=lambda i: -logits[i])[:k]:
                w[i] = 1.0

        def back(grad: List[float]) -> List[float]:
            # log_softmax: d logits[i] / d p[j] = (i == j) - share[j].
            dl = drawn.back(grad)
            total = added(dl)
            return [v - total * s for v, s in zip(dl, share)]

        return w, back


class Gumbel(Noisy):
    """one candidate, drawn by them (GDAS)"""

    # Dong and Yang, "Searching for a Robust Neural Architecture in Four GPU Hours", CVPR 2019:
    # the largest logit alone has weight, one. The gradient is that of the softmax of the logits
    # over the temperature (the straight-through estimator of Jang, Gu and Poole, ICLR 2017). Of
    # edges that are learned as many are drawn as an architecture has.
    name = "gumbel"
    hard = True
    published = (10.0, 0.1)
    open = False


class Concrete(Noisy):
    """of the parameters and Gumbel noise (SNAS)"""

    # Xie et al., ICLR 2019: the softmax of the logits over the temperature (Maddison, Mnih and
    # Teh, "The Concrete Distribution", ICLR 2017). The weights of k of several edges are the sum
    # of k such softmaxes, each without what those before it took (Xie and Ermon,
    # "Reparameterizable Subset Sampling via Continuous Relaxations", IJCAI 2019).
    name = "concrete"


_LEAST = 1e-20  # of an option is left for the softmaxes that follow


class _Subset:
    """A relaxed choice of k: weights that add up to k."""

    def __init__(self, logits: List[float], tau: float, k: int):
        self.tau, self.shares = tau, []  # type: float, List[List[float]]
        self.weights = [0.0] * len(logits)
        a = list(logits)
        for _ in range(k):
            share = softmax([v / tau for v in a])
            self.shares.append(share)
            for i, v in enumerate(share):
                self.weights[i] += v
                a[i] += math.log(max(1 - v, _LEAST))

    def back(self, grad: List[float]) -> List[float]:
        """The gradient with respect to the logits."""
        da = [0.0] * len(grad)  # of the a after each softmax
        for j in range(len(self.shares) - 1, -1, -1):
            share, d = self.shares[j], list(grad)
            if j < len(self.shares) - 1:
                for i, v in enumerate(share):
                    if 1 - v > _LEAST:
                        d[i] -= da[i] / (1 - v)
            for i, v in enumerate(softmax_back(share, d)):
                da[i] += v / self.tau
        return da


def finite(v: List[float]) -> bool:
    """Whether all are numbers."""
    return all(map(math.isfinite, v))


def _log(v: float) -> float:
    return math.log(v) if v > 0 else -math.inf
