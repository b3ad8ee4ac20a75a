"""From a mixture to an architecture."""

from __future__ import annotations

from typing import List, Sequence

from ..supernet import Mixture, RelaxedDecision
from .parts import Choice
from .softmax import added


def strongest(decisions: Sequence[RelaxedDecision], m: Mixture) -> Choice:
    """The architecture with the largest mixture weights (Liu, Simonyan and Yang, "DARTS", ICLR
    2019, section 2.4).

    A mixed operation takes the strongest of the options that an architecture can have. Where the
    space chooses among edges, an edge is as strong as its weight times that of the strongest
    operation on it that is not absent, and the strongest edges are kept: for two of the edges
    into a node, the rule of DARTS; with weights of edges that are learned, alpha times beta,
    that of PC-DARTS. Where from min to max edges may be kept, those beyond min are kept that are
    at least as strong as the mean edge. Of equals the first is taken.
    """
    c: Choice = []
    for i, d in enumerate(decisions):
        if d.decision < 0:
            c.append(list(range(len(d.options))))
        elif d.edges:
            c.append(_edges(decisions, i, m))
        else:
            possible = [k for k, o in enumerate(d.options) if o.alternative >= 0]
            c.append([max(possible, key=lambda k: m[i][k])])
    return c


def _edges(decisions: Sequence[RelaxedDecision], i: int, m: Mixture) -> List[int]:
    """The edges that are taken of those of a decision, in their order."""
    d = decisions[i]
    strengths = [_strength(decisions, i, k, m) for k in range(len(d.options))]
    mean = added(strengths) / len(strengths)
    order = sorted(range(len(strengths)), key=lambda k: -strengths[k])
    n = min(d.min, len(order))
    while n < min(d.max, len(order)) and strengths[order[n]] >= mean:
        n += 1
    return sorted(order[:n])


def _strength(decisions: Sequence[RelaxedDecision], i: int, edge: int, m: Mixture) -> float:
    """What an edge weighs: its own weight times those of the strongest operations on it."""
    w = m[i][edge]
    for under in decisions[i].options[edge].under:
        w *= max([v for v, o in zip(m[under], decisions[under].options) if not o.absent] + [0.0])
    return w
