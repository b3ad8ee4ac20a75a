"""Helps authors of plugins to test them: small spaces and supernets, and searches in this process.

Whether the process keeps the contract of plugins is what `nasc plugin test` finds out.
"""

from __future__ import annotations

import array
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Type, TypeVar

from .ops import Op, Tensor, Tensors
from .plugin import Done, Objective, Optimizer, Plugin, Searcher, Trial, required
from .rng import Stream
from .searched import OneShot, SearchedSupernet, Stage
from .space import Alternative, Decision, Genotype, Space
from .supernet import ArchGradient, Mixture, RelaxedDecision, RelaxedOption, Relaxation, Score, SupernetSize, WeightStep

S = TypeVar("S", bound=Searcher)


def choices(decisions: int, alternatives: int) -> Space:
    """A space of independent choices of one among so many alternatives."""
    all = [Decision(i, f"c[{i}]", "one-of", [Alternative(str(k)) for k in range(alternatives)], 1, 1) for i in range(decisions)]
    return Space("choices", all, all)


def started(cls: Type[S], space: Space, metric: str, maximize: bool, settings: Dict[str, Any], seed: int = 1) -> S:
    """An optimizer with these settings and the defaults of others."""
    o = cls()
    declared = {p.name: p for p in o.parameters()}
    for name in settings:
        if name not in declared:
            raise ValueError(f"there is no parameter {name}")
    for p in declared.values():
        if p.name not in settings and required(p):
            raise ValueError(f"the parameter {p.name} must be given")
    o.configure({name: settings.get(name, p.default) for name, p in declared.items()})
    o.seed, o.space, o.objectives = seed, space, [Objective(metric, maximize)]
    o.start()
    return o


def search(plugin: Plugin, optimizer: str, space: Space, trials: int, score: Callable[[Genotype], float], **settings: Any) -> float:
    """Lets an optimizer maximize score, one trial at a time, with seed 1; the best score."""
    o = started(plugin.component(optimizer, Optimizer), space, "score", True, settings)
    best = float("-inf")
    n = 0
    while n < trials:
        try:
            all = o.ask(1)
        except Done:
            break
        if not all:
            raise AssertionError(f"trial {n}: it proposes nothing, though it has been told everything")
        for g in all:
            space.check(g)
            v = float(score(g))
            best = max(best, v)
            o.tell([Trial(n, list(g), {"score": v})])
            n += 1
    return best


class Planted(SearchedSupernet):
    """A supernet without weights in which one option of each decision is right: its loss is half
    of the squared distance of the mixture from the one of the right architecture."""

    def __init__(self, decisions: List[RelaxedDecision], right: Sequence[int], epochs: int, steps: int = 20):
        self.decisions, self.right, self.epochs, self.steps = decisions, right, epochs, steps

    def size(self) -> SupernetSize:
        return SupernetSize(self.steps, 1)

    def weight_step(self, m: Mixture, o: Optional[WeightStep] = None) -> float:
        return self._loss(m)[0]

    def arch_gradient(self, m: Mixture, o: Optional[ArchGradient] = None) -> Tuple[float, Mixture]:
        return self._loss(m)

    def score(self, ms: Sequence[Mixture], o: Optional[Score] = None) -> List[Dict[str, float]]:
        return [{"loss": self._loss(m)[0]} for m in ms]

    def relax(self, r: Relaxation) -> None:
        """It has no channels."""

    def check(self, gs: Sequence[Genotype]) -> List[bool]:
        return [True] * len(gs)

    def _loss(self, m: Mixture) -> Tuple[float, Mixture]:
        grad = [[w - (k == r) for k, w in enumerate(row)] for row, r in zip(m, self.right)]
        return sum(g * g for row in grad for g in row) / 2, grad


def shoot(plugin: Plugin, optimizer: str, right: Genotype, alternatives: int, epochs: int, **settings: Any) -> List[Stage]:
    """Lets a one-shot optimizer search a planted supernet of choices of one among so many
    alternatives, with seed 1; the stages. Each is done by an optimizer that is started anew, as
    in a search that was killed and resumed."""
    cls, space = plugin.component(optimizer, OneShot), choices(len(right), alternatives)
    net = Planted([RelaxedDecision(d.address, False, 1, 1, [RelaxedOption(a.label, k) for k, a in enumerate(d.alternatives)], d.id, 1)
                   for d in space.decisions], right, epochs)
    stages: List[Stage] = []
    state: Optional[bytes] = None
    while not stages or not stages[-1].done:
        o = started(cls, space, "loss", False, settings)
        o.begin(net)
        if state is not None:
            o.load(state)
        stages.append(o.stage())
        state = o.save()
        space.check(stages[-1].genotype)
    return stages


def gradients(plugin: Plugin, name: str, inputs: Sequence[Tuple[int, ...]], output: Tuple[int, ...], probes: int = 12, **attributes: Any) -> None:
    """Raises an AssertionError where a gradient of an operation, at operands of these shapes,
    examples first, is not what differences of its results say."""
    cls = next(o for o in plugin.ops if o.name == name)
    op: Op = cls()
    op.inputs, op.output, op.attributes = [tuple(s) for s in inputs], tuple(output), attributes
    op.start()
    rand = Stream(1, "gradients")

    def tensor(shape: Sequence[int], mean: float = 0.0, deviation: float = 0.0) -> Tensor:
        size = 1
        for d in shape:
            size *= d
        return Tensor(shape, memoryview(array.array("f", [mean + deviation * rand.normal() for _ in range(size)])))

    t = Tensors([tensor(s, 0, 1) for s in op.inputs], [tensor(w.shape, w.mean, w.deviation + 0.1) for w in op.weights()], tensor(op.output))
    grads = Tensors(t.inputs, t.weights, t.output, [tensor(x.shape) for x in t.inputs], [tensor(x.shape) for x in t.weights],
                    tensor(op.output, 0, 1))
    assert grads.output_grad is not None
    factors = list(grads.output_grad.data)

    def value() -> float:
        op.forward(t)
        return sum(a * b for a, b in zip(factors, t.output.data))

    value()
    op.backward(grads)
    for k, (x, g) in enumerate(zip(t.inputs + t.weights, grads.input_grads + grads.weight_grads)):
        for i in rand.permutation(len(x.data))[:probes]:
            was, slopes = x.data[i], []
            for step in (0.01, 0.005):
                x.data[i] = was + step
                high, above = x.data[i], value()
                x.data[i] = was - step
                slopes.append((above - value()) / (high - x.data[i]))
            x.data[i] = was
            near: Callable[[float, float], bool] = lambda a, b: abs(a - b) <= 0.02 * max(1, abs(a), abs(b))
            if near(*slopes) and not near(g.data[i], slopes[1]):  # else there is a kink, where differences say nothing
                raise AssertionError(f"the gradient of number {i} of tensor {k} is {g.data[i]}, and differences say {slopes[1]}")
