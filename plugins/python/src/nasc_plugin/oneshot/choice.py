"""Choices, and the architectures of a space that they are."""

from __future__ import annotations

from typing import List, Sequence

from ..space import INACTIVE, SUBSET, Decision, Genotype, Space
from ..supernet import Mixture, RelaxedDecision
from .parts import Choice


def one_hot(decisions: Sequence[RelaxedDecision], c: Choice) -> Mixture:
    """The mixture that is one architecture: ones for the options taken and for edges that no
    architecture is without, zeros for the others."""
    return [[1.0 if d.decision < 0 or k in taken else 0.0 for k in range(len(d.options))] for d, taken in zip(decisions, c)]


def genotype(space: Space, decisions: Sequence[RelaxedDecision], c: Choice) -> Genotype:
    """The architecture of a space that takes what a choice says. Of decisions that do not exist in
    it nothing is taken. It is a ValueError to take an option that no architecture has, too few
    edges or too many."""
    if len(c) != len(decisions):
        raise ValueError(f"{len(c)} decisions are taken of {len(decisions)}")
    at = {d.address: i for i, d in enumerate(decisions) if d.decision >= 0}
    g = [INACTIVE] * len(space.decisions)

    def take(group: List[Decision]) -> None:
        for d in group:
            if d.address in at:
                i = at[d.address]
                v = _value(d, decisions[i], c[i])
            else:  # nothing in the network reads it
                v = (1 << d.min) - 1 if d.kind == SUBSET else 0
            g[d.id] = v
            for a in d.taken(v):
                take(a.sub)

    take(space.root)
    space.check(g)
    return g


def _value(d: Decision, r: RelaxedDecision, options: Sequence[int]) -> int:
    """What a genotype says of d when options of r are taken."""
    for o in options:
        if not 0 <= o < len(r.options):
            raise ValueError(f"{d.address}: there is no option {o} of {len(r.options)}")
        if r.options[o].alternative < 0:
            raise ValueError(f"{d.address}: no architecture has `{r.options[o].label}`")
    taken = {r.options[o].alternative for o in options}
    if not r.edges:
        if len(options) != 1:
            raise ValueError(f"{d.address}: {len(options)} options are taken of a choice of one")
        return taken.pop()
    if not r.min <= len(taken) <= r.max or len(taken) != len(options):
        raise ValueError(f"{d.address}: {len(taken)} edges are taken of {len(r.options)}, and an architecture has from {r.min} to {r.max}")
    if d.kind == SUBSET:
        return sum(1 << a for a in taken)
    # The tree decides among whole sets, whose labels are those of the subset.
    labels = {o.alternative: o.label for o in r.options}
    label = "{" + ", ".join(labels[a] for a in sorted(taken)) + "}"
    for i, alternative in enumerate(d.alternatives):
        if alternative.label == label:
            return i
    raise ValueError(f"{d.address}: the space has no such set of edges as {label}")
