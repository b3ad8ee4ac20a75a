"""The operations of std/vision and std/transnasbench101 on one map (B,C,H,W): those of cells of
NAS-Bench-201, DARTS and their like. `project` is of std/nasbench101."""

from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers import Apply, BatchNorm, Conv, ConvBN, FactorizedReduce, Norm, Separable, SqueezeExcite, activation, margins, same, shuffle
from .registry import Site, op


class ConvBlock(nn.Module):
    """A convolution with batch norm, ReLU before or after it or neither."""

    def __init__(self, s: Site, out: int, kernel: int = 1, stride: int = 1, dilation: int = 1, groups: int = 1,
                 before: bool = False, after: str = "none"):
        super().__init__()
        self.conv = ConvBN(s.norm, s.channels, out, kernel, stride, dilation, groups)
        self.before = before
        self.after = activation(after)

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.conv(F.relu(x) if self.before else x))


def _block(s: Site, before: bool = False, after: str = "none") -> nn.Module:
    return ConvBlock(s, s.int("out", s.channels), s.int("kernel", 3), s.int("stride", 1), s.int("dilation", 1), before=before, after=after)


@op("relu_conv_bn")
def relu_conv_bn(s: Site) -> nn.Module:
    return _block(s, before=True)


@op("conv_bn")
def conv_bn(s: Site) -> nn.Module:
    return _block(s)


@op("conv_bn_relu")
def conv_bn_relu(s: Site) -> nn.Module:
    return _block(s, after="relu")


@op("project")
def project(s: Site) -> nn.Module:
    return ConvBlock(s, s.int("out", s.channels), after="relu")


@op("dw_conv")
def dw_conv(s: Site) -> nn.Module:
    return ConvBlock(s, s.channels, s.int("kernel", 3), s.int("stride", 1), groups=s.channels, after="relu")


class _Conv(nn.Module):
    def __init__(self, conv: Conv):
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


