"""How weights move, and how fast: the settings of nasc's evaluator `train` in PyTorch's terms."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Iterable

import torch
from torch import nn


def make(s: Any, weights: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimizer that settings name."""
    weights = list(weights)
    if s.optimizer == "rmsprop":
        return torch.optim.RMSprop(weights, s.lr, s.alpha, s.epsilon, s.weight_decay, s.momentum)
    if s.optimizer in ("adam", "adamw"):
        kind = torch.optim.Adam if s.optimizer == "adam" else torch.optim.AdamW
        return kind(weights, s.lr, (s.beta1, s.beta2), s.epsilon, s.weight_decay)
    return sgd(weights, s.lr, s.momentum, s.nesterov, s.weight_decay)


def sgd(weights: Iterable[nn.Parameter], rate: float, momentum: float, nesterov: bool, decay: float) -> torch.optim.Optimizer:
    """SGD; without momentum there is nothing to look ahead by."""
    return torch.optim.SGD(list(weights), rate, momentum, weight_decay=decay, nesterov=nesterov and momentum > 0)


@dataclass
class Schedule:
    """The learning rate of every step of a training."""

    shape: str  # constant, cosine, linear or step
    rate: float  # of the first step after the warm-up
    last: float  # cosine, linear: what the step after the last would have
    steps: int  # of the training, the warm-up among them
    warmup: int = 0  # steps in which the rate rises in a straight line
    every: int = 1  # step: steps on one height
    factor: float = 1.0  # step: one height over the one before

    def at(self, i: int) -> float:
        """The rate of step i, from 0."""
        if i < self.warmup:
            return self.rate * (i + 1) / (self.warmup + 1)
        i -= self.warmup
        done = i / max(self.steps - self.warmup, 1)
        if self.shape == "cosine":
            return self.last + (self.rate - self.last) * (1 + math.cos(math.pi * done)) / 2
        if self.shape == "linear":
            return self.rate + (self.last - self.rate) * done
        if self.shape == "step":
            return self.rate * self.factor ** (i // self.every)
        return self.rate


def schedule(s: Any, epochs: int, steps: int) -> Schedule:
    """The schedule of settings over so many epochs of so many steps."""
    return Schedule(s.schedule, s.lr, s.lr_min, epochs * steps, int(s.warmup * steps + 0.5), s.lr_epochs * steps, s.lr_factor)


def set_rate(o: torch.optim.Optimizer, rate: float) -> None:
    """Sets the learning rate of the next step."""
    for g in o.param_groups:
        g["lr"] = rate
