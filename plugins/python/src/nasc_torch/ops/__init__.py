"""Operations as modules, one table for all modules of nasc's standard library."""

from . import einspace, folds, mobile, sequence, transformer, vision  # noqa: F401  (they register their operations)
from .registry import ABSENT, TABLE, Site, UnknownOperation, build, op

__all__ = ["ABSENT", "TABLE", "Site", "UnknownOperation", "build", "op"]
