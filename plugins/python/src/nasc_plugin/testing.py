"""Helps authors of plugins to test them: small spaces, and a search in this process.

Whether the process keeps the contract of plugins is what `nasc plugin test` finds out.
"""

from __future__ import annotations

import array
from typing import Any, Callable, Sequence, Tuple

from .ops import Op, Tensor, Tensors
from .plugin import Done, Objective, Optimizer, Plugin, Trial, required
from .rng import Stream
from .space import Alternative, Decision, Genotype, Space


def choices(decisions: int, alternatives: int) -> Space:
    """A space of independent choices of one among so many alternatives."""
    all = [Decision(i, f"c[{i}]", "one-of", [Alternative(str(k)) for k in range(alternatives)], 1, 1) for i in range(decisions)]
    return Space("choices", all, all)


def search(plugin: Plugin, optimizer: str, space: Space, trials: int, score: Callable[[Genotype], float], **settings: Any) -> float:
    """Lets an optimizer maximize score, one trial at a time, with seed 1; the best score."""
    o = plugin.component(optimizer, Optimizer)()
    assert isinstance(o, Optimizer)
    for p in o.parameters():
        if p.name not in settings and required(p):
            raise ValueError(f"the parameter {p.name} must be given")
        setattr(o, p.attribute, settings.pop(p.name, p.default))
    if settings:
        raise ValueError(f"there is no parameter {', '.join(settings)}")
    o.seed, o.space, o.objectives = 1, space, [Objective("score", True)]
    o.start()
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
