"""A one-shot search as its components see it."""

from __future__ import annotations

from typing import Callable, Dict, List, Optional, Sequence, Tuple

from ..plugin import Objective
from ..rng import Stream
from ..searched import SearchedSupernet
from ..space import Space
from ..supernet import Mixture
from .choice import genotype
from .decision import decisions
from .parts import Choice, Moment, Params, Relaxation


class Search:
    """A one-shot search as its components see it."""

    def __init__(self, space: Space, objectives: List[Objective], net: SearchedSupernet, relaxation: Relaxation, edge_norm: bool,
                 stream: Callable[[str, int], Stream]):
        self.space, self.objectives, self.net, self.relaxation = space, objectives, net, relaxation
        self.decisions = decisions(net.decisions, edge_norm)
        self.params: Params = []  # a component may change them
        self.draws: Dict[str, int] = {}  # streams of each name that there have been
        self._stream = stream

    def rand(self, name: str) -> Stream:
        """The next random stream of a name. How many there have been is saved."""
        n = self.draws.get(name, 0)
        self.draws[name] = n + 1
        return self._stream("oneshot." + name, n)

    def init(self) -> Params:
        """Arch parameters to begin with."""
        rng = self.rand("init")
        return [self.relaxation.init(d, rng) if d.learned else [] for d in self.decisions]

    def mean(self) -> Mixture:
        """The mixture that stands for the arch parameters."""
        return [self.relaxation.mean(d, p) if d.learned else [1.0] * len(d.options) for d, p in zip(self.decisions, self.params)]

    def draw(self, p: Params, at: Moment, rng: Stream) -> Tuple[Mixture, Optional[Callable[[Mixture], Params]]]:
        """A mixture of arch parameters, and what turns its gradient into theirs, which is None
        where nothing is learned so. Equal streams give equal mixtures."""
        drawn = [self.relaxation.draw(d, x, at, rng) if d.learned else ([1.0] * len(d.options), None) for d, x in zip(self.decisions, p)]
        backs = [b for _, b in drawn]
        if not any(backs):
            return [w for w, _ in drawn], None

        def back(grad: Mixture) -> Params:
            return [b(g) if b else [0.0] * len(x) for b, g, x in zip(backs, grad, p)]

        return [w for w, _ in drawn], back

    def check(self, all: Sequence[Choice]) -> List[bool]:
        """Which architectures satisfy the constraints of the space and those requirements of the
        search that need no evaluation."""
        return self.net.check([genotype(self.space, self.decisions, c) for c in all])