@op("conv")
def conv(s: Site) -> nn.Module:
    kernel, dilation = s.int("kernel", 3), s.int("dilation", 1)
    return _Conv(Conv(s.channels, s.int("out", s.channels), kernel, s.int("stride", 1), dilation, s.int("groups", 1),
                      s.flag("bias", False), s.int("padding", dilation * (kernel - 1) // 2)))


class SepConv(nn.Module):
    """DARTS' separable convolution: twice ReLU, depthwise, 1x1, batch norm."""

    def __init__(self, norm: Norm, channels: int, out: int, kernel: int, stride: int):
        super().__init__()
        self.first = Separable(norm, channels, channels, kernel, stride)
        self.second = Separable(norm, channels, out, kernel)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(F.relu(self.first(F.relu(x))))


@op("sep_conv")
def sep_conv(s: Site) -> nn.Module:
    return SepConv(s.norm, s.channels, s.int("out", s.channels), s.int("kernel", 3), s.int("stride", 1))


class OneSeparable(nn.Module):
    """A separable convolution with ReLU before or after it."""

    def __init__(self, s: Site, dilation: int, before: bool):
        super().__init__()
        self.conv = Separable(s.norm, s.channels, s.int("out", s.channels), s.int("kernel", 3), s.int("stride", 1), dilation)
        self.before = before

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.relu(x)) if self.before else F.relu(self.conv(x))


@op("dil_conv")
def dil_conv(s: Site) -> nn.Module:
    return OneSeparable(s, dilation=2, before=True)


@op("dw_pw_conv")
def dw_pw_conv(s: Site) -> nn.Module:
    return OneSeparable(s, dilation=1, before=False)


# ------------------------------------------------------------------ no weights


@op("skip")
def skip(s: Site) -> nn.Module:
    return _shortcut(s, s.channels, s.int("stride", 1))


@op("shortcut")
def shortcut(s: Site) -> nn.Module:
    return _shortcut(s, s.int("out", s.channels), s.int("stride", 1))


def _shortcut(s: Site, out: int, stride: int) -> nn.Module:
    if stride == 2:
        return FactorizedReduce(s.norm, s.channels, out)
    if stride != 1:
        raise ValueError(f"stride {stride}: only 1 and 2 are defined")
    return nn.Identity() if out == s.channels else ConvBlock(s, out)


@op("zero")
def zero(s: Site) -> nn.Module:
    return Absent(s.channels, s.int("stride", 1))


@op("none")
def none(s: Site) -> nn.Module:
    return Absent(s.int("out", s.channels), s.int("stride", 1))


class Absent(nn.Module):
    """Zeros."""

    def __init__(self, out: int, stride: int):
        super().__init__()
        self.out, self.stride = out, stride

    def forward(self, x: Tensor) -> Tensor:
        return x.new_zeros(x.shape[0], self.out, -(-x.shape[2] // self.stride), -(-x.shape[3] // self.stride))


@op("noise")
def noise(s: Site) -> nn.Module:
    stride = s.int("stride", 1)
    return Apply(lambda x: torch.randn_like(x[:, :, ::stride, ::stride]))


@op("max_pool")
def max_pool(s: Site) -> nn.Module:
    kernel, stride = s.int("kernel", 3), s.int("stride", 1)

    def pool(x: Tensor) -> Tensor:
        x, padding = same(x, kernel, stride, value=float("-inf"))
        return F.max_pool2d(x, kernel, stride, padding)

    return Apply(pool)


def mean_pool(x: Tensor, kernel: int, stride: int, padded: bool = False) -> Tensor:
    """The mean over windows; padding counts as zeros, or not at all."""
    uneven = any(after > before for before, after in (margins(n, kernel, stride) for n in x.shape[2:]))
    if not uneven:
        return F.avg_pool2d(x, kernel, stride, (kernel - 1) // 2, count_include_pad=padded)
    y = F.avg_pool2d(same(x, kernel, stride)[0], kernel, stride)
    if padded:
        return y
    return y / F.avg_pool2d(same(torch.ones_like(x[:1, :1]), kernel, stride)[0], kernel, stride)


@op("avg_pool")
def avg_pool(s: Site) -> nn.Module:
    kernel, stride = s.int("kernel", 3), s.int("stride", 1)
    return Apply(lambda x: mean_pool(x, kernel, stride))


@op("padded_avg_pool")
def padded_avg_pool(s: Site) -> nn.Module:
    kernel, stride = s.int("kernel", 3), s.int("stride", 1)
    return Apply(lambda x: mean_pool(x, kernel, stride, padded=True))


@op("adaptive_pool")
def adaptive_pool(s: Site) -> nn.Module:
    height = s.int("height", 1)
    return nn.AdaptiveAvgPool2d((height, s.int("width", height)))


@op("global_pool")
def global_pool(s: Site) -> nn.Module:
    return Apply(lambda x: x.mean((2, 3)))


for _name in ("relu", "sigmoid", "swish", "h_swish", "gelu"):
    op(_name)(lambda s, name=_name: Apply(activation(name)))


@op("channel_slice")
def channel_slice(s: Site) -> nn.Module:
    first = s.int("first", 0)
    last = first + s.int("out", max(s.channels - first, 1))
    if last > s.channels:
        raise ValueError(f"no channel {last - 1} among {s.channels}")
    return Apply(lambda x: x[:, first:last])


@op("channel_shuffle")
def channel_shuffle(s: Site) -> nn.Module:
    groups = s.int("groups", 2)
    return Apply(lambda x: shuffle(x, groups))


class DropPath(nn.Module):
    """Puts zeros in place of whole examples in training, and makes the others larger by so
    much that the mean stays. With `grows`, the rate rises with `progress`, from 0 to 1."""

    def __init__(self, rate: float, grows: bool):
        super().__init__()
        self.rate, self.grows, self.progress = rate, grows, 0.0

    def forward(self, x: Tensor) -> Tensor:
        rate = self.rate * self.progress if self.grows else self.rate
        if not self.training or rate == 0:
            return x
        kept = torch.rand(x.shape[0], *[1] * (x.dim() - 1), device=x.device) >= rate
        return x * kept.to(x.dtype) / (1 - rate)


@op("drop_path")
def drop_path(s: Site) -> nn.Module:
    return DropPath(s.real("rate", 0.2), s.flag("grows", False))


@op("dropout")
def dropout(s: Site) -> nn.Module:
    return nn.Dropout(s.real("rate", 0.5))


# --------------------------------------------------------------------- norms


class _Norm(nn.Module):
    def __init__(self, bn: nn.Module):
        super().__init__()
        self.bn = bn

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(x)


@op("batch_norm")
def batch_norm(s: Site) -> nn.Module:
    return _Norm(s.norm(s.channels))


@op("plain_batch_norm")
def plain_batch_norm(s: Site) -> nn.Module:
    return _Norm(BatchNorm(s.channels, affine=False))


# ------------------------------------------------------------------- between cells


@op("fit")
def fit(s: Site) -> nn.Module:
    c, h, w = s.inputs[0]
    out, height, width = s.int("out", c), s.int("height", h), s.int("width", w)
    if (height, width) == (h, w):
        return ConvBlock(s, out, before=True)
    if (height, width) == (-(-h // 2), -(-w // 2)):
        return FactorizedReduce(s.norm, c, out)
    raise ValueError(f"cannot fit a map of {h}x{w} into {height}x{width}")


class Residual(nn.Module):
    """Two times ReLU, 3x3 convolution, batch norm, and a shortcut: average pooling and a 1x1
    convolution (NAS-Bench-201), or a 1x1 convolution with batch norm (TransNAS-Bench-101)."""

    def __init__(self, s: Site, shortcut: Optional[nn.Module], pool: int = 1):
        super().__init__()
        out = s.int("out", s.channels)
        self.first = ConvBN(s.norm, s.channels, out, 3, s.int("stride", 1))
        self.second = ConvBN(s.norm, out, out, 3)
        self.shortcut = shortcut
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        y = self.second(F.relu(self.first(F.relu(x))))
        if self.pool > 1:
            x = mean_pool(x, self.pool, self.pool)
        return y + (x if self.shortcut is None else self.shortcut(x))


@op("residual")
def residual(s: Site) -> nn.Module:
    out, stride = s.int("out", s.channels), s.int("stride", 1)
    if stride == 1 and out != s.channels:
        raise ValueError(f"with stride 1 a block of {s.channels} channels cannot have {out}")
    return Residual(s, Conv(s.channels, out, 1) if stride > 1 else None, stride)


@op("basic")
def basic(s: Site) -> nn.Module:
    out, stride = s.int("out", s.channels), s.int("stride", 1)
    return Residual(s, ConvBN(s.norm, s.channels, out, 1, stride) if stride > 1 or out != s.channels else None)


@op("squeeze_excite")
def squeeze_excite(s: Site) -> nn.Module:
    return SqueezeExcite(s.channels, s.int("squeeze", max(s.channels // 4, 1)), s.text("gate", "h_sigmoid"))


@op("linear")
def linear(s: Site) -> nn.Module:
    return nn.Linear(s.channels, s.int("out"))


class AuxiliaryHead(nn.Module):
    """The second classifier of DARTS: ReLU, mean over 5x5 windows to 2x2, convolutions to 128
    and 768 channels, a fully connected layer."""

    def __init__(self, s: Site):
        super().__init__()
        c, h, w = s.inputs[0]
        if h != w or h < 6:
            raise ValueError(f"takes squares of at least 6 pixels, not maps of {h}x{w}")
        self.stride = h - 5
        self.first = ConvBN(s.norm, c, 128)
        self.second = ConvBN(s.norm, 128, 768, 2, padding=0)
        self.weight = nn.Parameter(torch.empty(s.int("out"), 768))
        self.bias = nn.Parameter(torch.empty(s.int("out")))
        self.std = 768 ** -0.5

    def forward(self, x: Tensor) -> Tensor:
        y = F.avg_pool2d(F.relu(x), 5, self.stride)
        y = F.relu(self.second(F.relu(self.first(y))))
        return F.linear(y.flatten(1), self.weight, self.bias)


@op("auxiliary_head")
def auxiliary_head(s: Site) -> nn.Module:
    return AuxiliaryHead(s)
