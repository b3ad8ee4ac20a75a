"""Messages of the protocol, and what they mean here."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence, Type

from ._wire import nasc_pb2 as pb
from .graph import Graph, Node
from .plugin import Component, Evaluator, Metric, Optimizer, Parameter, Plugin, Searcher, required
from .searched import OneShot
from .space import Alternative, Decision, Genotype, Space
from .supernet import SupernetTrainer


def value(v: Any) -> "pb.Value":
    """A value on the wire."""
    if isinstance(v, bool):
        return pb.Value(bool=v)
    if isinstance(v, int):
        return pb.Value(int=v)
    if isinstance(v, float):
        return pb.Value(real=v)
    return pb.Value(string=v)


def plain(v: "pb.Value") -> Any:
    """A value from the wire."""
    return getattr(v, v.WhichOneof("kind"))


def description(p: Plugin) -> "pb.DescribeResponse":
    """What a plugin says of itself."""
    return pb.DescribeResponse(name=p.name, version=p.version, doc=p.doc, components=[_component(c) for c in p.components],
                               signatures=p.signatures, attentive=True)


def _component(c: Type[Component]) -> "pb.Component":
    m = pb.Component(name=c.name, doc=c.about(), parameters=[_parameter(p) for p in c.parameters()])
    if issubclass(c, Searcher):
        m.kind = pb.Component.KIND_OPTIMIZER
        m.decision_kinds.extend(c.decision_kinds)
        m.ends = issubclass(c, Optimizer) and c.ends
        m.one_shot = issubclass(c, OneShot)
    elif issubclass(c, Evaluator):
        m.kind = pb.Component.KIND_EVALUATOR
        m.metrics.extend(_metric(x) for x in c.metrics)
        m.test_metrics.extend(_metric(x) for x in c.test_metrics)
        m.deterministic = c.deterministic
        m.supernets = issubclass(c, SupernetTrainer)
    return m


def _parameter(p: Parameter) -> "pb.Parameter":
    m = pb.Parameter(name=p.name, doc=p.doc, type=p.type, choices=list(p.choices))
    if not required(p):
        m.default.CopyFrom(value(p.default))
    if p.min is not None:
        m.min = p.min
    if p.max is not None:
        m.max = p.max
    return m


def _metric(x: Metric) -> "pb.Metric":
    return pb.Metric(name=x.name, doc=x.doc, unit=x.unit, higher_is_better=x.higher_is_better)


def space(m: "pb.Space") -> Space:
    """A space from the wire."""
    all = [Decision(i, d.address, d.kind, [Alternative(a.label) for a in d.alternatives], d.min, d.max) for i, d in enumerate(m.decisions)]
    for d, md in zip(all, m.decisions):
        for a, ma in zip(d.alternatives, md.alternatives):
            if any(not d.id < i < len(all) for i in ma.sub):
                raise ValueError(f"space {m.name}: what is below {d.address} makes no sense")
            a.sub = [all[i] for i in ma.sub]
    s = Space(m.name, all, [all[i] for i in m.root])
    if str(s.size) != m.size:
        raise ValueError(f"space {m.name}: {s.size} architectures here, {m.size} at the sender")
    return s


def genotypes(all: List[Genotype]) -> List[int]:
    """Genotypes one after another."""
    return [v for g in all for v in g]


def row(values: Mapping[str, float], names: Sequence[str]) -> List[float]:
    """Values in the order of their names."""
    missing = [n for n in names if n not in values]
    if missing:
        raise ValueError(f"there is no {', '.join(missing)}")
    return [float(values[n]) for n in names]


def graph(data: bytes) -> Graph:
    """A graph from the wire; bodies that several nodes share are one object."""
    m = pb.Graph()
    m.ParseFromString(data)
    made: Dict[int, Graph] = {}

    def body(i: int, above: int) -> Graph:
        if i <= above or i >= len(m.bodies):
            raise ValueError(f"there is no body {i} inside of body {above}")
        if i in made:
            return made[i]
        b = m.bodies[i]
        g = Graph(b.name, [(x.name, list(x.shape)) for x in b.inputs], output=b.output)
        for n in b.nodes:
            g.nodes.append(Node(n.name, n.op, n.module, {a.name: plain(a.value) for a in n.attributes}, list(n.inputs),
                                list(n.shape), n.params, n.macs, body(n.body, i) if n.body else None))
        made[i] = g
        return g

    return body(0, -1)
