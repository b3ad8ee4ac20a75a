"""Architectures of nasc in PyTorch.

Network makes a module of a graph, and op adds operations to the table of those that are
known. The evaluator `torch` trains architectures with the settings of nasc's evaluator
`train`, and supernets for one-shot searches. docs/pytorch.md of nasc tells how to use it.
"""

from .network import Network, load_weights
from .ops import Site, UnknownOperation, op

__all__ = ["Network", "Site", "UnknownOperation", "load_weights", "op"]
__version__ = "0.1.0"
