"""The operations of std/transformer. A sequence is a map (B,C,N,1): C features of N tokens."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ..layers import Conv, LayerNorm, Position, activation
from .registry import Site, op


def linear_map(channels: int, out: int) -> Conv:
    """A linear layer with bias on the channels of every position."""
    return Conv(channels, out, 1, bias=True, even=True)


class PatchEmbed(Position):
    """Cuts an image into squares, embeds each, puts a class token in front and adds a learned
    position to every token."""

    std = 0.02

    def __init__(self, s: Site):
        c, h, w = s.inputs[0]
        size, dim = s.int("size", 16), s.int("dim")
        if h % size or w % size:
            raise ValueError(f"an image of {h}x{w} cannot be cut into squares of {size}")
        super().__init__((dim, h // size * (w // size) + 1, 1))
        self.embed = Conv(c, dim, size, size, bias=True, padding=0, even=True)
        self.register_parameter("class", nn.Parameter(torch.empty(dim)))

    def forward(self, x: Tensor) -> Tensor:
        y = self.embed(x).flatten(2).unsqueeze(3)
        token = getattr(self, "class").view(1, -1, 1, 1).expand(y.shape[0], -1, -1, -1)
        return super().forward(torch.cat([token, y], 2))


@op("patch_embed")
def patch_embed(s: Site) -> nn.Module:
    return PatchEmbed(s)


@op("layer_norm")
def layer_norm(s: Site) -> nn.Module:
    return LayerNorm(s.channels, 1e-5)


class Projection(Conv):
    """A projection of attention. With `entries` it has learned vectors for the places of two
    tokens relative to each other (Shaw, Uszkoreit and Vaswani 2018), on a plane as in
    AutoFormer: one for how many rows and one for how many columns lie between."""

    std = 0.02

    def __init__(self, channels: int, inner: int, entries: int, width: int):
        super().__init__(channels, inner, 1, bias=True, even=True)
        self.rows = self.columns = None
        if entries:
            self.rows, self.columns = (nn.Parameter(torch.empty(entries, width)) for _ in range(2))


class Attention(nn.Module):
    """Self-attention (Vaswani et al. 2017) of `heads` heads of `width` features each, the
    first token apart and the others the pixels of a square where there is a `reach`."""

    def __init__(self, s: Site):
        super().__init__()
        c, h, w = s.inputs[0]
        self.heads, self.width = s.int("heads", 1), s.int("width", 64)
        reach, n, inner = s.int("reach", 0), h * w, self.heads * self.width
        entries = 2 * reach + 2 if reach else 0
        self.query, self.out = linear_map(c, inner), linear_map(inner, c)
        self.key, self.value = (Projection(c, inner, entries, self.width) for _ in range(2))
        self.reach = reach
        if reach == 0:
            return
        rows, columns = places(n, reach)
        self.register_buffer("row_places", rows, persistent=False)
        self.register_buffer("column_places", columns, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        q, k, v = (self.split(f(x)) for f in (self.query, self.key, self.value))  # (B,heads,N,width)
        scores = q @ k.transpose(2, 3)
        if self.reach:
            for table, at in ((self.key.rows, self.row_places), (self.key.columns, self.column_places)):
                scores = scores + (q @ table.t()).gather(3, at.expand_as(scores))
        weights = torch.softmax(scores / math.sqrt(self.width), 3)
        y = weights @ v
        if self.reach:
            for table, at in ((self.value.rows, self.row_places), (self.value.columns, self.column_places)):
                bins = weights.new_zeros(*weights.shape[:3], table.shape[0]).scatter_add(3, at.expand_as(weights), weights)
                y = y + bins @ table
        return self.out(y.transpose(2, 3).reshape(b, -1, h, w))

    def split(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], self.heads, self.width, -1).transpose(2, 3)


def places(n: int, reach: int) -> "tuple[Tensor, Tensor]":
    """For all pairs of n tokens their entries in the tables of rows and columns (N,N): 0 for
    pairs with the first token, then the distances from -reach to reach."""
    side = math.isqrt(n - 1)
    if side < 1 or side * side != n - 1:
        raise ValueError(f"{n} tokens are not one and those of a square")
    at = torch.arange(n - 1)

    def entries(line: Tensor) -> Tensor:
        table = torch.zeros(n, n, dtype=torch.long)
        table[1:, 1:] = (line[None, :] - line[:, None]).clamp(-reach, reach) + reach + 1
        return table

    return entries(torch.div(at, side, rounding_mode="floor")), entries(at % side)


@op("attention")
def attention(s: Site) -> nn.Module:
    return Attention(s)


class FeedForward(nn.Module):
    """Two linear layers with GELU between, `ratio` times the features inside."""

    def __init__(self, channels: int, ratio: float):
        super().__init__()
        inner = max(int(channels * ratio), 1)
        self.first, self.second = linear_map(channels, inner), linear_map(inner, channels)
        self.act = activation("gelu")

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.act(self.first(x)))


@op("feed_forward")
def feed_forward(s: Site) -> nn.Module:
    return FeedForward(s.channels, s.real("ratio", 4))


class _First(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(2)[:, :, 0]


@op("class_token")
def class_token(s: Site) -> nn.Module:
    return _First()
