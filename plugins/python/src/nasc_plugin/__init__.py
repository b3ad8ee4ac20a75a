"""Write optimizers, evaluators and operations for nasc in Python.

A plugin is a program that declares its components and calls serve. nasc starts it as a
process of its own; docs/plugins.md of nasc tells how to test, install and pin it.
"""

from .graph import Graph, Node
from .ops import Op, Tensor, Tensors, Weight
from .plugin import (Cancelled, Candidate, Component, Done, Evaluator, Metric, Objective, Optimizer, Parameter, Plugin, Progress, Refused,
                     Result, Trial, boolean, integer, real, text)
from .rng import Stream, derive
from .server import serve
from .space import INACTIVE, Alternative, Decision, Genotype, Space
from .supernet import OpenSupernet, SupernetTrainer, TrainedSupernet

__all__ = ["INACTIVE", "Alternative", "Cancelled", "Candidate", "Component", "Decision", "Done", "Evaluator", "Genotype", "Graph",
           "Metric", "Node", "Objective", "Op", "OpenSupernet", "Optimizer", "Parameter", "Plugin", "Progress", "Refused", "Result", "Space", "Stream",
           "SupernetTrainer", "Tensor", "Tensors", "TrainedSupernet", "Trial", "Weight", "boolean", "derive", "integer", "real", "serve", "text"]
