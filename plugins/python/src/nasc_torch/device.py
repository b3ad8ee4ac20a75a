"""Where and how precisely a network runs."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn

from nasc_plugin import Refused


def choose(name: str) -> torch.device:
    """The device of the parameter `device`: "auto" is a GPU if there is one."""
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise Refused("device", "is cuda, but PyTorch finds no CUDA device here")
    return torch.device("cuda" if name == "cuda" or name == "auto" and there else "cpu")


def check(device: torch.device, amp: bool, compile: bool) -> None:
    """Refuses what cannot be had here."""
    if compile and not hasattr(torch, "compile"):
        raise Refused("compile", f"needs PyTorch 2.0 or later; this is {torch.__version__}")
    if amp and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        raise Refused("amp", f"needs bfloat16, which {torch.cuda.get_device_name(device)} has not")


def compiled(net: nn.Module, wanted: bool) -> Any:
    """The network, compiled if that is wanted."""
    return torch.compile(net) if wanted else net  # type: ignore[attr-defined]


def autocast(device: torch.device, wanted: bool) -> "AbstractContextManager[Any]":
    """Mixed precision: bfloat16, which needs no scaling of losses."""
    return torch.autocast(device.type, dtype=torch.bfloat16) if wanted else nullcontext()
