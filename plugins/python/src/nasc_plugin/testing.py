"""Helps authors of plugins to test them: small spaces, and a search in this process.

Whether the process keeps the contract of plugins is what `nasc plugin test` finds out.
"""

from __future__ import annotations

from typing import Any, Callable

from .plugin import Done, Objective, Optimizer, Plugin, Trial, required
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
        setattr(o, p.name, settings.pop(p.name, p.default))
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
