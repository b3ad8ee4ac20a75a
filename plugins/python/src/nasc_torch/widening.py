"""Weights go over from one supernet to another of the same space."""

from __future__ import annotations

from typing import Dict

import torch
from torch import Tensor

from .weighing import Weighing

_INPUTS = 1  # the dimension of weights that runs over what they read: (out,in), (out,in,k,k)


def carry(old: Weighing, new: Weighing) -> None:
    """Copies weights, running statistics and what the optimizer remembers, by name.

    A tensor that has more channels now is widened (Chen, Goodfellow and Shlens, "Net2Net",
    ICLR 2016): channel i of old is channels i, i+c, i+2c … of the new one, and weights that
    read them are divided by how many there are of each. What the optimizer remembers of such
    a tensor is forgotten. Any other starts afresh.
    """
    was = old.net.weights()
    for name, w in new.net.weights().items():
        if name not in was:
            continue
        if w.shape == was[name].shape:
            w.copy_(was[name])
        elif w.dim() == was[name].dim() and all(a >= b for a, b in zip(w.shape, was[name].shape)):
            w.copy_(widened(was[name], w.shape))
    by_name = _parameters(old)
    for name, p in _parameters(new).items():
        before = by_name.get(name)
        if before is not None and before.shape == p.shape and before in old.optimizer.state:
            new.optimizer.state[p] = {k: v.clone() if isinstance(v, Tensor) else v for k, v in old.optimizer.state[before].items()}
    new.steps, new.passes = old.steps, old.passes


def widened(w: Tensor, shape: torch.Size) -> Tensor:
    """A tensor of a larger shape."""
    for d, size in enumerate(shape):
        at = torch.arange(size, device=w.device) % w.shape[d]
        copies = torch.bincount(at, minlength=w.shape[d])[at]
        w = w.index_select(d, at)
        if d == _INPUTS:
            w = w / copies.to(w.dtype).view(-1, *[1] * (len(shape) - d - 1))
    return w


def _parameters(x: Weighing) -> Dict[str, Tensor]:
    """The parameters by address and name, which the engine's names are made of."""
    return {f"{address}/{name}": p for address, op in zip(x.net.addresses, x.net.ops) for name, p in op.named_parameters()}
