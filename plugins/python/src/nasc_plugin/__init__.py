"""Write optimizers, evaluators and operations for nasc in Python.

A plugin is a program that declares its components and calls serve. nasc starts it as a
process of its own; docs/plugins.md of nasc tells how to test, install and pin it. One-shot
optimizers are made of components in nasc_plugin.oneshot.
"""

from .graph import Graph, Node
from .ops import Op, Tensor, Tensors, Weight
from .plugin import (Cancelled, Candidate, Component, Done, Evaluator, Metric, Objective, Optimizer, Parameter, Plugin, Progress, Refused,
                     Result, Trial, boolean, integer, real, text)
from .rng import Stream, derive
from .searched import OneShot, RefusedDecision, SearchedSupernet, Stage
from .server import serve
from .space import INACTIVE, Alternative, Decision, Genotype, Space
from .supernet import OpenSupernet, SupernetTrainer, TrainedSupernet

__all__ = ["Alternative", "Cancelled", "Candidate", "Component", "Decision", "Done", "Evaluator", "Genotype", "Graph", "INACTIVE", "Metric",
           "Node", "Objective", "OneShot", "Op", "OpenSupernet", "Optimizer", "Parameter", "Plugin", "Progress", "Refused",
           "RefusedDecision", "Result", "SearchedSupernet", "Space", "Stage", "Stream", "SupernetTrainer", "Tensor", "Tensors",
           "TrainedSupernet", "Trial", "Weight", "boolean", "derive", "integer", "real", "serve", "text"]
