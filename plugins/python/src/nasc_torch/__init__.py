"""Architectures of nasc in PyTorch.

Network makes a module of a graph, and op adds operations to the table of those that are
known. The evaluator `torch/train` trains architectures with the settings of nasc's evaluator
`train`, and supernets for one-shot searches. docs/pytorch.md of nasc tells how to use it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .version import VERSION as __version__

if TYPE_CHECKING:
    from .network import Network, load_weights
    from .ops import Site, UnknownOperation, op

__all__ = ["Network", "Site", "UnknownOperation", "__version__", "load_weights", "op"]


def __getattr__(name: str) -> Any:
    """Imports PyTorch only where it is needed."""
    if name in ("Network", "load_weights"):
        from . import network

        return getattr(network, name)
    if name in ("Site", "UnknownOperation", "op"):
        from . import ops

        return getattr(ops, name)
    raise AttributeError(f"module {__name__} has no attribute {name}")
