"""The operations of std/asr. A sequence is a map (B,C,T,1): C features of T frames."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers import LayerNorm, activation, margins
from .registry import Site, op
from .transformer import linear_map


class RowConv(nn.Conv1d):
    """A convolution over frames with "same" padding and bias."""

    def __init__(self, channels: int, out: int, kernel: int, stride: int, dilation: int, groups: int):
        super().__init__(channels, out, kernel, stride, 0, dilation, groups)
        self.std = math.sqrt(2 * out / self.weight.numel())

    def forward(self, x: Tensor) -> Tensor:
        before, after = margins(x.shape[2], self.kernel_size[0], self.stride[0], self.dilation[0])
        return super().forward(F.pad(x, (before, after)))


class ConvReLU(nn.Module):
    """Convolution over time, then ReLU clipped at 20."""

    def __init__(self, s: Site):
        super().__init__()
        if s.inputs[0][2] != 1:
            raise ValueError(f"a map of shape {list(s.inputs[0])} is no sequence")
        self.conv = RowConv(s.channels, s.int("out", s.channels), s.int("kernel", 5), s.int("stride", 1),
                            s.int("dilation", 1), s.int("groups", 1))
        self.act = activation("clipped_relu")

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.conv(x.squeeze(3)).unsqueeze(3))


@op("conv_relu")
def conv_relu(s: Site) -> nn.Module:
    return ConvReLU(s)


class FrameLinear(nn.Module):
    """A linear layer on every frame, perhaps followed by ReLU clipped at 20."""

    def __init__(self, channels: int, out: int, clipped: bool):
        super().__init__()
        self.linear = linear_map(channels, out)
        self.act = activation("clipped_relu" if clipped else "none")

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.linear(x))


@op("frame_linear")
def frame_linear(s: Site) -> nn.Module:
    return FrameLinear(s.channels, s.int("out", s.channels), s.flag("clipped", True))


@op("frame_norm")
def frame_norm(s: Site) -> nn.Module:
    return LayerNorm(s.channels, 1e-3)


class _Recurrent(nn.Module):
    """The weights of the results of the frame before."""

    def __init__(self, units: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(4 * units, units))
        self.std = math.sqrt(1 / (3 * units))


class LSTM(nn.Module):
    """Long short-term memory (Hochreiter and Schmidhuber 1997), one bias per gate."""

    def __init__(self, channels: int, units: int):
        super().__init__()
        self.units = units
        self.input = linear_map(channels, 4 * units)
        self.recurrent = _Recurrent(units)

    def forward(self, x: Tensor) -> Tensor:
        frames = x.squeeze(3).permute(2, 0, 1)  # (T,B,C)
        start = frames.new_zeros(1, x.shape[0], self.units)
        bias = self.input.bias
        assert bias is not None
        weights = [self.input.weight.flatten(1), self.recurrent.weight, bias, torch.zeros_like(bias)]
        results = torch.lstm(frames, (start, start), weights, True, 1, 0.0, self.training, False, False)[0]
        return results.permute(1, 2, 0).unsqueeze(3)


@op("lstm")
def lstm(s: Site) -> nn.Module:
    if s.inputs[0][2] != 1:
        raise ValueError(f"a map of shape {list(s.inputs[0])} is no sequence")
    return LSTM(s.channels, s.int("units"))
