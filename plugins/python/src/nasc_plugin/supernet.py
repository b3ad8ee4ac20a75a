"""Supernets: what an author of an evaluator for one-shot searches writes.

    class Mine(nasc.Evaluator, supernet.SupernetTrainer):
        def open_supernet(self, o):
            return MySupernet(o.network, o.epochs, o.seed)

A supernet is a space relaxed to one network that holds all of its architectures at once
(Liu, Simonyan and Yang, "DARTS", ICLR 2019). Its mixture weights belong to the optimizer:
they come in with every call. The weights of operations, their optimizer and the statistics
of batch norm belong to the evaluator.

A mixture weight of exactly zero takes its operation out: nothing that only it needs is
computed, its gradient is zero, and the weights of what was taken out stay as they are in a
weight step. So a one-hot mixture costs what one architecture costs.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import List, Mapping, Optional, Sequence, Tuple

from .graph import Node

Mixture = List[List[float]]
"""A number for each option of each relaxed decision: mixture weights, or their gradients."""


@dataclass
class RelaxedOption:
    """What one mixture weight is for."""

    label: str  # as `.nas` text
    alternative: int  # of the decision; -1: no architecture has it
    absent: bool = False  # it adds nothing, whatever its weight
    under: List[int] = field(default_factory=list)  # decisions whose candidates the weight of this edge multiplies


@dataclass
class RelaxedDecision:
    """One vector of mixture weights."""

    address: str
    edges: bool  # the options are edges, of which an architecture has min to max; else candidates
    min: int
    max: int
    options: List[RelaxedOption]
    decision: int  # of the space; -1: the relaxation has added the weights
    sites: int  # mixtures that it weighs


@dataclass
class Relaxation:
    """How a space is relaxed."""

    channels: int = 1  # the K of partial channels (PC-DARTS)
    edge_weights: bool = False  # edges that the space does not choose among have weights too


@dataclass(frozen=True)
class MixtureWeight:
    """One number of a mixture."""

    decision: int
    option: int


@dataclass
class Term:
    """A term of a mixture: a tensor times the product of weights."""

    value: int  # a reference, as in Node.inputs
    weights: List[MixtureWeight]


MIXED = "mixture"
"""The op of mixtures."""


@dataclass
class MixedNode(Node):
    """A mixture if op is MIXED, a cell if net is set, else an operation."""

    net: "Optional[Net]" = None
    terms: List[Term] = field(default_factory=list)
    shaped: bool = True  # whether the node declares its shape


@dataclass(eq=False)
class Net:
    """The inside of a supernet or of one of its cells. Uses of a cell for equal shapes are one
    object. A node reads only inputs and earlier nodes."""

    name: str
    inputs: List[Tuple[str, List[int]]]  # name and shape
    nodes: List[MixedNode] = field(default_factory=list)
    output: int = 0


@dataclass
class Network:
    """A relaxed space."""

    name: str
    decisions: List[RelaxedDecision]
    net: Net
    relaxation: Relaxation


@dataclass
class OpenSupernet:
    """A relaxed space that is to be trained."""

    network: Network
    epochs: int  # for schedules
    seed: int


@dataclass
class SupernetSize:
    """How much there is of a supernet and its data."""

    steps: int  # weight steps of an epoch
    valid: int  # batches of the validation part
    memory: int = 0  # bytes


@dataclass
class WeightStep:
    """How weights move, on the next batch of the training part."""

    rate: Optional[float] = None  # None: by the evaluator's schedule
    weight_decay: Optional[float] = None  # None: by the evaluator's settings


class Batch(enum.IntEnum):
    """The batch of a gradient."""

    NEXT_VALID = 0  # of the validation part; the next call has the one after it
    SAME_VALID = 1  # that of the last gradient on the validation part
    NEXT_TRAIN = 2  # that of the weight step to come


@dataclass
class ArchGradient:
    """Of what a gradient is wanted."""

    batch: Batch = Batch.NEXT_VALID
    # Second order (DARTS, equations 6 to 8): the loss after the weight step that would come
    # next, with the implicit term by a finite difference. The batch is of the validation part.
    unrolled: bool = False
    radius: float = 0.0  # of that difference, over the norm of the gradient; 0.01 in the paper


@dataclass
class Score:
    """On what mixtures are measured: batches of the validation part in a circle."""

    first: int = 0
    batches: int = 0  # 0: all
    # Batches of the training part that the running statistics of batch norm are made of for
    # each mixture, which are then used; 0: batch norm is by the statistics of the batch.
    recalibrate: int = 0


class TrainedSupernet:
    """A supernet as an evaluator offers it. Calls come one at a time."""

    def size(self) -> SupernetSize:
        """How much there is."""
        raise NotImplementedError

    def weight_step(self, m: Mixture, o: WeightStep) -> float:
        """Moves the weights once under a mixture; the loss before that."""
        raise NotImplementedError

    def arch_gradient(self, m: Mixture, o: ArchGradient) -> Tuple[float, Mixture]:
        """The loss, and its gradient with respect to the mixture. No weight moves."""
        raise NotImplementedError

    def score(self, ms: Sequence[Mixture], o: Score) -> List[Mapping[str, float]]:
        """All metrics of the evaluator for each mixture, one-hot ones being architectures."""
        raise NotImplementedError

    def relax(self, network: Network) -> None:
        """Goes on with another relaxation of the same space; weights go over where they fit, and
        where there are more channels they are widened (Chen, Goodfellow and Shlens, "Net2Net",
        ICLR 2016). After an error it is as before."""
        raise NotImplementedError

    def save(self, path: str) -> None:
        """Writes everything that the next call depends on to a file; a crash leaves the old file
        or the new one."""
        raise NotImplementedError

    def load(self, path: str) -> None:
        """Makes it as it was when it was saved. After an error it is as before."""
        raise NotImplementedError

    def close(self) -> None:
        """The search is over."""


class SupernetTrainer:
    """What an evaluator is besides, if it trains supernets."""

    def open_supernet(self, o: OpenSupernet) -> TrainedSupernet:
        """A supernet with fresh weights."""
        raise NotImplementedError
