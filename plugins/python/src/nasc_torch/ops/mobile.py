"""The operations of std/mobile: inverted residuals and units of ShuffleNet, on maps (B,C,H,W)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers import ConvBN, activation, shuffle, weigh
from .registry import Site, op
from .vision import ConvBlock


@op("conv_bn_act")
def conv_bn_act(s: Site) -> nn.Module:
    return ConvBlock(s, s.int("out", s.channels), s.int("kernel", 3), s.int("stride", 1), after=s.text("act", "relu"))


@op("bypass")
def bypass(s: Site) -> nn.Module:
    out, stride = s.int("out", s.channels), s.int("stride", 1)
    return nn.Identity() if stride == 1 and out == s.channels else ConvBlock(s, out, 1, stride, after="relu")


class LinearAct(nn.Linear):
    """A fully connected layer and an activation."""

    def __init__(self, features: int, out: int, bias: bool, act: str):
        super().__init__(features, out, bias)
        self.act = activation(act)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(super().forward(x))


@op("linear_act")
def linear_act(s: Site) -> nn.Module:
    return LinearAct(s.channels, s.int("out"), s.flag("bias", True), s.text("act", "none"))


class MBConv(nn.Module):
    """The inverted residual of MobileNetV2 and V3: a 1x1 convolution to `expand` times the
    channels (none when that is 1), a depthwise one, perhaps squeeze-and-excitation, a
    linear 1x1 convolution; the input is added where shapes agree."""

    def __init__(self, s: Site):
        super().__init__()
        out, stride, expand = s.int("out", s.channels), s.int("stride", 1), s.real("expand", 6)
        mid = max(math.floor(s.channels * expand + 0.5), 1)
        self.act = activation(s.text("act", "relu"))
        self.expand = ConvBN(s.norm, s.channels, mid) if expand != 1 else None
        self.depthwise = ConvBN(s.norm, mid, mid, s.int("kernel", 3), stride, groups=mid)
        self.squeeze = self.excite = None
        if s.flag("se", False):
            squeezed = divisible(mid / 4, 8)
            self.squeeze, self.excite = nn.Linear(mid, squeezed), nn.Linear(squeezed, mid)
        self.project = ConvBN(s.norm, mid, out)
        self.adds = stride == 1 and out == s.channels

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else self.act(self.expand(x))
        y = self.act(self.depthwise(y))
        if self.squeeze is not None and self.excite is not None:
            y = weigh(y, self.squeeze, self.excite, activation("h_sigmoid"))
        y = self.project(y)
        return x + y if self.adds else y


def divisible(x: float, multiple: int) -> int:
    """The nearest multiple, never more than a tenth below x: `round_to` of the language."""
    n = max(multiple, math.floor((x + multiple / 2) / multiple) * multiple)
    return n + multiple if n < 0.9 * x else n


@op("mbconv")
def mbconv(s: Site) -> nn.Module:
    return MBConv(s)


class GroupedMBConv(nn.Module):
    """FBNet's inverted residual: both 1x1 convolutions have groups, with a channel shuffle
    between them."""

    def __init__(self, s: Site):
        super().__init__()
        out, stride, self.groups = s.int("out", s.channels), s.int("stride", 1), s.int("groups", 1)
        mid = s.channels * s.int("expand", 6)
        self.expand = ConvBN(s.norm, s.channels, mid, groups=self.groups)
        self.depthwise = ConvBN(s.norm, mid, mid, s.int("kernel", 3), stride, groups=mid)
        self.project = ConvBN(s.norm, mid, out, groups=self.groups)
        self.adds = stride == 1 and out == s.channels

    def forward(self, x: Tensor) -> Tensor:
        y = shuffle(F.relu(self.expand(x)), self.groups)
        y = self.project(F.relu(self.depthwise(y)))
        return x + y if self.adds else y


@op("grouped_mbconv")
def grouped_mbconv(s: Site) -> nn.Module:
    return GroupedMBConv(s)


class ShuffleUnit(nn.Module):
    """A unit of ShuffleNet V2 (Ma et al. 2018): with stride 1 every other channel is handed
    on and the rest passes through the branch; with stride 2 all channels pass through it,
    and for the other half through a depthwise and a 1x1 convolution."""

    def __init__(self, s: Site):
        super().__init__()
        self.out, self.stride, self.kernel = s.int("out", s.channels), s.int("stride", 1), s.int("kernel", 3)
        c = s.channels
        self.other = None
        if self.stride == 1:
            if c != self.out or c % 2:
                raise ValueError(f"with stride 1 a unit of {c} channels cannot have {self.out}")
            self.part = c // 2
        else:
            if self.out <= c:
                raise ValueError(f"a unit with stride {self.stride} of {c} channels cannot have {self.out}")
            self.part = c
            self.other = nn.ModuleDict({"depthwise": ConvBN(s.norm, c, c, self.kernel, self.stride, groups=c),
                                        "last": ConvBN(s.norm, c, c)})
        self.mid, self.rest = max(self.out // 2, 1), self.out - self.part

    def branch(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        if self.other is None:
            handed, through = x[:, ::2], x[:, 1::2]
        else:
            handed, through = F.relu(self.other["last"](self.other["depthwise"](x))), x
        return torch.cat([handed, self.branch(through)], 1)


class Shuffle(ShuffleUnit):
    """With 1x1, depthwise and 1x1 convolutions in the branch."""

    def __init__(self, s: Site):
        super().__init__(s)
        self.first = ConvBN(s.norm, self.part, self.mid)
        self.depthwise = ConvBN(s.norm, self.mid, self.mid, self.kernel, self.stride, groups=self.mid)
        self.last = ConvBN(s.norm, self.mid, self.rest)

    def branch(self, x: Tensor) -> Tensor:
        return F.relu(self.last(self.depthwise(F.relu(self.first(x)))))


@op("shuffle")
def shuffle_unit(s: Site) -> nn.Module:
    return Shuffle(s)


class ShuffleXception(ShuffleUnit):
    """With three separable convolutions in the branch."""

    def __init__(self, s: Site):
        super().__init__(s)
        c, stride = self.part, self.stride
        for i, out in enumerate((self.mid, self.mid, self.rest), 1):
            self.add_module(f"branch{i}", nn.ModuleDict({
                "depthwise": ConvBN(s.norm, c, c, self.kernel, stride, groups=c), "pointwise": ConvBN(s.norm, c, out)}))
            c, stride = out, 1

    def branch(self, x: Tensor) -> Tensor:
        for part in (self.branch1, self.branch2, self.branch3):
            x = F.relu(part["pointwise"](part["depthwise"](x)))
        return x


@op("shuffle_xception")
def shuffle_xception(s: Site) -> nn.Module:
    return ShuffleXception(s)
