"""Relaxed decisions as components see them."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import List, Sequence

from ..supernet import RelaxedDecision


class Kinds(enum.Flag):
    """A set of kinds of relaxed decision; a component says which it can handle."""

    OPERATIONS = enum.auto()  # one candidate is taken
    EDGES = enum.auto()  # a fixed number of edges is taken
    VARIABLE_EDGES = enum.auto()  # the number of edges is open
    ANY = OPERATIONS | EDGES | VARIABLE_EDGES

    def __str__(self) -> str:
        return {Kinds.OPERATIONS: "a choice of one operation", Kinds.EDGES: "a choice of a number of edges",
                Kinds.VARIABLE_EDGES: "a choice of any number of edges"}.get(self, "a choice")


@dataclass
class Decision(RelaxedDecision):
    """A relaxed decision, and whether it has arch parameters. Operations always have; edges with
    candidates under them are ranked by those, and have parameters only under edge normalisation
    (Xu et al., "PC-DARTS", ICLR 2020). Otherwise they weigh one."""

    learned: bool = True


def kind(d: RelaxedDecision) -> Kinds:
    """The kind of a relaxed decision."""
    if not d.edges:
        return Kinds.OPERATIONS
    return Kinds.EDGES if d.min == d.max else Kinds.VARIABLE_EDGES


def learned(d: RelaxedDecision, edge_norm: bool) -> bool:
    """Whether a decision has arch parameters."""
    if not d.edges or edge_norm:
        return True
    # A sum whose terms are always there has none; of edges, those that nothing else ranks.
    return d.decision >= 0 and any(not o.under for o in d.options)


def decisions(all: Sequence[RelaxedDecision], edge_norm: bool) -> List[Decision]:
    """The decisions of a supernet."""
    return [Decision(d.address, d.edges, d.min, d.max, d.options, d.decision, d.sites, learned(d, edge_norm)) for d in all]
