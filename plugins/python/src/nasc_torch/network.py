"""A graph as a module.

    net = Network(candidate.graph, seed=1)
    logits = net(images)  # (B,C,H,W) -> (B,K)
"""

from __future__ import annotations

from typing import Dict, List, Optional, Sequence, Tuple

import torch
from torch import Tensor, nn

from nasc_plugin import Graph

from .assembly import Assembly, Step, engine_names
from .layers import BatchNorm
from .ops.vision import DropPath


class Network(nn.Module):
    """The network of an architecture, with fresh weights.

    Equal seeds give equal weights. What no path leads from to the output is not built. An
    operation without a module is an UnknownOperation that names it and its place.
    """

    def __init__(self, graph: Graph, seed: int = 0):
        super().__init__()
        a = Assembly(seed)
        inputs = [a.input(shape) for _, shape in graph.inputs]
        self.taps: List[Tuple[int, int]] = []  # size and value of the square maps between cells
        self.output = self._body(a, graph, "", inputs)
        self.inputs = len(inputs)
        self.count = len(a.values)
        self.ops, self.addresses, self.steps = a.ops, a.addresses, _needed(a.steps, self.output)
        self.last = _last_uses(self.steps)
        self.maps = sum(v.numel() for v in a.values)  # numbers of all results, for one example
        self.shapes = [a.shape(i) for i in range(len(a.values))]
        self.train()

    def _body(self, a: Assembly, g: Graph, path: str, inputs: Sequence[int]) -> int:
        values: Dict[int, int] = {}
        live = _live(g)
        for i, node in enumerate(g.nodes):
            if not live[i]:
                continue
            given = [inputs[-1 - r] if r < 0 else values[r] for r in node.inputs]
            address = f"{path}{i}:{node.name}"  # the position keeps apart what has one name
            if node.body is None:
                values[i] = a.operation(address, node, given)
            else:
                values[i] = self._body(a, node.body, address + "/", given)
            shape = a.shape(values[i])
            if not path and len(shape) == 3 and shape[1] == shape[2] >= 6:
                self.taps.append((shape[1], values[i]))
        return inputs[-1 - g.output] if g.output < 0 else values[g.output]

    def smallest(self) -> Optional[int]:
        """The first map of the smallest resolution between cells that is a square of at least
        6 by 6 pixels, where DARTS puts a second classifier."""
        return min(self.taps, key=lambda t: t[0])[1] if self.taps else None

    def forward(self, *inputs: Tensor) -> Tensor:
        """Inputs (B,...) to the output (B,...)."""
        return self.run(inputs)[self.output]

    def run(self, inputs: Sequence[Tensor], keep: Sequence[int] = ()) -> Dict[int, Tensor]:
        """The output and the values to keep, by their numbers."""
        values: Dict[int, Tensor] = dict(enumerate(inputs))
        for at, s in enumerate(self.steps):
            values[s.output] = self.ops[s.op](*[values[i] for i in s.inputs])
            for i in self.last[at]:
                if i != self.output and i not in keep:
                    del values[i]
        return values

    def weights(self) -> Dict[str, Tensor]:
        """All weights by the names of nasc's engine; they share memory with the module."""
        return engine_names(self.ops, self.addresses)


def set_norm(net: nn.Module, mode: str) -> None:
    """Tells all batch norms which statistics to use: "usual", "batch" or "recalibrate"."""
    for m in net.modules():
        if isinstance(m, BatchNorm):
            m.mode = mode


def set_progress(net: nn.Module, share: float) -> None:
    """Tells the rates that grow how much of the training is done, from 0 to 1."""
    for m in net.modules():
        if isinstance(m, DropPath):
            m.progress = share


def _live(g: Graph) -> List[bool]:
    """The nodes that the output depends on."""
    live = [False] * len(g.nodes)
    if g.output >= 0:
        live[g.output] = True
    for i in range(len(g.nodes) - 1, -1, -1):
        if live[i]:
            for r in g.nodes[i].inputs:
                if r >= 0:
                    live[r] = True
    return live


def _needed(steps: Sequence[Step], output: int) -> List[Step]:
    """The steps that the output depends on: sums leave out what is absent."""
    wanted, out = {output}, []
    for s in reversed(steps):
        if s.output in wanted:
            wanted.update(s.inputs)
            out.append(s)
    return out[::-1]


def _last_uses(steps: Sequence[Step]) -> List[Tuple[int, ...]]:
    """For each step the values that no later one reads."""
    seen, out = set(), []
    for s in reversed(steps):
        out.append(tuple({i for i in s.inputs if i not in seen}))
        seen.update(s.inputs)
    return out[::-1]


def load_weights(weights: Dict[str, Tensor], given: Dict[str, Tensor]) -> None:
    """Copies weights by name; one that is missing, or of another shape, is a ValueError."""
    missing = sorted(set(weights) - set(given))
    if missing:
        raise ValueError(f"there are no weights for {missing[0]} and {len(missing) - 1} more")
    with torch.no_grad():
        for name, w in weights.items():
            if w.shape != given[name].shape:
                raise ValueError(f"the weights of {name} have the shape {list(given[name].shape)}, not {list(w.shape)}")
            w.copy_(given[name])
