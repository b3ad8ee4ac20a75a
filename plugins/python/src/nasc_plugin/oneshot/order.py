"""Orders: the gradient of the mixture in an arch step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Tuple

from ..plugin import real
from ..supernet import ArchGradient, Batch, Mixture
from .parts import Part

if TYPE_CHECKING:
    from .search import Search


class Order(Part):
    """Gives the gradient of the mixture in an arch step."""

    single_level = False
    """Whether the weight step takes the mixture and batch of the arch step, so that both move
    along the gradients of one loss."""

    def gradient(self, s: "Search", m: Mixture) -> Tuple[float, Mixture]:
        """The loss, and its gradient with respect to the mixture."""
        raise NotImplementedError


class FirstOrder(Order):
    """by the weights as they are"""

    # On the next batch of the validation part (DARTS with xi = 0).
    name = "first"

    def gradient(self, s: "Search", m: Mixture) -> Tuple[float, Mixture]:
        return s.net.arch_gradient(m, ArchGradient(Batch.NEXT_VALID))


class SecondOrder(Order):
    """by the weights after the next step (DARTS)"""

    # Liu, Simonyan and Yang, "DARTS", ICLR 2019, equations 6 to 8.
    name = "second"

    radius = real(0.01, min=1e-6, doc="of the finite difference of the second order, over the norm of the gradient of the weights")

    def gradient(self, s: "Search", m: Mixture) -> Tuple[float, Mixture]:
        return s.net.arch_gradient(m, ArchGradient(Batch.NEXT_VALID, unrolled=True, radius=self.radius))


class OneLevel(Order):
    """on the batch and mixture of the weight step (SNAS)"""

    name = "single"
    single_level = True

    def gradient(self, s: "Search", m: Mixture) -> Tuple[float, Mixture]:
        return s.net.arch_gradient(m, ArchGradient(Batch.NEXT_TRAIN))
