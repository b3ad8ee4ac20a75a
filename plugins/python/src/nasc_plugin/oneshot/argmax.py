"""The selection of DARTS."""

from __future__ import annotations

from .derive import strongest
from .parts import Choice, Selection
from .search import Search


class Argmax(Selection):
    """the strongest candidates and edges"""

    name = "argmax"

    def derive(self, s: Search) -> Choice:
        return strongest(s.decisions, s.mean())
