"""The layers that operations are made of.

All work on maps (B,C,H,W). Padding is "same": a window that moves by `stride` gives
ceil(H / stride) rows, and what lies outside of the map is zero, or takes no part in a
maximum. PyTorch's own padding is the same on all sides; where "same" asks for more
below and on the right than above and on the left, maps are padded first.
"""

from __future__ import annotations

import math
from typing import Callable, Optional, Sequence, Tuple, Union

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EPSILON = 1e-5  # of batch norm
MOMENTUM = 0.1  # of its running statistics


def margins(size: int, kernel: int, stride: int, dilation: int = 1) -> Tuple[int, int]:
    """Pixels to add before and after a side of a map, for "same" padding."""
    before = dilation * (kernel - 1) // 2
    out = -(-size // stride)
    reach = dilation * (kernel - 1) + 1
    return before, max((out - 1) * stride + reach - before - size, 0)


def same(x: Tensor, kernel: int, stride: int, dilation: int = 1, value: float = 0.0) -> Tuple[Tensor, int]:
    """The map, and the padding that is left to the operation after it."""
    top, bottom = margins(x.shape[2], kernel, stride, dilation)
    left, right = margins(x.shape[3], kernel, stride, dilation)
    if bottom <= top and right <= left:  # what is padded too much below, no window reaches
        return x, top
    return F.pad(x, (left, right, top, bottom), value=value), 0


class Conv(nn.Conv2d):
    """A square convolution with "same" padding, or a given one.

    Weights start as in He et al. (2015), for the ReLU around them; `even` is for layers
    without one, whose variance would grow.
    """

    def __init__(self, channels: int, out: int, kernel: int, stride: int = 1, dilation: int = 1, groups: int = 1,
                 bias: bool = False, padding: Optional[int] = None, even: bool = False):
        super().__init__(channels, out, kernel, stride, padding or 0, dilation, groups, bias)
        self.same = padding is None
        self.gain = 1.0 if even else 2.0

    def forward(self, x: Tensor) -> Tensor:
        if not self.same:
            return super().forward(x)
        x, padding = same(x, self.kernel_size[0], self.stride[0], self.dilation[0])
        return F.conv2d(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class BatchNorm(nn.BatchNorm2d):
    """Batch norm that can be told which statistics to use.

    - "usual": those of the batch in training, where they move the running ones, and the
      running ones in evaluation;
    - "batch": those of the batch in any case, and the running ones stay as they are;
    - "recalibrate": those of the batch, and the running ones become their mean over the
      batches since `reset_running_stats`.
    """

    def __init__(self, channels: int, affine: bool = True):
        super().__init__(channels, EPSILON, MOMENTUM, affine)
        self.mode = "usual"

    def forward(self, x: Tensor) -> Tensor:
        if self.mode == "usual":
            return super().forward(x)
        mean, var, momentum = None, None, 0.0
        if self.mode == "recalibrate":
            self.num_batches_tracked += 1
            mean, var, momentum = self.running_mean, self.running_var, 1.0 / float(self.num_batches_tracked)
        return F.batch_norm(x, mean, var, self.weight, self.bias, True, momentum, self.eps)


Norm = Callable[[int], nn.Module]
"""Makes the batch norm of so many channels: a supernet's have no scale and no shift."""


class ConvBN(Conv):
    """A convolution and batch norm, which is its child `bn`."""

    def __init__(self, norm: Norm, channels: int, out: int, kernel: int = 1, stride: int = 1, dilation: int = 1, groups: int = 1,
                 padding: Optional[int] = None):
        super().__init__(channels, out, kernel, stride, dilation, groups, padding=padding)
        self.bn = norm(out)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(super().forward(x))


class Separable(nn.Module):
    """A depthwise and a 1x1 convolution, and batch norm."""

    def __init__(self, norm: Norm, channels: int, out: int, kernel: int, stride: int = 1, dilation: int = 1):
        super().__init__()
        self.depthwise = Conv(channels, channels, kernel, stride, dilation, channels)
        self.pointwise = ConvBN(norm, channels, out)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise(self.depthwise(x))


class FactorizedReduce(nn.Module):
    """DARTS' way to halve a map: ReLU, two 1x1 convolutions with stride 2, the second one
    pixel further down and right, joined; batch norm."""

    def __init__(self, norm: Norm, channels: int, out: int):
        super().__init__()
        self.second = None
        if out < 2:  # there are no halves
            self.first: Conv = ConvBN(norm, channels, out, 1, 2)
            return
        self.first = Conv(channels, out // 2, 1, 2)
        self.second = Conv(channels, out - out // 2, 1, 2, padding=0)
        self.bn = norm(out)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(x)
        if self.second is None:
            return self.first(x)
        shifted = F.pad(x, (-1, x.shape[3] % 2, -1, x.shape[2] % 2))
        return self.bn(torch.cat([self.first(x), self.second(shifted)], 1))


class LayerNorm(nn.Module):
    """Normalizes the channels of every position, with a scale and a shift for each."""

    def __init__(self, channels: int, epsilon: float):
        super().__init__()
        self.ln = nn.LayerNorm(channels, epsilon)

    def forward(self, x: Tensor) -> Tensor:
        return self.ln(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class SqueezeExcite(nn.Module):
    """Weighs the channels of a map (Hu, Shen and Sun 2018): their means go through two
    linear layers with ReLU between and a gate at the end."""

    def __init__(self, channels: int, squeeze: int, gate: str):
        super().__init__()
        self.squeeze = nn.Linear(channels, squeeze)
        self.excite = nn.Linear(squeeze, channels)
        self.gate = activation(gate)

    def forward(self, x: Tensor) -> Tensor:
        return weigh(x, self.squeeze, self.excite, self.gate)


def weigh(x: Tensor, squeeze: nn.Linear, excite: nn.Linear, gate: Callable[[Tensor], Tensor]) -> Tensor:
    """Squeeze-and-excitation of a map."""
    return x * gate(excite(F.relu(squeeze(x.mean((2, 3))))))[:, :, None, None]


class Position(nn.Module):
    """Adds a learned number at each place of an example (C,H,W)."""

    def __init__(self, shape: Sequence[int]):
        super().__init__()
        self.position = nn.Parameter(torch.empty(*shape))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.position


class Apply(nn.Module):
    """A function of tensors without weights."""

    def __init__(self, function: Callable[..., Tensor]):
        super().__init__()
        self.function = function

    def forward(self, *x: Tensor) -> Tensor:
        return self.function(*x)


_ACTIVATIONS = {
    "none": lambda x: x,
    "relu": F.relu,
    "sigmoid": torch.sigmoid,
    "swish": F.silu,
    "h_sigmoid": F.hardsigmoid,
    "h_swish": F.hardswish,
    "gelu": F.gelu,
    "clipped_relu": lambda x: torch.clamp(x, 0, 20),
}


def activation(name: str) -> Callable[[Tensor], Tensor]:
    """An activation by its name."""
    if name not in _ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}; there are {', '.join(_ACTIVATIONS)}")
    return _ACTIVATIONS[name]


def shuffle(x: Tensor, groups: int) -> Tensor:
    """Deals the channels of every group out to all groups (Zhang et al. 2018): first the
    first ones, then the second ones."""
    b, c, h, w = x.shape
    if c % groups:
        raise ValueError(f"{c} channels cannot be divided into {groups} groups")
    return x.reshape(b, groups, c // groups, h, w).transpose(1, 2).reshape(b, c, h, w)


def initialize(name: str, module: nn.Module, seed: Callable[[str], int]) -> None:
    """Gives all weights of a module their start, each from a seed of its own name, so that it
    has the same values whatever else there is."""
    for path, m in module.named_modules():
        for key, p in m.named_parameters(recurse=False):
            full = ".".join(x for x in (name, path, key) if x)
            value, std = _start(m, key, p)
            with torch.no_grad():
                if std:
                    g = torch.Generator().manual_seed(seed(full) & (1 << 63) - 1)
                    p.copy_(torch.empty(p.shape).normal_(0, std, generator=g))
                else:
                    p.fill_(value)


def _start(m: nn.Module, key: str, p: Tensor) -> Tuple[float, float]:
    """The value, or the standard deviation of a normal distribution around zero."""
    if isinstance(m, Conv) and key == "weight":
        return 0.0, math.sqrt(m.gain * m.out_channels / p.numel())
    if isinstance(m, nn.Linear) and key == "weight":
        return 0.0, math.sqrt(1 / p.shape[1])
    if isinstance(m, (BatchNorm, nn.LayerNorm)) and key == "weight":
        return 1.0, 0.0
    if key == "bias":
        return 0.0, 0.0
    return 0.0, float(getattr(m, "std", 0.02))


Shape = Union[Tuple[int, ...], Sequence[int]]
