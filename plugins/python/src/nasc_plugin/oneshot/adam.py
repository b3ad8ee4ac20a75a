"""The update of DARTS."""

from __future__ import annotations

import math
from typing import Any

from ..plugin import real
from .parts import Params, Update


class Adam(Update):
    """with coupled weight decay"""

    # Kingma and Ba, "Adam", ICLR 2015. As in PyTorch's Adam, the decay times the parameter is
    # added to the gradient.
    name = "adam"

    arch_lr = real(0.0, min=0, doc="rate of the arch parameters; 0: as published for the update, adam 3e-4")
    arch_decay = real(0.001, min=0, doc="weight decay of the arch parameters")
    arch_beta1 = real(0.5, min=0, max=0.999999, doc="of adam, for the mean of the gradient")
    arch_beta2 = real(0.999, min=0, max=0.999999, doc="of adam, for the mean of its square")

    EPSILON = 1e-8  # is added to the root of the second moment

    def begin(self, p: Params) -> None:
        self.steps = 0
        self.first = [[0.0] * len(v) for v in p]  # running means of the gradient
        self.second = [[0.0] * len(v) for v in p]  # and its square

    def step(self, p: Params, grad: Params) -> None:
        self.steps += 1
        c1, c2 = 1 - self.arch_beta1 ** self.steps, 1 - self.arch_beta2 ** self.steps
        for x, gs, first, second in zip(p, grad, self.first, self.second):
            for k, g in enumerate(gs):
                g += self.arch_decay * x[k]
                m = first[k] = self.arch_beta1 * first[k] + (1 - self.arch_beta1) * g
                v = second[k] = self.arch_beta2 * second[k] + (1 - self.arch_beta2) * g * g
                x[k] -= (self.arch_lr or 3e-4) / c1 * m / (math.sqrt(v) / math.sqrt(c2) + self.EPSILON)

    def save(self) -> Any:
        return [self.steps, self.first, self.second]

    def load(self, state: Any) -> None:
        self.steps, self.first, self.second = state
