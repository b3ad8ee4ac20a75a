"""How wide mixed operations are."""

from __future__ import annotations

from ..plugin import integer
from ..supernet import Relaxation as Relaxed
from .parts import Part


class Channels(Part):
    """all"""

    name = "none"

    def relaxation(self) -> Relaxed:
        """The one that the search begins with."""
        return Relaxed()


class PartialChannels(Channels):
    """1/k of them (PC-DARTS)"""

    # Xu et al., "PC-DARTS: Partial Channel Connections for Memory-Efficient Architecture
    # Search", ICLR 2020: the others go past the candidates. The paper adds edge normalisation.
    name = "channels"

    k = integer(4, min=1, doc="1/k of the channels go through mixed operations")

    def relaxation(self) -> Relaxed:
        return Relaxed(channels=self.k)
