"""A relaxed space as a module: every candidate of every decision at once.

    net = Supernet(o.network, seed=o.seed)
    logits = net(images, Mix(weights))  # (B,C,H,W) -> (B,K)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence, Set, Tuple, Union

import torch
from torch import Tensor, nn

from nasc_plugin.supernet import MIXED, MixedNode, Mixture, Net, Network

from .assembly import Assembly, Step, engine_names

Weight = Tuple[int, int]  # decision and option


@dataclass
class Term:
    """A value times the product of mixture weights."""

    value: int
    weights: Tuple[Weight, ...]


@dataclass
class MixStep:
    """Value number `output` is the sum of terms; zeros of `shape` where all weigh nothing."""

    terms: Tuple[Term, ...]
    like: int  # a value that is there in any case
    shape: Tuple[int, ...]  # without the batch
    output: int


class Mix:
    """Mixture weights, as numbers or, where gradients are wanted, as tensors as well."""

    def __init__(self, weights: Mixture, device: "torch.device | None" = None, differentiable: bool = False):
        self.weights = weights
        self.vectors: Optional[List[Tensor]] = None
        if differentiable:
            self.vectors = [torch.tensor(v, dtype=torch.float32, device=device, requires_grad=True) for v in weights]

    def closed(self) -> Tuple[bool, ...]:
        """Which weights are zero."""
        return tuple(w == 0 for v in self.weights for w in v)

    def zero(self, t: Term) -> bool:
        """Whether a term weighs nothing."""
        return any(self.weights[d][o] == 0 for d, o in t.weights)

    def factor(self, t: Term) -> Union[float, Tensor]:
        """What a term is multiplied with."""
        f: Union[float, Tensor] = 1.0
        for d, o in t.weights:
            f = f * (self.weights[d][o] if self.vectors is None else self.vectors[d][o])
        return f


class Supernet(nn.Module):
    """The network of a relaxed space, with fresh weights.

    A mixture weight of zero takes its operation out: nothing that only it needs is computed.
    `plain`: batch norms within cells have no scale and no shift, as in published supernets.
    `shared`: uses of a cell for equal shapes share their weights.
    """

    def __init__(self, network: Network, seed: int = 0, plain: bool = True, shared: bool = False):
        super().__init__()
        self.widths = [len(d.options) for d in network.decisions]
        self._plain, self._shared = plain, shared
        self._homes: Dict[int, str] = {}  # where shared weights are, by the identity of a net
        self._all: List[Union[Step, MixStep]] = []
        a = Assembly(seed)
        inputs = [a.input(shape) for _, shape in network.net.inputs]
        self.output = self._net(a, network.net, "", "", inputs)
        self.shape = a.shape(self.output)
        self.ops, self.addresses = a.ops, a.addresses
        self.maps = sum(v.numel() for v in a.values)  # numbers of all results, for one example
        self._closed: Tuple[bool, ...] = ()
        self._program: "Program | None" = None
        self.train()

    def _net(self, a: Assembly, n: Net, path: str, place: str, inputs: Sequence[int]) -> int:
        """Adds the nodes of a net. Path is that of its use, place where its weights are."""
        values: List[int] = []

        def value(r: int) -> int:
            return inputs[-1 - r] if r < 0 else values[r]

        for node in n.nodes:
            given = [value(r) for r in node.inputs]
            if node.op == MIXED:
                values.append(self._mixture(a, node, path, [Term(value(t.value), tuple((w.decision, w.option) for w in t.weights))
                                                            for t in node.terms], given))
            elif node.net is not None:
                inner = place + node.name + "/"
                if self._shared:
                    inner = self._homes.setdefault(id(node.net), f"{node.net.name}#{len(self._homes)}/")
                values.append(self._net(a, node.net, path + node.name + "/", inner, given))
            else:
                values.append(a.operation(place + node.name, node, given, self._plain and path != "", node.shaped))
                self._all.append(a.steps[-1])
        return value(n.output)

    def _mixture(self, a: Assembly, node: MixedNode, path: str, terms: List[Term], given: List[int]) -> int:
        shapes = {a.shape(t.value) for t in terms} | ({tuple(node.shape)} if node.shaped else set())
        if len(shapes) != 1:
            raise ValueError(f"{path}{node.name}: a mixture of tensors of shapes {sorted(shapes)}")
        shape = shapes.pop()
        present = tuple(t for t in terms if t.value not in a.absent)
        out = a.add(torch.zeros(1, *shape))
        self._all.append(MixStep(present, terms[0].value if terms else given[0], shape, out))
        if not present:
            a.absent.add(out)
        return out

    def forward(self, images: Tensor, m: Mix) -> Tensor:
        """Images (B,C,H,W) to the output (B,...) under a mixture."""
        closed = m.closed()
        if self._program is None or closed != self._closed:
            self._closed, self._program = closed, Program(self._all, self.output, m)
        return self._program.run(self.ops, images, m)

    def weights(self) -> Dict[str, Tensor]:
        """All weights by the names of nasc's engine; they share memory with the module."""
        return engine_names(self.ops, self.addresses)


class Program:
    """The steps that a mixture needs, which depend on where it is zero."""

    def __init__(self, steps: Sequence[Union[Step, MixStep]], output: int, m: Mix):
        self.output = output
        self.steps: List[Tuple[Union[Step, MixStep], Tuple[Term, ...], Tuple[int, ...]]] = []
        wanted: Set[int] = {output}
        for s in reversed(steps):
            if s.output not in wanted:
                continue
            terms: Tuple[Term, ...] = ()
            if isinstance(s, Step):
                reads = set(s.inputs)
            else:
                terms = tuple(t for t in s.terms if not m.zero(t))
                reads = {t.value for t in terms} or {s.like}
            self.steps.append((s, terms, tuple(r for r in reads - wanted if r != output)))  # with what nobody reads later
            wanted |= reads
        self.steps.reverse()

    def run(self, ops: nn.ModuleList, images: Tensor, m: Mix) -> Tensor:
        """The output."""
        values: Dict[int, Tensor] = {0: images}
        for s, terms, last in self.steps:
            if isinstance(s, Step):
                values[s.output] = ops[s.op](*[values[i] for i in s.inputs])
            else:
                values[s.output] = weighted(values, terms, m, s)
            for i in last:
                del values[i]
        return values[self.output]


def weighted(values: Dict[int, Tensor], terms: Sequence[Term], m: Mix, s: MixStep) -> Tensor:
    """The sum of terms."""
    if not terms:
        like = values[s.like]
        return like.new_zeros(like.shape[0], *s.shape)
    total: Optional[Tensor] = None
    for t in terms:
        f = m.factor(t)
        if total is None:
            total = values[t.value] * f
        elif isinstance(f, Tensor):
            total = total + values[t.value] * f
        else:
            total = torch.add(total, values[t.value], alpha=f)
    assert total is not None
    return total
