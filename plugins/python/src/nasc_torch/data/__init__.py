"""Data sets and the batches of a training."""

from .batches import Course, Lessons, Source, View
from .dataset import Options, Set, Split, load

__all__ = ["Course", "Lessons", "Options", "Set", "Source", "Split", "View", "load"]
