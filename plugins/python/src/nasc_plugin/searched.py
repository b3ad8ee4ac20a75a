"""One-shot optimizers: what an author of one writes, and the supernet that it is handed.

    class Mine(nasc.OneShot):
        def begin(self, net): ...
        def stage(self): ...

A one-shot optimizer searches by training a supernet (see nasc_plugin.supernet): it says under
which mixture of candidates the weights move, and learns which mixture lowers the loss. The
package nasc_plugin.oneshot makes one of small components, so that a new relaxation or a new
update is one short class; what is no such product is a OneShot of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from .plugin import Searcher
from .space import Genotype
from .supernet import ArchGradient, Mixture, RelaxedDecision, Relaxation, Score, SupernetSize, WeightStep


class RefusedDecision(Exception):
    """A decision that an optimizer cannot relax, shown where the space declares it. It is to be
    raised in begin."""

    def __init__(self, address: str, why: str):
        super().__init__(why)
        self.path = "decisions." + address


class SearchedSupernet:
    """The supernet of a one-shot search. It is called within a stage; its calls go to the
    evaluator, and Cancelled passes through them when nobody waits for the stage any more."""

    decisions: List[RelaxedDecision]
    """What has mixture weights, in the order of every Mixture."""

    epochs: int
    """How many epochs of weight steps the search may take."""

    def size(self) -> SupernetSize:
        """How much there is. The memory is not told."""
        raise NotImplementedError

    def weight_step(self, m: Mixture, o: Optional[WeightStep] = None) -> float:
        """Moves the weights once under a mixture; the loss before that. Weights of candidates
        that weigh exactly zero stay as they are."""
        raise NotImplementedError

    def arch_gradient(self, m: Mixture, o: Optional[ArchGradient] = None) -> Tuple[float, Mixture]:
        """The loss, and its gradient with respect to the mixture. No weight moves."""
        raise NotImplementedError

    def score(self, ms: Sequence[Mixture], o: Optional[Score] = None) -> List[Dict[str, float]]:
        """The metrics of mixtures, one-hot ones being architectures."""
        raise NotImplementedError

    def relax(self, r: Relaxation) -> None:
        """Goes on with the same weights in another relaxation of the space."""
        raise NotImplementedError

    def check(self, gs: Sequence[Genotype]) -> List[bool]:
        """Which architectures satisfy all constraints of the space and all requirements of the
        search that need no evaluation, as params <= 1M."""
        raise NotImplementedError


@dataclass
class Stage:
    """What a stage has led to."""

    genotype: Genotype  # that the search would end with now
    mixture: Mixture  # the mean one, for people to look at
    metrics: Mapping[str, float] = field(default_factory=dict)  # of the supernet for it; none: not measured
    values: Mapping[str, float] = field(default_factory=dict)  # what else is worth a curve: "tau", "train_loss"
    text: str = ""  # for people
    done: bool = False  # the search is over


class OneShot(Searcher):
    """Searches a supernet. Calls come one at a time.

    A search is a number of stages, as a rule epochs. Within one it may do to the supernet what
    it likes, in straight code; between two of them the search is saved. A search that is
    resumed begins with a supernet that is as it was and is given the state of the last stage;
    all that it draws must come from self.rand with counters that are in the state.
    """

    def relaxation(self) -> Relaxation:
        """How the space is to be relaxed."""
        return Relaxation()

    def begin(self, net: SearchedSupernet) -> None:
        """The supernet is there. It may be another one than before, of a search that begins anew:
        nothing is to be left of the last."""
        raise NotImplementedError

    def stage(self) -> Stage:
        """Does the next stage."""
        raise NotImplementedError

    def save(self) -> bytes:
        """Everything that the next stage depends on, but for the supernet; the same bytes
        whenever it is the same."""
        raise NotImplementedError

    def load(self, state: bytes) -> None:
        """Makes it as it was when state was saved; called after begin."""
        raise NotImplementedError
