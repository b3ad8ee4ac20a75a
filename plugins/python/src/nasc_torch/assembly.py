"""Puts operations together, one after the other, to a network.

A network is a list of steps in which results have numbers: step by step an operation reads
some of them and gives the next. Cells are written out, each use with weights of its own. A
tensor of zeros runs through the operations while they are added: so shapes are known, and
compared with what the graph declares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Sequence, Set, Tuple

import torch
from torch import Tensor, nn

from nasc_plugin import derive

from .layers import BatchNorm, initialize
from .ops import ABSENT, Site, build


@dataclass
class Step:
    """Value number `output` is operation number `op` of the values `inputs`."""

    op: int
    inputs: Tuple[int, ...]
    output: int


class Assembly:
    """Operations and steps, as far as they are there."""

    def __init__(self, seed: int):
        self.seed = seed
        self.ops = nn.ModuleList()
        self.addresses: List[str] = []  # of the operations, as nasc's engine calls them
        self.steps: List[Step] = []
        self.values: List[Tensor] = []  # of one example of zeros
        self.absent: Set[int] = set()  # values that are zeros whatever the input is
        self._known: Dict[str, int] = {}

    def input(self, shape: Sequence[int]) -> int:
        """Adds an input of the network."""
        return self.add(torch.zeros(1, *shape))

    def add(self, value: Tensor) -> int:
        """Adds a value that no operation gives."""
        self.values.append(value)
        return len(self.values) - 1

    def shape(self, value: int) -> Tuple[int, ...]:
        """The shape of a value, without the batch."""
        return tuple(self.values[value].shape[1:])

    def operation(self, address: str, node: Any, inputs: Sequence[int], plain: bool = False, declared: bool = True) -> int:
        """Adds an operation, or a use of the one that is at this address already."""
        inputs = list(inputs)
        if node.op in ("sum", "add"):  # what is absent costs nothing
            inputs = [i for i in inputs if i not in self.absent] or inputs
        number = self._known.get(address)
        if number is None:
            module = build(node.module, node.op, Site(address, node.attributes, [self.shape(i) for i in inputs], plain))
            self._check_size(address, node, module, plain)
            initialize(address, module, lambda name: derive(self.seed, "weights/" + name))
            number = self._known[address] = len(self.ops)
            self.ops.append(module.eval())
            self.addresses.append(address)
        with torch.no_grad():
            out = self.add(self.ops[number](*[self.values[i] for i in inputs]))
        if declared and node.shape and self.shape(out) != tuple(node.shape):
            raise ValueError(f"{address}: {node.op} gives {list(self.shape(out))}, but its declaration says {list(node.shape)}")
        self.steps.append(Step(number, tuple(inputs), out))
        if node.op in ABSENT or node.op in ("sum", "add") and all(i in self.absent for i in inputs):
            self.absent.add(out)
        return out

    def _check_size(self, address: str, node: Any, module: nn.Module, plain: bool) -> None:
        made = sum(p.numel() for p in module.parameters())
        if node.params and made != node.params and not plain:
            raise ValueError(f"{address}: {node.op} has {made} trainable numbers, but its declaration says {node.params}")


def engine_names(ops: nn.ModuleList, addresses: Sequence[str]) -> Dict[str, Tensor]:
    """All weights by the names that nasc's engine has for them: "1:normal[0]/3:conv_bn/conv.weight".

    They have the same shapes there. Batch norms and layer norms call theirs scale and shift.
    Running statistics follow as "….mean" and "….var".
    """
    out: Dict[str, Tensor] = {}
    for address, module in zip(addresses, ops):
        for path, m in module.named_modules():
            norm = isinstance(m, (BatchNorm, nn.LayerNorm))
            for key, p in m.named_parameters(recurse=False):
                if norm:
                    key = {"weight": "scale", "bias": "shift"}[key]
                out[address + "/" + (path + "." + key if path else key)] = p.data
            if isinstance(m, BatchNorm):
                assert m.running_mean is not None and m.running_var is not None
                out[f"{address}/{path}.mean"], out[f"{address}/{path}.var"] = m.running_mean, m.running_var
    return out
