"""Operations on several maps (B,C,H,W) at once: those of std/core, `merge` of std/vision, and what
std/nasbench101 says of widths."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers import Apply, ConvBN
from .registry import Site, op


@op("sum")
def sum_(s: Site) -> nn.Module:
    return Apply(_sum)


def _sum(*x: Tensor) -> Tensor:
    total = x[0]
    for t in x[1:]:
        total = total + t
    return total


@op("mean")
def mean(s: Site) -> nn.Module:
    return Apply(lambda *x: _sum(*x) / len(x))


@op("concat")
def concat(s: Site) -> nn.Module:
    return Apply(lambda *x: torch.cat(x, 1) if len(x) > 1 else x[0])


class Merge(nn.Module):
    """Joins maps along their channels and brings them back to those of the first."""

    def __init__(self, s: Site):
        super().__init__()
        self.conv = ConvBN(s.norm, sum(i[0] for i in s.inputs), s.channels)

    def forward(self, *x: Tensor) -> Tensor:
        return F.relu(self.conv(torch.cat(x, 1)))


@op("merge")
def merge(s: Site) -> nn.Module:
    return Merge(s)


@op("nasbench101.merge")
def nasbench101_merge(s: Site) -> nn.Module:
    """What has the whole width is added: the projection of the input, and a vertex that is
    alone. The others are joined."""
    out = s.int("out", s.channels)
    whole = [i for i, shape in enumerate(s.inputs) if shape[0] == out]
    parts = [i for i, shape in enumerate(s.inputs) if shape[0] != out]

    def merge(*x: Tensor) -> Tensor:
        terms = [x[i] for i in whole]
        if parts:
            terms.append(torch.cat([x[i] for i in parts], 1))
        return _sum(*terms)

    return Apply(merge)


@op("add")
def add(s: Site) -> nn.Module:
    out = s.int("out", s.channels)
    return Apply(lambda *x: _sum(*[t[:, :out] for t in x]))
