"""The operations of std/einspace: what networks are made of at the bottom, on maps (B,C,H,W)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers import Apply, Conv, Position
from .registry import Site, op
from .transformer import linear_map as dense


class LinearMap(nn.Module):
    """A linear map of the channels of each position, with bias."""

    def __init__(self, layer: Conv):
        super().__init__()
        self.map = layer

    def forward(self, x: Tensor) -> Tensor:
        return self.map(x)


@op("linear_map")
def linear_map(s: Site) -> nn.Module:
    return LinearMap(dense(s.channels, s.int("out", s.channels)))


@op("unfold")
def unfold(s: Site) -> nn.Module:
    kernel = s.int("kernel", 3)
    before = (kernel - 1) // 2
    after = kernel - 1 - before

    def columns(x: Tensor) -> Tensor:
        padded = F.pad(x, (before, after, before, after))
        return F.unfold(padded, kernel).view(x.shape[0], -1, x.shape[2], x.shape[3])

    return Apply(columns)


@op("softmax")
def softmax(s: Site) -> nn.Module:
    return Apply(lambda x: torch.softmax(x, 1))


@op("position")
def position(s: Site) -> nn.Module:
    return Position(s.inputs[0])


@op("transpose")
def transpose(s: Site) -> nn.Module:
    return Apply(lambda x: x.flatten(2).transpose(1, 2).unsqueeze(3))


@op("untranspose")
def untranspose(s: Site) -> nn.Module:
    height, width = s.int("height", 1), s.int("width", 1)
    p, c, k = s.inputs[0]
    if p != height * width or k != 1:
        raise ValueError(f"a map of {p}x{c}x{k} is not the transpose of one of {height}x{width} pixels")
    return Apply(lambda x: x.flatten(2).transpose(1, 2).reshape(x.shape[0], c, height, width))


@op("group")
def group(s: Site) -> nn.Module:
    parts, part = s.int("parts", 1), s.int("part", 0)
    if s.channels % parts or part >= parts:
        raise ValueError(f"no part {part} of {s.channels} channels in {parts} parts")
    size = s.channels // parts
    return Apply(lambda x: x[:, part * size:(part + 1) * size])


@op("attend")
def attend(s: Site) -> nn.Module:
    def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        rows, keys, values = (x.flatten(2).transpose(1, 2) for x in (q, k, v))  # (B,N,C)
        weights = torch.softmax(rows @ keys.transpose(1, 2) / math.sqrt(q.shape[1]), 2)
        return (weights @ values).transpose(1, 2).reshape(q.shape)

    return Apply(attention)
