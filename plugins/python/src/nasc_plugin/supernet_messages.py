"""Messages of the one-shot loop, and what they mean here."""

from __future__ import annotations

import math
from typing import Any, List, Mapping, Sequence

from ._wire import oneshot_pb2 as pb
from .messages import plain
from .plugin import Metric
from .supernet import (ArchGradient, Batch, MixedNode, Mixture, MixtureWeight, Net, Network, RelaxedDecision, RelaxedOption, Relaxation,
                       Score, SupernetSize, Term, WeightStep)


def network(m: "pb.Network", channels: int, edge_weights: bool) -> Network:
    """A supernet from the wire; nets that several nodes share are one object."""
    if not m.nets:
        raise ValueError("the network is empty")
    known = decisions(m.relaxed)
    nets: List[Any] = [None] * len(m.nets)
    for at in range(len(m.nets) - 1, -1, -1):  # what is inside of a net comes after it
        mn = m.nets[at]
        n = Net(mn.name, [(x.name, list(x.shape)) for x in mn.inputs], output=mn.output)
        for node in mn.nodes:
            if node.net and not at < node.net < len(nets):
                raise ValueError(f"net {mn.name}: the net of {node.node.name} is {node.net}, which is not a later one")
            n.nodes.append(_node(node, nets[node.net] if node.net else None, known))
        nets[at] = n
    return Network(m.name, known, nets[0], Relaxation(max(channels, 1), edge_weights))


def decisions(m: "pb.Relaxed") -> List[RelaxedDecision]:
    """What has mixture weights."""
    return [_decision(d) for d in m.decisions]


def relaxation(r: Relaxation) -> "pb.Relaxation":
    """A message of how a space is to be relaxed."""
    return pb.Relaxation(channels=r.channels, edge_weights=r.edge_weights)


def _decision(m: "pb.RelaxedDecision") -> RelaxedDecision:
    options = [RelaxedOption(o.label, o.alternative, o.absent, list(o.under)) for o in m.options]
    return RelaxedDecision(m.address, m.edges, m.min, m.max, options, m.decision, m.sites)


def _node(m: "pb.MixedNode", net: "Net | None", decisions: List[RelaxedDecision]) -> MixedNode:
    terms = []
    for t in m.terms:
        weights = [MixtureWeight(d, o) for d, o in zip(t.decisions, t.options)]
        for w in weights:
            if not (0 <= w.decision < len(decisions) and 0 <= w.option < len(decisions[w.decision].options)):
                raise ValueError(f"node {m.node.name}: there is no option {w.option} of decision {w.decision}")
        terms.append(Term(t.value, weights))
    n = m.node
    return MixedNode(n.name, n.op, n.module, {a.name: plain(a.value) for a in n.attributes}, list(n.inputs), list(n.shape), n.params,
                     n.macs, net=net, terms=terms, shaped=m.shaped)


def mixture(m: "pb.Mixture", widths: Sequence[int]) -> Mixture:
    """A mixture over decisions of these widths."""
    if len(m.values) != sum(widths):
        raise ValueError(f"a mixture of {len(m.values)} numbers, not {sum(widths)}")
    if not all(map(math.isfinite, m.values)):
        raise ValueError("a mixture holds what is no number")
    out, at = [], 0
    for w in widths:
        out.append(list(m.values[at:at + w]))
        at += w
    return out


def flat(x: Mixture, widths: Sequence[int]) -> "pb.Mixture":
    """A message of a mixture over decisions of these widths."""
    if [len(v) for v in x] != list(widths):
        raise ValueError(f"a mixture of {[len(v) for v in x]} numbers, not {list(widths)}")
    return pb.Mixture(values=[v for row in x for v in row])


def weight_step(m: "pb.WeightStep") -> WeightStep:
    """How weights are to move."""
    return WeightStep(m.rate if m.HasField("rate") else None, m.weight_decay if m.HasField("weight_decay") else None)


def arch_gradient(m: "pb.ArchGradient") -> ArchGradient:
    """Of what a gradient is wanted."""
    return ArchGradient(Batch(m.batch), m.unrolled, m.radius)


def score(m: "pb.Score") -> Score:
    """On what mixtures are to be measured."""
    return Score(m.first, m.batches, m.recalibrate)


def scores(all: Sequence[Mapping[str, float]], metrics: Sequence[Metric]) -> "pb.ScoreDone":
    """A message of the metrics of mixtures."""
    missing = [x.name for x in metrics if any(x.name not in row for row in all)]
    if missing:
        raise ValueError(f"the supernet does not report {', '.join(missing)}")
    return pb.ScoreDone(values=[float(row[x.name]) for row in all for x in metrics])


def opened(s: SupernetSize) -> "pb.Opened":
    """A message of how much there is."""
    return pb.Opened(steps=s.steps, valid=s.valid, memory=s.memory)
