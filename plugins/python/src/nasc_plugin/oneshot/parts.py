"""The components that a one-shot method is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Tuple

from ..plugin import Configurable
from ..rng import Stream
from .decision import Decision, Kinds

if TYPE_CHECKING:
    from .search import Search

Params = List[List[float]]
"""Arch parameters: a number for each option of each decision; none where nothing is learned."""

Choice = List[List[int]]
"""An architecture in terms of a supernet: the options taken of each decision."""

Back = Callable[[List[float]], List[float]]
"""Turns the gradient with respect to weights into that with respect to parameters."""


@dataclass
class Moment:
    """Where a search is. Epochs and steps are counted from 0."""

    epoch: int
    epochs: int
    step: int
    steps: int  # weight steps of the epoch


def span(v: float, epochs: int) -> int:
    """A number of epochs; less than 1 is a share of all of them."""
    if v < 1:
        v *= epochs
    return math.floor(v + 0.5)


class Part(Configurable):
    """A component. Its name and parameters are class attributes, as of a plugin's component, and
    its docstring is what users read of it. All parameters have defaults; components of a
    catalogue may share one if they declare it alike."""

    handles: Kinds = Kinds.ANY
    """The kinds of decision that it can handle. A relaxation is asked only about decisions that
    have parameters."""

    def start(self) -> None:
        """The parameters are set. Refused is an error about one of them."""

    def values(self, at: Moment) -> Dict[str, float]:
        """Numbers that are worth a curve, after each epoch."""
        return {}

    def save(self) -> Any:
        """What it remembers from one stage to the next, as JSON can write it; None: nothing."""
        return None

    def load(self, state: Any) -> None:
        """Makes it as it was when state was saved."""
        raise NotImplementedError


class Relaxation(Part):
    """Turns arch parameters into mixture weights, for each decision by itself."""

    def init(self, d: Decision, rng: Stream) -> List[float]:
        """The parameters of a decision that a search begins with."""
        raise NotImplementedError

    def draw(self, d: Decision, p: List[float], at: Moment, rng: Stream) -> Tuple[List[float], Optional[Back]]:
        """The weights of a decision's options, and what turns the gradient with respect to them
        into that with respect to p; None where nothing is learned so. Equal streams give equal
        weights."""
        raise NotImplementedError

    def mean(self, d: Decision, p: List[float]) -> List[float]:
        """The weights that stand for p when an architecture is selected, without randomness."""
        raise NotImplementedError


class Update(Part):
    """Moves arch parameters."""

    def begin(self, p: Params) -> None:
        """A search begins with these parameters, and may have them changed."""

    def step(self, p: Params, grad: Params) -> None:
        """Moves p along the gradient, which has the shape of p."""
        raise NotImplementedError


class Selection(Part):
    """Derives architectures."""

    def derive(self, s: "Search") -> Choice:
        """The architecture that the search would end with now."""
        raise NotImplementedError
